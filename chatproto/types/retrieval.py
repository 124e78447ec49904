"""Retrieval from Vertex AI Search, RAG corpora and external APIs, and how those are authenticated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._value import Setting, field, value

if TYPE_CHECKING:
    from .setting_enums import ApiSpec, AuthType, HttpElementLocation

__all__ = [
    "ApiAuth",
    "ApiAuthApiKeyConfig",
    "ApiKeyConfig",
    "AuthConfig",
    "AuthConfigGoogleServiceAccountConfig",
    "AuthConfigHttpBasicAuthConfig",
    "AuthConfigOauthConfig",
    "AuthConfigOidcConfig",
    "ExternalApi",
    "ExternalApiElasticSearchParams",
    "ExternalApiSimpleSearchParams",
    "RagRetrievalConfig",
    "RagRetrievalConfigFilter",
    "RagRetrievalConfigHybridSearch",
    "RagRetrievalConfigRanking",
    "RagRetrievalConfigRankingLlmRanker",
    "RagRetrievalConfigRankingRankService",
    "Retrieval",
    "VertexAISearch",
    "VertexAISearchDataStoreSpec",
    "VertexRagStore",
    "VertexRagStoreRagResource",
]


@value
class Retrieval(Setting):
    """Grounding with documents of one's own. Vertex AI only."""

    disable_attribution: bool | None = None
    external_api: ExternalApi | None = None
    vertex_ai_search: VertexAISearch | None = None
    vertex_rag_store: VertexRagStore | None = None


@value
class VertexAISearch(Setting):
    """A Vertex AI Search data store, or an engine. Vertex AI only."""

    #: Only with an ``engine`` of several data stores.
    data_store_specs: list[VertexAISearchDataStoreSpec] | None = None
    #: Full resource name; not together with ``engine``.
    datastore: str | None = None
    #: Full resource name.
    engine: str | None = None
    filter: str | None = None
    #: Up to 10, which is also the default.
    max_results: int | None = None


@value
class VertexAISearchDataStoreSpec(Setting):
    """One data store of an engine, and a filter on it. Vertex AI only."""

    #: Full resource name.
    data_store: str | None = None
    filter: str | None = None


@value
class VertexRagStore(Setting):
    """RAG corpora. Vertex AI only."""

    rag_corpora: list[str] | None = None
    rag_resources: list[VertexRagStoreRagResource] | None = None
    rag_retrieval_config: RagRetrievalConfig | None = None
    similarity_top_k: int | None = None
    #: For live sessions only.
    store_context: bool | None = None
    vector_distance_threshold: float | None = None


@value
class VertexRagStoreRagResource(Setting):
    """A RAG corpus, or some of its files. Vertex AI only."""

    #: Full resource name.
    rag_corpus: str | None = None
    #: Files of the one corpus.
    rag_file_ids: list[str] | None = None


@value
class RagRetrievalConfig(Setting):
    """How many passages are retrieved, and how they are filtered and ranked. Vertex AI only."""

    filter: RagRetrievalConfigFilter | None = None
    hybrid_search: RagRetrievalConfigHybridSearch | None = None
    ranking: RagRetrievalConfigRanking | None = None
    top_k: int | None = None


@value
class RagRetrievalConfigFilter(Setting):
    """Which passages are left out. Vertex AI only."""

    metadata_filter: str | None = None
    #: Only passages nearer than this.
    vector_distance_threshold: float | None = None
    #: Only passages more similar than this.
    vector_similarity_threshold: float | None = None


@value
class RagRetrievalConfigHybridSearch(Setting):
    """How search by meaning and search by words are weighed. Vertex AI only."""

    #: From 0, words only, to 1, meaning only; 0.5 if unset.
    alpha: float | None = None


@value
class RagRetrievalConfigRanking(Setting):
    """What ranks the passages. Vertex AI only."""

    llm_ranker: RagRetrievalConfigRankingLlmRanker | None = None
    rank_service: RagRetrievalConfigRankingRankService | None = None


@value
class RagRetrievalConfigRankingLlmRanker(Setting):
    """Ranking by a language model. Vertex AI only."""

    model_name: str | None = None


@value
class RagRetrievalConfigRankingRankService(Setting):
    """Ranking by the ranking service. Vertex AI only."""

    #: ``semantic-ranker-512@latest`` and the like.
    model_name: str | None = None


@value
class ExternalApi(Setting):
    """A search service that is not Google's and answers in a known format. Vertex AI only."""

    api_auth: ApiAuth | None = None
    api_spec: ApiSpec | None = None
    auth_config: AuthConfig | None = None
    elastic_search_params: ExternalApiElasticSearchParams | None = None
    endpoint: str | None = None
    simple_search_params: ExternalApiSimpleSearchParams | None = None


@value
class ExternalApiElasticSearchParams(Setting):
    """What is asked of an Elasticsearch service. Vertex AI only."""

    index: str | None = None
    num_hits: int | None = None
    search_template: str | None = None


@value
class ExternalApiSimpleSearchParams(Setting):
    """What is asked of a simple search service: nothing can be set. Vertex AI only."""


@value
class ApiAuth(Setting):
    """Deprecated: use AuthConfig. Vertex AI only."""

    api_key_config: ApiAuthApiKeyConfig | None = None


@value
class ApiAuthApiKeyConfig(Setting):
    """An API key, itself or by the name of its secret version. Vertex AI only."""

    #: Resource name in Secret Manager.
    api_key_secret_version: str | None = None
    api_key_string: str | None = field(default=None, secret=True)


@value
class AuthConfig(Setting):
    """How the server authenticates itself at a service. Vertex AI only."""

    api_key: str | None = field(default=None, secret=True)
    api_key_config: ApiKeyConfig | None = None
    auth_type: AuthType | None = None
    google_service_account_config: AuthConfigGoogleServiceAccountConfig | None = None
    http_basic_auth_config: AuthConfigHttpBasicAuthConfig | None = None
    oauth_config: AuthConfigOauthConfig | None = None
    oidc_config: AuthConfigOidcConfig | None = None


@value
class ApiKeyConfig(Setting):
    """An API key, and where in the request it goes. Vertex AI only."""

    #: Resource name in Secret Manager; goes before ``api_key_string``.
    api_key_secret: str | None = None
    api_key_string: str | None = field(default=None, secret=True)
    http_element_location: HttpElementLocation | None = None
    #: Of the header or parameter that takes the key.
    name: str | None = None


@value
class AuthConfigGoogleServiceAccountConfig(Setting):
    """Authentication as a Google service account. Vertex AI only."""

    service_account: str | None = None


@value
class AuthConfigHttpBasicAuthConfig(Setting):
    """HTTP basic authentication. Vertex AI only."""

    #: Resource name in Secret Manager of the base64 of the credentials.
    credential_secret: str | None = field(default=None, secret=True)


@value
class AuthConfigOauthConfig(Setting):
    """Authentication by OAuth: a token, or the account that gets one. Vertex AI only."""

    access_token: str | None = field(default=None, secret=True)
    service_account: str | None = None


@value
class AuthConfigOidcConfig(Setting):
    """Authentication by OpenID Connect: a token, or the account that gets one. Vertex AI only."""

    id_token: str | None = field(default=None, secret=True)
    service_account: str | None = None
