"""Recorded traffic of the Gemini API and Vertex AI, run through the values, the machines and the chats.

The recordings were made by many programs with many clients, and lie beside the repository. Where one of them cannot
agree with what chatproto promises, it is named here with the reason, and a test fails when the name is not needed.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from traffic import (
    NotSeparate,
    Recorded,
    conversations,
    cuts,
    documents_of,
    events_of,
    exchanges,
    fold,
    join,
    plain,
    reference,
    same_json,
)

from chatproto import Client, types
from chatproto.chats import ResponseStream
from chatproto.errors import APIError, MalformedResponse, RemoteProtocolError, ValidationError
from chatproto.machines.conversation import Conversation
from chatproto.machines.exchange import Exchange
from chatproto.machines.history import Outcome
from chatproto.machines.steps import ChunkReceived, DocumentReceived, Event, ExchangeEnded, TurnEnded
from chatproto.testing.scripted import Answer, ScriptedTransport
from chatproto.types._dump import to_wire
from chatproto.types._hooks import converter
from chatproto.wire.http import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chatproto.chats import Chat

Json = dict[str, Any]

#: What takes long is cut in so many tests, for the sake of those who run tests side by side.
SHARDS = 4


# --- values ---------------------------------------------------------------------------------------------------------

#: What a request's members are. One that holds text alone has no value of its own.
MEMBERS: dict[str, Any] = {
    "contents": list[types.Content],
    "systemInstruction": types.Content,
    "tools": list[types.Tool],
    "toolConfig": types.ToolConfig,
    "safetySettings": list[types.SafetySetting],
    "generationConfig": types.GenerationConfig,
    "modelArmorConfig": types.ModelArmorConfig,
    "file": types.File,
}
TEXTS = {"cachedContent", "model", "labels"}

_ONE_PART = "the client wrote one part as an object, where the API documents a list of parts"
NO_ROUND_TRIP = {
    **dict.fromkeys(
        (
            "x1d2ed5b5b70d78",
            "x2c7d13860f0e7d",
            "x3fed85bf19d07a",
            "x406f419a43f86e",
            "x4510c040254a2b",
            "x48f5f85d58513f",
            "x596a151c732f27",
            "x5e7773c229a3d7",
            "x838d47c51dc717",
            "x9e8c4236e9d849",
            "xa86583ea34ca69",
            "xa92558af95ae60",
            "xb70b6e501d53b2",
            "xbb498e3409c24e",
            "xd7baad0b2b748f",
            "xdc2d45519aeca4",
            "xe5ef3413c4f1a8",
            "xf31032dc347451",
        ),
        _ONE_PART,
    ),
    "x4a060ebe76b1a2": "a fixture whose events are not separated by blank lines: no JSON",
    "xbcc38e9ec3fd1a": "a fixture that is invalid JSON on purpose",
    "xf8ab0efe92bc34": "a page of HTML",
}


def pairs(recorded: Recorded) -> Iterator[tuple[str, Any, Any]]:
    """Each JSON value of an exchange, with where it stands and its class."""
    request = recorded.sent
    for key, held in {**request, **request.get("generateContentRequest", {})}.items():
        if key in MEMBERS and held is not None:
            yield f"request.{key}", held, MEMBERS[key]
        else:
            assert held is None or key in TEXTS or key == "generateContentRequest", f"{recorded.id}: unknown {key}"
    cls: type[Any] = types.GenerateContentResponse
    if recorded.kind == "count_tokens":
        cls = types.CountTokensResponse
    for number, document in enumerate(documents_of(recorded)):
        if recorded.kind == "files":
            cls, document = types.File, document.get("file", document)
        yield f"document {number}", document, cls


def altered(recorded: Recorded) -> list[str]:
    """Where an exchange does not come back as it was."""
    try:
        found = list(pairs(recorded))
    except NotSeparate as error:
        return [str(error)]
    wrong = []
    for where, document, cls in found:
        try:
            back = to_wire(converter("wire").structure(document, cls))
        except ValidationError as error:
            wrong.append(f"{where}: {error}")
        else:
            if not same_json(back, document):
                wrong.append(f"{where}: came back as something else")
    return wrong


def test_every_exchange_comes_back_as_it_was() -> None:
    """L3: wire JSON, to values, to wire JSON is the identity on every recorded exchange: requests and answers.

    The two are equal as JSON values, and an integer is no float and no boolean. Unknown fields, unknown enum values,
    nulls, the spelling of base64, of numbers in text and of keys are all part of that.
    """
    found = {recorded.id: wrong for recorded in exchanges().values() if (wrong := altered(recorded))}
    print(f"{len(exchanges()) - len(found)} of {len(exchanges())} exchanges come back; {len(NO_ROUND_TRIP)} are named")
    assert {name: wrong for name, wrong in found.items() if name not in NO_ROUND_TRIP} == {}
    assert NO_ROUND_TRIP.keys() - found.keys() == set(), "these pass: they need not be named"


# --- answers through the machines -----------------------------------------------------------------------------------


def answers() -> list[Recorded]:
    """Every recorded answer of a model with status 200."""
    return [recorded for recorded in exchanges().values() if recorded.generated and recorded.status == 200]


def asked(recorded: Recorded) -> Conversation:
    """A conversation in which one line was said."""
    conversation = Conversation("gemini-2.5-flash")
    conversation.send("What is the answer?", stream=recorded.streamed)
    return conversation


def called(recorded: Recorded) -> Exchange:
    """An exchange that is about to begin."""
    request = Request(method="POST", url="https://generativelanguage.googleapis.com/v1/models/m:generateContent")
    return Exchange(request, streamed=recorded.streamed)


def error_of(events: list[Event]) -> BaseException | None:
    """The error that the last event brings."""
    last = events[-1]
    return last.error if isinstance(last, (ExchangeEnded, TurnEnded)) else None


@pytest.mark.parametrize("shard", range(SHARDS))
def test_cutting_a_body_changes_nothing(shard: int) -> None:
    """L1: the same events, errors and history, wherever the body's bytes are cut.

    L12: whatever the server sent, there are events, and no error but RemoteProtocolError and APIError.
    """
    count = Counter[str]()
    for recorded in answers()[shard::SHARDS]:
        begun = asked(recorded)
        conversation = copy.deepcopy(begun)
        events = events_of(conversation, 200, recorded.headers, [recorded.body])
        whole = list(map(plain, events))
        error = error_of(events)
        assert error is None or isinstance(error, (APIError, RemoteProtocolError)), f"{recorded.id}: {error!r}"
        documents = list(map(plain, events_of(called(recorded), 200, recorded.headers, [recorded.body])))
        seen = conversation.state, conversation.history(), conversation.history(curated=True), conversation.turns
        ways = [*cuts(recorded.body, recorded.id, 6)]
        if recorded.chunks is not None:
            ways.append(recorded.chunks)
        for pieces in ways:
            again = copy.deepcopy(begun)
            events = events_of(again, 200, recorded.headers, pieces)
            sizes = [len(piece) for piece in pieces]
            assert list(map(plain, events)) == whole, f"{recorded.id} cut into {sizes}"
            assert (again.state, again.history(), again.history(curated=True), again.turns) == seen, recorded.id
            events = events_of(called(recorded), 200, recorded.headers, pieces)
            assert list(map(plain, events)) == documents, f"{recorded.id} cut into {sizes}"
        count.update(bodies=1, ways=len(ways), as_recorded=recorded.chunks is not None)
    print(f"{count['bodies']} bodies, cut in {count['ways']} ways, {count['as_recorded']} of them as recorded")


def test_the_documents_of_a_body_are_those_of_another_reader() -> None:
    """L12: the exchange hands out each document of a body, as a plain reading of the whole text finds them."""
    for recorded in answers():
        events = events_of(called(recorded), 200, recorded.headers, [recorded.body])
        found = [event.document for event in events if isinstance(event, DocumentReceived)]
        try:
            expected = documents_of(recorded)
        except NotSeparate:
            assert found == [], recorded.id
        else:
            refused = any("error" in document for document in expected)
            assert same_json(found, [document for document in expected if "error" not in document]), recorded.id
            assert isinstance(error_of(events), APIError) is refused, recorded.id


#: Where google-genai does otherwise, and why.
ARRAY = "the reference does not read a stream that is a JSON array"
INTEGERS = "the reference fails on enums that are integers"
SIGNATURE = "the reference fails on a thought signature that is not base64"
NO_EVENT = "a stream without blank lines holds no event: the turn is truncated; the reference fails"
BARE_ERROR = "an answer with an error in it is an error; the reference takes it for an empty answer"
DIFFERENCES = {ARRAY, INTEGERS, SIGNATURE, NO_EVENT, BARE_ERROR}


def difference(recorded: Recorded, theirs: Json, ours: BaseException | None) -> str | None:
    """The named difference that applies to an answer."""
    if ours is None:
        match theirs.get("exc"):
            case "UnknownApiResponseError" if recorded.text.lstrip().startswith("["):
                return ARRAY
            case "UnknownApiResponseError" if "\n\n" not in recorded.text:
                return NO_EVENT
            case "AttributeError" if "int_enums" in recorded.record["features"]:
                return INTEGERS
            case "ValidationError" if "thoughtSignature" in theirs["msg"]:
                return SIGNATURE
    elif isinstance(ours, APIError) and theirs["outcome"] == "ok" and "error" in documents_of(recorded)[0]:
        return BARE_ERROR
    return None


def outcome(events: list[Event]) -> Json:
    """An answer in the terms in which the reference's are kept."""
    chunks = [event.response for event in events if isinstance(event, ChunkReceived)]
    firsts = [response.candidates[0] for response in chunks if response.candidates]
    return {
        "outcome": "ok" if error_of(events) is None else "error",
        "text": "".join(response.text or "" for response in chunks),
        "chunks": len(chunks),
        "finish_reasons": [first.finish_reason.value for first in firsts if first.finish_reason is not None],
    }


