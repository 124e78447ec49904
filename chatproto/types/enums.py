"""The enums of what is said and answered."""

from ._open_enum import OpenEnum

__all__ = [
    "BlockedReason",
    "DocumentMetadataContentLayer",
    "FileSource",
    "FileState",
    "FinishReason",
    "FunctionResponseScheduling",
    "HarmBlockThreshold",
    "HarmCategory",
    "HarmProbability",
    "HarmSeverity",
    "Language",
    "MediaModality",
    "MediaProcessing",
    "ModelStage",
    "Outcome",
    "PartMediaResolutionLevel",
    "SpreadsheetMetadataContentLayer",
    "ToolType",
    "TrafficType",
    "UrlRetrievalStatus",
    "VideoMetadataContentLayer",
]


class PartMediaResolutionLevel(OpenEnum):
    """In how many tokens the media of a part is seen."""

    MEDIA_RESOLUTION_UNSPECIFIED = "MEDIA_RESOLUTION_UNSPECIFIED"
    MEDIA_RESOLUTION_LOW = "MEDIA_RESOLUTION_LOW"
    MEDIA_RESOLUTION_MEDIUM = "MEDIA_RESOLUTION_MEDIUM"
    MEDIA_RESOLUTION_HIGH = "MEDIA_RESOLUTION_HIGH"
    MEDIA_RESOLUTION_ULTRA_HIGH = "MEDIA_RESOLUTION_ULTRA_HIGH"


class Outcome(OpenEnum):
    """How the run of a piece of code ended."""

    OUTCOME_UNSPECIFIED = "OUTCOME_UNSPECIFIED"
    OUTCOME_OK = "OUTCOME_OK"
    OUTCOME_FAILED = "OUTCOME_FAILED"
    OUTCOME_DEADLINE_EXCEEDED = "OUTCOME_DEADLINE_EXCEEDED"


class Language(OpenEnum):
    """The language of code that the server can run."""

    LANGUAGE_UNSPECIFIED = "LANGUAGE_UNSPECIFIED"
    PYTHON = "PYTHON"


class FunctionResponseScheduling(OpenEnum):
    """What the model does on getting the response of a NON_BLOCKING function; WHEN_IDLE if unset."""

    SCHEDULING_UNSPECIFIED = "SCHEDULING_UNSPECIFIED"
    #: Takes note, and says nothing.
    SILENT = "SILENT"
    #: Answers when it has finished what it is saying.
    WHEN_IDLE = "WHEN_IDLE"
    #: Stops what it is saying, and answers.
    INTERRUPT = "INTERRUPT"


class MediaProcessing(OpenEnum):
    """How a video is looked at."""

    MEDIA_PROCESSING_UNSPECIFIED = "MEDIA_PROCESSING_UNSPECIFIED"
    #: Frames at a fixed rate, all of them in the context.
    STATIC = "STATIC"
    #: The model goes through the video by itself.
    AGENTIC = "AGENTIC"


class VideoMetadataContentLayer(OpenEnum):
    """What of a video is seen."""

    CONTENT_LAYER_UNSPECIFIED = "CONTENT_LAYER_UNSPECIFIED"
    FRAMES = "FRAMES"
    AUDIO = "AUDIO"
    TRANSCRIPT = "TRANSCRIPT"


class DocumentMetadataContentLayer(OpenEnum):
    """What of a document is seen."""

    CONTENT_LAYER_UNSPECIFIED = "CONTENT_LAYER_UNSPECIFIED"
    PAGE_IMAGE = "PAGE_IMAGE"
    PAGE_TEXT = "PAGE_TEXT"


class SpreadsheetMetadataContentLayer(OpenEnum):
    """What of a spreadsheet is seen."""

    CONTENT_LAYER_UNSPECIFIED = "CONTENT_LAYER_UNSPECIFIED"
    DATA = "DATA"
    FORMULAS = "FORMULAS"
    VISUAL = "VISUAL"


class ToolType(OpenEnum):
    """A tool that the server runs itself."""

    TOOL_TYPE_UNSPECIFIED = "TOOL_TYPE_UNSPECIFIED"
    GOOGLE_SEARCH_WEB = "GOOGLE_SEARCH_WEB"
    GOOGLE_SEARCH_IMAGE = "GOOGLE_SEARCH_IMAGE"
    URL_CONTEXT = "URL_CONTEXT"
    GOOGLE_MAPS = "GOOGLE_MAPS"
    FILE_SEARCH = "FILE_SEARCH"
    MEDIA_PROCESSING = "MEDIA_PROCESSING"


