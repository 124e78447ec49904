"""What the model may use, and how it may use it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (annotations are evaluated, late)
from typing import TYPE_CHECKING, Any

from ._value import Setting, field, value

if TYPE_CHECKING:
    from .retrieval import AuthConfig, Retrieval
    from .schema import FunctionDeclaration
    from .setting_enums import (
        DynamicRetrievalConfigMode,
        Environment,
        FunctionCallingConfigMode,
        PhishBlockThreshold,
        SafetyPolicy,
    )

__all__ = [
    "ComputerUse",
    "DynamicRetrievalConfig",
    "EnterpriseWebSearch",
    "FileSearch",
    "FunctionCallingConfig",
    "GoogleMaps",
    "GoogleMapsGroundingTypes",
    "GoogleMapsPlaces",
    "GoogleMapsRouting",
    "GoogleSearch",
    "GoogleSearchRetrieval",
    "ImageSearch",
    "Interval",
    "LatLng",
    "McpServer",
    "RetrievalConfig",
    "SearchTypes",
    "StreamableHttpTransport",
    "Tool",
    "ToolCodeExecution",
    "ToolConfig",
    "ToolExaAiSearch",
    "ToolParallelAiSearch",
    "UrlContext",
    "WebSearch",
]


@value
class Tool(Setting):
    """Tools that the model may use: functions of the program, or tools that the server runs itself."""

    #: Vertex AI only.
    retrieval: Retrieval | None = None
    computer_use: ComputerUse | None = None
    #: Gemini API only.
    file_search: FileSearch | None = None
    google_search: GoogleSearch | None = None
    google_maps: GoogleMaps | None = None
    code_execution: ToolCodeExecution | None = None
    #: Vertex AI only.
    enterprise_web_search: EnterpriseWebSearch | None = None
    function_declarations: list[FunctionDeclaration] | None = None
    google_search_retrieval: GoogleSearchRetrieval | None = None
    #: Vertex AI only.
    parallel_ai_search: ToolParallelAiSearch | None = None
    url_context: UrlContext | None = None
    #: Gemini API only.
    mcp_servers: list[McpServer] | None = None
    #: Vertex AI only.
    exa_ai_search: ToolExaAiSearch | None = None


@value
class ToolConfig(Setting):
    """How the tools of a request are used."""

    retrieval_config: RetrievalConfig | None = None
    function_calling_config: FunctionCallingConfig | None = None
    #: Whether ToolCall and ToolResponse parts are in the answer. Gemini API only.
    include_server_side_tool_invocations: bool | None = None


@value
class FunctionCallingConfig(Setting):
    """Whether the model must, may or must not call functions, and which."""

    #: Only with mode ANY or VALIDATED.
    allowed_function_names: list[str] | None = None
    mode: FunctionCallingConfigMode | None = None
    #: Whether arguments come as ``partial_args``. Vertex AI only.
    stream_function_call_arguments: bool | None = None


@value
class RetrievalConfig(Setting):
    """Where, and in which language, the user is; for search and maps."""

    lat_lng: LatLng | None = None
    #: BCP 47: ``de-DE``.
    language_code: str | None = None


@value
class LatLng(Setting):
    """A point on the Earth, in degrees."""

    #: From -90 to 90.
    latitude: float | None = None
    #: From -180 to 180.
    longitude: float | None = None


@value
class GoogleSearch(Setting):
    """Grounding with Google Search."""

    search_types: SearchTypes | None = None
    #: Vertex AI only.
    blocking_confidence: PhishBlockThreshold | None = None
    #: Up to 2000: ``example.com``. Vertex AI only.
    exclude_domains: list[str] | None = None
    #: Gemini API only.
    time_range_filter: Interval | None = None


@value
class SearchTypes(Setting):
    """What is searched for. Web pages, if nothing is set."""

    web_search: WebSearch | None = None
    image_search: ImageSearch | None = None


@value
class WebSearch(Setting):
    """Turns on search for web pages."""


@value
class ImageSearch(Setting):
    """Turns on search for images, whose bytes are returned."""


@value
class Interval(Setting):
    """A time from ``start_time`` to just before ``end_time``; both must be set."""

    end_time: datetime | None = None
    start_time: datetime | None = None


@value
class GoogleSearchRetrieval(Setting):
    """Grounding with Google Search, for Gemini 1.5 models."""

    dynamic_retrieval_config: DynamicRetrievalConfig | None = None


@value
class DynamicRetrievalConfig(Setting):
    """From which expected usefulness on a search is made."""

    #: From 0 to 1.
    dynamic_threshold: float | None = None
    mode: DynamicRetrievalConfigMode | None = None


@value
class EnterpriseWebSearch(Setting):
    """Grounding with web search for regulated businesses. Vertex AI only."""

    blocking_confidence: PhishBlockThreshold | None = None
    #: Up to 2000: ``example.com``.
    exclude_domains: list[str] | None = None


@value
class GoogleMaps(Setting):
    """Grounding with Google Maps."""

    #: An API key; the other ways to authenticate are for Vertex AI only.
    auth_config: AuthConfig | None = None
    enable_widget: bool | None = None
    #: Vertex AI only.
    grounding_types: GoogleMapsGroundingTypes | None = None


@value
class GoogleMapsGroundingTypes(Setting):
    """What Google Maps is asked for. Places, if nothing is set. Vertex AI only."""

    places: GoogleMapsPlaces | None = None
    routing: GoogleMapsRouting | None = None


@value
class GoogleMapsPlaces(Setting):
    """Turns on grounding with places. Vertex AI only."""


@value
class GoogleMapsRouting(Setting):
    """Turns on grounding with routes. Vertex AI only."""


@value
class UrlContext(Setting):
    """Lets the server fetch the pages whose URLs are in the prompt."""


@value
class ToolCodeExecution(Setting):
    """Lets the server run code that the model writes."""


@value
class ComputerUse(Setting):
    """Lets the model operate a browser, phone or desktop through predefined functions."""

    environment: Environment | None = None
    excluded_predefined_functions: list[str] | None = None
    enable_prompt_injection_detection: bool | None = None
    disabled_safety_policies: list[SafetyPolicy] | None = None


@value
class FileSearch(Setting):
    """Searches file search stores. Gemini API only."""

    #: ``fileSearchStores/...``.
    file_search_store_names: list[str] | None = None
    top_k: int | None = None
    #: In the filter language of AIP-160.
    metadata_filter: str | None = None


@value
class ToolParallelAiSearch(Setting):
    """Grounding with Parallel.ai's search. Vertex AI only."""

    api_key: str | None = field(default=None, secret=True)
    #: Parameters of Parallel.ai's search API, as that names them.
    custom_configs: dict[str, Any] | None = None
    #: Deprecated: use ``enable_zero_data_retention``.
    enable_data_retention: bool | None = None
    enable_zero_data_retention: bool | None = None


@value
class ToolExaAiSearch(Setting):
    """Grounding with Exa.ai's search. Vertex AI only."""

    api_key: str | None = field(default=None, secret=True)
    #: Parameters of Exa.ai's search API, as that names them.
    custom_configs: dict[str, Any] | None = None


@value
class McpServer(Setting):
    """An MCP server that the Gemini API calls by itself. Gemini API only."""

    name: str | None = None
    streamable_http_transport: StreamableHttpTransport | None = None


@value
class StreamableHttpTransport(Setting):
    """How the Gemini API reaches an MCP server. Gemini API only."""

    headers: dict[str, str] | None = field(default=None, secret=True)
    sse_read_timeout: str | None = None
    terminate_on_close: bool | None = None
    #: In seconds, like ``sse_read_timeout``: ``30s``.
    timeout: str | None = None
    url: str | None = None