def expected_outcome(theirs: Json) -> Json:
    """The same of what the reference made of it."""
    single = [theirs["finish_reason"]] if theirs.get("finish_reason") is not None else []
    return {
        "outcome": theirs["outcome"],
        "text": theirs.get("text") or "",
        "chunks": theirs.get("chunks"),
        "finish_reasons": theirs.get("finish_reasons", single),
    }


def test_answers_are_what_google_genai_makes_of_them() -> None:
    """Outcome, text, number of chunks and finish reasons are those of google-genai 3.4.0, but for named differences."""
    count = Counter[str]()
    wrong = []
    for recorded in answers():
        theirs = reference()[recorded.id]
        events = events_of(asked(recorded), 200, recorded.headers, [recorded.body])
        ours, error = outcome(events), error_of(events)
        if theirs["outcome"] == ours["outcome"] == "error":
            count["both fail"] += 1
        elif ours == expected_outcome(theirs):
            count["equal"] += 1
        else:
            reason = difference(recorded, theirs, error)
            if reason is None:
                wrong.append((recorded.id, ours, expected_outcome(theirs), error))
            else:
                count[reason] += 1
    for name, number in count.most_common():
        print(f"{number:5} {name}")
    assert wrong == []
    assert DIFFERENCES - count.keys() == set(), "these differences do not occur"


