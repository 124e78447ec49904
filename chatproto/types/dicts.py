"""Twins of the values, as dicts: ``PartDict`` is a dict of the fields of ``Part``, ``PartOrDict`` is either.

For type checkers, and for programs that annotate with them: at run time they are dicts. Printed by tests/make_dicts.py.
"""

# D101: each is described by the value that it stands for. TC: get_type_hints finds all that is mentioned.
# ruff: noqa: D101, TC001, TC003

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

from .config import (
    AutomaticFunctionCallingConfig,
    GenerateContentConfig,
    GenerationConfigRoutingConfig,
    GenerationConfigRoutingConfigAutoRoutingMode,
    GenerationConfigRoutingConfigManualRoutingMode,
    GenerationOutputConfig,
    ImageConfig,
    ImageConfigImageOutputOptions,
    ModelArmorConfig,
    ModelSelectionConfig,
    SafetySetting,
    ThinkingConfig,
)
from .content import (
    Blob,
    CodeExecutionResult,
    Content,
    ExecutableCode,
    FileData,
    FunctionCall,
    FunctionResponse,
    FunctionResponseBlob,
    FunctionResponseFileData,
    FunctionResponsePart,
    Part,
    PartialArg,
    ToolCall,
    ToolResponse,
)
from .enums import (
    BlockedReason,
    DocumentMetadataContentLayer,
    FileSource,
    FileState,
    FinishReason,
    FunctionResponseScheduling,
    HarmBlockThreshold,
    HarmCategory,
    HarmProbability,
    HarmSeverity,
    Language,
    MediaModality,
    MediaProcessing,
    ModelStage,
    Outcome,
    PartMediaResolutionLevel,
    SpreadsheetMetadataContentLayer,
    ToolType,
    TrafficType,
    UrlRetrievalStatus,
    VideoMetadataContentLayer,
)
from .files import (
    ClaudeFile,
    CreateFileConfig,
    CreateFileResponse,
    DeleteFileConfig,
    DeleteFileResponse,
    DownloadFileConfig,
    File,
    FileStatus,
    GetFileConfig,
    ListFilesConfig,
    ListFilesResponse,
    UploadFileConfig,
)
from .generation import (
    AudioResponseFormat,
    GenerationConfig,
    ImageResponseFormat,
    ResponseFormat,
    TextResponseFormat,
    TranslationConfig,
    VideoResponseFormat,
)
from .grounding import (
    Citation,
    CitationMetadata,
    GoogleTypeDate,
    GroundingChunk,
    GroundingChunkCustomMetadata,
    GroundingChunkImage,
    GroundingChunkMaps,
    GroundingChunkMapsPlaceAnswerSources,
    GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution,
    GroundingChunkMapsPlaceAnswerSourcesReviewSnippet,
    GroundingChunkMapsRoute,
    GroundingChunkRetrievedContext,
    GroundingChunkStringList,
    GroundingChunkWeb,
    GroundingMetadata,
    GroundingMetadataSourceFlaggingUri,
    GroundingSupport,
    RagChunk,
    RagChunkPageSpan,
    RetrievalMetadata,
    SearchEntryPoint,
    Segment,
    UrlContextMetadata,
    UrlMetadata,
)
from .http import HttpOptions, HttpResponse, HttpRetryOptions
from .image import Image
from .media import (
    AudioMetadata,
    DocumentMetadata,
    PartMediaResolution,
    SpeechMetadata,
    SpreadsheetMetadata,
    Transcription,
    VideoMetadata,
    WordInfo,
)
from .response import (
    Candidate,
    GenerateContentResponse,
    GenerateContentResponsePromptFeedback,
    GenerateContentResponseUsageMetadata,
    LogprobsResult,
    LogprobsResultCandidate,
    LogprobsResultTopCandidates,
    ModalityTokenCount,
    ModelStatus,
    SafetyRating,
)
from .retrieval import (
    ApiAuth,
    ApiAuthApiKeyConfig,
    ApiKeyConfig,
    AuthConfig,
    AuthConfigGoogleServiceAccountConfig,
    AuthConfigHttpBasicAuthConfig,
    AuthConfigOauthConfig,
    AuthConfigOidcConfig,
    ExternalApi,
    ExternalApiElasticSearchParams,
    ExternalApiSimpleSearchParams,
    RagRetrievalConfig,
    RagRetrievalConfigFilter,
    RagRetrievalConfigHybridSearch,
    RagRetrievalConfigRanking,
    RagRetrievalConfigRankingLlmRanker,
    RagRetrievalConfigRankingRankService,
    Retrieval,
    VertexAISearch,
    VertexAISearchDataStoreSpec,
    VertexRagStore,
    VertexRagStoreRagResource,
)
from .schema import FunctionDeclaration, Schema
from .setting_enums import (
    ApiSpec,
    AspectRatio,
    AudioTranscriptionConfigMode,
    AuthType,
    Behavior,
    Delivery,
    DynamicRetrievalConfigMode,
    Environment,
    FeatureSelectionPreference,
    FunctionCallingConfigMode,
    HarmBlockMethod,
    HttpElementLocation,
    ImageSize,
    MediaResolution,
    Modality,
    PhishBlockThreshold,
    ProminentPeople,
    ResourceScope,
    SafetyPolicy,
    ServiceTier,
    ThinkingLevel,
    Type,
)
from .speech import (
    AudioTranscriptionConfig,
    LanguageAuto,
    LanguageHints,
    MultiSpeakerVoiceConfig,
    PrebuiltVoiceConfig,
    ReplicatedVoiceConfig,
    SpeakerVoiceConfig,
    SpeechConfig,
    VoiceConfig,
    VoiceConsentSignature,
)
from .tokens import CountTokensConfig, CountTokensResponse
from .tools import (
    ComputerUse,
    DynamicRetrievalConfig,
    EnterpriseWebSearch,
    FileSearch,
    FunctionCallingConfig,
    GoogleMaps,
    GoogleMapsGroundingTypes,
    GoogleMapsPlaces,
    GoogleMapsRouting,
    GoogleSearch,
    GoogleSearchRetrieval,
    ImageSearch,
    Interval,
    LatLng,
    McpServer,
    RetrievalConfig,
    SearchTypes,
    StreamableHttpTransport,
    Tool,
    ToolCodeExecution,
    ToolConfig,
    ToolExaAiSearch,
    ToolParallelAiSearch,
    UrlContext,
    WebSearch,
)
from .unions import BlobImageUnionDict, ContentUnionDict, SchemaUnionDict, ToolListUnionDict


class ApiAuthDict(TypedDict, total=False):
    api_key_config: ApiAuthApiKeyConfigOrDict | None


class ApiAuthApiKeyConfigDict(TypedDict, total=False):
    api_key_secret_version: str | None
    api_key_string: str | None


