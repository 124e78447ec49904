"""What is said to the API and what it answers: its own nouns, as values, and the enums that they use.

Names load when they are first used, a module at a time: ``from chatproto.types import Part`` loads ``content`` only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

# Three tables of the same names: for type checkers, for readers and stars, and for the loading. A test compares them.
# fmt: off
# isort: off
if TYPE_CHECKING:
    from .config import (
        AutomaticFunctionCallingConfig as AutomaticFunctionCallingConfig,
        GenerateContentConfig as GenerateContentConfig,
        GenerationConfigRoutingConfig as GenerationConfigRoutingConfig,
        GenerationConfigRoutingConfigAutoRoutingMode as GenerationConfigRoutingConfigAutoRoutingMode,
        GenerationConfigRoutingConfigManualRoutingMode as GenerationConfigRoutingConfigManualRoutingMode,
        GenerationOutputConfig as GenerationOutputConfig, ImageConfig as ImageConfig,
        ImageConfigImageOutputOptions as ImageConfigImageOutputOptions, ModelArmorConfig as ModelArmorConfig,
        ModelSelectionConfig as ModelSelectionConfig, SafetySetting as SafetySetting,
        ThinkingConfig as ThinkingConfig,
    )
    from .content import (
        Blob as Blob, CodeExecutionResult as CodeExecutionResult, Content as Content,
        ExecutableCode as ExecutableCode, FileData as FileData, FunctionCall as FunctionCall,
        FunctionResponse as FunctionResponse, FunctionResponseBlob as FunctionResponseBlob,
        FunctionResponseFileData as FunctionResponseFileData, FunctionResponsePart as FunctionResponsePart,
        ModelContent as ModelContent, Part as Part, PartialArg as PartialArg, ToolCall as ToolCall,
        ToolResponse as ToolResponse, UserContent as UserContent,
    )
    from .enums import (
        BlockedReason as BlockedReason, DocumentMetadataContentLayer as DocumentMetadataContentLayer,
        FileSource as FileSource, FileState as FileState, FinishReason as FinishReason,
        FunctionResponseScheduling as FunctionResponseScheduling, HarmBlockThreshold as HarmBlockThreshold,
        HarmCategory as HarmCategory, HarmProbability as HarmProbability, HarmSeverity as HarmSeverity,
        Language as Language, MediaModality as MediaModality, MediaProcessing as MediaProcessing,
        ModelStage as ModelStage, Outcome as Outcome, PartMediaResolutionLevel as PartMediaResolutionLevel,
        SpreadsheetMetadataContentLayer as SpreadsheetMetadataContentLayer, ToolType as ToolType,
        TrafficType as TrafficType, UrlRetrievalStatus as UrlRetrievalStatus,
        VideoMetadataContentLayer as VideoMetadataContentLayer,
    )
    from .files import (
        ClaudeFile as ClaudeFile, CreateFileConfig as CreateFileConfig, CreateFileResponse as CreateFileResponse,
        DeleteFileConfig as DeleteFileConfig, DeleteFileResponse as DeleteFileResponse,
        DownloadFileConfig as DownloadFileConfig, File as File, FileStatus as FileStatus,
        GetFileConfig as GetFileConfig, ListFilesConfig as ListFilesConfig, ListFilesResponse as ListFilesResponse,
        UploadFileConfig as UploadFileConfig,
    )
    from .generation import (
        AudioResponseFormat as AudioResponseFormat, GenerationConfig as GenerationConfig,
        ImageResponseFormat as ImageResponseFormat, ResponseFormat as ResponseFormat,
        TextResponseFormat as TextResponseFormat, TranslationConfig as TranslationConfig,
        VideoResponseFormat as VideoResponseFormat,
    )
    from .grounding import (
        Citation as Citation, CitationMetadata as CitationMetadata, GoogleTypeDate as GoogleTypeDate,
        GroundingChunk as GroundingChunk, GroundingChunkCustomMetadata as GroundingChunkCustomMetadata,
        GroundingChunkImage as GroundingChunkImage, GroundingChunkMaps as GroundingChunkMaps,
        GroundingChunkMapsPlaceAnswerSources as GroundingChunkMapsPlaceAnswerSources,
        GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution as GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution,
        GroundingChunkMapsPlaceAnswerSourcesReviewSnippet as GroundingChunkMapsPlaceAnswerSourcesReviewSnippet,
        GroundingChunkMapsRoute as GroundingChunkMapsRoute,
        GroundingChunkRetrievedContext as GroundingChunkRetrievedContext,
        GroundingChunkStringList as GroundingChunkStringList, GroundingChunkWeb as GroundingChunkWeb,
        GroundingMetadata as GroundingMetadata,
        GroundingMetadataSourceFlaggingUri as GroundingMetadataSourceFlaggingUri,
        GroundingSupport as GroundingSupport, RagChunk as RagChunk, RagChunkPageSpan as RagChunkPageSpan,
        RetrievalMetadata as RetrievalMetadata, SearchEntryPoint as SearchEntryPoint, Segment as Segment,
        UrlContextMetadata as UrlContextMetadata, UrlMetadata as UrlMetadata,
    )
    from .http import (
        HttpOptions as HttpOptions, HttpResponse as HttpResponse, HttpRetryOptions as HttpRetryOptions,
    )
    from .image import (
        Image as Image,
    )
    from .media import (
        AudioMetadata as AudioMetadata, DocumentMetadata as DocumentMetadata,
        PartMediaResolution as PartMediaResolution, SpeechMetadata as SpeechMetadata,
        SpreadsheetMetadata as SpreadsheetMetadata, Transcription as Transcription, VideoMetadata as VideoMetadata,
        WordInfo as WordInfo,
    )
    from .response import (
        Candidate as Candidate, GenerateContentResponse as GenerateContentResponse,
        GenerateContentResponsePromptFeedback as GenerateContentResponsePromptFeedback,
        GenerateContentResponseUsageMetadata as GenerateContentResponseUsageMetadata,
        LogprobsResult as LogprobsResult, LogprobsResultCandidate as LogprobsResultCandidate,
        LogprobsResultTopCandidates as LogprobsResultTopCandidates, ModalityTokenCount as ModalityTokenCount,
        ModelStatus as ModelStatus, SafetyRating as SafetyRating,
    )
    from .retrieval import (
        ApiAuth as ApiAuth, ApiAuthApiKeyConfig as ApiAuthApiKeyConfig, ApiKeyConfig as ApiKeyConfig,
        AuthConfig as AuthConfig, AuthConfigGoogleServiceAccountConfig as AuthConfigGoogleServiceAccountConfig,
        AuthConfigHttpBasicAuthConfig as AuthConfigHttpBasicAuthConfig,
        AuthConfigOauthConfig as AuthConfigOauthConfig, AuthConfigOidcConfig as AuthConfigOidcConfig,
        ExternalApi as ExternalApi, ExternalApiElasticSearchParams as ExternalApiElasticSearchParams,
        ExternalApiSimpleSearchParams as ExternalApiSimpleSearchParams, RagRetrievalConfig as RagRetrievalConfig,
        RagRetrievalConfigFilter as RagRetrievalConfigFilter,
        RagRetrievalConfigHybridSearch as RagRetrievalConfigHybridSearch,
        RagRetrievalConfigRanking as RagRetrievalConfigRanking,
        RagRetrievalConfigRankingLlmRanker as RagRetrievalConfigRankingLlmRanker,
        RagRetrievalConfigRankingRankService as RagRetrievalConfigRankingRankService, Retrieval as Retrieval,
        VertexAISearch as VertexAISearch, VertexAISearchDataStoreSpec as VertexAISearchDataStoreSpec,
        VertexRagStore as VertexRagStore, VertexRagStoreRagResource as VertexRagStoreRagResource,
    )
    from .schema import (
        FunctionDeclaration as FunctionDeclaration, Schema as Schema,
    )
    from .setting_enums import (
        ApiSpec as ApiSpec, AspectRatio as AspectRatio, AudioTranscriptionConfigMode as AudioTranscriptionConfigMode,
        AuthType as AuthType, Behavior as Behavior, Delivery as Delivery,
        DynamicRetrievalConfigMode as DynamicRetrievalConfigMode, Environment as Environment,
        FeatureSelectionPreference as FeatureSelectionPreference,
        FunctionCallingConfigMode as FunctionCallingConfigMode, HarmBlockMethod as HarmBlockMethod,
        HttpElementLocation as HttpElementLocation, ImageSize as ImageSize, MediaResolution as MediaResolution,
        Modality as Modality, PhishBlockThreshold as PhishBlockThreshold, ProminentPeople as ProminentPeople,
        ResourceScope as ResourceScope, SafetyPolicy as SafetyPolicy, ServiceTier as ServiceTier,
        ThinkingLevel as ThinkingLevel, Type as Type,
    )
    from .speech import (
        AudioTranscriptionConfig as AudioTranscriptionConfig, LanguageAuto as LanguageAuto,
        LanguageHints as LanguageHints, MultiSpeakerVoiceConfig as MultiSpeakerVoiceConfig,
        PrebuiltVoiceConfig as PrebuiltVoiceConfig, ReplicatedVoiceConfig as ReplicatedVoiceConfig,
        SpeakerVoiceConfig as SpeakerVoiceConfig, SpeechConfig as SpeechConfig, VoiceConfig as VoiceConfig,
        VoiceConsentSignature as VoiceConsentSignature,
    )
    from .tokens import (
        CountTokensConfig as CountTokensConfig, CountTokensResponse as CountTokensResponse,
    )
    from .tools import (
        ComputerUse as ComputerUse, DynamicRetrievalConfig as DynamicRetrievalConfig,
        EnterpriseWebSearch as EnterpriseWebSearch, FileSearch as FileSearch,
        FunctionCallingConfig as FunctionCallingConfig, GoogleMaps as GoogleMaps,
        GoogleMapsGroundingTypes as GoogleMapsGroundingTypes, GoogleMapsPlaces as GoogleMapsPlaces,
        GoogleMapsRouting as GoogleMapsRouting, GoogleSearch as GoogleSearch,
        GoogleSearchRetrieval as GoogleSearchRetrieval, ImageSearch as ImageSearch, Interval as Interval,
        LatLng as LatLng, McpServer as McpServer, RetrievalConfig as RetrievalConfig, SearchTypes as SearchTypes,
        StreamableHttpTransport as StreamableHttpTransport, Tool as Tool, ToolCodeExecution as ToolCodeExecution,
        ToolConfig as ToolConfig, ToolExaAiSearch as ToolExaAiSearch, ToolParallelAiSearch as ToolParallelAiSearch,
        UrlContext as UrlContext, WebSearch as WebSearch,
    )
    from .unions import (
        BlobImageUnion as BlobImageUnion, BlobImageUnionDict as BlobImageUnionDict,
        ContentListUnion as ContentListUnion, ContentListUnionDict as ContentListUnionDict,
        ContentUnion as ContentUnion, ContentUnionDict as ContentUnionDict, PartUnion as PartUnion,
        PartUnionDict as PartUnionDict, SchemaUnion as SchemaUnion, SchemaUnionDict as SchemaUnionDict,
        SpeechConfigUnion as SpeechConfigUnion, SpeechConfigUnionDict as SpeechConfigUnionDict,
        ToolListUnion as ToolListUnion, ToolListUnionDict as ToolListUnionDict, ToolUnion as ToolUnion,
        ToolUnionDict as ToolUnionDict,
    )

__all__ = [
    "ApiAuth", "ApiAuthApiKeyConfig", "ApiKeyConfig", "ApiSpec", "AspectRatio", "AudioMetadata",
    "AudioResponseFormat", "AudioTranscriptionConfig", "AudioTranscriptionConfigMode", "AuthConfig",
    "AuthConfigGoogleServiceAccountConfig", "AuthConfigHttpBasicAuthConfig", "AuthConfigOauthConfig",
    "AuthConfigOidcConfig", "AuthType", "AutomaticFunctionCallingConfig", "Behavior", "Blob", "BlobImageUnion",
    "BlobImageUnionDict", "BlockedReason", "Candidate", "Citation", "CitationMetadata", "ClaudeFile",
    "CodeExecutionResult", "ComputerUse", "Content", "ContentListUnion", "ContentListUnionDict", "ContentUnion",
    "ContentUnionDict", "CountTokensConfig", "CountTokensResponse", "CreateFileConfig", "CreateFileResponse",
    "DeleteFileConfig", "DeleteFileResponse", "Delivery", "DocumentMetadata", "DocumentMetadataContentLayer",
    "DownloadFileConfig", "DynamicRetrievalConfig", "DynamicRetrievalConfigMode", "EnterpriseWebSearch",
    "Environment", "ExecutableCode", "ExternalApi", "ExternalApiElasticSearchParams", "ExternalApiSimpleSearchParams",
    "FeatureSelectionPreference", "File", "FileData", "FileSearch", "FileSource", "FileState", "FileStatus",
    "FinishReason", "FunctionCall", "FunctionCallingConfig", "FunctionCallingConfigMode", "FunctionDeclaration",
    "FunctionResponse", "FunctionResponseBlob", "FunctionResponseFileData", "FunctionResponsePart",
    "FunctionResponseScheduling", "GenerateContentConfig", "GenerateContentResponse",
    "GenerateContentResponsePromptFeedback", "GenerateContentResponseUsageMetadata", "GenerationConfig",
    "GenerationConfigRoutingConfig", "GenerationConfigRoutingConfigAutoRoutingMode",
    "GenerationConfigRoutingConfigManualRoutingMode", "GenerationOutputConfig", "GetFileConfig", "GoogleMaps",
    "GoogleMapsGroundingTypes", "GoogleMapsPlaces", "GoogleMapsRouting", "GoogleSearch", "GoogleSearchRetrieval",
    "GoogleTypeDate", "GroundingChunk", "GroundingChunkCustomMetadata", "GroundingChunkImage", "GroundingChunkMaps",
    "GroundingChunkMapsPlaceAnswerSources", "GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution",
    "GroundingChunkMapsPlaceAnswerSourcesReviewSnippet", "GroundingChunkMapsRoute", "GroundingChunkRetrievedContext",
    "GroundingChunkStringList", "GroundingChunkWeb", "GroundingMetadata", "GroundingMetadataSourceFlaggingUri",
    "GroundingSupport", "HarmBlockMethod", "HarmBlockThreshold", "HarmCategory", "HarmProbability", "HarmSeverity",
    "HttpElementLocation", "HttpOptions", "HttpResponse", "HttpRetryOptions", "Image", "ImageConfig",
    "ImageConfigImageOutputOptions", "ImageResponseFormat", "ImageSearch", "ImageSize", "Interval", "Language",
    "LanguageAuto", "LanguageHints", "LatLng", "ListFilesConfig", "ListFilesResponse", "LogprobsResult",
    "LogprobsResultCandidate", "LogprobsResultTopCandidates", "McpServer", "MediaModality", "MediaProcessing",
    "MediaResolution", "Modality", "ModalityTokenCount", "ModelArmorConfig", "ModelContent", "ModelSelectionConfig",
    "ModelStage", "ModelStatus", "MultiSpeakerVoiceConfig", "Outcome", "Part", "PartMediaResolution",
    "PartMediaResolutionLevel", "PartUnion", "PartUnionDict", "PartialArg", "PhishBlockThreshold",
    "PrebuiltVoiceConfig", "ProminentPeople", "RagChunk", "RagChunkPageSpan", "RagRetrievalConfig",
    "RagRetrievalConfigFilter", "RagRetrievalConfigHybridSearch", "RagRetrievalConfigRanking",
    "RagRetrievalConfigRankingLlmRanker", "RagRetrievalConfigRankingRankService", "ReplicatedVoiceConfig",
    "ResourceScope", "ResponseFormat", "Retrieval", "RetrievalConfig", "RetrievalMetadata", "SafetyPolicy",
    "SafetyRating", "SafetySetting", "Schema", "SchemaUnion", "SchemaUnionDict", "SearchEntryPoint", "SearchTypes",
    "Segment", "ServiceTier", "SpeakerVoiceConfig", "SpeechConfig", "SpeechConfigUnion", "SpeechConfigUnionDict",
    "SpeechMetadata", "SpreadsheetMetadata", "SpreadsheetMetadataContentLayer", "StreamableHttpTransport",
    "TextResponseFormat", "ThinkingConfig", "ThinkingLevel", "Tool", "ToolCall", "ToolCodeExecution", "ToolConfig",
    "ToolExaAiSearch", "ToolListUnion", "ToolListUnionDict", "ToolParallelAiSearch", "ToolResponse", "ToolType",
    "ToolUnion", "ToolUnionDict", "TrafficType", "Transcription", "TranslationConfig", "Type", "UploadFileConfig",
    "UrlContext", "UrlContextMetadata", "UrlMetadata", "UrlRetrievalStatus", "UserContent", "VertexAISearch",
    "VertexAISearchDataStoreSpec", "VertexRagStore", "VertexRagStoreRagResource", "VideoMetadata",
    "VideoMetadataContentLayer", "VideoResponseFormat", "VoiceConfig", "VoiceConsentSignature", "WebSearch",
    "WordInfo",
]

#: Module to the names that it defines.
_NAMES = {
    "config": """
        AutomaticFunctionCallingConfig GenerateContentConfig GenerationConfigRoutingConfig
        GenerationConfigRoutingConfigAutoRoutingMode GenerationConfigRoutingConfigManualRoutingMode
        GenerationOutputConfig ImageConfig ImageConfigImageOutputOptions ModelArmorConfig ModelSelectionConfig
        SafetySetting ThinkingConfig
    """,
    "content": """
        Blob CodeExecutionResult Content ExecutableCode FileData FunctionCall FunctionResponse FunctionResponseBlob
        FunctionResponseFileData FunctionResponsePart ModelContent Part PartialArg ToolCall ToolResponse UserContent
    """,
    "enums": """
        BlockedReason DocumentMetadataContentLayer FileSource FileState FinishReason FunctionResponseScheduling
        HarmBlockThreshold HarmCategory HarmProbability HarmSeverity Language MediaModality MediaProcessing ModelStage
        Outcome PartMediaResolutionLevel SpreadsheetMetadataContentLayer ToolType TrafficType UrlRetrievalStatus
        VideoMetadataContentLayer
    """,
    "files": """
        ClaudeFile CreateFileConfig CreateFileResponse DeleteFileConfig DeleteFileResponse DownloadFileConfig File
        FileStatus GetFileConfig ListFilesConfig ListFilesResponse UploadFileConfig
    """,
    "generation": """
        AudioResponseFormat GenerationConfig ImageResponseFormat ResponseFormat TextResponseFormat TranslationConfig
        VideoResponseFormat
    """,
    "grounding": """
        Citation CitationMetadata GoogleTypeDate GroundingChunk GroundingChunkCustomMetadata GroundingChunkImage
        GroundingChunkMaps GroundingChunkMapsPlaceAnswerSources GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution
        GroundingChunkMapsPlaceAnswerSourcesReviewSnippet GroundingChunkMapsRoute GroundingChunkRetrievedContext
        GroundingChunkStringList GroundingChunkWeb GroundingMetadata GroundingMetadataSourceFlaggingUri
        GroundingSupport RagChunk RagChunkPageSpan RetrievalMetadata SearchEntryPoint Segment UrlContextMetadata
        UrlMetadata
    """,
    "http": """
        HttpOptions HttpResponse HttpRetryOptions
    """,
    "image": """
        Image
    """,
    "media": """
        AudioMetadata DocumentMetadata PartMediaResolution SpeechMetadata SpreadsheetMetadata Transcription
        VideoMetadata WordInfo
    """,
    "response": """
        Candidate GenerateContentResponse GenerateContentResponsePromptFeedback GenerateContentResponseUsageMetadata
        LogprobsResult LogprobsResultCandidate LogprobsResultTopCandidates ModalityTokenCount ModelStatus SafetyRating
    """,
    "retrieval": """
        ApiAuth ApiAuthApiKeyConfig ApiKeyConfig AuthConfig AuthConfigGoogleServiceAccountConfig
        AuthConfigHttpBasicAuthConfig AuthConfigOauthConfig AuthConfigOidcConfig ExternalApi
        ExternalApiElasticSearchParams ExternalApiSimpleSearchParams RagRetrievalConfig RagRetrievalConfigFilter
        RagRetrievalConfigHybridSearch RagRetrievalConfigRanking RagRetrievalConfigRankingLlmRanker
        RagRetrievalConfigRankingRankService Retrieval VertexAISearch VertexAISearchDataStoreSpec VertexRagStore
        VertexRagStoreRagResource
    """,
    "schema": """
        FunctionDeclaration Schema
    """,
    "setting_enums": """
        ApiSpec AspectRatio AudioTranscriptionConfigMode AuthType Behavior Delivery DynamicRetrievalConfigMode
        Environment FeatureSelectionPreference FunctionCallingConfigMode HarmBlockMethod HttpElementLocation ImageSize
        MediaResolution Modality PhishBlockThreshold ProminentPeople ResourceScope SafetyPolicy ServiceTier
        ThinkingLevel Type
    """,
    "speech": """
        AudioTranscriptionConfig LanguageAuto LanguageHints MultiSpeakerVoiceConfig PrebuiltVoiceConfig
        ReplicatedVoiceConfig SpeakerVoiceConfig SpeechConfig VoiceConfig VoiceConsentSignature
    """,
    "tokens": """
        CountTokensConfig CountTokensResponse
    """,
    "tools": """
        ComputerUse DynamicRetrievalConfig EnterpriseWebSearch FileSearch FunctionCallingConfig GoogleMaps
        GoogleMapsGroundingTypes GoogleMapsPlaces GoogleMapsRouting GoogleSearch GoogleSearchRetrieval ImageSearch
        Interval LatLng McpServer RetrievalConfig SearchTypes StreamableHttpTransport Tool ToolCodeExecution
        ToolConfig ToolExaAiSearch ToolParallelAiSearch UrlContext WebSearch
    """,
    "unions": """
        BlobImageUnion BlobImageUnionDict ContentListUnion ContentListUnionDict ContentUnion ContentUnionDict
        PartUnion PartUnionDict SchemaUnion SchemaUnionDict SpeechConfigUnion SpeechConfigUnionDict ToolListUnion
        ToolListUnionDict ToolUnion ToolUnionDict
    """,
}
# isort: on
# fmt: on

_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

if not TYPE_CHECKING:  # a type checker that saw this would take any name for granted

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f".{home}", __name__)
        for each in _NAMES[home].split():
            globals()[each] = getattr(module, each)
        return globals()[name]

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