def test_malformed_answers_say_where() -> None:
    """L12: an answer that is no JSON is a MalformedResponse, and the chat is as it was before."""
    for name in ("xbcc38e9ec3fd1a", "xf8ab0efe92bc34"):
        recorded = exchanges()[name]
        conversation = asked(recorded)
        error = error_of(events_of(conversation, 200, recorded.headers, [recorded.body]))
        assert isinstance(error, MalformedResponse)
        assert error.where == "the body"
        assert conversation.history() == []
        assert [turn.outcome for turn in conversation.turns] == [Outcome.FAILED]


def test_refusals_are_the_errors_of_google_genai() -> None:
    """A status that is not 200 is an APIError with the reference's class, code, status and message, however cut.

    A turn that the server refused leaves the history as it was.
    """
    refused = [recorded for recorded in exchanges().values() if recorded.status != 200]
    for recorded in refused:
        theirs = reference()[recorded.id]
        # One is an event stream with an error in it, which no reader takes for JSON.
        told = json.loads(recorded.text) if recorded.text.lstrip().startswith(("{", "[")) else {}
        said = (told[0] if isinstance(told, list) else told).get("error")
        for pieces in ([recorded.body], *cuts(recorded.body, recorded.id, 6)):
            error = error_of(events_of(called(recorded), recorded.status, recorded.headers, pieces))
            assert isinstance(error, APIError), recorded.id
            assert error.code == recorded.status
            if theirs["outcome"] == "error":
                assert (type(error).__name__, error.code) == (theirs["exc"], theirs["code"]), recorded.id
                assert str(error).startswith(theirs["msg"]), recorded.id
            if said is not None:
                assert (error.status, error.message) == (said.get("status"), said.get("message")), recorded.id
            conversation = asked(recorded)
            again = error_of(events_of(conversation, recorded.status, recorded.headers, pieces))
            assert (type(again), str(again)) == (type(error), str(error)), recorded.id
            assert conversation.history() == conversation.history(curated=True) == []
    print(f"{len(refused)} refusals")