class ApiKeyConfigDict(TypedDict, total=False):
    api_key_secret: str | None
    api_key_string: str | None
    http_element_location: HttpElementLocation | str | None
    name: str | None


class AudioMetadataDict(TypedDict, total=False):
    start_offset: str | None
    end_offset: str | None


class AudioResponseFormatDict(TypedDict, total=False):
    bit_rate: int | None
    delivery: Delivery | str | None
    mime_type: str | None
    sample_rate: int | None


class AudioTranscriptionConfigDict(TypedDict, total=False):
    language_codes: list[str] | None
    language_auto: LanguageAutoOrDict | None
    language_hints: LanguageHintsOrDict | None
    custom_vocabulary: list[str] | None
    adaptation_phrases: list[str] | None
    word_timestamp: bool | None
    diarization: bool | None
    mode: AudioTranscriptionConfigMode | str | None
    source_text: str | None


class AuthConfigDict(TypedDict, total=False):
    api_key: str | None
    api_key_config: ApiKeyConfigOrDict | None
    auth_type: AuthType | str | None
    google_service_account_config: AuthConfigGoogleServiceAccountConfigOrDict | None
    http_basic_auth_config: AuthConfigHttpBasicAuthConfigOrDict | None
    oauth_config: AuthConfigOauthConfigOrDict | None
    oidc_config: AuthConfigOidcConfigOrDict | None


class AuthConfigGoogleServiceAccountConfigDict(TypedDict, total=False):
    service_account: str | None


class AuthConfigHttpBasicAuthConfigDict(TypedDict, total=False):
    credential_secret: str | None


class AuthConfigOauthConfigDict(TypedDict, total=False):
    access_token: str | None
    service_account: str | None


class AuthConfigOidcConfigDict(TypedDict, total=False):
    id_token: str | None
    service_account: str | None


class AutomaticFunctionCallingConfigDict(TypedDict, total=False):
    disable: bool | None
    maximum_remote_calls: int | None
    ignore_call_history: bool | None


class BlobDict(TypedDict, total=False):
    data: bytes | None
    display_name: str | None
    mime_type: str | None


class CandidateDict(TypedDict, total=False):
    content: ContentOrDict | None
    citation_metadata: CitationMetadataOrDict | None
    finish_message: str | None
    token_count: int | None
    finish_reason: FinishReason | str | None
    grounding_metadata: GroundingMetadataOrDict | None
    avg_logprobs: float | None
    index: int | None
    logprobs_result: LogprobsResultOrDict | None
    safety_ratings: list[SafetyRatingOrDict] | None
    url_context_metadata: UrlContextMetadataOrDict | None
    continuation_token: bytes | None


class CitationDict(TypedDict, total=False):
    end_index: int | None
    license: str | None
    publication_date: GoogleTypeDateOrDict | None
    start_index: int | None
    title: str | None
    uri: str | None


class CitationMetadataDict(TypedDict, total=False):
    citations: list[CitationOrDict] | None


class ClaudeFileDict(TypedDict, total=False):
    created_at: datetime | None
    downloadable: bool | None
    expires_at: datetime | None
    filename: str | None
    id: str | None
    mime_type: str | None
    size_bytes: int | None
    type: str | None


class CodeExecutionResultDict(TypedDict, total=False):
    outcome: Outcome | str | None
    output: str | None
    id: str | None


class ComputerUseDict(TypedDict, total=False):
    environment: Environment | str | None
    excluded_predefined_functions: list[str] | None
    enable_prompt_injection_detection: bool | None
    disabled_safety_policies: list[SafetyPolicy | str] | None


class ContentDict(TypedDict, total=False):
    parts: list[PartOrDict] | None
    role: str | None


class CountTokensConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None
    system_instruction: ContentUnionDict | None
    tools: list[ToolOrDict] | None
    generation_config: GenerationConfigOrDict | None


class CountTokensResponseDict(TypedDict, total=False):
    sdk_http_response: HttpResponseOrDict | None
    total_tokens: int | None
    cached_content_token_count: int | None


class CreateFileConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None
    should_return_http_response: bool | None


class CreateFileResponseDict(TypedDict, total=False):
    sdk_http_response: HttpResponseOrDict | None


class DeleteFileConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None


class DeleteFileResponseDict(TypedDict, total=False):
    sdk_http_response: HttpResponseOrDict | None
    id: str | None
    type: str | None


class DocumentMetadataDict(TypedDict, total=False):
    start_page: int | None
    end_page: int | None
    content_layers: list[DocumentMetadataContentLayer | str] | None


class DownloadFileConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None


class DynamicRetrievalConfigDict(TypedDict, total=False):
    dynamic_threshold: float | None
    mode: DynamicRetrievalConfigMode | str | None


class EnterpriseWebSearchDict(TypedDict, total=False):
    blocking_confidence: PhishBlockThreshold | str | None
    exclude_domains: list[str] | None


class ExecutableCodeDict(TypedDict, total=False):
    code: str | None
    language: Language | str | None
    id: str | None


class ExternalApiDict(TypedDict, total=False):
    api_auth: ApiAuthOrDict | None
    api_spec: ApiSpec | str | None
    auth_config: AuthConfigOrDict | None
    elastic_search_params: ExternalApiElasticSearchParamsOrDict | None
    endpoint: str | None
    simple_search_params: ExternalApiSimpleSearchParamsOrDict | None


class ExternalApiElasticSearchParamsDict(TypedDict, total=False):
    index: str | None
    num_hits: int | None
    search_template: str | None


class ExternalApiSimpleSearchParamsDict(TypedDict, total=False):
    pass


class FileDict(TypedDict, total=False):
    name: str | None
    display_name: str | None
    mime_type: str | None
    size_bytes: int | None
    create_time: datetime | None
    expiration_time: datetime | None
    update_time: datetime | None
    sha256_hash: str | None
    uri: str | None
    download_uri: str | None
    state: FileState | str | None
    source: FileSource | str | None
    video_metadata: dict[str, Any] | None
    error: FileStatusOrDict | None


class FileDataDict(TypedDict, total=False):
    display_name: str | None
    file_uri: str | None
    mime_type: str | None


class FileSearchDict(TypedDict, total=False):
    file_search_store_names: list[str] | None
    top_k: int | None
    metadata_filter: str | None


class FileStatusDict(TypedDict, total=False):
    details: list[dict[str, Any]] | None
    message: str | None
    code: int | None


class FunctionCallDict(TypedDict, total=False):
    id: str | None
    args: dict[str, Any] | None
    name: str | None
    partial_args: list[PartialArgOrDict] | None
    will_continue: bool | None


class FunctionCallingConfigDict(TypedDict, total=False):
    allowed_function_names: list[str] | None
    mode: FunctionCallingConfigMode | str | None
    stream_function_call_arguments: bool | None


class FunctionDeclarationDict(TypedDict, total=False):
    description: str | None
    name: str | None
    parameters: SchemaOrDict | None
    parameters_json_schema: Any
    response: SchemaOrDict | None
    response_json_schema: Any
    behavior: Behavior | str | None