class FileState(OpenEnum):
    """How far an uploaded file is."""

    STATE_UNSPECIFIED = "STATE_UNSPECIFIED"
    #: Cannot be used in a prompt yet.
    PROCESSING = "PROCESSING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"


class FileSource(OpenEnum):
    """How a file came to the server."""

    SOURCE_UNSPECIFIED = "SOURCE_UNSPECIFIED"
    UPLOADED = "UPLOADED"
    GENERATED = "GENERATED"
    #: It stays in Cloud Storage.
    REGISTERED = "REGISTERED"


class FinishReason(OpenEnum):
    """Why an answer ended. Unset means that it has not ended."""

    FINISH_REASON_UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"
    #: The answer is complete, or reached a stop sequence.
    STOP = "STOP"
    MAX_TOKENS = "MAX_TOKENS"
    SAFETY = "SAFETY"
    #: It would have quoted a source at length.
    RECITATION = "RECITATION"
    #: It would have been in a language that the model does not support. Gemini API only.
    LANGUAGE = "LANGUAGE"
    OTHER = "OTHER"
    #: It held a term from a configured list.
    BLOCKLIST = "BLOCKLIST"
    PROHIBITED_CONTENT = "PROHIBITED_CONTENT"
    #: It may hold sensitive personal data.
    SPII = "SPII"
    MALFORMED_FUNCTION_CALL = "MALFORMED_FUNCTION_CALL"
    IMAGE_SAFETY = "IMAGE_SAFETY"
    IMAGE_PROHIBITED_CONTENT = "IMAGE_PROHIBITED_CONTENT"
    IMAGE_OTHER = "IMAGE_OTHER"
    #: An image was expected and none was made.
    NO_IMAGE = "NO_IMAGE"
    IMAGE_RECITATION = "IMAGE_RECITATION"
    #: The model called a function that it was not given.
    UNEXPECTED_TOOL_CALL = "UNEXPECTED_TOOL_CALL"
    #: The server's own tools were called too often.
    TOO_MANY_TOOL_CALLS = "TOO_MANY_TOOL_CALLS"
    #: The request left out a thought signature. Gemini API only.
    MISSING_THOUGHT_SIGNATURE = "MISSING_THOUGHT_SIGNATURE"
    MALFORMED_RESPONSE = "MALFORMED_RESPONSE"
    #: A rule of the server filtered the request. Gemini API only.
    ESCALATION = "ESCALATION"
    #: The account is limited for breaking the prohibited use policy. Gemini API only.
    PUP_LIMITED_DISABLED = "PUP_LIMITED_DISABLED"
    #: The limit of one request was reached; the next goes on with ``continuation_token``.
    CONTINUATION = "CONTINUATION"
    #: Model Armor blocked the answer. Vertex AI only.
    MODEL_ARMOR = "MODEL_ARMOR"


class BlockedReason(OpenEnum):
    """Why a prompt was refused."""

    BLOCKED_REASON_UNSPECIFIED = "BLOCKED_REASON_UNSPECIFIED"
    SAFETY = "SAFETY"
    OTHER = "OTHER"
    #: It held a term from a configured list.
    BLOCKLIST = "BLOCKLIST"
    PROHIBITED_CONTENT = "PROHIBITED_CONTENT"
    IMAGE_SAFETY = "IMAGE_SAFETY"
    #: Model Armor blocked it. Vertex AI only.
    MODEL_ARMOR = "MODEL_ARMOR"
    #: Vertex AI only.
    JAILBREAK = "JAILBREAK"


class HarmCategory(OpenEnum):
    """A kind of harm. The JAILBREAK and IMAGE ones are known to Vertex AI only."""

    HARM_CATEGORY_UNSPECIFIED = "HARM_CATEGORY_UNSPECIFIED"
    HARM_CATEGORY_HARASSMENT = "HARM_CATEGORY_HARASSMENT"
    HARM_CATEGORY_HATE_SPEECH = "HARM_CATEGORY_HATE_SPEECH"
    HARM_CATEGORY_SEXUALLY_EXPLICIT = "HARM_CATEGORY_SEXUALLY_EXPLICIT"
    HARM_CATEGORY_DANGEROUS_CONTENT = "HARM_CATEGORY_DANGEROUS_CONTENT"
    HARM_CATEGORY_CIVIC_INTEGRITY = "HARM_CATEGORY_CIVIC_INTEGRITY"
    HARM_CATEGORY_JAILBREAK = "HARM_CATEGORY_JAILBREAK"
    HARM_CATEGORY_IMAGE_HATE = "HARM_CATEGORY_IMAGE_HATE"
    HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT = "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT"
    HARM_CATEGORY_IMAGE_HARASSMENT = "HARM_CATEGORY_IMAGE_HARASSMENT"
    HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT = "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT"