# --- conversations --------------------------------------------------------------------------------------------------

NOT_REPLAYED = {
    "c2a4f72174e7d": "the client wrote another function's name into the model's call, and answered that",
    "c5b388e20a7aa": "the client put a call of its own beside the model's, and answered both",
    "cc68d03512f95": "the client answered with the call's id where the function's name belongs",
    "cdcce9d4cf7e7": "the answer was one agent's, and the next request is another's",
}
NOT_COMPARED = {
    "x32f3b2905e9e9d": "the client put a content of its own before the model's answer",
    "x4d1ceb5b82caf7": "the client told another agent in its own words what the model had said",
}


class Replay:
    """A chat that is told what the recording client said, and hears what the server answered.

    ``sure`` and ``open`` are what the next request must begin with, by the rules of the design and not by the chat:
    the contents of turns that count, and of one that waits for function responses.
    """

    def __init__(self, given: list[Json]) -> None:
        self.transport = ScriptedTransport()
        self.chat: Chat = Client(transport=self.transport).chats.create(model="gemini-2.5-flash", history=given)
        self.sure = given
        self.open: list[Json] = []
        self.left_calls = False

    def turn(self, message: list[Json], recorded: Recorded) -> list[Json]:
        """Say ``message``, hear the answer, and give the contents of the request that was made."""
        self.transport.add(Answer(chunks=[recorded.body], status=recorded.status, headers=dict(recorded.headers)))
        waiting = calls_waiting(self.open[-1]) if self.open else []
        before = len(self.chat.turns)
        if not any("functionResponse" in part or "function_response" in part for part in message[0]["parts"]):
            # Rule 5: calls that are left without an answer take their turn out of the curated history.
            self.left_calls |= bool(self.open)
            before += bool(self.open)
            self.open = []
        if recorded.status == 200:
            self._say(message, recorded)
        else:
            with pytest.raises(APIError):
                self._say(message, recorded)
        if len(message) == 1:
            message = [{"role": "user", **message[0]}]
        message = with_ids(message, waiting)
        sent: list[Json] = self.transport.requests[-1].json()["contents"]
        expected = [*self.sure, *self.open, *message]
        assert same_json(sent, expected), difference_at(sent, expected)
        for ours, theirs in zip(sent, expected, strict=True):
            if ours["role"] == "model" and ours not in message:
                assert json.dumps(ours) == json.dumps(theirs), "the order of keys"
        if recorded.status == 200:
            self._end(message, recorded, before)
        return sent

    def _say(self, message: list[Json], recorded: Recorded) -> None:
        contents = converter("wire").structure(message, list[types.Content])
        if len(message) == 1 and message[0].get("role", "user") == "user":
            parts = contents[0].parts or []
            if recorded.streamed:
                list(self.chat.send_message_stream(parts))
            else:
                self.chat.send_message(parts)
            return
        # Several contents at once: a chat has no verb for that, but what it is made of has.
        talk = self.chat._session
        prepared = talk.prepare(contents, None, stream=recorded.streamed)
        if recorded.streamed:
            list(ResponseStream(talk, prepared))
        else:
            talk.ask(prepared)

    def _end(self, message: list[Json], recorded: Recorded, before: int) -> None:
        documents = documents_of(recorded)
        answer = fold(documents)
        candidates = [candidate for document in documents for candidate in document.get("candidates") or ()]
        finished = not recorded.streamed or any("finishReason" in candidate for candidate in candidates)
        usable = any(held is not None for part in answer["parts"] for held in part.values())
        said = [*self.open, *message, answer]
        waiting = calls_waiting(answer)
        assert [call.name for call in self.chat.pending_calls] == [call.get("name") for call in waiting]
        if usable and finished and waiting:
            self.open = said
            return
        self.open = []
        if usable and finished:
            self.sure = self.sure + said
        turns = self.chat.turns
        assert len(turns) == before + 1
        assert turns[-1].curated is (usable and finished), turns[-1]