class FunctionResponseDict(TypedDict, total=False):
    will_continue: bool | None
    scheduling: FunctionResponseScheduling | str | None
    parts: list[FunctionResponsePartOrDict] | None
    id: str | None
    name: str | None
    response: dict[str, Any] | None


class FunctionResponseBlobDict(TypedDict, total=False):
    mime_type: str | None
    data: bytes | None
    display_name: str | None


class FunctionResponseFileDataDict(TypedDict, total=False):
    file_uri: str | None
    mime_type: str | None
    display_name: str | None


class FunctionResponsePartDict(TypedDict, total=False):
    inline_data: FunctionResponseBlobOrDict | None
    file_data: FunctionResponseFileDataOrDict | None
    media_processing: MediaProcessing | str | None
    media_resolution: PartMediaResolutionOrDict | None
    video_metadata: VideoMetadataOrDict | None
    document_metadata: DocumentMetadataOrDict | None
    spreadsheet_metadata: SpreadsheetMetadataOrDict | None
    audio_metadata: AudioMetadataOrDict | None


class GenerateContentConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None
    should_return_http_response: bool | None
    system_instruction: ContentUnionDict | None
    temperature: float | None
    top_p: float | None
    top_k: float | None
    candidate_count: int | None
    max_output_tokens: int | None
    stop_sequences: list[str] | None
    response_logprobs: bool | None
    logprobs: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    seed: int | None
    response_mime_type: str | None
    response_schema: SchemaUnionDict | None
    response_json_schema: Any
    routing_config: GenerationConfigRoutingConfigOrDict | None
    model_selection_config: ModelSelectionConfigOrDict | None
    safety_settings: list[SafetySettingOrDict] | None
    tools: ToolListUnionDict | None
    tool_config: ToolConfigOrDict | None
    labels: dict[str, str] | None
    cached_content: str | None
    response_modalities: list[str] | None
    media_resolution: MediaResolution | str | None
    speech_config: str | SpeechConfigOrDict | None
    audio_timestamp: bool | None
    automatic_function_calling: AutomaticFunctionCallingConfigOrDict | None
    thinking_config: ThinkingConfigOrDict | None
    image_config: ImageConfigOrDict | None
    enable_enhanced_civic_answers: bool | None
    model_armor_config: ModelArmorConfigOrDict | None
    service_tier: ServiceTier | str | None
    audio_transcription_config: AudioTranscriptionConfigOrDict | None
    continuation_token: bytes | None
    automatic_continuation: bool | None
    generation_output_config: GenerationOutputConfigOrDict | None
    store: bool | None


class GenerateContentResponseDict(TypedDict, total=False):
    sdk_http_response: HttpResponseOrDict | None
    candidates: list[CandidateOrDict] | None
    create_time: datetime | None
    model_version: str | None
    prompt_feedback: GenerateContentResponsePromptFeedbackOrDict | None
    response_id: str | None
    usage_metadata: GenerateContentResponseUsageMetadataOrDict | None
    model_status: ModelStatusOrDict | None
    automatic_function_calling_history: list[ContentOrDict] | None
    parsed: Any


class GenerateContentResponsePromptFeedbackDict(TypedDict, total=False):
    block_reason: BlockedReason | str | None
    block_reason_message: str | None
    safety_ratings: list[SafetyRatingOrDict] | None


class GenerateContentResponseUsageMetadataDict(TypedDict, total=False):
    cache_tokens_details: list[ModalityTokenCountOrDict] | None
    cached_content_token_count: int | None
    candidates_token_count: int | None
    candidates_tokens_details: list[ModalityTokenCountOrDict] | None
    prompt_token_count: int | None
    prompt_tokens_details: list[ModalityTokenCountOrDict] | None
    thoughts_token_count: int | None
    tool_use_prompt_token_count: int | None
    tool_use_prompt_tokens_details: list[ModalityTokenCountOrDict] | None
    total_token_count: int | None
    traffic_type: TrafficType | str | None


class GenerationConfigDict(TypedDict, total=False):
    model_selection_config: ModelSelectionConfigOrDict | None
    response_json_schema: Any
    audio_timestamp: bool | None
    candidate_count: int | None
    enable_affective_dialog: bool | None
    frequency_penalty: float | None
    logprobs: int | None
    max_output_tokens: int | None
    media_resolution: MediaResolution | str | None
    presence_penalty: float | None
    response_logprobs: bool | None
    response_mime_type: str | None
    response_modalities: list[Modality | str] | None
    response_schema: SchemaOrDict | None
    routing_config: GenerationConfigRoutingConfigOrDict | None
    seed: int | None
    speech_config: SpeechConfigOrDict | None
    stop_sequences: list[str] | None
    temperature: float | None
    thinking_config: ThinkingConfigOrDict | None
    top_k: float | None
    top_p: float | None
    enable_enhanced_civic_answers: bool | None
    response_format: list[ResponseFormatOrDict] | None
    translation_config: TranslationConfigOrDict | None
    audio_transcription_config: AudioTranscriptionConfigOrDict | None


class GenerationConfigRoutingConfigDict(TypedDict, total=False):
    auto_mode: GenerationConfigRoutingConfigAutoRoutingModeOrDict | None
    manual_mode: GenerationConfigRoutingConfigManualRoutingModeOrDict | None


class GenerationConfigRoutingConfigAutoRoutingModeDict(TypedDict, total=False):
    model_routing_preference: Literal["UNKNOWN", "PRIORITIZE_QUALITY", "BALANCED", "PRIORITIZE_COST"] | None


class GenerationConfigRoutingConfigManualRoutingModeDict(TypedDict, total=False):
    model_name: str | None


class GenerationOutputConfigDict(TypedDict, total=False):
    output_uri_prefix: str | None


class GetFileConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None


class GoogleMapsDict(TypedDict, total=False):
    auth_config: AuthConfigOrDict | None
    enable_widget: bool | None
    grounding_types: GoogleMapsGroundingTypesOrDict | None


class GoogleMapsGroundingTypesDict(TypedDict, total=False):
    places: GoogleMapsPlacesOrDict | None
    routing: GoogleMapsRoutingOrDict | None


class GoogleMapsPlacesDict(TypedDict, total=False):
    pass


class GoogleMapsRoutingDict(TypedDict, total=False):
    pass


class GoogleSearchDict(TypedDict, total=False):
    search_types: SearchTypesOrDict | None
    blocking_confidence: PhishBlockThreshold | str | None
    exclude_domains: list[str] | None
    time_range_filter: IntervalOrDict | None


class GoogleSearchRetrievalDict(TypedDict, total=False):
    dynamic_retrieval_config: DynamicRetrievalConfigOrDict | None


class GoogleTypeDateDict(TypedDict, total=False):
    day: int | None
    month: int | None
    year: int | None


