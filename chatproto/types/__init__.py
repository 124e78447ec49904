"""What is said to the API and what it answers: its own nouns, as values, and the enums that they use.

Names load when they are first used, a module at a time: ``from chatproto.types import Part`` loads ``content`` only.
The twins that are dicts (``PartDict``, ``PartOrDict``) load all; they are not in ``__all__``, so a star does not ask.
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
    # Printed by tests/make_dicts.py; not in the tables.
    from chatproto.types.dicts import (
        ApiAuthApiKeyConfigDict as ApiAuthApiKeyConfigDict, ApiAuthApiKeyConfigOrDict as ApiAuthApiKeyConfigOrDict,
        ApiAuthDict as ApiAuthDict, ApiAuthOrDict as ApiAuthOrDict, ApiKeyConfigDict as ApiKeyConfigDict,
        ApiKeyConfigOrDict as ApiKeyConfigOrDict, AudioMetadataDict as AudioMetadataDict,
        AudioMetadataOrDict as AudioMetadataOrDict, AudioResponseFormatDict as AudioResponseFormatDict,
        AudioResponseFormatOrDict as AudioResponseFormatOrDict,
        AudioTranscriptionConfigDict as AudioTranscriptionConfigDict,
        AudioTranscriptionConfigOrDict as AudioTranscriptionConfigOrDict, AuthConfigDict as AuthConfigDict,
        AuthConfigGoogleServiceAccountConfigDict as AuthConfigGoogleServiceAccountConfigDict,
        AuthConfigGoogleServiceAccountConfigOrDict as AuthConfigGoogleServiceAccountConfigOrDict,
        AuthConfigHttpBasicAuthConfigDict as AuthConfigHttpBasicAuthConfigDict,
        AuthConfigHttpBasicAuthConfigOrDict as AuthConfigHttpBasicAuthConfigOrDict,
        AuthConfigOauthConfigDict as AuthConfigOauthConfigDict,
        AuthConfigOauthConfigOrDict as AuthConfigOauthConfigOrDict,
        AuthConfigOidcConfigDict as AuthConfigOidcConfigDict,
        AuthConfigOidcConfigOrDict as AuthConfigOidcConfigOrDict, AuthConfigOrDict as AuthConfigOrDict,
        AutomaticFunctionCallingConfigDict as AutomaticFunctionCallingConfigDict,
        AutomaticFunctionCallingConfigOrDict as AutomaticFunctionCallingConfigOrDict, BlobDict as BlobDict,
        BlobOrDict as BlobOrDict, CandidateDict as CandidateDict, CandidateOrDict as CandidateOrDict,
        CitationDict as CitationDict, CitationMetadataDict as CitationMetadataDict,
        CitationMetadataOrDict as CitationMetadataOrDict, CitationOrDict as CitationOrDict,
        ClaudeFileDict as ClaudeFileDict, ClaudeFileOrDict as ClaudeFileOrDict,
        CodeExecutionResultDict as CodeExecutionResultDict, CodeExecutionResultOrDict as CodeExecutionResultOrDict,
        ComputerUseDict as ComputerUseDict, ComputerUseOrDict as ComputerUseOrDict, ContentDict as ContentDict,
        ContentOrDict as ContentOrDict, CountTokensConfigDict as CountTokensConfigDict,
        CountTokensConfigOrDict as CountTokensConfigOrDict, CountTokensResponseDict as CountTokensResponseDict,
        CountTokensResponseOrDict as CountTokensResponseOrDict, CreateFileConfigDict as CreateFileConfigDict,
        CreateFileConfigOrDict as CreateFileConfigOrDict, CreateFileResponseDict as CreateFileResponseDict,
        CreateFileResponseOrDict as CreateFileResponseOrDict, DeleteFileConfigDict as DeleteFileConfigDict,
        DeleteFileConfigOrDict as DeleteFileConfigOrDict, DeleteFileResponseDict as DeleteFileResponseDict,
        DeleteFileResponseOrDict as DeleteFileResponseOrDict, DocumentMetadataDict as DocumentMetadataDict,
        DocumentMetadataOrDict as DocumentMetadataOrDict, DownloadFileConfigDict as DownloadFileConfigDict,
        DownloadFileConfigOrDict as DownloadFileConfigOrDict,
        DynamicRetrievalConfigDict as DynamicRetrievalConfigDict,
        DynamicRetrievalConfigOrDict as DynamicRetrievalConfigOrDict,
        EnterpriseWebSearchDict as EnterpriseWebSearchDict, EnterpriseWebSearchOrDict as EnterpriseWebSearchOrDict,
        ExecutableCodeDict as ExecutableCodeDict, ExecutableCodeOrDict as ExecutableCodeOrDict,
        ExternalApiDict as ExternalApiDict,
        ExternalApiElasticSearchParamsDict as ExternalApiElasticSearchParamsDict,
        ExternalApiElasticSearchParamsOrDict as ExternalApiElasticSearchParamsOrDict,
        ExternalApiOrDict as ExternalApiOrDict,
        ExternalApiSimpleSearchParamsDict as ExternalApiSimpleSearchParamsDict,
        ExternalApiSimpleSearchParamsOrDict as ExternalApiSimpleSearchParamsOrDict, FileDataDict as FileDataDict,
        FileDataOrDict as FileDataOrDict, FileDict as FileDict, FileOrDict as FileOrDict,
        FileSearchDict as FileSearchDict, FileSearchOrDict as FileSearchOrDict, FileStatusDict as FileStatusDict,
        FileStatusOrDict as FileStatusOrDict, FunctionCallDict as FunctionCallDict,
        FunctionCallOrDict as FunctionCallOrDict, FunctionCallingConfigDict as FunctionCallingConfigDict,
        FunctionCallingConfigOrDict as FunctionCallingConfigOrDict,
        FunctionDeclarationDict as FunctionDeclarationDict, FunctionDeclarationOrDict as FunctionDeclarationOrDict,
        FunctionResponseBlobDict as FunctionResponseBlobDict,
        FunctionResponseBlobOrDict as FunctionResponseBlobOrDict, FunctionResponseDict as FunctionResponseDict,
        FunctionResponseFileDataDict as FunctionResponseFileDataDict,
        FunctionResponseFileDataOrDict as FunctionResponseFileDataOrDict,
        FunctionResponseOrDict as FunctionResponseOrDict, FunctionResponsePartDict as FunctionResponsePartDict,
        FunctionResponsePartOrDict as FunctionResponsePartOrDict,
        GenerateContentConfigDict as GenerateContentConfigDict,
        GenerateContentConfigOrDict as GenerateContentConfigOrDict,
        GenerateContentResponseDict as GenerateContentResponseDict,
        GenerateContentResponseOrDict as GenerateContentResponseOrDict,
        GenerateContentResponsePromptFeedbackDict as GenerateContentResponsePromptFeedbackDict,
        GenerateContentResponsePromptFeedbackOrDict as GenerateContentResponsePromptFeedbackOrDict,
        GenerateContentResponseUsageMetadataDict as GenerateContentResponseUsageMetadataDict,
        GenerateContentResponseUsageMetadataOrDict as GenerateContentResponseUsageMetadataOrDict,
        GenerationConfigDict as GenerationConfigDict, GenerationConfigOrDict as GenerationConfigOrDict,
        GenerationConfigRoutingConfigAutoRoutingModeDict as GenerationConfigRoutingConfigAutoRoutingModeDict,
        GenerationConfigRoutingConfigAutoRoutingModeOrDict as GenerationConfigRoutingConfigAutoRoutingModeOrDict,
        GenerationConfigRoutingConfigDict as GenerationConfigRoutingConfigDict,
        GenerationConfigRoutingConfigManualRoutingModeDict as GenerationConfigRoutingConfigManualRoutingModeDict,
        GenerationConfigRoutingConfigManualRoutingModeOrDict as GenerationConfigRoutingConfigManualRoutingModeOrDict,
        GenerationConfigRoutingConfigOrDict as GenerationConfigRoutingConfigOrDict,
        GenerationOutputConfigDict as GenerationOutputConfigDict,
        GenerationOutputConfigOrDict as GenerationOutputConfigOrDict, GetFileConfigDict as GetFileConfigDict,
        GetFileConfigOrDict as GetFileConfigOrDict, GoogleMapsDict as GoogleMapsDict,
        GoogleMapsGroundingTypesDict as GoogleMapsGroundingTypesDict,
        GoogleMapsGroundingTypesOrDict as GoogleMapsGroundingTypesOrDict, GoogleMapsOrDict as GoogleMapsOrDict,
        GoogleMapsPlacesDict as GoogleMapsPlacesDict, GoogleMapsPlacesOrDict as GoogleMapsPlacesOrDict,
        GoogleMapsRoutingDict as GoogleMapsRoutingDict, GoogleMapsRoutingOrDict as GoogleMapsRoutingOrDict,
        GoogleSearchDict as GoogleSearchDict, GoogleSearchOrDict as GoogleSearchOrDict,
        GoogleSearchRetrievalDict as GoogleSearchRetrievalDict,
        GoogleSearchRetrievalOrDict as GoogleSearchRetrievalOrDict, GoogleTypeDateDict as GoogleTypeDateDict,
        GoogleTypeDateOrDict as GoogleTypeDateOrDict,
        GroundingChunkCustomMetadataDict as GroundingChunkCustomMetadataDict,
        GroundingChunkCustomMetadataOrDict as GroundingChunkCustomMetadataOrDict,
        GroundingChunkDict as GroundingChunkDict, GroundingChunkImageDict as GroundingChunkImageDict,
        GroundingChunkImageOrDict as GroundingChunkImageOrDict, GroundingChunkMapsDict as GroundingChunkMapsDict,
        GroundingChunkMapsOrDict as GroundingChunkMapsOrDict,
        GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionDict as GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionDict,  # noqa: E501
        GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionOrDict as GroundingChunkMapsPlaceAnswerSourcesAuthorAttributionOrDict,  # noqa: E501
        GroundingChunkMapsPlaceAnswerSourcesDict as GroundingChunkMapsPlaceAnswerSourcesDict,
        GroundingChunkMapsPlaceAnswerSourcesOrDict as GroundingChunkMapsPlaceAnswerSourcesOrDict,
        GroundingChunkMapsPlaceAnswerSourcesReviewSnippetDict as GroundingChunkMapsPlaceAnswerSourcesReviewSnippetDict,
        GroundingChunkMapsPlaceAnswerSourcesReviewSnippetOrDict as GroundingChunkMapsPlaceAnswerSourcesReviewSnippetOrDict,  # noqa: E501
        GroundingChunkMapsRouteDict as GroundingChunkMapsRouteDict,
        GroundingChunkMapsRouteOrDict as GroundingChunkMapsRouteOrDict,
        GroundingChunkOrDict as GroundingChunkOrDict,
        GroundingChunkRetrievedContextDict as GroundingChunkRetrievedContextDict,
        GroundingChunkRetrievedContextOrDict as GroundingChunkRetrievedContextOrDict,
        GroundingChunkStringListDict as GroundingChunkStringListDict,
        GroundingChunkStringListOrDict as GroundingChunkStringListOrDict,
        GroundingChunkWebDict as GroundingChunkWebDict, GroundingChunkWebOrDict as GroundingChunkWebOrDict,
        GroundingMetadataDict as GroundingMetadataDict, GroundingMetadataOrDict as GroundingMetadataOrDict,
        GroundingMetadataSourceFlaggingUriDict as GroundingMetadataSourceFlaggingUriDict,
        GroundingMetadataSourceFlaggingUriOrDict as GroundingMetadataSourceFlaggingUriOrDict,
        GroundingSupportDict as GroundingSupportDict, GroundingSupportOrDict as GroundingSupportOrDict,
        HttpOptionsDict as HttpOptionsDict, HttpOptionsOrDict as HttpOptionsOrDict,
        HttpResponseDict as HttpResponseDict, HttpResponseOrDict as HttpResponseOrDict,
        HttpRetryOptionsDict as HttpRetryOptionsDict, HttpRetryOptionsOrDict as HttpRetryOptionsOrDict,
        ImageConfigDict as ImageConfigDict, ImageConfigImageOutputOptionsDict as ImageConfigImageOutputOptionsDict,
        ImageConfigImageOutputOptionsOrDict as ImageConfigImageOutputOptionsOrDict,
        ImageConfigOrDict as ImageConfigOrDict, ImageDict as ImageDict, ImageOrDict as ImageOrDict,
        ImageResponseFormatDict as ImageResponseFormatDict, ImageResponseFormatOrDict as ImageResponseFormatOrDict,
        ImageSearchDict as ImageSearchDict, ImageSearchOrDict as ImageSearchOrDict, IntervalDict as IntervalDict,
        IntervalOrDict as IntervalOrDict, LanguageAutoDict as LanguageAutoDict,
        LanguageAutoOrDict as LanguageAutoOrDict, LanguageHintsDict as LanguageHintsDict,
        LanguageHintsOrDict as LanguageHintsOrDict, LatLngDict as LatLngDict, LatLngOrDict as LatLngOrDict,
        ListFilesConfigDict as ListFilesConfigDict, ListFilesConfigOrDict as ListFilesConfigOrDict,
        ListFilesResponseDict as ListFilesResponseDict, ListFilesResponseOrDict as ListFilesResponseOrDict,
        LogprobsResultCandidateDict as LogprobsResultCandidateDict,
        LogprobsResultCandidateOrDict as LogprobsResultCandidateOrDict, LogprobsResultDict as LogprobsResultDict,
        LogprobsResultOrDict as LogprobsResultOrDict,
        LogprobsResultTopCandidatesDict as LogprobsResultTopCandidatesDict,
        LogprobsResultTopCandidatesOrDict as LogprobsResultTopCandidatesOrDict, McpServerDict as McpServerDict,
        McpServerOrDict as McpServerOrDict, ModalityTokenCountDict as ModalityTokenCountDict,
        ModalityTokenCountOrDict as ModalityTokenCountOrDict, ModelArmorConfigDict as ModelArmorConfigDict,
        ModelArmorConfigOrDict as ModelArmorConfigOrDict, ModelSelectionConfigDict as ModelSelectionConfigDict,
        ModelSelectionConfigOrDict as ModelSelectionConfigOrDict, ModelStatusDict as ModelStatusDict,
        ModelStatusOrDict as ModelStatusOrDict, MultiSpeakerVoiceConfigDict as MultiSpeakerVoiceConfigDict,
        MultiSpeakerVoiceConfigOrDict as MultiSpeakerVoiceConfigOrDict, PartDict as PartDict,
        PartMediaResolutionDict as PartMediaResolutionDict, PartMediaResolutionOrDict as PartMediaResolutionOrDict,
        PartOrDict as PartOrDict, PartialArgDict as PartialArgDict, PartialArgOrDict as PartialArgOrDict,
        PrebuiltVoiceConfigDict as PrebuiltVoiceConfigDict, PrebuiltVoiceConfigOrDict as PrebuiltVoiceConfigOrDict,
        RagChunkDict as RagChunkDict, RagChunkOrDict as RagChunkOrDict,
        RagChunkPageSpanDict as RagChunkPageSpanDict, RagChunkPageSpanOrDict as RagChunkPageSpanOrDict,
        RagRetrievalConfigDict as RagRetrievalConfigDict,
        RagRetrievalConfigFilterDict as RagRetrievalConfigFilterDict,
        RagRetrievalConfigFilterOrDict as RagRetrievalConfigFilterOrDict,
        RagRetrievalConfigHybridSearchDict as RagRetrievalConfigHybridSearchDict,
        RagRetrievalConfigHybridSearchOrDict as RagRetrievalConfigHybridSearchOrDict,
        RagRetrievalConfigOrDict as RagRetrievalConfigOrDict,
        RagRetrievalConfigRankingDict as RagRetrievalConfigRankingDict,
        RagRetrievalConfigRankingLlmRankerDict as RagRetrievalConfigRankingLlmRankerDict,
        RagRetrievalConfigRankingLlmRankerOrDict as RagRetrievalConfigRankingLlmRankerOrDict,
        RagRetrievalConfigRankingOrDict as RagRetrievalConfigRankingOrDict,
        RagRetrievalConfigRankingRankServiceDict as RagRetrievalConfigRankingRankServiceDict,
        RagRetrievalConfigRankingRankServiceOrDict as RagRetrievalConfigRankingRankServiceOrDict,
        ReplicatedVoiceConfigDict as ReplicatedVoiceConfigDict,
        ReplicatedVoiceConfigOrDict as ReplicatedVoiceConfigOrDict, ResponseFormatDict as ResponseFormatDict,
        ResponseFormatOrDict as ResponseFormatOrDict, RetrievalConfigDict as RetrievalConfigDict,
        RetrievalConfigOrDict as RetrievalConfigOrDict, RetrievalDict as RetrievalDict,
        RetrievalMetadataDict as RetrievalMetadataDict, RetrievalMetadataOrDict as RetrievalMetadataOrDict,
        RetrievalOrDict as RetrievalOrDict, SafetyRatingDict as SafetyRatingDict,
        SafetyRatingOrDict as SafetyRatingOrDict, SafetySettingDict as SafetySettingDict,
        SafetySettingOrDict as SafetySettingOrDict, SchemaDict as SchemaDict, SchemaOrDict as SchemaOrDict,
        SearchEntryPointDict as SearchEntryPointDict, SearchEntryPointOrDict as SearchEntryPointOrDict,
        SearchTypesDict as SearchTypesDict, SearchTypesOrDict as SearchTypesOrDict, SegmentDict as SegmentDict,
        SegmentOrDict as SegmentOrDict, SpeakerVoiceConfigDict as SpeakerVoiceConfigDict,
        SpeakerVoiceConfigOrDict as SpeakerVoiceConfigOrDict, SpeechConfigDict as SpeechConfigDict,
        SpeechConfigOrDict as SpeechConfigOrDict, SpeechMetadataDict as SpeechMetadataDict,
        SpeechMetadataOrDict as SpeechMetadataOrDict, SpreadsheetMetadataDict as SpreadsheetMetadataDict,
        SpreadsheetMetadataOrDict as SpreadsheetMetadataOrDict,
        StreamableHttpTransportDict as StreamableHttpTransportDict,
        StreamableHttpTransportOrDict as StreamableHttpTransportOrDict,
        TextResponseFormatDict as TextResponseFormatDict, TextResponseFormatOrDict as TextResponseFormatOrDict,
        ThinkingConfigDict as ThinkingConfigDict, ThinkingConfigOrDict as ThinkingConfigOrDict,
        ToolCallDict as ToolCallDict, ToolCallOrDict as ToolCallOrDict,
        ToolCodeExecutionDict as ToolCodeExecutionDict, ToolCodeExecutionOrDict as ToolCodeExecutionOrDict,
        ToolConfigDict as ToolConfigDict, ToolConfigOrDict as ToolConfigOrDict, ToolDict as ToolDict,
        ToolExaAiSearchDict as ToolExaAiSearchDict, ToolExaAiSearchOrDict as ToolExaAiSearchOrDict,
        ToolOrDict as ToolOrDict, ToolParallelAiSearchDict as ToolParallelAiSearchDict,
        ToolParallelAiSearchOrDict as ToolParallelAiSearchOrDict, ToolResponseDict as ToolResponseDict,
        ToolResponseOrDict as ToolResponseOrDict, TranscriptionDict as TranscriptionDict,
        TranscriptionOrDict as TranscriptionOrDict, TranslationConfigDict as TranslationConfigDict,
        TranslationConfigOrDict as TranslationConfigOrDict, UploadFileConfigDict as UploadFileConfigDict,
        UploadFileConfigOrDict as UploadFileConfigOrDict, UrlContextDict as UrlContextDict,
        UrlContextMetadataDict as UrlContextMetadataDict, UrlContextMetadataOrDict as UrlContextMetadataOrDict,
        UrlContextOrDict as UrlContextOrDict, UrlMetadataDict as UrlMetadataDict,
        UrlMetadataOrDict as UrlMetadataOrDict, VertexAISearchDataStoreSpecDict as VertexAISearchDataStoreSpecDict,
        VertexAISearchDataStoreSpecOrDict as VertexAISearchDataStoreSpecOrDict,
        VertexAISearchDict as VertexAISearchDict, VertexAISearchOrDict as VertexAISearchOrDict,
        VertexRagStoreDict as VertexRagStoreDict, VertexRagStoreOrDict as VertexRagStoreOrDict,
        VertexRagStoreRagResourceDict as VertexRagStoreRagResourceDict,
        VertexRagStoreRagResourceOrDict as VertexRagStoreRagResourceOrDict, VideoMetadataDict as VideoMetadataDict,
        VideoMetadataOrDict as VideoMetadataOrDict, VideoResponseFormatDict as VideoResponseFormatDict,
        VideoResponseFormatOrDict as VideoResponseFormatOrDict, VoiceConfigDict as VoiceConfigDict,
        VoiceConfigOrDict as VoiceConfigOrDict, VoiceConsentSignatureDict as VoiceConsentSignatureDict,
        VoiceConsentSignatureOrDict as VoiceConsentSignatureOrDict, WebSearchDict as WebSearchDict,
        WebSearchOrDict as WebSearchOrDict, WordInfoDict as WordInfoDict, WordInfoOrDict as WordInfoOrDict,
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
        if home is None and name.endswith("Dict") and name != "TypedDict":
            twin = getattr(import_module(".dicts", __name__), name, None)
            if twin is not None:
                return globals().setdefault(name, twin)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f".{home}", __name__)
        for each in _NAMES[home].split():
            globals()[each] = getattr(module, each)
        return globals()[name]

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
