"""What is said to the API and what it answers: its own nouns, as values, and the enums that they use.

Names load when they are first used, a module at a time: ``from chatproto.types import Part`` loads ``content`` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import (
        AutomaticFunctionCallingConfig as AutomaticFunctionCallingConfig,
    )
    from .config import (
        GenerateContentConfig as GenerateContentConfig,
    )
    from .config import (
        GenerationConfigRoutingConfig as GenerationConfigRoutingConfig,
    )
    from .config import (
        GenerationConfigRoutingConfigAutoRoutingMode as GenerationConfigRoutingConfigAutoRoutingMode,
    )
    from .config import (
        GenerationConfigRoutingConfigManualRoutingMode as GenerationConfigRoutingConfigManualRoutingMode,
    )
    from .config import (
        GenerationOutputConfig as GenerationOutputConfig,
    )
    from .config import (
        ImageConfig as ImageConfig,
    )
    from .config import (
        ImageConfigImageOutputOptions as ImageConfigImageOutputOptions,
    )
    from .config import (
        ModelArmorConfig as ModelArmorConfig,
    )
    from .config import (
        ModelSelectionConfig as ModelSelectionConfig,
    )
    from .config import (
        SafetySetting as SafetySetting,
    )
    from .config import (
        ThinkingConfig as ThinkingConfig,
    )
    from .content import (
        Blob as Blob,
    )
    from .content import (
        CodeExecutionResult as CodeExecutionResult,
    )
    from .content import (
        Content as Content,
    )
    from .content import (
        ExecutableCode as ExecutableCode,
    )
    from .content import (
        FileData as FileData,
    )
    from .content import (
        FunctionCall as FunctionCall,
    )
    from .content import (
        FunctionResponse as FunctionResponse,
    )
    from .content import (
        FunctionResponseBlob as FunctionResponseBlob,
    )
    from .content import (
        FunctionResponseFileData as FunctionResponseFileData,
    )
    from .content import (
        FunctionResponsePart as FunctionResponsePart,
    )
    from .content import (
        ModelContent as ModelContent,
    )
    from .content import (
        Part as Part,
    )
    from .content import (
        PartialArg as PartialArg,
    )
    from .content import (
        ToolCall as ToolCall,
    )
    from .content import (
        ToolResponse as ToolResponse,
    )
    from .content import (
        UserContent as UserContent,
    )
    from .enums import (
        BlockedReason as BlockedReason,
    )
    from .enums import (
        DocumentMetadataContentLayer as DocumentMetadataContentLayer,
    )
    from .enums import (
        FileSource as FileSource,
    )
    from .enums import (
        FileState as FileState,
    )
    from .enums import (
        FinishReason as FinishReason,
    )
    from .enums import (
        FunctionResponseScheduling as FunctionResponseScheduling,
    )
    from .enums import (
        HarmBlockThreshold as HarmBlockThreshold,
    )
    from .enums import (
        HarmCategory as HarmCategory,
    )
    from .enums import (
        HarmProbability as HarmProbability,
    )
    from .enums import (
        HarmSeverity as HarmSeverity,
    )
    from .enums import (
        Language as Language,
    )
    from .enums import (
        MediaModality as MediaModality,
    )
    from .enums import (
        MediaProcessing as MediaProcessing,
    )
    from .enums import (
        ModelStage as ModelStage,
    )
    from .enums import (
        Outcome as Outcome,
    )
    from .enums import (
        PartMediaResolutionLevel as PartMediaResolutionLevel,
    )
    from .enums import (
        SpreadsheetMetadataContentLayer as SpreadsheetMetadataContentLayer,
    )
    from .enums import (
        ToolType as ToolType,
    )
    from .enums import (
        TrafficType as TrafficType,
    )
    from .enums import (
        UrlRetrievalStatus as UrlRetrievalStatus,
    )
    from .enums import (
        VideoMetadataContentLayer as VideoMetadataContentLayer,
    )
    from .files import (
        ClaudeFile as ClaudeFile,
    )
    from .files import (
        CreateFileConfig as CreateFileConfig,
    )
    from .files import (
        CreateFileResponse as CreateFileResponse,
    )
    from .files import (
        DeleteFileConfig as DeleteFileConfig,
    )
    from .files import (
        DeleteFileResponse as DeleteFileResponse,
    )
    from .files import (
        DownloadFileConfig as DownloadFileConfig,
    )
    from .files import (
        File as File,
    )
    from .files import (
        FileStatus as FileStatus,
    )
    from .files import (
        GetFileConfig as GetFileConfig,
    )
    from .files import (
        ListFilesConfig as ListFilesConfig,
    )
    from .files import (
        ListFilesResponse as ListFilesResponse,
    )
    from .files import (
        UploadFileConfig as UploadFileConfig,
    )
    from .generation import (
        AudioResponseFormat as AudioResponseFormat,
    )
    from .generation import (
        GenerationConfig as GenerationConfig,
    )
    from .generation import (
        ImageResponseFormat as ImageResponseFormat,
    )
    from .generation import (
        ResponseFormat as ResponseFormat,
    )
    from .generation import (
        TextResponseFormat as TextResponseFormat,
    )
    from .generation import (
        TranslationConfig as TranslationConfig,
    )
    from .generation import (
        VideoResponseFormat as VideoResponseFormat,
    )
    from .grounding import (
        Citation as Citation,
    )
    from .grounding import (
        CitationMetadata as CitationMetadata,
    )
    from .grounding import (
        GoogleTypeDate as GoogleTypeDate,
    )
    from .grounding import (
        GroundingChunk as GroundingChunk,
    )
    from .grounding import (
        GroundingChunkCustomMetadata as GroundingChunkCustomMetadata,
    )
    from .grounding import (
        GroundingChunkImage as GroundingChunkImage,
    )
    from .grounding import (
        GroundingChunkMaps as GroundingChunkMaps,
    )
    from .grounding import (
        GroundingChunkMapsPlaceAnswerSources as GroundingChunkMapsPlaceAnswerSources,
    )
    from .grounding import (
        GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution as GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution,
    )
    from .grounding import (
        GroundingChunkMapsPlaceAnswerSourcesReviewSnippet as GroundingChunkMapsPlaceAnswerSourcesReviewSnippet,
    )
    from .grounding import (
        GroundingChunkMapsRoute as GroundingChunkMapsRoute,
    )
    from .grounding import (
        GroundingChunkRetrievedContext as GroundingChunkRetrievedContext,
    )
    from .grounding import (
        GroundingChunkStringList as GroundingChunkStringList,
    )
    from .grounding import (
        GroundingChunkWeb as GroundingChunkWeb,
    )
    from .grounding import (
        GroundingMetadata as GroundingMetadata,
    )
    from .grounding import (
        GroundingMetadataSourceFlaggingUri as GroundingMetadataSourceFlaggingUri,
    )
    from .grounding import (
        GroundingSupport as GroundingSupport,
    )
    from .grounding import (
        RagChunk as RagChunk,
    )
    from .grounding import (
        RagChunkPageSpan as RagChunkPageSpan,
    )
    from .grounding import (
        RetrievalMetadata as RetrievalMetadata,
    )
    from .grounding import (
        SearchEntryPoint as SearchEntryPoint,
    )
    from .grounding import (
        Segment as Segment,
    )
    from .grounding import (
        UrlContextMetadata as UrlContextMetadata,
    )
    from .grounding import (
        UrlMetadata as UrlMetadata,
    )
    from .http import HttpOptions as HttpOptions
    from .http import HttpResponse as HttpResponse
    from .http import HttpRetryOptions as HttpRetryOptions
    from .image import Image as Image
    from .media import (
        AudioMetadata as AudioMetadata,
    )
    from .media import (
        DocumentMetadata as DocumentMetadata,
    )
    from .media import (
        PartMediaResolution as PartMediaResolution,
    )
    from .media import (
        SpeechMetadata as SpeechMetadata,
    )
    from .media import (
        SpreadsheetMetadata as SpreadsheetMetadata,
    )
    from .media import (
        Transcription as Transcription,
    )
    from .media import (
        VideoMetadata as VideoMetadata,
    )
    from .media import (
        WordInfo as WordInfo,
    )
    from .response import (
        Candidate as Candidate,
    )
    from .response import (
        GenerateContentResponse as GenerateContentResponse,
    )
    from .response import (
        GenerateContentResponsePromptFeedback as GenerateContentResponsePromptFeedback,
    )
    from .response import (
        GenerateContentResponseUsageMetadata as GenerateContentResponseUsageMetadata,
    )
    from .response import (
        LogprobsResult as LogprobsResult,
    )
    from .response import (
        LogprobsResultCandidate as LogprobsResultCandidate,
    )
    from .response import (
        LogprobsResultTopCandidates as LogprobsResultTopCandidates,
    )
    from .response import (
        ModalityTokenCount as ModalityTokenCount,
    )
    from .response import (
        ModelStatus as ModelStatus,
    )
    from .response import (
        SafetyRating as SafetyRating,
    )
    from .retrieval import (
        ApiAuth as ApiAuth,
    )
    from .retrieval import (
        ApiAuthApiKeyConfig as ApiAuthApiKeyConfig,
    )
    from .retrieval import (
        ApiKeyConfig as ApiKeyConfig,
    )
    from .retrieval import (
        AuthConfig as AuthConfig,
    )
    from .retrieval import (
        AuthConfigGoogleServiceAccountConfig as AuthConfigGoogleServiceAccountConfig,
    )
    from .retrieval import (
        AuthConfigHttpBasicAuthConfig as AuthConfigHttpBasicAuthConfig,
    )
    from .retrieval import (
        AuthConfigOauthConfig as AuthConfigOauthConfig,
    )
    from .retrieval import (
        AuthConfigOidcConfig as AuthConfigOidcConfig,
    )
    from .retrieval import (
        ExternalApi as ExternalApi,
    )
    from .retrieval import (
        ExternalApiElasticSearchParams as ExternalApiElasticSearchParams,
    )
    from .retrieval import (
        ExternalApiSimpleSearchParams as ExternalApiSimpleSearchParams,
    )
    from .retrieval import (
        RagRetrievalConfig as RagRetrievalConfig,
    )
    from .retrieval import (
        RagRetrievalConfigFilter as RagRetrievalConfigFilter,
    )
    from .retrieval import (
        RagRetrievalConfigHybridSearch as RagRetrievalConfigHybridSearch,
    )
    from .retrieval import (
        RagRetrievalConfigRanking as RagRetrievalConfigRanking,
    )
    from .retrieval import (
        RagRetrievalConfigRankingLlmRanker as RagRetrievalConfigRankingLlmRanker,
    )
    from .retrieval import (
        RagRetrievalConfigRankingRankService as RagRetrievalConfigRankingRankService,
    )
    from .retrieval import (
        Retrieval as Retrieval,
    )
    from .retrieval import (
        VertexAISearch as VertexAISearch,
    )
    from .retrieval import (
        VertexAISearchDataStoreSpec as VertexAISearchDataStoreSpec,
    )
    from .retrieval import (
        VertexRagStore as VertexRagStore,
    )
    from .retrieval import (
        VertexRagStoreRagResource as VertexRagStoreRagResource,
    )
    from .schema import FunctionDeclaration as FunctionDeclaration
    from .schema import Schema as Schema
    from .setting_enums import (
        ApiSpec as ApiSpec,
    )
    from .setting_enums import (
        AspectRatio as AspectRatio,
    )
    from .setting_enums import (
        AudioTranscriptionConfigMode as AudioTranscriptionConfigMode,
    )
    from .setting_enums import (
        AuthType as AuthType,
    )
    from .setting_enums import (
        Behavior as Behavior,
    )
    from .setting_enums import (
        Delivery as Delivery,
    )
    from .setting_enums import (
        DynamicRetrievalConfigMode as DynamicRetrievalConfigMode,
    )
    from .setting_enums import (
        Environment as Environment,
    )
    from .setting_enums import (
        FeatureSelectionPreference as FeatureSelectionPreference,
    )
    from .setting_enums import (
        FunctionCallingConfigMode as FunctionCallingConfigMode,
    )
    from .setting_enums import (
        HarmBlockMethod as HarmBlockMethod,
    )
    from .setting_enums import (
        HttpElementLocation as HttpElementLocation,
    )
    from .setting_enums import (
        ImageSize as ImageSize,
    )
    from .setting_enums import (
        MediaResolution as MediaResolution,
    )
    from .setting_enums import (
        Modality as Modality,
    )
    from .setting_enums import (
        PhishBlockThreshold as PhishBlockThreshold,
    )
    from .setting_enums import (
        ProminentPeople as ProminentPeople,
    )
    from .setting_enums import (
        ResourceScope as ResourceScope,
    )
    from .setting_enums import (
        SafetyPolicy as SafetyPolicy,
    )
    from .setting_enums import (
        ServiceTier as ServiceTier,
    )
    from .setting_enums import (
        ThinkingLevel as ThinkingLevel,
    )
    from .setting_enums import (
        Type as Type,
    )
    from .speech import (
        AudioTranscriptionConfig as AudioTranscriptionConfig,
    )
    from .speech import (
        LanguageAuto as LanguageAuto,
    )
    from .speech import (
        LanguageHints as LanguageHints,
    )
    from .speech import (
        MultiSpeakerVoiceConfig as MultiSpeakerVoiceConfig,
    )
    from .speech import (
        PrebuiltVoiceConfig as PrebuiltVoiceConfig,
    )
    from .speech import (
        ReplicatedVoiceConfig as ReplicatedVoiceConfig,
    )
    from .speech import (
        SpeakerVoiceConfig as SpeakerVoiceConfig,
    )
    from .speech import (
        SpeechConfig as SpeechConfig,
    )
    from .speech import (
        VoiceConfig as VoiceConfig,
    )
    from .speech import (
        VoiceConsentSignature as VoiceConsentSignature,
    )
    from .tokens import CountTokensConfig as CountTokensConfig
    from .tokens import CountTokensResponse as CountTokensResponse
    from .tools import (
        ComputerUse as ComputerUse,
    )
    from .tools import (
        DynamicRetrievalConfig as DynamicRetrievalConfig,
    )
    from .tools import (
        EnterpriseWebSearch as EnterpriseWebSearch,
    )
    from .tools import (
        FileSearch as FileSearch,
    )
    from .tools import (
        FunctionCallingConfig as FunctionCallingConfig,
    )
    from .tools import (
        GoogleMaps as GoogleMaps,
    )
    from .tools import (
        GoogleMapsGroundingTypes as GoogleMapsGroundingTypes,
    )
    from .tools import (
        GoogleMapsPlaces as GoogleMapsPlaces,
    )
    from .tools import (
        GoogleMapsRouting as GoogleMapsRouting,
    )
    from .tools import (
        GoogleSearch as GoogleSearch,
    )
    from .tools import (
        GoogleSearchRetrieval as GoogleSearchRetrieval,
    )
    from .tools import (
        ImageSearch as ImageSearch,
    )
    from .tools import (
        Interval as Interval,
    )
    from .tools import (
        LatLng as LatLng,
    )
    from .tools import (
        McpServer as McpServer,
    )
    from .tools import (
        RetrievalConfig as RetrievalConfig,
    )
    from .tools import (
        SearchTypes as SearchTypes,
    )
    from .tools import (
        StreamableHttpTransport as StreamableHttpTransport,
    )
    from .tools import (
        Tool as Tool,
    )
    from .tools import (
        ToolCodeExecution as ToolCodeExecution,
    )
    from .tools import (
        ToolConfig as ToolConfig,
    )
    from .tools import (
        ToolExaAiSearch as ToolExaAiSearch,
    )
    from .tools import (
        ToolParallelAiSearch as ToolParallelAiSearch,
    )
    from .tools import (
        UrlContext as UrlContext,
    )
    from .tools import (
        WebSearch as WebSearch,
    )
    from .unions import (
        BlobImageUnion as BlobImageUnion,
    )
    from .unions import (
        BlobImageUnionDict as BlobImageUnionDict,
    )
    from .unions import (
        ContentListUnion as ContentListUnion,
    )
    from .unions import (
        ContentListUnionDict as ContentListUnionDict,
    )
    from .unions import (
        ContentUnion as ContentUnion,
    )
    from .unions import (
        ContentUnionDict as ContentUnionDict,
    )
    from .unions import (
        PartUnion as PartUnion,
    )
    from .unions import (
        PartUnionDict as PartUnionDict,
    )
    from .unions import (
        SchemaUnion as SchemaUnion,
    )
    from .unions import (
        SchemaUnionDict as SchemaUnionDict,
    )
    from .unions import (
        SpeechConfigUnion as SpeechConfigUnion,
    )
    from .unions import (
        SpeechConfigUnionDict as SpeechConfigUnionDict,
    )
    from .unions import (
        ToolListUnion as ToolListUnion,
    )
    from .unions import (
        ToolListUnionDict as ToolListUnionDict,
    )
    from .unions import (
        ToolUnion as ToolUnion,
    )
    from .unions import (
        ToolUnionDict as ToolUnionDict,
    )

__all__ = [
    "ApiAuth",
    "ApiAuthApiKeyConfig",
    "ApiKeyConfig",
    "ApiSpec",
    "AspectRatio",
    "AudioMetadata",
    "AudioResponseFormat",
    "AudioTranscriptionConfig",
    "AudioTranscriptionConfigMode",
    "AuthConfig",
    "AuthConfigGoogleServiceAccountConfig",
    "AuthConfigHttpBasicAuthConfig",
    "AuthConfigOauthConfig",
    "AuthConfigOidcConfig",
    "AuthType",
    "AutomaticFunctionCallingConfig",
    "Behavior",
    "Blob",
    "BlobImageUnion",
    "BlobImageUnionDict",
    "BlockedReason",
    "Candidate",
    "Citation",
    "CitationMetadata",
    "ClaudeFile",
    "CodeExecutionResult",
    "ComputerUse",
    "Content",
    "ContentListUnion",
    "ContentListUnionDict",
    "ContentUnion",
    "ContentUnionDict",
    "CountTokensConfig",
    "CountTokensResponse",
    "CreateFileConfig",
    "CreateFileResponse",
    "DeleteFileConfig",
    "DeleteFileResponse",
    "Delivery",
    "DocumentMetadata",
    "DocumentMetadataContentLayer",
    "DownloadFileConfig",
    "DynamicRetrievalConfig",
    "DynamicRetrievalConfigMode",
    "EnterpriseWebSearch",
    "Environment",
    "ExecutableCode",
    "ExternalApi",
    "ExternalApiElasticSearchParams",
    "ExternalApiSimpleSearchParams",
    "FeatureSelectionPreference",
    "File",
    "FileData",
    "FileSearch",
    "FileSource",
    "FileState",
    "FileStatus",
    "FinishReason",
    "FunctionCall",
    "FunctionCallingConfig",
    "FunctionCallingConfigMode",
    "FunctionDeclaration",
    "FunctionResponse",
    "FunctionResponseBlob",
    "FunctionResponseFileData",
    "FunctionResponsePart",
    "FunctionResponseScheduling",
    "GenerateContentConfig",
    "GenerateContentResponse",
    "GenerateContentResponsePromptFeedback",
    "GenerateContentResponseUsageMetadata",
    "GenerationConfig",
    "GenerationConfigRoutingConfig",
    "GenerationConfigRoutingConfigAutoRoutingMode",
    "GenerationConfigRoutingConfigManualRoutingMode",
    "GenerationOutputConfig",
    "GetFileConfig",
    "GoogleMaps",
    "GoogleMapsGroundingTypes",
    "GoogleMapsPlaces",
    "GoogleMapsRouting",
    "GoogleSearch",
    "GoogleSearchRetrieval",
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
    "HarmBlockMethod",
    "HarmBlockThreshold",
    "HarmCategory",
    "HarmProbability",
    "HarmSeverity",
    "HttpElementLocation",
    "HttpOptions",
    "HttpResponse",
    "HttpRetryOptions",
    "Image",
    "ImageConfig",
    "ImageConfigImageOutputOptions",
    "ImageResponseFormat",
    "ImageSearch",
    "ImageSize",
    "Interval",
    "Language",
    "LanguageAuto",
    "LanguageHints",
    "LatLng",
    "ListFilesConfig",
    "ListFilesResponse",
    "LogprobsResult",
    "LogprobsResultCandidate",
    "LogprobsResultTopCandidates",
    "McpServer",
    "MediaModality",
    "MediaProcessing",
    "MediaResolution",
    "Modality",
    "ModalityTokenCount",
    "ModelArmorConfig",
    "ModelContent",
    "ModelSelectionConfig",
    "ModelStage",
    "ModelStatus",
    "MultiSpeakerVoiceConfig",
    "Outcome",
    "Part",
    "PartMediaResolution",
    "PartMediaResolutionLevel",
    "PartUnion",
    "PartUnionDict",
    "PartialArg",
    "PhishBlockThreshold",
    "PrebuiltVoiceConfig",
    "ProminentPeople",
    "RagChunk",
    "RagChunkPageSpan",
    "RagRetrievalConfig",
    "RagRetrievalConfigFilter",
    "RagRetrievalConfigHybridSearch",
    "RagRetrievalConfigRanking",
    "RagRetrievalConfigRankingLlmRanker",
    "RagRetrievalConfigRankingRankService",
    "ReplicatedVoiceConfig",
    "ResourceScope",
    "ResponseFormat",
    "Retrieval",
    "RetrievalConfig",
    "RetrievalMetadata",
    "SafetyPolicy",
    "SafetyRating",
    "SafetySetting",
    "Schema",
    "SchemaUnion",
    "SchemaUnionDict",
    "SearchEntryPoint",
    "SearchTypes",
    "Segment",
    "ServiceTier",
    "SpeakerVoiceConfig",
    "SpeechConfig",
    "SpeechConfigUnion",
    "SpeechConfigUnionDict",
    "SpeechMetadata",
    "SpreadsheetMetadata",
    "SpreadsheetMetadataContentLayer",
    "StreamableHttpTransport",
    "TextResponseFormat",
    "ThinkingConfig",
    "ThinkingLevel",
    "Tool",
    "ToolCall",
    "ToolCodeExecution",
    "ToolConfig",
    "ToolExaAiSearch",
    "ToolListUnion",
    "ToolListUnionDict",
    "ToolParallelAiSearch",
    "ToolResponse",
    "ToolType",
    "ToolUnion",
    "ToolUnionDict",
    "TrafficType",
    "Transcription",
    "TranslationConfig",
    "Type",
    "UploadFileConfig",
    "UrlContext",
    "UrlContextMetadata",
    "UrlMetadata",
    "UrlRetrievalStatus",
    "UserContent",
    "VertexAISearch",
    "VertexAISearchDataStoreSpec",
    "VertexRagStore",
    "VertexRagStoreRagResource",
    "VideoMetadata",
    "VideoMetadataContentLayer",
    "VideoResponseFormat",
    "VoiceConfig",
    "VoiceConsentSignature",
    "WebSearch",
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
        Blob CodeExecutionResult Content ExecutableCode FileData FunctionCall FunctionResponse
        FunctionResponseBlob FunctionResponseFileData FunctionResponsePart ModelContent Part PartialArg ToolCall
        ToolResponse UserContent
    """,
    "enums": """
        BlockedReason DocumentMetadataContentLayer FileSource FileState FinishReason FunctionResponseScheduling
        HarmBlockThreshold HarmCategory HarmProbability HarmSeverity Language MediaModality MediaProcessing
        ModelStage Outcome PartMediaResolutionLevel SpreadsheetMetadataContentLayer ToolType TrafficType
        UrlRetrievalStatus VideoMetadataContentLayer
    """,
    "files": """
        ClaudeFile CreateFileConfig CreateFileResponse DeleteFileConfig DeleteFileResponse DownloadFileConfig
        File FileStatus GetFileConfig ListFilesConfig ListFilesResponse UploadFileConfig
    """,
    "generation": """
        AudioResponseFormat GenerationConfig ImageResponseFormat ResponseFormat TextResponseFormat
        TranslationConfig VideoResponseFormat
    """,
    "grounding": """
        Citation CitationMetadata GoogleTypeDate GroundingChunk GroundingChunkCustomMetadata GroundingChunkImage
        GroundingChunkMaps GroundingChunkMapsPlaceAnswerSources
        GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution GroundingChunkMapsPlaceAnswerSourcesReviewSnippet
        GroundingChunkMapsRoute GroundingChunkRetrievedContext GroundingChunkStringList GroundingChunkWeb
        GroundingMetadata GroundingMetadataSourceFlaggingUri GroundingSupport RagChunk RagChunkPageSpan
        RetrievalMetadata SearchEntryPoint Segment UrlContextMetadata UrlMetadata
    """,
    "http": "HttpOptions HttpResponse HttpRetryOptions",
    "image": "Image",
    "media": """
        AudioMetadata DocumentMetadata PartMediaResolution SpeechMetadata SpreadsheetMetadata Transcription
        VideoMetadata WordInfo
    """,
    "response": """
        Candidate GenerateContentResponse GenerateContentResponsePromptFeedback
        GenerateContentResponseUsageMetadata LogprobsResult LogprobsResultCandidate LogprobsResultTopCandidates
        ModalityTokenCount ModelStatus SafetyRating
    """,
    "retrieval": """
        ApiAuth ApiAuthApiKeyConfig ApiKeyConfig AuthConfig AuthConfigGoogleServiceAccountConfig
        AuthConfigHttpBasicAuthConfig AuthConfigOauthConfig AuthConfigOidcConfig ExternalApi
        ExternalApiElasticSearchParams ExternalApiSimpleSearchParams RagRetrievalConfig RagRetrievalConfigFilter
        RagRetrievalConfigHybridSearch RagRetrievalConfigRanking RagRetrievalConfigRankingLlmRanker
        RagRetrievalConfigRankingRankService Retrieval VertexAISearch VertexAISearchDataStoreSpec VertexRagStore
        VertexRagStoreRagResource
    """,
    "schema": "FunctionDeclaration Schema",
    "setting_enums": """
        ApiSpec AspectRatio AudioTranscriptionConfigMode AuthType Behavior Delivery DynamicRetrievalConfigMode
        Environment FeatureSelectionPreference FunctionCallingConfigMode HarmBlockMethod HttpElementLocation
        ImageSize MediaResolution Modality PhishBlockThreshold ProminentPeople ResourceScope SafetyPolicy
        ServiceTier ThinkingLevel Type
    """,
    "speech": """
        AudioTranscriptionConfig LanguageAuto LanguageHints MultiSpeakerVoiceConfig PrebuiltVoiceConfig
        ReplicatedVoiceConfig SpeakerVoiceConfig SpeechConfig VoiceConfig VoiceConsentSignature
    """,
    "tokens": "CountTokensConfig CountTokensResponse",
    "tools": """
        ComputerUse DynamicRetrievalConfig EnterpriseWebSearch FileSearch FunctionCallingConfig GoogleMaps
        GoogleMapsGroundingTypes GoogleMapsPlaces GoogleMapsRouting GoogleSearch GoogleSearchRetrieval
        ImageSearch Interval LatLng McpServer RetrievalConfig SearchTypes StreamableHttpTransport Tool
        ToolCodeExecution ToolConfig ToolExaAiSearch ToolParallelAiSearch UrlContext WebSearch
    """,
    "unions": """
        BlobImageUnion BlobImageUnionDict ContentListUnion ContentListUnionDict ContentUnion ContentUnionDict
        PartUnion PartUnionDict SchemaUnion SchemaUnionDict SpeechConfigUnion SpeechConfigUnionDict
        ToolListUnion ToolListUnionDict ToolUnion ToolUnionDict
    """,
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

if not TYPE_CHECKING:  # a type checker that saw this would take any name for granted

    def __getattr__(name):
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(f".{home}", __name__)
        for each in _NAMES[home].split():
            globals()[each] = getattr(module, each)
        return globals()[name]

    def __dir__():
        return sorted({*globals(), *__all__})