class GroundingChunkDict(TypedDict, total=False):
    image: GroundingChunkImageOrDict | None
    maps: GroundingChunkMapsOrDict | None
    retrieved_context: GroundingChunkRetrievedContextOrDict | None
    web: GroundingChunkWebOrDict | None


class GroundingChunkCustomMetadataDict(TypedDict, total=False):
    key: str | None
    numeric_value: float | None
    string_list_value: GroundingChunkStringListOrDict | None
    string_value: str | None


class GroundingChunkImageDict(TypedDict, total=False):
    source_uri: str | None
    image_uri: str | None
    title: str | None
    domain: str | None


class GroundingChunkMapsDict(TypedDict, total=False):
    place_answer_sources: GroundingChunkMapsPlaceAnswerSourcesOrDict | None
    place_id: str | None
    text: str | None
    title: str | None
    uri: str | None
    route: GroundingChunkMapsRouteOrDict | None


class GroundingChunkMapsPlaceAnswerSourcesDict(TypedDict, total=False):
    review_snippet: list[GroundingChunkMapsPlaceAnswerSourcesReviewSnippetOrDict] | None
    flag_content_uri: str | None
    review_snippets: list[GroundingChunkMapsPlaceAnswerSourcesReviewSnippetOrDict] | None


class GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionDict(TypedDict, total=False):
    display_name: str | None
    photo_uri: str | None
    uri: str | None


class GroundingChunkMapsPlaceAnswerSourcesReviewSnippetDict(TypedDict, total=False):
    author_attribution: GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionOrDict | None
    flag_content_uri: str | None
    google_maps_uri: str | None
    relative_publish_time_description: str | None
    review: str | None
    review_id: str | None
    title: str | None


class GroundingChunkMapsRouteDict(TypedDict, total=False):
    distance_meters: int | None
    duration: str | None
    encoded_polyline: str | None


class GroundingChunkRetrievedContextDict(TypedDict, total=False):
    document_name: str | None
    rag_chunk: RagChunkOrDict | None
    text: str | None
    title: str | None
    uri: str | None
    custom_metadata: list[GroundingChunkCustomMetadataOrDict] | None
    file_search_store: str | None
    page_number: int | None
    media_id: str | None


class GroundingChunkStringListDict(TypedDict, total=False):
    values: list[str] | None


class GroundingChunkWebDict(TypedDict, total=False):
    domain: str | None
    title: str | None
    uri: str | None


class GroundingMetadataDict(TypedDict, total=False):
    image_search_queries: list[str] | None
    grounding_chunks: list[GroundingChunkOrDict] | None
    grounding_supports: list[GroundingSupportOrDict] | None
    retrieval_metadata: RetrievalMetadataOrDict | None
    search_entry_point: SearchEntryPointOrDict | None
    web_search_queries: list[str] | None
    google_maps_widget_context_token: str | None
    retrieval_queries: list[str] | None
    source_flagging_uris: list[GroundingMetadataSourceFlaggingUriOrDict] | None


class GroundingMetadataSourceFlaggingUriDict(TypedDict, total=False):
    flag_content_uri: str | None
    source_id: str | None


class GroundingSupportDict(TypedDict, total=False):
    confidence_scores: list[float] | None
    grounding_chunk_indices: list[int] | None
    segment: SegmentOrDict | None
    rendered_parts: list[int] | None


class HttpOptionsDict(TypedDict, total=False):
    base_url: str | None
    base_url_resource_scope: ResourceScope | str | None
    api_version: str | None
    headers: dict[str, str] | None
    timeout: int | None
    client_args: dict[str, Any] | None
    async_client_args: dict[str, Any] | None
    extra_body: dict[str, Any] | None
    retry_options: HttpRetryOptionsOrDict | None
    httpx_client: Any
    httpx_async_client: Any
    aiohttp_client: Any


class HttpResponseDict(TypedDict, total=False):
    headers: dict[str, str] | None
    body: str | None


class HttpRetryOptionsDict(TypedDict, total=False):
    attempts: int | None
    initial_delay: float | None
    max_delay: float | None
    exp_base: float | None
    jitter: float | None
    http_status_codes: list[int] | None


class ImageDict(TypedDict, total=False):
    gcs_uri: str | None
    image_bytes: bytes | None
    mime_type: str | None


class ImageConfigDict(TypedDict, total=False):
    aspect_ratio: str | None
    image_size: str | None
    person_generation: str | None
    prominent_people: ProminentPeople | str | None
    output_mime_type: str | None
    output_compression_quality: int | None
    image_output_options: ImageConfigImageOutputOptionsOrDict | None


class ImageConfigImageOutputOptionsDict(TypedDict, total=False):
    compression_quality: int | None
    mime_type: str | None


class ImageResponseFormatDict(TypedDict, total=False):
    aspect_ratio: AspectRatio | str | None
    delivery: Delivery | str | None
    image_size: ImageSize | str | None
    mime_type: str | None


class ImageSearchDict(TypedDict, total=False):
    pass


class IntervalDict(TypedDict, total=False):
    end_time: datetime | None
    start_time: datetime | None


class LanguageAutoDict(TypedDict, total=False):
    pass


class LanguageHintsDict(TypedDict, total=False):
    language_codes: list[str] | None


class LatLngDict(TypedDict, total=False):
    latitude: float | None
    longitude: float | None


class ListFilesConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None
    page_size: int | None
    page_token: str | None


class ListFilesResponseDict(TypedDict, total=False):
    sdk_http_response: HttpResponseOrDict | None
    next_page_token: str | None
    files: list[FileOrDict] | None
    data: list[ClaudeFileOrDict] | None
    next_page: str | None


class LogprobsResultDict(TypedDict, total=False):
    chosen_candidates: list[LogprobsResultCandidateOrDict] | None
    top_candidates: list[LogprobsResultTopCandidatesOrDict] | None
    log_probability_sum: float | None


class LogprobsResultCandidateDict(TypedDict, total=False):
    log_probability: float | None
    token: str | None
    token_id: int | None


class LogprobsResultTopCandidatesDict(TypedDict, total=False):
    candidates: list[LogprobsResultCandidateOrDict] | None


class McpServerDict(TypedDict, total=False):
    name: str | None
    streamable_http_transport: StreamableHttpTransportOrDict | None


class ModalityTokenCountDict(TypedDict, total=False):
    modality: MediaModality | str | None
    token_count: int | None


class ModelArmorConfigDict(TypedDict, total=False):
    prompt_template_name: str | None
    response_template_name: str | None


class ModelSelectionConfigDict(TypedDict, total=False):
    feature_selection_preference: FeatureSelectionPreference | str | None


class ModelStatusDict(TypedDict, total=False):
    message: str | None
    model_stage: ModelStage | str | None
    retirement_time: datetime | None


