"""What an answer rests on: search results, retrieved documents, citations, fetched pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._value import Value, field, value

if TYPE_CHECKING:
    from .enums import UrlRetrievalStatus

__all__ = [
    "Citation",
    "CitationMetadata",
    "GoogleTypeDate",
    "GroundingChunk",
    "GroundingChunkCustomMetadata",
    "GroundingChunkImage",
    "GroundingChunkMaps",
    "GroundingChunkMapsPlaceAnswerSources",
    "GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution",
    "GroundingChunkMapsPlaceAnswerSourcesReviewSnippet",
    "GroundingChunkMapsRoute",
    "GroundingChunkRetrievedContext",
    "GroundingChunkStringList",
    "GroundingChunkWeb",
    "GroundingMetadata",
    "GroundingMetadataSourceFlaggingUri",
    "GroundingSupport",
    "RagChunk",
    "RagChunkPageSpan",
    "RetrievalMetadata",
    "SearchEntryPoint",
    "Segment",
    "UrlContextMetadata",
    "UrlMetadata",
]


@value
class GroundingMetadata(Value):
    """The sources of an answer, and which of its text each one supports."""

    image_search_queries: list[str] | None = None
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None
    retrieval_metadata: RetrievalMetadata | None = None
    search_entry_point: SearchEntryPoint | None = None
    web_search_queries: list[str] | None = None
    #: Deprecated by Google Maps.
    google_maps_widget_context_token: str | None = None
    #: Vertex AI only.
    retrieval_queries: list[str] | None = None
    #: Vertex AI only.
    source_flagging_uris: list[GroundingMetadataSourceFlaggingUri] | None = None


@value
class GroundingChunk(Value):
    """One source. Exactly one field is set, and says of which kind it is."""

    image: GroundingChunkImage | None = None
    maps: GroundingChunkMaps | None = None
    retrieved_context: GroundingChunkRetrievedContext | None = None
    web: GroundingChunkWeb | None = None


@value
class GroundingChunkWeb(Value):
    """A web page."""

    #: Vertex AI only.
    domain: str | None = None
    title: str | None = None
    uri: str | None = None


@value
class GroundingChunkImage(Value):
    """An image from image search, and the page that it is on."""

    source_uri: str | None = None
    image_uri: str | None = None
    title: str | None = None
    domain: str | None = None


@value
class GroundingChunkMaps(Value):
    """A place, or a route, from Google Maps."""

    place_answer_sources: GroundingChunkMapsPlaceAnswerSources | None = None
    #: A resource name: ``places/{place_id}``.
    place_id: str | None = None
    text: str | None = None
    title: str | None = None
    uri: str | None = None
    route: GroundingChunkMapsRoute | None = None


@value
class GroundingChunkMapsPlaceAnswerSources(Value):
    """The reviews behind what was said of a place."""

    review_snippet: list[GroundingChunkMapsPlaceAnswerSourcesReviewSnippet] | None = None
    flag_content_uri: str | None = None
    review_snippets: list[GroundingChunkMapsPlaceAnswerSourcesReviewSnippet] | None = None


@value
class GroundingChunkMapsPlaceAnswerSourcesReviewSnippet(Value):
    """An excerpt of one review."""

    author_attribution: GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution | None = None
    flag_content_uri: str | None = None
    google_maps_uri: str | None = None
    relative_publish_time_description: str | None = None
    review: str | None = None
    review_id: str | None = None
    title: str | None = None


@value
class GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution(Value):
    """Who wrote a review."""

    display_name: str | None = None
    photo_uri: str | None = None
    uri: str | None = None


@value
class GroundingChunkMapsRoute(Value):
    """A route between places. Vertex AI only."""

    distance_meters: int | None = None
    #: In seconds: ``165s``.
    duration: str | None = None
    #: In Google's encoded polyline format.
    encoded_polyline: str | None = None


@value
class GroundingChunkRetrievedContext(Value):
    """A passage found by a retrieval tool or by file search."""

    #: A resource name. Vertex AI only.
    document_name: str | None = None
    #: Vertex AI only.
    rag_chunk: RagChunk | None = None
    text: str | None = None
    title: str | None = None
    uri: str | None = None
    #: Gemini API only.
    custom_metadata: list[GroundingChunkCustomMetadata] | None = None
    #: ``fileSearchStores/...``. Gemini API only.
    file_search_store: str | None = None
    #: Gemini API only.
    page_number: int | None = None
    #: ``fileSearchStores/.../media/...``. Gemini API only.
    media_id: str | None = None


@value
class RagChunk(Value):
    """A passage of a file in a RAG corpus. Vertex AI only."""

    page_span: RagChunkPageSpan | None = None
    text: str | None = None
    chunk_id: str | None = None
    file_id: str | None = None


@value
class RagChunkPageSpan(Value):
    """The pages that a passage covers, counted from 1, both included. Vertex AI only."""

    first_page: int | None = None
    last_page: int | None = None


@value
class GroundingChunkCustomMetadata(Value):
    """A key and its value that the owner of a document gave it. Gemini API only."""

    key: str | None = None
    numeric_value: float | None = None
    string_list_value: GroundingChunkStringList | None = None
    string_value: str | None = None


@value
class GroundingChunkStringList(Value):
    """Several strings as the value of one metadata key. Gemini API only."""

    values: list[str] | None = None


@value
class GroundingSupport(Value):
    """A stretch of the answer, and the sources that support it."""

    #: From 0 to 1, one for each entry of ``grounding_chunk_indices``.
    confidence_scores: list[float] | None = None
    #: Positions in ``GroundingMetadata.grounding_chunks``.
    grounding_chunk_indices: list[int] | None = None
    segment: Segment | None = None
    #: Positions in the parts of the answer.
    rendered_parts: list[int] | None = None


@value
class Segment(Value):
    """A stretch of the text of one part."""

    #: In bytes of UTF-8 from the start of the part, included.
    start_index: int | None = None
    #: In bytes of UTF-8 from the start of the part, not included.
    end_index: int | None = None
    #: Which part of the content; the first, if unset.
    part_index: int | None = None
    text: str | None = None


@value
class RetrievalMetadata(Value):
    """How useful the server expected a search to be."""

    #: From 0 to 1.
    google_search_dynamic_retrieval_score: float | None = None


@value
class SearchEntryPoint(Value):
    """The search suggestions that must be shown beside an answer that Google Search grounds."""

    #: HTML with its style, to be shown unchanged.
    rendered_content: str | None = None
    #: JSON: a list of pairs of search term and search URL.
    sdk_blob: bytes | None = None


@value
class GroundingMetadataSourceFlaggingUri(Value):
    """Where a place or a review can be reported. Vertex AI only."""

    flag_content_uri: str | None = None
    source_id: str | None = None


@value
class CitationMetadata(Value):
    """What an answer quotes at length. The Gemini API calls the list ``citationSources``."""

    citations: list[Citation] | None = field(default=None, also=("citationSources",))


@value
class Citation(Value):
    """A stretch of the answer that is quoted, and where from."""

    end_index: int | None = None
    #: ``mit`` and the like, of quoted code.
    license: str | None = None
    publication_date: GoogleTypeDate | None = None
    #: Positions in the answer: ``start_index`` is included, ``end_index`` is not.
    start_index: int | None = None
    title: str | None = None
    uri: str | None = None


@value
class GoogleTypeDate(Value):
    """A day, month or year; what is unset or 0 is not known."""

    day: int | None = None
    month: int | None = None
    year: int | None = None


@value
class UrlContextMetadata(Value):
    """Which pages the URL context tool fetched."""

    url_metadata: list[UrlMetadata] | None = None


@value
class UrlMetadata(Value):
    """One page that the URL context tool asked for, and how that went."""

    retrieved_url: str | None = None
    url_retrieval_status: UrlRetrievalStatus | None = None
