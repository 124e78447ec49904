"""What the model answered: candidates, usage, safety, log probabilities."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (annotations are evaluated, late)
from typing import TYPE_CHECKING, Any

from ._value import Value, field, value

if TYPE_CHECKING:
    from .content import Content, FunctionCall, Part
    from .enums import (
        BlockedReason,
        FinishReason,
        HarmBlockThreshold,
        HarmCategory,
        HarmProbability,
        HarmSeverity,
        MediaModality,
        ModelStage,
        TrafficType,
    )
    from .grounding import CitationMetadata, GroundingMetadata, UrlContextMetadata
    from .http import HttpResponse

__all__ = [
    "Candidate",
    "GenerateContentResponse",
    "GenerateContentResponsePromptFeedback",
    "GenerateContentResponseUsageMetadata",
    "LogprobsResult",
    "LogprobsResultCandidate",
    "LogprobsResultTopCandidates",
    "ModalityTokenCount",
    "ModelStatus",
    "SafetyRating",
]

_INITIAL = "_initial_prompt_token_count"  # kept beside the fields: it is neither sent nor dumped


@value
class GenerateContentResponse(Value):
    """The answer to one request, or one piece of it in a stream.

    The properties look at the first candidate only; they are None if it has no content, or nothing of that kind.
    """

    sdk_http_response: HttpResponse | None = field(default=None, local=True)
    candidates: list[Candidate] | None = None
    create_time: datetime | None = None
    model_version: str | None = None
    prompt_feedback: GenerateContentResponsePromptFeedback | None = None
    response_id: str | None = None
    usage_metadata: GenerateContentResponseUsageMetadata | None = None
    #: Gemini API only.
    model_status: ModelStatus | None = None
    #: What was said in this call when chatproto called functions by itself; never on the wire.
    automatic_function_calling_history: list[Content] | None = field(default=None, local=True)
    #: The text as ``response_schema`` asks for it; never on the wire.
    parsed: Any = field(default=None, local=True)

    @property
    def parts(self) -> list[Part] | None:
        """The parts of the first candidate."""
        content = self.candidates[0].content if self.candidates else None
        return None if content is None else content.parts

    @property
    def text(self) -> str | None:
        """All text of the answer, joined; the model's thoughts are left out."""
        # Read for every chunk of a stream: ``parts`` and a comprehension would be a call more each.
        texts: list[str] = []
        candidates = self.candidates
        content = candidates[0].content if candidates else None
        for part in () if content is None else content.parts or ():
            text = part.text
            if text is not None and not part.thought:
                texts.append(text)
        return "".join(texts) if texts else None

    @property
    def function_calls(self) -> list[FunctionCall] | None:
        """The function calls, in order."""
        return [part.function_call for part in self.parts or () if part.function_call is not None] or None

    @property
    def executable_code(self) -> str | None:
        """The code of the first part that is code."""
        for part in self.parts or ():
            if part.executable_code is not None:
                return part.executable_code.code
        return None

    @property
    def code_execution_result(self) -> str | None:
        """The output of the first part that is the result of running code."""
        for part in self.parts or ():
            if part.code_execution_result is not None:
                return part.code_execution_result.output
        return None

    @property
    def initial_prompt_token_count(self) -> int | None:
        """The tokens of the prompt alone, also when the answer was continued over several requests."""
        return None if self.usage_metadata is None else self.usage_metadata.initial_prompt_token_count


@value
class Candidate(Value):
    """One answer of the model, or one piece of it in a stream."""

    content: Content | None = None
    citation_metadata: CitationMetadata | None = None
    finish_message: str | None = None
    token_count: int | None = None
    finish_reason: FinishReason | None = None
    grounding_metadata: GroundingMetadata | None = None
    #: Natural logarithms.
    avg_logprobs: float | None = None
    #: Counted from 0.
    index: int | None = None
    logprobs_result: LogprobsResult | None = None
    safety_ratings: list[SafetyRating] | None = None
    url_context_metadata: UrlContextMetadata | None = None
    #: Opaque; sent with the next request, it continues an answer that ended with CONTINUATION.
    continuation_token: bytes | None = None


@value
class GenerateContentResponsePromptFeedback(Value):
    """Why the prompt was refused. There are no candidates then."""

    block_reason: BlockedReason | None = None
    #: Vertex AI only.
    block_reason_message: str | None = None
    safety_ratings: list[SafetyRating] | None = None


@value
class GenerateContentResponseUsageMetadata(Value):
    """How many tokens the request and the answer were. In a stream, the last piece that has it counts."""

    cache_tokens_details: list[ModalityTokenCount] | None = None
    #: Included in ``prompt_token_count``.
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    candidates_tokens_details: list[ModalityTokenCount] | None = None
    prompt_token_count: int | None = None
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    #: Not included in ``candidates_token_count``.
    thoughts_token_count: int | None = None
    #: Results of tools that the server ran itself.
    tool_use_prompt_token_count: int | None = None
    tool_use_prompt_tokens_details: list[ModalityTokenCount] | None = None
    #: Prompt, tool results, thoughts and candidates.
    total_token_count: int | None = None
    #: Vertex AI only.
    traffic_type: TrafficType | None = None

    @property
    def initial_prompt_token_count(self) -> int | None:
        """The prompt of the first request, where an answer was continued and ``prompt_token_count`` is the sum."""
        initial: int | None = self.__dict__.get(_INITIAL)
        return self.prompt_token_count if initial is None else initial

    @initial_prompt_token_count.setter
    def initial_prompt_token_count(self, count: int | None) -> None:
        self.__dict__[_INITIAL] = count


@value
class ModalityTokenCount(Value):
    """How many tokens were of one kind of media."""

    modality: MediaModality | None = None
    token_count: int | None = None


@value
class ModelStatus(Value):
    """How far the model is in its life. Gemini API only."""

    message: str | None = None
    model_stage: ModelStage | None = None
    retirement_time: datetime | None = None


@value
class SafetyRating(Value):
    """How likely, and on Vertex AI how severe, one kind of harm is in a text."""

    blocked: bool | None = None
    category: HarmCategory | None = None
    #: Vertex AI only.
    overwritten_threshold: HarmBlockThreshold | None = None
    probability: HarmProbability | None = None
    #: Vertex AI only.
    probability_score: float | None = None
    #: Vertex AI only.
    severity: HarmSeverity | None = None
    #: Vertex AI only.
    severity_score: float | None = None


@value
class LogprobsResult(Value):
    """The log probabilities of the tokens of an answer, one entry for each decoding step."""

    chosen_candidates: list[LogprobsResultCandidate] | None = None
    top_candidates: list[LogprobsResultTopCandidates] | None = None
    #: Gemini API only.
    log_probability_sum: float | None = None


@value
class LogprobsResultCandidate(Value):
    """One token, and its log probability."""

    #: Natural logarithm.
    log_probability: float | None = None
    token: str | None = None
    token_id: int | None = None


@value
class LogprobsResultTopCandidates(Value):
    """The likeliest tokens of one decoding step, likeliest first."""

    candidates: list[LogprobsResultCandidate] | None = None