class MultiSpeakerVoiceConfigDict(TypedDict, total=False):
    speaker_voice_configs: list[SpeakerVoiceConfigOrDict] | None


class PartDict(TypedDict, total=False):
    media_resolution: PartMediaResolutionOrDict | None
    code_execution_result: CodeExecutionResultOrDict | None
    executable_code: ExecutableCodeOrDict | None
    file_data: FileDataOrDict | None
    function_call: FunctionCallOrDict | None
    function_response: FunctionResponseOrDict | None
    inline_data: BlobImageUnionDict | None
    text: str | None
    thought: bool | None
    thought_signature: bytes | None
    video_metadata: VideoMetadataOrDict | None
    tool_call: ToolCallOrDict | None
    tool_response: ToolResponseOrDict | None
    part_metadata: dict[str, Any] | None
    audio_transcription: TranscriptionOrDict | None
    media_processing: MediaProcessing | str | None
    speech_metadata: SpeechMetadataOrDict | None
    document_metadata: DocumentMetadataOrDict | None
    spreadsheet_metadata: SpreadsheetMetadataOrDict | None
    audio_metadata: AudioMetadataOrDict | None


class PartMediaResolutionDict(TypedDict, total=False):
    level: PartMediaResolutionLevel | str | None
    num_tokens: int | None


class PartialArgDict(TypedDict, total=False):
    bool_value: bool | None
    json_path: str | None
    null_value: Literal["NULL_VALUE"] | None
    number_value: float | None
    string_value: str | None
    will_continue: bool | None


class PrebuiltVoiceConfigDict(TypedDict, total=False):
    voice_name: str | None


class RagChunkDict(TypedDict, total=False):
    page_span: RagChunkPageSpanOrDict | None
    text: str | None
    chunk_id: str | None
    file_id: str | None


class RagChunkPageSpanDict(TypedDict, total=False):
    first_page: int | None
    last_page: int | None


class RagRetrievalConfigDict(TypedDict, total=False):
    filter: RagRetrievalConfigFilterOrDict | None
    hybrid_search: RagRetrievalConfigHybridSearchOrDict | None
    ranking: RagRetrievalConfigRankingOrDict | None
    top_k: int | None


class RagRetrievalConfigFilterDict(TypedDict, total=False):
    metadata_filter: str | None
    vector_distance_threshold: float | None
    vector_similarity_threshold: float | None


class RagRetrievalConfigHybridSearchDict(TypedDict, total=False):
    alpha: float | None


class RagRetrievalConfigRankingDict(TypedDict, total=False):
    llm_ranker: RagRetrievalConfigRankingLlmRankerOrDict | None
    rank_service: RagRetrievalConfigRankingRankServiceOrDict | None


class RagRetrievalConfigRankingLlmRankerDict(TypedDict, total=False):
    model_name: str | None


class RagRetrievalConfigRankingRankServiceDict(TypedDict, total=False):
    model_name: str | None


class ReplicatedVoiceConfigDict(TypedDict, total=False):
    mime_type: str | None
    voice_sample_audio: bytes | None
    consent_audio: bytes | None
    voice_consent_signature: VoiceConsentSignatureOrDict | None


class ResponseFormatDict(TypedDict, total=False):
    audio: AudioResponseFormatOrDict | None
    image: ImageResponseFormatOrDict | None
    text: TextResponseFormatOrDict | None
    video: VideoResponseFormatOrDict | None


class RetrievalDict(TypedDict, total=False):
    disable_attribution: bool | None
    external_api: ExternalApiOrDict | None
    vertex_ai_search: VertexAISearchOrDict | None
    vertex_rag_store: VertexRagStoreOrDict | None


class RetrievalConfigDict(TypedDict, total=False):
    lat_lng: LatLngOrDict | None
    language_code: str | None


class RetrievalMetadataDict(TypedDict, total=False):
    google_search_dynamic_retrieval_score: float | None


class SafetyRatingDict(TypedDict, total=False):
    blocked: bool | None
    category: HarmCategory | str | None
    overwritten_threshold: HarmBlockThreshold | str | None
    probability: HarmProbability | str | None
    probability_score: float | None
    severity: HarmSeverity | str | None
    severity_score: float | None


class SafetySettingDict(TypedDict, total=False):
    category: HarmCategory | str | None
    method: HarmBlockMethod | str | None
    threshold: HarmBlockThreshold | str | None


class SchemaDict(TypedDict, total=False):
    additional_properties: Any
    defs: dict[str, SchemaOrDict] | None
    ref: str | None
    any_of: list[SchemaOrDict] | None
    default: Any
    description: str | None
    enum: list[str] | None
    example: Any
    format: str | None
    items: SchemaOrDict | None
    max_items: int | None
    max_length: int | None
    max_properties: int | None
    maximum: float | None
    min_items: int | None
    min_length: int | None
    min_properties: int | None
    minimum: float | None
    nullable: bool | None
    pattern: str | None
    properties: dict[str, SchemaOrDict] | None
    property_ordering: list[str] | None
    required: list[str] | None
    title: str | None
    type: Type | str | None


class SearchEntryPointDict(TypedDict, total=False):
    rendered_content: str | None
    sdk_blob: bytes | None


class SearchTypesDict(TypedDict, total=False):
    web_search: WebSearchOrDict | None
    image_search: ImageSearchOrDict | None


class SegmentDict(TypedDict, total=False):
    start_index: int | None
    end_index: int | None
    part_index: int | None
    text: str | None


class SpeakerVoiceConfigDict(TypedDict, total=False):
    speaker: str | None
    voice_config: VoiceConfigOrDict | None


class SpeechConfigDict(TypedDict, total=False):
    voice_config: VoiceConfigOrDict | None
    language_code: str | None
    multi_speaker_voice_config: MultiSpeakerVoiceConfigOrDict | None


class SpeechMetadataDict(TypedDict, total=False):
    speaker: str | None
    style: str | None


class SpreadsheetMetadataDict(TypedDict, total=False):
    visible_cells: str | None
    sheet_index: int | None
    content_layers: list[SpreadsheetMetadataContentLayer | str] | None


class StreamableHttpTransportDict(TypedDict, total=False):
    headers: dict[str, str] | None
    sse_read_timeout: str | None
    terminate_on_close: bool | None
    timeout: str | None
    url: str | None


class TextResponseFormatDict(TypedDict, total=False):
    mime_type: str | None
    schema: Any


class ThinkingConfigDict(TypedDict, total=False):
    include_thoughts: bool | None
    thinking_budget: int | None
    thinking_level: ThinkingLevel | str | None