class HarmProbability(OpenEnum):
    """How likely a harm is."""

    HARM_PROBABILITY_UNSPECIFIED = "HARM_PROBABILITY_UNSPECIFIED"
    NEGLIGIBLE = "NEGLIGIBLE"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class HarmSeverity(OpenEnum):
    """How bad a harm is. Vertex AI only."""

    HARM_SEVERITY_UNSPECIFIED = "HARM_SEVERITY_UNSPECIFIED"
    HARM_SEVERITY_NEGLIGIBLE = "HARM_SEVERITY_NEGLIGIBLE"
    HARM_SEVERITY_LOW = "HARM_SEVERITY_LOW"
    HARM_SEVERITY_MEDIUM = "HARM_SEVERITY_MEDIUM"
    HARM_SEVERITY_HIGH = "HARM_SEVERITY_HIGH"


class HarmBlockThreshold(OpenEnum):
    """From where on a harm is blocked."""

    HARM_BLOCK_THRESHOLD_UNSPECIFIED = "HARM_BLOCK_THRESHOLD_UNSPECIFIED"
    BLOCK_LOW_AND_ABOVE = "BLOCK_LOW_AND_ABOVE"
    BLOCK_MEDIUM_AND_ABOVE = "BLOCK_MEDIUM_AND_ABOVE"
    BLOCK_ONLY_HIGH = "BLOCK_ONLY_HIGH"
    BLOCK_NONE = "BLOCK_NONE"
    #: The filter does not run; with BLOCK_NONE it runs, rates, and lets everything through.
    OFF = "OFF"


class MediaModality(OpenEnum):
    """A kind of media, in counts of tokens."""

    MODALITY_UNSPECIFIED = "MODALITY_UNSPECIFIED"
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"


class TrafficType(OpenEnum):
    """How a request was paid for. Vertex AI only."""

    TRAFFIC_TYPE_UNSPECIFIED = "TRAFFIC_TYPE_UNSPECIFIED"
    #: Pay as you go.
    ON_DEMAND = "ON_DEMAND"
    ON_DEMAND_PRIORITY = "ON_DEMAND_PRIORITY"
    ON_DEMAND_FLEX = "ON_DEMAND_FLEX"
    ON_DEMAND_OFFPEAK = "ON_DEMAND_OFFPEAK"
    #: Capacity that was bought ahead.
    PROVISIONED_THROUGHPUT = "PROVISIONED_THROUGHPUT"


class ModelStage(OpenEnum):
    """How far a model is in its life. Gemini API only."""

    MODEL_STAGE_UNSPECIFIED = "MODEL_STAGE_UNSPECIFIED"
    UNSTABLE_EXPERIMENTAL = "UNSTABLE_EXPERIMENTAL"
    EXPERIMENTAL = "EXPERIMENTAL"
    PREVIEW = "PREVIEW"
    STABLE = "STABLE"
    #: Open to those who use it already; it will be deprecated.
    LEGACY = "LEGACY"
    DEPRECATED = "DEPRECATED"
    RETIRED = "RETIRED"


class UrlRetrievalStatus(OpenEnum):
    """How the fetch of a page went."""

    URL_RETRIEVAL_STATUS_UNSPECIFIED = "URL_RETRIEVAL_STATUS_UNSPECIFIED"
    URL_RETRIEVAL_STATUS_SUCCESS = "URL_RETRIEVAL_STATUS_SUCCESS"
    URL_RETRIEVAL_STATUS_ERROR = "URL_RETRIEVAL_STATUS_ERROR"
    URL_RETRIEVAL_STATUS_PAYWALL = "URL_RETRIEVAL_STATUS_PAYWALL"
    URL_RETRIEVAL_STATUS_UNSAFE = "URL_RETRIEVAL_STATUS_UNSAFE"