def calls_waiting(content: Json) -> list[Json]:
    """The function calls of one content that the content itself does not answer."""
    calls = [part["functionCall"] for part in content["parts"] if part.get("functionCall", {}).get("name")]
    for part in content["parts"]:
        if "functionResponse" in part:  # of a tool that the server ran
            name = part["functionResponse"]["name"]
            calls.remove(next(call for call in calls if call["name"] == name))
    return calls


def with_ids(message: list[Json], calls: list[Json]) -> list[Json]:
    """A message whose function responses have the ids of the calls that they answer, where they came without."""
    left = list(calls)
    made = []
    for content in message:
        parts = []
        for part in content["parts"]:
            response = part.get("functionResponse")
            if response is not None and "id" not in response:
                call = next((call for call in left if call["name"] == response["name"]), {})
                left = [each for each in left if each is not call]
                parts.append({**part, "functionResponse": response | ({"id": call["id"]} if "id" in call else {})})
            else:
                parts.append(part)
        made.append({**content, "parts": parts})
    return made


def difference_at(ours: Any, theirs: Any, path: str = "$") -> str:
    """Where two JSON values differ first."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        inner = [difference_at(ours[key], theirs[key], f"{path}.{key}") for key in ours]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        inner = [
            difference_at(left, right, f"{path}[{at}]")
            for at, (left, right) in enumerate(zip(ours, theirs, strict=True))
        ]
    else:
        return "" if same_json(ours, theirs) else f"{path}: {str(ours)[:200]} is not {str(theirs)[:200]}"
    return next(filter(None, inner), "")


def said_since(earlier: Recorded, recorded: Recorded) -> list[Json]:
    """What a request adds to the one before it and the answer to that: what the user said."""
    contents: list[Json] = recorded.sent["contents"]
    past: list[Json] = earlier.sent["contents"]
    assert same_json(contents[: len(past)], past)
    # What the model said comes from the server; the client may have written it as one content or as several.
    return [content for content in contents[len(past) :] if content.get("role") != "model"]


# What recording clients made of the model's answer, or of their own message: each undoes one habit, in both requests.


def _each_part(change: Callable[[Json], Json]) -> Callable[[list[Json]], list[Json]]:
    return lambda contents: [{**each, "parts": [change(part) for part in each["parts"]]} for each in contents]


def _in_camel_case(part: Json) -> Json:
    names = {"function_call": "functionCall", "function_response": "functionResponse"}
    return {names.get(key, key): held for key, held in part.items()}


def _without_empty_args(part: Json) -> Json:
    call = part.get("functionCall")
    return {**part, "functionCall": {"args": {}, **call}} if call is not None else part


def _without_id(part: Json) -> Json:
    response = part.get("functionResponse")
    if response is None:
        return part
    return {**part, "functionResponse": {key: held for key, held in response.items() if key != "id"}}


def _joined(contents: list[Json]) -> list[Json]:
    made = []
    for content in contents:
        parts: list[Json] = []
        for part in content["parts"]:
            parts = join(parts, [part])
        made.append({**content, "parts": parts})
    return made


HABITS: dict[str, Callable[[list[Json]], list[Json]]] = {
    "the client left out the role of its own message": lambda contents: [{"role": "user", **each} for each in contents],
    "the client wrote keys in snake case": _each_part(_in_camel_case),
    "the client wrote thought: false": _each_part(
        lambda part: {key: held for key, held in part.items() if (key, held) != ("thought", False)}
    ),
    "the client left out empty args": _each_part(_without_empty_args),
    "the chat filled in the id of the call": _each_part(_without_id),
    "the client sent a part for each chunk": _joined,
    "the client dropped a signature, or moved it": _each_part(
        lambda part: {key: held for key, held in part.items() if key != "thoughtSignature"}
    ),
}
SHORTER = "a turn that rule 1 or rule 5 leaves out is not in the chat's request; the rest is equal"


def habit(ours: list[Json], theirs: list[Json], *, shorter: bool) -> str | None:
    """Why a request is not the recorded one; "" where it is, None where nothing explains it."""
    if same_json(ours, theirs):
        return ""
    if shorter and len(ours) < len(theirs):
        return None if habit(ours, theirs[-len(ours) :], shorter=False) is None else SHORTER
    for reason, undo in HABITS.items():
        ours, theirs = undo(ours), undo(theirs)
        if same_json(ours, theirs):
            return reason
    return None


def replay(path: list[Recorded], count: Counter[str]) -> bool:
    """One path of a conversation, turn by turn. Gives whether its client left calls unanswered."""
    contents: list[Json] = path[0].sent["contents"]
    chat = Replay(contents[:-1])
    message = contents[-1:]
    for number, recorded in enumerate(path):
        if number:
            message = said_since(path[number - 1], recorded)
        sent = chat.turn(message, recorded)
        if recorded.record["conversation"].get("echo") == "exact":
            left_out = chat.left_calls or any(not turn.curated for turn in chat.chat.turns)
            reason = habit(sent, recorded.sent["contents"], shorter=left_out)
            if recorded.id in NOT_COMPARED:
                assert reason is None, f"{recorded.id} can be compared: it need not be named"
                continue
            assert reason is not None, f"{recorded.id}: {difference_at(sent, recorded.sent['contents'])}"
            count[reason or "equal"] += 1
    return chat.left_calls


def test_every_conversation_goes_on_as_it_was_recorded() -> None:
    """L4, L8: a chat that hears the recorded answers sends each of them again as it came.

    All 336 conversations, turn by turn, through a Client and a transport that gives the recorded bytes. Each request
    must hold the contents that the design's rules give, the model's with their keys in the server's order; and where
    the recording client echoed the model exactly, the request must be the recorded one, but for named habits of
    clients. Signatures, the spelling of base64 and unknown fields are in it, or it would not be equal.
    """
    count = Counter[str]()
    left = 0
    wrong: dict[str, str] = {}
    for name, paths in conversations().items():
        try:
            left += sum(replay(path, count if name not in NOT_REPLAYED else Counter()) for path in paths) > 0
        except (AssertionError, ValidationError) as error:
            wrong[name] = f"{type(error).__name__}: {str(error)[:500]}"
    print(f"{len(conversations()) - len(wrong)} of {len(conversations())} conversations; {len(NOT_REPLAYED)} are named")
    print(f"{left} in which the client left calls unanswered: their turns are abandoned, by rule 5")
    print(f"{count.total()} requests compared whole, {len(NOT_COMPARED)} are named:")
    for reason, number in count.most_common():
        print(f"{number:5} {reason}")
    assert {name: error for name, error in wrong.items() if name not in NOT_REPLAYED} == {}
    assert NOT_REPLAYED.keys() - wrong.keys() == set(), "these can be replayed: they need not be named"
    assert all(wrong[name].startswith("ValidationError") for name in NOT_REPLAYED), wrong
