"""The differences from google-genai 3.4.0 that are meant. There are no others: the differential test fails on them.

The table of the README is made from ``DELIBERATE``. An entry recognises its difference by predicting it: ``expect``
makes, of what the reference did and of what the server said, what chatproto does instead. Entries are asked in this
order, each building on those before; what is left over is a bug, of chatproto or of the entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs
from differential import in_answers, in_functions, in_histories, in_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from differential.play import Transcript
    from differential.scenario import Scenario
    from differential.situation import Expected, Situation

__all__ = ["DELIBERATE", "Deliberate", "Profile"]

Profile = Literal["default", "compat"]
DEFAULT: frozenset[Profile] = frozenset({"default"})
BOTH: frozenset[Profile] = frozenset({"default", "compat"})


@attrs.frozen(kw_only=True)
class Deliberate:
    """One row of the table."""

    key: str
    what: str
    google_genai: str
    chatproto: str
    why: str
    profiles: frozenset[Profile] = DEFAULT
    #: What a step comes to with chatproto, of which the situation says what is expected so far; None, or the same,
    #: where the entry does not apply.
    expect: Callable[[Situation], Expected | None] | None = None
    #: Whether the entry explains how the making of the chat differs.
    creates: Callable[[Scenario, Transcript, Transcript], bool] | None = None
    #: For what no scenario shows: the test that does.
    shown_by: str = ""


DELIBERATE: list[Deliberate] = [
    Deliberate(
        key="more-messages",
        what="a dict as a part of a message, a tuple, a kind of str, a Blob",
        google_genai="refused",
        chatproto="taken",
        why="the type hint promises it",
        profiles=BOTH,
        expect=in_messages.more_messages,
    ),
    Deliberate(
        key="call-as-message",
        what="a function call as a message",
        google_genai="is sent as the model's",
        chatproto="raises",
        why="the model calls, the program answers",
        expect=in_messages.call_as_message,
    ),
    Deliberate(
        key="answers-nothing",
        what="function responses that answer no call, or not all",
        google_genai="are sent",
        chatproto="raise",
        why="the API rejects them",
        expect=in_messages.answers_nothing,
    ),
    Deliberate(
        key="filled-ids",
        what="ids of function responses",
        google_genai="not filled in",
        chatproto="filled in from the calls",
        why="the API matches by id",
        expect=in_messages.filled_ids,
    ),
    Deliberate(
        key="raised-by-the-call",
        what="`send_message_stream(bad)`",
        google_genai="raises at the first chunk",
        chatproto="raises at the call",
        why="errors where they are made",
        profiles=BOTH,
        expect=in_messages.raised_by_the_call,
    ),
    Deliberate(
        key="asked-again",
        what="an async call that loses its connection before the answer",
        google_genai="sleeps 1 to 10 seconds and tries again",
        chatproto="fails at once",
        why="retries are off",
        profiles=BOTH,
        expect=in_messages.asked_again,
    ),
    Deliberate(
        key="functions-run-at-the-end",
        what="a stream with function calls that fails or is left",
        google_genai="has called the functions as the calls came",
        chatproto="has called none: they are called at its end",
        why="what was not kept should have had no effect",
        profiles=BOTH,
        expect=in_functions.functions_run_at_the_end,
    ),
    Deliberate(
        key="strict-arguments",
        what="an argument that a function does not have, or true where it takes an integer",
        google_genai="is dropped; is handed over",
        chatproto="the model is told, and the function is not called",
        why="the model has misunderstood",
        profiles=BOTH,
        expect=in_functions.strict_arguments,
    ),
    Deliberate(
        key="open-calls-dropped",
        what="an unanswered function call",
        google_genai="stays in what is sent",
        chatproto="leaves with its turn when another message comes",
        why="the API rejects it",
        expect=in_messages.open_calls_dropped,
    ),
    Deliberate(
        key="folded-past",
        what="a streamed answer in what is sent",
        google_genai="a Content a chunk",
        chatproto="one Content",
        why="each chunk would be sent again for ever",
        expect=in_messages.folded_past,
    ),
    Deliberate(
        key="event-stream-grammar",
        what="SSE comments, `event:`, `data:` without a space, `[DONE]`, empty events",
        google_genai="fail",
        chatproto="read as the WHATWG text says",
        why="gateways send them",
        profiles=BOTH,
        expect=in_answers.event_stream_grammar,
    ),
    Deliberate(
        key="invalid-utf-8",
        what="bytes that are not UTF-8 in a stream, under asyncio",
        google_genai="fail",
        chatproto="are shown as U+FFFD",
        why="as in synchronous calls",
        profiles=BOTH,
        expect=in_answers.invalid_utf_8,
    ),
    Deliberate(
        key="retry-after",
        what="`Retry-After`",
        google_genai="ignored",
        chatproto="honoured, up to `max_delay`",
        why="the server knows",
        profiles=BOTH,
        expect=in_answers.retry_after,
    ),
    Deliberate(
        key="finish-message",
        what="`finishMessage` in an answer of the Gemini API",
        google_genai="dropped",
        chatproto="kept",
        why="it says why the answer ended",
        profiles=BOTH,
        expect=in_answers.finish_message,
    ),
    Deliberate(
        key="citations",
        what="`citationMetadata.citations` in an answer of the Gemini API",
        google_genai="dropped; only `citationSources` are read",
        chatproto="read",
        why="gateways send them so",
        profiles=BOTH,
        expect=in_answers.citations,
    ),
    Deliberate(
        key="create-time",
        what="`createTime` in an answer of the Gemini API",
        google_genai="dropped",
        chatproto="kept",
        why="the field is there",
        profiles=BOTH,
        expect=in_answers.create_time,
    ),
    Deliberate(
        key="unknown-fields",
        what="unknown fields and part kinds",
        google_genai="dropped",
        chatproto="kept and sent back",
        why="tomorrow's API",
        expect=in_answers.unknown_fields,
    ),
    Deliberate(
        key="error-in-an-answer",
        what="an error inside a 200 answer",
        google_genai="passes as an empty answer, or fails oddly",
        chatproto="`APIError`",
        why="it is one",
        profiles=BOTH,
        expect=in_answers.error_in_an_answer,
    ),
    Deliberate(
        key="error-beside",
        what="an event with an error that is not its first member",
        google_genai="passes as an answer",
        chatproto="`APIError`",
        why="it is one",
        profiles=BOTH,
        expect=in_answers.error_beside,
    ),
    Deliberate(
        key="empty-answer",
        what="a 200 answer with an empty body, or with a list in it",
        google_genai="passes as an empty answer",
        chatproto="`MalformedResponse`",
        why="it is none",
        profiles=BOTH,
        expect=in_answers.empty_answer,
    ),
    Deliberate(
        key="error-bodies",
        what="the body of an error whose content type is wrong, under asyncio",
        google_genai="is not read, or fails as JSON",
        chatproto="is read as in synchronous calls",
        why="the content type is often wrong",
        profiles=BOTH,
        expect=in_answers.error_bodies,
    ),
    Deliberate(
        key="unfinished-calls",
        what="function calls in a stream that ends without a finish reason",
        google_genai="are run",
        chatproto="are not",
        why="more of the answer was to come",
        expect=in_functions.unfinished_calls,
    ),
    Deliberate(
        key="broken-off-answers",
        what="a stream that answers function calls and ends without a finish reason",
        google_genai="ends without an error, and leaves the calls unanswered",
        chatproto="raises `ConnectionLost`, and the calls are open again",
        why="the same responses can be sent again",
        expect=in_functions.broken_off_answers,
    ),
    Deliberate(
        key="candidate-zero",
        what="candidates out of order",
        google_genai="the first one that is written enters history",
        chatproto="the one with `index` 0",
        why="it is the one that the other chunks go on with",
        expect=in_histories.candidate_zero,
    ),
    Deliberate(
        key="unspecified-reason",
        what="a stream whose finish reason is `FINISH_REASON_UNSPECIFIED`",
        google_genai="has finished",
        chatproto="has not",
        why="that is the API's word for none",
        expect=in_histories.unspecified_reason,
    ),
    Deliberate(
        key="left-after-finish",
        what="leaving a stream after its finish reason",
        google_genai="the turn is forgotten",
        chatproto="it is kept",
        why="the answer was whole",
        expect=in_histories.left_after_finish,
    ),
    Deliberate(
        key="error-after-finish",
        what="an error after a finish reason",
        google_genai="raises, and forgets the answer",
        chatproto="raises, and keeps it",
        why="the user saw it",
        expect=in_histories.error_after_finish,
    ),
    Deliberate(
        key="empty-part",
        what="an answer with a part that says nothing among its parts",
        google_genai="the turn is not sent again",
        chatproto="it is",
        why="the user saw the answer",
        expect=in_histories.empty_part,
    ),
    Deliberate(
        key="chunk-without-parts",
        what="a stream with a chunk without parts",
        google_genai="the turn is not sent again",
        chatproto="it is",
        why="the user saw the answer",
        expect=in_histories.chunk_without_parts,
    ),
    Deliberate(
        key="unknown-parts-kept",
        what="an answer with a part of an unknown kind",
        google_genai="the turn is not sent again",
        chatproto="it is",
        why="the user saw the answer",
        expect=in_histories.unknown_parts_kept,
    ),
    Deliberate(
        key="roles",
        what="an answer without a role, or with a role that is not `model`",
        google_genai="goes back as it came",
        chatproto="goes back as the model's",
        why="the API takes no other",
        expect=in_histories.roles,
    ),
    Deliberate(
        key="joined-hops",
        what="an answer that was continued, in history",
        google_genai="the parts of its hops side by side",
        chatproto="text is joined where two hops meet",
        why="as in a streamed answer",
        expect=in_histories.joined_hops,
    ),
    Deliberate(
        key="one-content",
        what="a streamed answer in history",
        google_genai="a Content a chunk",
        chatproto="one Content",
        why="each chunk would be sent again for ever",
        expect=in_histories.one_content,
    ),
    Deliberate(
        key="bare-calls",
        what="a function call without `args`",
        google_genai="is passed over in synchronous chats",
        chatproto="is called, without arguments",
        why="functions may have none",
        expect=in_functions.bare_calls,
    ),
    Deliberate(
        key="calls-of-another-candidate",
        what="function calls, and candidates out of order",
        google_genai="the first one that is written is asked",
        chatproto="the one with `index` 0",
        why="it is the one that enters history",
        expect=in_functions.calls_of_another_candidate,
    ),
    Deliberate(
        key="forgotten-rounds",
        what="a stream with function calls whose last chunk has no content, in synchronous chats",
        google_genai="the functions are called, their results forgotten, and the same request is made again",
        chatproto="the results are sent",
        why="nothing is called twice",
        expect=in_functions.forgotten_rounds,
    ),
    Deliberate(
        key="no-empty-contents",
        what="`get_history()`",
        google_genai="the list itself; an empty Content for an empty answer",
        chatproto="a copy; no empty Contents",
        why="callers cannot break the chat",
        expect=in_histories.no_empty_contents,
    ),
    Deliberate(
        key="open-calls",
        what="an answer with function calls",
        google_genai="is in curated history at once",
        chatproto="when they have been answered",
        why="the API rejects calls without responses",
        expect=in_histories.open_calls,
    ),
    Deliberate(
        key="given-unknown-fields",
        what="a history of dicts with unknown fields",
        google_genai="raises",
        chatproto="is taken, and the fields are sent",
        why="a saved chat may have been made with a later version",
        profiles=BOTH,
        creates=in_messages.given_unknown_fields,
    ),
    Deliberate(
        key="given-history",
        what="a history that ends with function calls",
        google_genai="sent as it is",
        chatproto="waits for their responses",
        why="so that a saved chat goes on",
        creates=in_messages.given_history,
    ),
]
