"""Automatic continuation: one answer over several requests.

A server that cannot finish an answer in one go ends it with a *continuation token*; the same request with that token
brings the rest. Each such request, with its retries, is a *hop*. This is the piece of a machine that decides whether
another hop follows, and what the caller sees of it; whoever holds it makes the requests::

    begin() ; observe(document) ... ; end(error) -> True: another hop, with ``token``

The rules are google-genai's (reference behaviour, 13), with one difference: there is a cap on the hops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ..errors import APIError, ChatProtoError, RemoteProtocolError
from ..types import GenerateContentResponse, GenerateContentResponseUsageMetadata
from ..types._json import is_object, key_of, under_either
from ..types._spelling import decode_base64
from .error_json import error_to_json, read_error
from .merging import add, lay_over, merge

if TYPE_CHECKING:
    from .reading import Reader

__all__ = ["MAX_HOPS", "MAX_RECONNECTS", "Continuation"]

Json = dict[str, Any]

#: The most hops that one answer may take. Each is billed, and a server that repeats itself would be asked for ever.
#: Models write at most some 65,000 tokens in one answer: with a thousand a hop, that is 64.
MAX_HOPS = 64
#: How many times in a row a stream is taken up again without having got any further, as in google-genai.
MAX_RECONNECTS = 3

_CONTINUATION = "CONTINUATION"
_FINISH_REASON = ("finishReason", "finish_reason")
_USAGE = ("usageMetadata", "usage_metadata")


@attrs.define(kw_only=True, slots=False)  # without slots a copy is one update of a dict
class _Hop:
    """What one hop has brought."""

    #: The latest token, while the answer may go on.
    token: str | None = None
    #: The latest reason; an int where the server sent a number.
    finish_reason: str | int | None = None
    has_feedback: bool = False
    has_content: bool = False
    #: Whether anything came at all, so that the server had accepted the request.
    accepted: bool = False
    #: That of the whole answer up to here, the hops before included.
    usage: Json | None = None


@attrs.define(kw_only=True, slots=False)
class Continuation:
    """Where one answer is among its hops. All of it is plain values, so it can be copied and pickled at any step."""

    enabled: bool
    #: Whether the answer comes in chunks, which are handed out as they come, or in one document a hop.
    streamed: bool
    #: What the next request, or the present one, sends as ``continuationToken``, in the base64 it came in. None for
    #: the first.
    token: str | None = None
    #: Those that have begun.
    hops: int = 0
    #: What to tell the caller, once ``end`` has said that no hop follows; None if nothing went wrong.
    error: ChatProtoError | None = None
    _merged: Json | None = attrs.field(default=None, alias="merged")
    #: Of a stream's hops that are over.
    _usage: Json | None = attrs.field(default=None, alias="usage")
    _prompt: int | None = attrs.field(default=None, alias="prompt")
    _reconnects: int = attrs.field(default=0, alias="reconnects")
    #: The latest since the stream last got further.
    _last_error: ChatProtoError | None = attrs.field(default=None, alias="last_error")
    _hop: _Hop = attrs.field(factory=_Hop, alias="hop")

    def __copy__(self) -> Continuation:
        made, hop = object.__new__(Continuation), object.__new__(_Hop)
        made.__dict__.update(self.__dict__)
        hop.__dict__.update(self._hop.__dict__)
        made._hop = hop
        return made

    def __deepcopy__(self, _: Any) -> Continuation:
        # JSON that has come is never changed, so copies may share it, however deep it is nested.
        return self.__copy__()

    @property
    def merged(self) -> Json | None:
        """What has come so far of an answer that is not streamed, over all hops, as one document."""
        return self._merged

    @property
    def initial_prompt_tokens(self) -> int | None:
        """The prompt's tokens in the first hop that told them, once a later hop has begun and they are being added up.

        They are no part of the documents: ``GenerateContentResponseUsageMetadata.initial_prompt_token_count`` takes
        them.
        """
        return self._prompt if self.hops > 1 else None

    def begin(self) -> None:
        """A hop begins: a request is about to be made."""
        if self.hops:
            self._hop = _Hop()
        self.hops += 1
        self.error = None

    def passes(self, document: Json) -> bool:
        """``observe`` for a response of which it is known that it decides nothing: no finish reason, token or feedback.

        True where nothing else is to be done about it: it is handed out as it is. Most of a stream is like that.
        """
        hop = self._hop
        if not (hop.has_content and self.streamed and self._usage is None):
            return False
        usage = under_either(document, *_USAGE)
        if usage is not None:
            hop.usage = usage
        return True

    def observe(self, document: Json) -> Json | None:
        """Take in a response of the present hop, and say what the caller is to see of it.

        Of a stream, that is the same document, or a changed copy: without the finish reason that only says that the
        answer goes on, and with the usage of all hops. Otherwise it is None while more hops are to follow, and then
        the responses of all hops as one. The document must not be changed afterwards.
        """
        # The only candidate that decides anything, as in google-genai; if it is what it should be.
        candidates: list[Json] | None = document.get("candidates")
        candidate = candidates[0] if type(candidates) is list and candidates else None
        if type(candidate) is not dict:
            candidate = None
        reason = None if candidate is None else _finish_reason(candidate)
        self._take(document, candidate, reason)
        if self.streamed:
            return self._shown(document, candidate, reason)
        self._merged = document if self._merged is None else merge(self._merged, document)
        return None if self._goes_on(self._hop.token) else self._merged

    def end(self, error: ChatProtoError | None) -> bool:
        """The hop is over, by itself or with ``error``: whether another is to begin.

        If not, ``error`` of this object is what to tell: that of a request that was not accepted, at once; else the
        latest since the stream last got further, also when a later hop ended by itself; and none that did not happen.
        """
        follows = self._end_of_stream(error) if self.streamed else self._end_of_document(error)
        if not follows:
            return False
        if self.hops < MAX_HOPS:
            return True
        self.error = self._last_error or RemoteProtocolError(f"the answer is not whole after {self.hops} requests")
        return False

    # --- the inside: what a hop brings ---

    def _take(self, document: Json, candidate: Json | None, reason: str | int | None) -> None:
        hop = self._hop
        hop.accepted = True
        if under_either(document, "promptFeedback", "prompt_feedback") is not None:
            hop.has_feedback = True
        if candidate is None:
            return
        content = candidate.get("content")
        if is_object(content) and content.get("parts"):
            hop.has_content = True
        if reason is not None:
            hop.finish_reason = reason
        token = under_either(candidate, "continuationToken", "continuation_token")
        if token is not None and _token_bytes(token):
            hop.token = token
        elif reason not in (None, _CONTINUATION):
            hop.token = None

    def _shown(self, document: Json, candidate: Json | None, reason: str | int | None) -> Json:
        changes: Json = {}
        if candidate is not None and reason is not None and self._may_resume(self._hop.token, reason):
            cleared = {key: held for key, held in candidate.items() if key not in _FINISH_REASON}
            changes["candidates"] = [cleared, *document["candidates"][1:]]
        key = "usageMetadata"
        usage = document.get(key)
        if usage is None:
            key = key_of(document, *_USAGE)
            usage = document.get(key)
        if is_object(usage):
            # A chunk tells the total of its hop, so it replaces what the hop's last chunk told.
            self._hop.usage = usage
            if self._usage is not None:
                self._hop.usage = changes[key] = lay_over(self._usage, usage)
        return {**document, **changes} if changes else document

    # --- the inside: a hop ends ---

    def _may_resume(self, token: str | None, reason: str | int | None) -> bool:
        return self.enabled and token is not None and reason in (None, _CONTINUATION)

    def _goes_on(self, token: str | None) -> bool:
        return self._may_resume(token, self._hop.finish_reason)

    def _end_of_document(self, error: ChatProtoError | None) -> bool:
        # What failed is not asked for again: the retries of the hop's exchange did what could be done.
        self.error = error
        token = self._hop.token
        if error is not None or not self._goes_on(token):
            return False
        if self._prompt is None and self._merged is not None:
            self._prompt = _prompt_count(under_either(self._merged, *_USAGE))
        self.token = token
        return True

    def _end_of_stream(self, error: ChatProtoError | None) -> bool:
        hop = self._hop
        if hop.usage is not None:
            self._usage = hop.usage
            if self._prompt is None:
                self._prompt = _prompt_count(hop.usage)
        if isinstance(error, APIError) and not hop.accepted:
            self.error = error
            return False
        if error is not None:
            self._last_error = error
        elif hop.has_content or self._is_new(hop.token):
            self._last_error = None
        token = self._next_token()
        if self._goes_on(token):
            self.token = token
            return True
        self.error = error
        if hop.finish_reason is None and not hop.has_feedback:
            self.error = self._last_error
        return False

    def _is_new(self, token: str | None) -> bool:
        """Whether ``token`` is there, and another than the one that the hop was asked for with."""
        return token is not None and _token_bytes(token) != _token_bytes(self.token)

    def _next_token(self) -> str | None:
        """Where the stream may be taken up again; None where that would bring what has come already."""
        hop = self._hop
        is_over = hop.has_feedback or hop.finish_reason not in (None, _CONTINUATION)
        if not is_over and self._is_new(hop.token):
            self._reconnects = 0
            return hop.token
        if is_over or hop.finish_reason or hop.has_content or self._reconnects >= MAX_RECONNECTS:
            return None
        self._reconnects += 1
        return self.token

    # --- as JSON ---

    def to_json(self) -> Json:
        """All of it as JSON values, for a snapshot. What came from the server is shared, not copied."""
        hop = self._hop
        return {
            "enabled": self.enabled,
            "streamed": self.streamed,
            "token": self.token,
            "hops": self.hops,
            "error": error_to_json(self.error),
            "merged": self._merged,
            "usage": self._usage,
            "prompt": self._prompt,
            "reconnects": self._reconnects,
            "lastError": error_to_json(self._last_error),
            "hop": {
                "token": hop.token,
                "finishReason": hop.finish_reason,
                "hasFeedback": hop.has_feedback,
                "hasContent": hop.has_content,
                "accepted": hop.accepted,
                "usage": hop.usage,
            },
        }

    @classmethod
    def read(cls, reader: Reader) -> Continuation:
        """What ``to_json`` wrote. Raises ValidationError for what it did not."""
        hop = reader.needed("hop")
        nothing = type(None)
        return cls(
            enabled=reader.held("enabled", bool),
            streamed=reader.held("streamed", bool),
            token=reader.token("token"),
            hops=reader.count("hops"),
            error=read_error(reader, "error", ChatProtoError),
            merged=reader.value("merged", GenerateContentResponse),
            usage=reader.value("usage", GenerateContentResponseUsageMetadata),
            prompt=reader.held("prompt", int, nothing),
            reconnects=reader.count("reconnects"),
            last_error=read_error(reader, "lastError", ChatProtoError),
            hop=_Hop(
                token=hop.token("token"),
                finish_reason=hop.held("finishReason", str, int, nothing),
                has_feedback=hop.held("hasFeedback", bool),
                has_content=hop.held("hasContent", bool),
                accepted=hop.held("accepted", bool),
                usage=hop.value("usage", GenerateContentResponseUsageMetadata),
            ),
        )


# --- what the wire says -------------------------------------------------------------------------------------------


def _finish_reason(candidate: Json) -> str | int | None:
    """Letter case does not matter in a name; a number is never CONTINUATION, because nobody has published which."""
    reason = under_either(candidate, *_FINISH_REASON)
    if type(reason) is str:
        return reason.upper() or None
    return reason if reason is None or type(reason) is int else type(reason).__name__


def _token_bytes(token: Any) -> bytes:
    """Empty for what is no token. One that is not base64 is none: whoever reads the document will say so."""
    if type(token) is not str:
        return b""
    try:
        return decode_base64(token)
    except ValueError:
        return b""


def _prompt_count(usage: Any) -> int | None:
    if not is_object(usage):
        return None
    count = add(under_either(usage, "promptTokenCount", "prompt_token_count"), 0)
    return count if type(count) is int else None