class ToolDict(TypedDict, total=False):
    retrieval: RetrievalOrDict | None
    computer_use: ComputerUseOrDict | None
    file_search: FileSearchOrDict | None
    google_search: GoogleSearchOrDict | None
    google_maps: GoogleMapsOrDict | None
    code_execution: ToolCodeExecutionOrDict | None
    enterprise_web_search: EnterpriseWebSearchOrDict | None
    function_declarations: list[FunctionDeclarationOrDict] | None
    google_search_retrieval: GoogleSearchRetrievalOrDict | None
    parallel_ai_search: ToolParallelAiSearchOrDict | None
    url_context: UrlContextOrDict | None
    mcp_servers: list[McpServerOrDict] | None
    exa_ai_search: ToolExaAiSearchOrDict | None


class ToolCallDict(TypedDict, total=False):
    id: str | None
    tool_type: ToolType | str | None
    args: dict[str, Any] | None


class ToolCodeExecutionDict(TypedDict, total=False):
    pass


class ToolConfigDict(TypedDict, total=False):
    retrieval_config: RetrievalConfigOrDict | None
    function_calling_config: FunctionCallingConfigOrDict | None
    include_server_side_tool_invocations: bool | None


class ToolExaAiSearchDict(TypedDict, total=False):
    api_key: str | None
    custom_configs: dict[str, Any] | None


class ToolParallelAiSearchDict(TypedDict, total=False):
    api_key: str | None
    custom_configs: dict[str, Any] | None
    enable_data_retention: bool | None
    enable_zero_data_retention: bool | None


class ToolResponseDict(TypedDict, total=False):
    id: str | None
    tool_type: ToolType | str | None
    response: dict[str, Any] | None


class TranscriptionDict(TypedDict, total=False):
    text: str | None
    finished: bool | None
    language_code: str | None
    speaker_label: str | None
    words: list[WordInfoOrDict] | None
    start_offset: str | None
    end_offset: str | None


class TranslationConfigDict(TypedDict, total=False):
    echo_target_language: bool | None
    target_language_code: str | None


class UploadFileConfigDict(TypedDict, total=False):
    http_options: HttpOptionsOrDict | None
    name: str | None
    mime_type: str | None
    display_name: str | None


class UrlContextDict(TypedDict, total=False):
    pass


class UrlContextMetadataDict(TypedDict, total=False):
    url_metadata: list[UrlMetadataOrDict] | None


class UrlMetadataDict(TypedDict, total=False):
    retrieved_url: str | None
    url_retrieval_status: UrlRetrievalStatus | str | None


class VertexAISearchDict(TypedDict, total=False):
    data_store_specs: list[VertexAISearchDataStoreSpecOrDict] | None
    datastore: str | None
    engine: str | None
    filter: str | None
    max_results: int | None


class VertexAISearchDataStoreSpecDict(TypedDict, total=False):
    data_store: str | None
    filter: str | None


class VertexRagStoreDict(TypedDict, total=False):
    rag_corpora: list[str] | None
    rag_resources: list[VertexRagStoreRagResourceOrDict] | None
    rag_retrieval_config: RagRetrievalConfigOrDict | None
    similarity_top_k: int | None
    store_context: bool | None
    vector_distance_threshold: float | None


class VertexRagStoreRagResourceDict(TypedDict, total=False):
    rag_corpus: str | None
    rag_file_ids: list[str] | None


class VideoMetadataDict(TypedDict, total=False):
    end_offset: str | None
    fps: float | None
    start_offset: str | None
    content_layers: list[VideoMetadataContentLayer | str] | None


class VideoResponseFormatDict(TypedDict, total=False):
    aspect_ratio: AspectRatio | str | None
    delivery: Delivery | str | None
    duration: str | None
    gcs_uri: str | None
    resolution: str | None


class VoiceConfigDict(TypedDict, total=False):
    replicated_voice_config: ReplicatedVoiceConfigOrDict | None
    prebuilt_voice_config: PrebuiltVoiceConfigOrDict | None
    voice: str | None


class VoiceConsentSignatureDict(TypedDict, total=False):
    signature: str | None


class WebSearchDict(TypedDict, total=False):
    pass


class WordInfoDict(TypedDict, total=False):
    word: str | None
    start_offset: str | None
    end_offset: str | None


ApiAuthOrDict: TypeAlias = ApiAuth | ApiAuthDict
ApiAuthApiKeyConfigOrDict: TypeAlias = ApiAuthApiKeyConfig | ApiAuthApiKeyConfigDict
ApiKeyConfigOrDict: TypeAlias = ApiKeyConfig | ApiKeyConfigDict
AudioMetadataOrDict: TypeAlias = AudioMetadata | AudioMetadataDict
AudioResponseFormatOrDict: TypeAlias = AudioResponseFormat | AudioResponseFormatDict
AudioTranscriptionConfigOrDict: TypeAlias = AudioTranscriptionConfig | AudioTranscriptionConfigDict
AuthConfigOrDict: TypeAlias = AuthConfig | AuthConfigDict
AuthConfigGoogleServiceAccountConfigOrDict: TypeAlias = (
    AuthConfigGoogleServiceAccountConfig | AuthConfigGoogleServiceAccountConfigDict
)
AuthConfigHttpBasicAuthConfigOrDict: TypeAlias = AuthConfigHttpBasicAuthConfig | AuthConfigHttpBasicAuthConfigDict
AuthConfigOauthConfigOrDict: TypeAlias = AuthConfigOauthConfig | AuthConfigOauthConfigDict
AuthConfigOidcConfigOrDict: TypeAlias = AuthConfigOidcConfig | AuthConfigOidcConfigDict
AutomaticFunctionCallingConfigOrDict: TypeAlias = AutomaticFunctionCallingConfig | AutomaticFunctionCallingConfigDict
BlobOrDict: TypeAlias = Blob | BlobDict
CandidateOrDict: TypeAlias = Candidate | CandidateDict
CitationOrDict: TypeAlias = Citation | CitationDict
CitationMetadataOrDict: TypeAlias = CitationMetadata | CitationMetadataDict
ClaudeFileOrDict: TypeAlias = ClaudeFile | ClaudeFileDict
CodeExecutionResultOrDict: TypeAlias = CodeExecutionResult | CodeExecutionResultDict
ComputerUseOrDict: TypeAlias = ComputerUse | ComputerUseDict
ContentOrDict: TypeAlias = Content | ContentDict
CountTokensConfigOrDict: TypeAlias = CountTokensConfig | CountTokensConfigDict
CountTokensResponseOrDict: TypeAlias = CountTokensResponse | CountTokensResponseDict
CreateFileConfigOrDict: TypeAlias = CreateFileConfig | CreateFileConfigDict
CreateFileResponseOrDict: TypeAlias = CreateFileResponse | CreateFileResponseDict
DeleteFileConfigOrDict: TypeAlias = DeleteFileConfig | DeleteFileConfigDict
DeleteFileResponseOrDict: TypeAlias = DeleteFileResponse | DeleteFileResponseDict
DocumentMetadataOrDict: TypeAlias = DocumentMetadata | DocumentMetadataDict
DownloadFileConfigOrDict: TypeAlias = DownloadFileConfig | DownloadFileConfigDict
DynamicRetrievalConfigOrDict: TypeAlias = DynamicRetrievalConfig | DynamicRetrievalConfigDict
EnterpriseWebSearchOrDict: TypeAlias = EnterpriseWebSearch | EnterpriseWebSearchDict
ExecutableCodeOrDict: TypeAlias = ExecutableCode | ExecutableCodeDict
ExternalApiOrDict: TypeAlias = ExternalApi | ExternalApiDict
ExternalApiElasticSearchParamsOrDict: TypeAlias = ExternalApiElasticSearchParams | ExternalApiElasticSearchParamsDict
ExternalApiSimpleSearchParamsOrDict: TypeAlias = ExternalApiSimpleSearchParams | ExternalApiSimpleSearchParamsDict
FileOrDict: TypeAlias = File | FileDict
FileDataOrDict: TypeAlias = FileData | FileDataDict
FileSearchOrDict: TypeAlias = FileSearch | FileSearchDict
FileStatusOrDict: TypeAlias = FileStatus | FileStatusDict
FunctionCallOrDict: TypeAlias = FunctionCall | FunctionCallDict
FunctionCallingConfigOrDict: TypeAlias = FunctionCallingConfig | FunctionCallingConfigDict
FunctionDeclarationOrDict: TypeAlias = FunctionDeclaration | FunctionDeclarationDict
FunctionResponseOrDict: TypeAlias = FunctionResponse | FunctionResponseDict
FunctionResponseBlobOrDict: TypeAlias = FunctionResponseBlob | FunctionResponseBlobDict
FunctionResponseFileDataOrDict: TypeAlias = FunctionResponseFileData | FunctionResponseFileDataDict
FunctionResponsePartOrDict: TypeAlias = FunctionResponsePart | FunctionResponsePartDict
GenerateContentConfigOrDict: TypeAlias = GenerateContentConfig | GenerateContentConfigDict
GenerateContentResponseOrDict: TypeAlias = GenerateContentResponse | GenerateContentResponseDict
GenerateContentResponsePromptFeedbackOrDict: TypeAlias = (
    GenerateContentResponsePromptFeedback | GenerateContentResponsePromptFeedbackDict
)
GenerateContentResponseUsageMetadataOrDict: TypeAlias = (
    GenerateContentResponseUsageMetadata | GenerateContentResponseUsageMetadataDict
)
GenerationConfigOrDict: TypeAlias = GenerationConfig | GenerationConfigDict
GenerationConfigRoutingConfigOrDict: TypeAlias = GenerationConfigRoutingConfig | GenerationConfigRoutingConfigDict
GenerationConfigRoutingConfigAutoRoutingModeOrDict: TypeAlias = (
    GenerationConfigRoutingConfigAutoRoutingMode | GenerationConfigRoutingConfigAutoRoutingModeDict
)
GenerationConfigRoutingConfigManualRoutingModeOrDict: TypeAlias = (
    GenerationConfigRoutingConfigManualRoutingMode | GenerationConfigRoutingConfigManualRoutingModeDict
)
GenerationOutputConfigOrDict: TypeAlias = GenerationOutputConfig | GenerationOutputConfigDict
GetFileConfigOrDict: TypeAlias = GetFileConfig | GetFileConfigDict
GoogleMapsOrDict: TypeAlias = GoogleMaps | GoogleMapsDict
GoogleMapsGroundingTypesOrDict: TypeAlias = GoogleMapsGroundingTypes | GoogleMapsGroundingTypesDict
GoogleMapsPlacesOrDict: TypeAlias = GoogleMapsPlaces | GoogleMapsPlacesDict
GoogleMapsRoutingOrDict: TypeAlias = GoogleMapsRouting | GoogleMapsRoutingDict
GoogleSearchOrDict: TypeAlias = GoogleSearch | GoogleSearchDict
GoogleSearchRetrievalOrDict: TypeAlias = GoogleSearchRetrieval | GoogleSearchRetrievalDict
GoogleTypeDateOrDict: TypeAlias = GoogleTypeDate | GoogleTypeDateDict
GroundingChunkOrDict: TypeAlias = GroundingChunk | GroundingChunkDict
GroundingChunkCustomMetadataOrDict: TypeAlias = GroundingChunkCustomMetadata | GroundingChunkCustomMetadataDict
GroundingChunkImageOrDict: TypeAlias = GroundingChunkImage | GroundingChunkImageDict
GroundingChunkMapsOrDict: TypeAlias = GroundingChunkMaps | GroundingChunkMapsDict
GroundingChunkMapsPlaceAnswerSourcesOrDict: TypeAlias = (
    GroundingChunkMapsPlaceAnswerSources | GroundingChunkMapsPlaceAnswerSourcesDict
)
GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionOrDict: TypeAlias = (
    GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution | GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionDict
)
GroundingChunkMapsPlaceAnswerSourcesReviewSnippetOrDict: TypeAlias = (
    GroundingChunkMapsPlaceAnswerSourcesReviewSnippet | GroundingChunkMapsPlaceAnswerSourcesReviewSnippetDict
)
GroundingChunkMapsRouteOrDict: TypeAlias = GroundingChunkMapsRoute | GroundingChunkMapsRouteDict
GroundingChunkRetrievedContextOrDict: TypeAlias = GroundingChunkRetrievedContext | GroundingChunkRetrievedContextDict
GroundingChunkStringListOrDict: TypeAlias = GroundingChunkStringList | GroundingChunkStringListDict
GroundingChunkWebOrDict: TypeAlias = GroundingChunkWeb | GroundingChunkWebDict
GroundingMetadataOrDict: TypeAlias = GroundingMetadata | GroundingMetadataDict
GroundingMetadataSourceFlaggingUriOrDict: TypeAlias = (
    GroundingMetadataSourceFlaggingUri | GroundingMetadataSourceFlaggingUriDict
)
GroundingSupportOrDict: TypeAlias = GroundingSupport | GroundingSupportDict
HttpOptionsOrDict: TypeAlias = HttpOptions | HttpOptionsDict
HttpResponseOrDict: TypeAlias = HttpResponse | HttpResponseDict
HttpRetryOptionsOrDict: TypeAlias = HttpRetryOptions | HttpRetryOptionsDict
ImageOrDict: TypeAlias = Image | ImageDict
ImageConfigOrDict: TypeAlias = ImageConfig | ImageConfigDict
ImageConfigImageOutputOptionsOrDict: TypeAlias = ImageConfigImageOutputOptions | ImageConfigImageOutputOptionsDict
ImageResponseFormatOrDict: TypeAlias = ImageResponseFormat | ImageResponseFormatDict
ImageSearchOrDict: TypeAlias = ImageSearch | ImageSearchDict
IntervalOrDict: TypeAlias = Interval | IntervalDict
LanguageAutoOrDict: TypeAlias = LanguageAuto | LanguageAutoDict
LanguageHintsOrDict: TypeAlias = LanguageHints | LanguageHintsDict
LatLngOrDict: TypeAlias = LatLng | LatLngDict
ListFilesConfigOrDict: TypeAlias = ListFilesConfig | ListFilesConfigDict
ListFilesResponseOrDict: TypeAlias = ListFilesResponse | ListFilesResponseDict
LogprobsResultOrDict: TypeAlias = LogprobsResult | LogprobsResultDict
LogprobsResultCandidateOrDict: TypeAlias = LogprobsResultCandidate | LogprobsResultCandidateDict
LogprobsResultTopCandidatesOrDict: TypeAlias = LogprobsResultTopCandidates | LogprobsResultTopCandidatesDict
McpServerOrDict: TypeAlias = McpServer | McpServerDict
ModalityTokenCountOrDict: TypeAlias = ModalityTokenCount | ModalityTokenCountDict
ModelArmorConfigOrDict: TypeAlias = ModelArmorConfig | ModelArmorConfigDict
ModelSelectionConfigOrDict: TypeAlias = ModelSelectionConfig | ModelSelectionConfigDict
ModelStatusOrDict: TypeAlias = ModelStatus | ModelStatusDict
MultiSpeakerVoiceConfigOrDict: TypeAlias = MultiSpeakerVoiceConfig | MultiSpeakerVoiceConfigDict
PartOrDict: TypeAlias = Part | PartDict
PartMediaResolutionOrDict: TypeAlias = PartMediaResolution | PartMediaResolutionDict
PartialArgOrDict: TypeAlias = PartialArg | PartialArgDict
PrebuiltVoiceConfigOrDict: TypeAlias = PrebuiltVoiceConfig | PrebuiltVoiceConfigDict
RagChunkOrDict: TypeAlias = RagChunk | RagChunkDict
RagChunkPageSpanOrDict: TypeAlias = RagChunkPageSpan | RagChunkPageSpanDict
RagRetrievalConfigOrDict: TypeAlias = RagRetrievalConfig | RagRetrievalConfigDict
RagRetrievalConfigFilterOrDict: TypeAlias = RagRetrievalConfigFilter | RagRetrievalConfigFilterDict
RagRetrievalConfigHybridSearchOrDict: TypeAlias = RagRetrievalConfigHybridSearch | RagRetrievalConfigHybridSearchDict
RagRetrievalConfigRankingOrDict: TypeAlias = RagRetrievalConfigRanking | RagRetrievalConfigRankingDict
RagRetrievalConfigRankingLlmRankerOrDict: TypeAlias = (
    RagRetrievalConfigRankingLlmRanker | RagRetrievalConfigRankingLlmRankerDict
)
RagRetrievalConfigRankingRankServiceOrDict: TypeAlias = (
    RagRetrievalConfigRankingRankService | RagRetrievalConfigRankingRankServiceDict
)
ReplicatedVoiceConfigOrDict: TypeAlias = ReplicatedVoiceConfig | ReplicatedVoiceConfigDict
ResponseFormatOrDict: TypeAlias = ResponseFormat | ResponseFormatDict
RetrievalOrDict: TypeAlias = Retrieval | RetrievalDict
RetrievalConfigOrDict: TypeAlias = RetrievalConfig | RetrievalConfigDict
RetrievalMetadataOrDict: TypeAlias = RetrievalMetadata | RetrievalMetadataDict
SafetyRatingOrDict: TypeAlias = SafetyRating | SafetyRatingDict
SafetySettingOrDict: TypeAlias = SafetySetting | SafetySettingDict
SchemaOrDict: TypeAlias = Schema | SchemaDict
SearchEntryPointOrDict: TypeAlias = SearchEntryPoint | SearchEntryPointDict
SearchTypesOrDict: TypeAlias = SearchTypes | SearchTypesDict
SegmentOrDict: TypeAlias = Segment | SegmentDict
SpeakerVoiceConfigOrDict: TypeAlias = SpeakerVoiceConfig | SpeakerVoiceConfigDict
SpeechConfigOrDict: TypeAlias = SpeechConfig | SpeechConfigDict
SpeechMetadataOrDict: TypeAlias = SpeechMetadata | SpeechMetadataDict
SpreadsheetMetadataOrDict: TypeAlias = SpreadsheetMetadata | SpreadsheetMetadataDict
StreamableHttpTransportOrDict: TypeAlias = StreamableHttpTransport | StreamableHttpTransportDict
TextResponseFormatOrDict: TypeAlias = TextResponseFormat | TextResponseFormatDict
ThinkingConfigOrDict: TypeAlias = ThinkingConfig | ThinkingConfigDict
ToolOrDict: TypeAlias = Tool | ToolDict
ToolCallOrDict: TypeAlias = ToolCall | ToolCallDict
ToolCodeExecutionOrDict: TypeAlias = ToolCodeExecution | ToolCodeExecutionDict
ToolConfigOrDict: TypeAlias = ToolConfig | ToolConfigDict
ToolExaAiSearchOrDict: TypeAlias = ToolExaAiSearch | ToolExaAiSearchDict
ToolParallelAiSearchOrDict: TypeAlias = ToolParallelAiSearch | ToolParallelAiSearchDict
ToolResponseOrDict: TypeAlias = ToolResponse | ToolResponseDict
TranscriptionOrDict: TypeAlias = Transcription | TranscriptionDict
TranslationConfigOrDict: TypeAlias = TranslationConfig | TranslationConfigDict
UploadFileConfigOrDict: TypeAlias = UploadFileConfig | UploadFileConfigDict
UrlContextOrDict: TypeAlias = UrlContext | UrlContextDict
UrlContextMetadataOrDict: TypeAlias = UrlContextMetadata | UrlContextMetadataDict
UrlMetadataOrDict: TypeAlias = UrlMetadata | UrlMetadataDict
VertexAISearchOrDict: TypeAlias = VertexAISearch | VertexAISearchDict
VertexAISearchDataStoreSpecOrDict: TypeAlias = VertexAISearchDataStoreSpec | VertexAISearchDataStoreSpecDict
VertexRagStoreOrDict: TypeAlias = VertexRagStore | VertexRagStoreDict
VertexRagStoreRagResourceOrDict: TypeAlias = VertexRagStoreRagResource | VertexRagStoreRagResourceDict
VideoMetadataOrDict: TypeAlias = VideoMetadata | VideoMetadataDict
VideoResponseFormatOrDict: TypeAlias = VideoResponseFormat | VideoResponseFormatDict
VoiceConfigOrDict: TypeAlias = VoiceConfig | VoiceConfigDict
VoiceConsentSignatureOrDict: TypeAlias = VoiceConsentSignature | VoiceConsentSignatureDict
WebSearchOrDict: TypeAlias = WebSearch | WebSearchDict
WordInfoOrDict: TypeAlias = WordInfo | WordInfoDict
