"""Scenarios: what a program does with a chat, and what the server says to it; drawn from a seed."""

from __future__ import annotations

import base64
import json
import random
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import attrs
from differential.answers import REFUSALS, SHAPES, Answer, Calls, draw_answer, error_document
from differential.functions import ASYNC_ONLY, UNTROUBLED, draw_call
from differential.streams import STREAM_SHAPES, STREAM_TROUBLES, draw_hop, draw_stream

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["FEATURES", "Scenario", "Step", "draw"]

Spec = tuple[str, Any]
Edit = Literal["clear", "change"]

#: Everything that can be drawn. A scenario has only some of it.
FEATURES = frozenset(
    {
        *SHAPES,
        *REFUSALS,
        *STREAM_SHAPES,
        *STREAM_TROUBLES,
        "rich parts",
        "details",
        "finish message",
        "citations",
        "unknown fields",
        "unknown enums",
        "create time",
        "no final blank line",
        "streams",
        "leaving",
        "overlapping messages",
        "edited histories",
        "configs",
        "message configs",
        "wrong configs",
        "histories",
        "odd histories",
        "messages",
        "wrong messages",
        "pictures",
        "declared functions",
        "answers to calls",
        "functions",
        "odd calls",
        "unwritable results",
        "continuation",
        "retries",
        "timeouts",
    }
) - {"text"}


_NOT_MERGED = frozenset(
    {
        "finish message",
        "citations",
        "create time",
        "unknown fields",
        "unknown part",
        "two candidates",
        "candidates out of order",
        "part with an unknown field",
    }
)


#: The reference fails there, and chatproto goes on: with calls in it, nobody could say with what.
_NOT_CALLED_IN = frozenset(
    {
        "comment",
        "event line",
        "data without a space",
        "done",
        "empty event",
        "invalid UTF-8",
        "error in a 200",
        "error event of another form",
    }
)


#: The reference crashes there.
_CRASHES = frozenset({"error event without a code", "error event of another form", "enum as a number"})


ODD_HISTORIES = ("empty answer", "two answers", "dangling", "no question", "open call", "no parts", "orphan")


@attrs.frozen(kw_only=True)
class Step:
    """One message, what the server says to it, and how the program takes it."""

    message: Spec
    config: Spec | None = None
    streamed: bool = False
    #: Leave the stream after so many chunks.
    leave_after: int | None = None
    #: After so many chunks, send another message and wait for its answer.
    inside_after: int | None = None
    #: Change the list that ``get_history`` gives, before the message is sent.
    edit: Edit | None = None
    answers: tuple[Answer, ...] = ()


@attrs.frozen(kw_only=True)
class Scenario:
    """A chat, and what is said in it."""

    seed: int
    mode: Literal["sync", "async"]
    model: str = "m"
    config: Spec | None = None
    history: tuple[Spec, ...] = ()
    steps: tuple[Step, ...] = ()


def draw(seed: int, features: Collection[str] = FEATURES) -> Scenario:
    """The scenario of a seed."""
    return _Drawing(random.Random(seed), frozenset(features)).scenario(seed)


class _Drawing:
    def __init__(self, rng: random.Random, features: frozenset[str]) -> None:
        self.rng = rng
        self.features = features
        #: What this scenario is about: odd things are rarer than in a uniform draw, and come together.
        self.odd = frozenset(name for name in sorted(features) if rng.random() < 0.5)
        self.mode: Literal["sync", "async"] = rng.choice(("sync", "async"))
        self.functions: tuple[str, ...] = ()
        self.declared = self.by_hand = False
        self.wrong = False
        #: The calls of the last answer, if nobody but the program answers them.
        self.open: list[dict[str, Any]] = []

    def has(self, feature: str, probability: float = 1.0) -> bool:
        """Whether something of this kind happens now."""
        return feature in self.odd and self.rng.random() < probability

    def scenario(self, seed: int) -> Scenario:
        rng = self.rng
        config = self.chat_config()
        history = self.history() if self.has("histories", 0.5) else ()
        steps = tuple(self.step() for _ in range(rng.choice((1, 2, 2, 3, 4, 5))))
        model = rng.choice(("m", "m", "models/m", "tunedModels/t", "google/x"))
        return Scenario(seed=seed, mode=self.mode, model=model, config=config, history=history, steps=steps)

    # --- configs ---

    def chat_config(self) -> Spec | None:
        rng = self.rng
        fields: dict[str, Any] = self.fields() if self.has("configs", 0.6) else {}
        if self.has("functions", 0.7):
            names = UNTROUBLED + (ASYNC_ONLY if self.mode == "async" else ())
            if self.has("unwritable results", 0.2):
                names += ("unwritable",)
            self.functions = tuple(rng.sample(names, rng.randint(1, 3)))
            fields["$functions"] = self.functions
            if rng.random() < 0.3:
                fields["automatic_function_calling"] = rng.choice(
                    (
                        {"maximum_remote_calls": rng.choice((1, 2, 3))},
                        {"disable": True},
                        {"disable": False},
                        {"maximum_remote_calls": 0},
                        {"ignore_call_history": True},
                    )
                )
        if self.has("declared functions", 0.5):
            self.declared = True
            fields["$declared"] = True
        options = fields.get("automatic_function_calling", {})
        self.by_hand = self.declared or options.get("disable") or options.get("maximum_remote_calls", 10) < 2
        if "continuation" in self.features and rng.random() < 0.15:
            fields["automatic_continuation"] = rng.random() < 0.5
        if not fields and rng.random() < 0.6:
            return None
        return rng.choice(("dict", "model")), fields

    def fields(self) -> dict[str, Any]:
        rng = self.rng
        simple: list[tuple[str, Any]] = [
            ("temperature", rng.choice((0, 0.5, 1.5))),
            ("top_p", 0.9),
            ("top_k", rng.choice((3, 3.0))),
            ("candidate_count", 1),
            ("max_output_tokens", 100),
            ("stop_sequences", ["a", "b"]),
            ("seed", 7),
            ("presence_penalty", 0.1),
            ("frequency_penalty", 0.2),
            ("response_logprobs", True),
            ("logprobs", 2),
            ("response_mime_type", "application/json"),
            ("response_modalities", ["TEXT"]),
            ("media_resolution", "MEDIA_RESOLUTION_LOW"),
            ("speech_config", "Kore"),
            ("speech_config", {"voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}}}),
            ("thinking_config", {"include_thoughts": True, "thinking_budget": 5}),
            ("system_instruction", rng.choice(("Be brief", ["Be", "brief"], {"parts": [{"text": "s"}]}, ""))),
            ("safety_settings", [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]),
            ("labels", {"someKey": "b"}),
            ("cached_content", rng.choice(("cachedContents/1", "1"))),
            ("service_tier", "flex"),
            ("response_json_schema", {"type": "object", "properties": {"someName": {"type": "string"}}}),
            ("response_schema", {"type": "OBJECT", "properties": {"someName": {"type": "STRING", "minLength": "1"}}}),
            ("http_options", self.http_options()),
            ("tools", [rng.choice(({"google_search": {}}, {"code_execution": {}}, {"url_context": {}}))]),
            ("tool_config", {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["add"]}}),
            ("should_return_http_response", False),
        ]
        return dict(rng.sample(simple, rng.randint(1, 4)))

    def http_options(self) -> dict[str, Any]:
        choices: list[dict[str, Any]] = [
            {"headers": {"x-mine": "1"}},
            {"api_version": "v1beta"},
            {"timeout": 20_500},
            {"extra_body": {"generation_config": {"topK": 9}, "my_own": {"a_b": 1, "cD": None}}},
            {"headers": {"x-mine": "2", "x-other": "o"}, "timeout": 30_000},
        ]
        return self.rng.choice(choices)

    def message_config(self) -> Spec | None:
        rng = self.rng
        if self.has("wrong configs", 0.1):
            wrong: list[dict[str, Any]] = [
                {"no_such_field": 1},
                {"temperature": "hot"},
                {"tools": 5},
                {"routing_config": {"auto_mode": {"model_routing_preference": "BALANCED"}}},
                {"audio_timestamp": True},
                {"stop_sequences": "a"},
                {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "method": "SEVERITY"}]},
            ]
            return "dict", rng.choice(wrong)
        if not self.has("message configs", 0.25):
            return None
        if rng.random() < 0.15:
            return rng.choice(("dict", "model")), {}
        fields = self.fields()
        if self.functions and rng.random() < 0.7:
            fields["$functions"] = self.functions
        return rng.choice(("dict", "model")), fields

    # --- histories ---

    def history(self) -> tuple[Spec, ...]:
        rng = self.rng
        made: list[Spec] = []

        def add(role: str | None, *parts: dict[str, Any]) -> None:
            content: dict[str, Any] = {"parts": list(parts)}
            if role is not None:
                content["role"] = role
            made.append((rng.choice(("dict", "model")), content))

        for _ in range(rng.randint(1, 3)):
            shape = rng.choice(("plain", "plain", "plain", "rich", "calls"))
            odd = self.has("odd histories", 0.4)
            if odd:
                shape = rng.choice(
                    ("empty answer", "two answers", "dangling", "no question", "open call", "no parts", "orphan")
                )
            match shape:
                case "plain":
                    add("user", {"text": "hello"})
                    add("model", {"text": "hi"})
                case "rich":
                    signature = base64.urlsafe_b64encode(rng.randbytes(5)).decode()
                    add("user", {"inline_data": {"mime_type": "image/png", "data": "-_8="}}, {"text": "what is it?"})
                    add("model", {"text": "hm", "thought": True}, {"text": "a cat", "thought_signature": signature})
                case "calls":
                    add("user", {"text": "call"})
                    add("model", {"function_call": {"name": "declared", "args": {"city": "Rome"}, "id": "h1"}})
                    add("user", {"function_response": {"name": "declared", "response": {"someKey": 1}, "id": "h1"}})
                    add("model", {"text": "done"})
                case "empty answer":
                    add("user", {"text": "a"})
                    add("model")
                case "two answers":
                    add("user", {"text": "a"})
                    add("model", {"text": "b"})
                    add("model", *([{"text": "c"}] if rng.random() < 0.5 else []))
                case "dangling":
                    add("user", {"text": "nobody answered"})
                case "no question":
                    add("model", {"text": "m"})
                case "open call":
                    add("user", {"text": "call"})
                    add("model", {"function_call": {"name": "declared", "args": {"city": "Rome"}}})
                case "orphan":
                    add("user", {"text": "call"})
                    add("model", {"text": "no"})
                    add("user", {"function_response": {"name": "declared", "response": {"someKey": 1}}})
                    add("model", {"text": "what?"})
                case "no parts":
                    add("user")
        if self.has("odd histories", 0.05):
            add(rng.choice((None, "system")), {"text": "x"})
        if self.has("odd histories", 0.03):
            made.append(("dict", {"role": "user", "parts": [{"no_such_field": 1}]}))
        return tuple(made)

    # --- messages ---

    def message(self) -> Spec:
        rng = self.rng
        if self.open and "answers to calls" in self.features and rng.random() < 0.6:
            return self.responses()
        if self.has("answers to calls", 0.06):
            self.wrong = True
            name = rng.choice(("declared", "add", "nobody_has_this"))
            response: dict[str, Any] = {"name": name, "response": {"someKey": rng.choice((1, None, [1.5]))}}
            if rng.random() < 0.2:
                response["id"] = f"call-{rng.randint(1, 99)}"
            return "list", (("part", {"function_response": response}),) * rng.choice((1, 1, 1, 2))
        self.wrong = self.has("wrong messages", 0.15)
        if self.wrong:
            return self.wrong_message()
        if not self.has("messages", 0.6):
            return "text", rng.choice(("hello", "and then?", "é\u2028", ""))
        return rng.choice((self.item, self.items))()

    def responses(self) -> Spec:
        """Answers to the calls that are open, as far as can be told now; sometimes not to all."""
        rng, parts = self.rng, list[Spec]()
        for call in self.open:
            response = {"name": call["name"], "response": {"someKey": rng.choice((1, None, [1.5]))}}
            if "id" in call and rng.random() < 0.3:
                response["id"] = call["id"]
            parts.append(("part", {"function_response": response}))
        if rng.random() < 0.3:
            rng.shuffle(parts)
        self.wrong = rng.random() < 0.1
        if self.wrong:
            parts = parts[1:] or parts * 2
        if rng.random() < 0.2:
            parts.append(("text", "there you are"))
        return "list", tuple(parts)

    def items(self) -> Spec:
        return "list", tuple(self.item() for _ in range(self.rng.randint(1, 3)))

    def item(self) -> Spec:
        rng = self.rng
        choices: list[Spec] = [
            ("text", "text"),
            ("part", {"text": "a part"}),
            ("part", {"text": "t", "thought_signature": "-_8="}),
            ("part", {"text": "t", "thought": False}),
            ("bytes", (b"\xfb\xff\xfe", "image/png")),
            ("uri", ("gs://bucket/file.pdf", "application/pdf")),
            ("uri", ("gs://bucket/file.png", None)),
            ("part", {"file_data": {"file_uri": "https://files/1"}}),
            ("part", {"file_data": {"file_uri": "u", "mime_type": "video/mp4"}, "video_metadata": {"fps": 2}}),
            ("part", {"inline_data": {"data": "AAEC", "mime_type": "a/b"}, "media_resolution": {"num_tokens": 3}}),
            ("part", {"executable_code": {"code": "1", "language": "PYTHON"}}),
            ("part", {"text": "x", "part_metadata": {"someKey": {"inner_key": 1}}}),
            ("file", {"uri": "https://files/2", "mime_type": "text/plain", "name": "files/2", "display_name": "D"}),
        ]
        if "pictures" in self.odd:
            choices.append(("picture", ("RGB", (3, 2), (200, 10, 10))))
        return rng.choice(choices)

    def wrong_message(self) -> Spec:
        choices: list[Spec] = [
            ("raw", None),
            ("raw", 5),
            ("raw", b"bytes"),
            ("raw", []),
            ("raw", {}),
            ("raw", {"text": "a dict"}),
            ("raw", {"no_such_field": 1}),
            ("raw", ("a", "tuple")),
            ("raw", [["nested"]]),
            ("list", (("text", "a"), ("raw", {"text": "a dict in a list"}))),
            ("list", (("text", "a"), ("raw", 5))),
            ("content", {"role": "user", "parts": [{"text": "a Content"}]}),
            ("kind of str", "a kind of str"),
            ("part", {"function_call": {"name": "declared", "args": {}}}),
            ("list", (("text", "a"), ("part", {"function_call": {"name": "declared", "args": {}}}))),
            ("file", {"name": "files/2"}),
            ("part", {}),
            ("blob", (b"\x00", "a/b")),
        ]
        return self.rng.choice(choices)

    # --- steps ---

    def step(self) -> Step:
        rng = self.rng
        streamed = self.has("streams", 0.7)
        message = self.message()
        config = self.message_config()
        leave_after = rng.randint(0, 4) if streamed and self.has("leaving", 0.35) else None
        if leave_after == 0 and (self.wrong or config is not None or "function_response" in str(message)):
            leave_after = None  # what may be refused is asked for
        answers = self.answers(streamed=streamed)
        if not self.wrong:
            self.open = _calls_of(answers[0]) if self.by_hand else []
        edit: Edit | None = rng.choice(("clear", "change")) if self.has("edited histories", 0.1) else None
        if streamed and leave_after is None and not self.functions and self.has("overlapping messages", 0.2):
            answers = draw_stream(rng, self.odd - _NOT_CALLED_IN - {"lost"}), draw_answer(rng, frozenset())
            after = rng.randint(1, 3)
            return Step(message=message, config=config, streamed=True, inside_after=after, edit=edit, answers=answers)
        if self.has("timeouts", 0.05) and config is None:
            config = "dict", {"http_options": {"timeout": 100}}
            stalled = (Answer(kind="stalled", ending="stalled"),)
            return Step(message=message, config=config, streamed=streamed, answers=stalled)
        if self.has("retries", 0.25) and config is None:
            config, answers = self.retried(answers)
        return Step(
            message=message, config=config, streamed=streamed, leave_after=leave_after, edit=edit, answers=answers
        )

    def answers(self, *, streamed: bool) -> tuple[Answer, ...]:
        rng = self.rng
        names = self.functions + (("declared",) if self.declared else ())
        drawn = draw_stream if streamed else draw_answer
        answers: list[Answer] = []
        if names and rng.random() < 0.75:
            odd = 0.1 if "odd calls" in self.odd else 0.0
            calls = Calls(draw=partial(draw_call, names=names, odd=odd))
            rounds = rng.choice((1, 1, 1, 2, 2, 3, 5, 12)) if self.functions else 1
            answers += [drawn(rng, self.odd - _NOT_CALLED_IN, calls, trouble=0.05) for _ in range(rounds)]
        if self.has("continuation", 0.3):
            answers += [
                draw_hop(rng, streamed=streamed, odd=self.odd - _NOT_MERGED - _CRASHES)
                for _ in range(rng.choice((1, 1, 2, 3, 5)))
            ]
            # What becomes of unknown fields in answers that are put together is not looked at. And where the reference
            # crashes in a hop, it takes that for a lost connection.
            others = self.odd - _NOT_MERGED - _NOT_CALLED_IN - _CRASHES - {"lost"}
            answers.append(drawn(rng, others))
        else:
            answers.append(drawn(rng, self.odd))
        if self.mode == "async":
            # The reference asks once more where a connection is lost before the head of the answer.
            answers = [each for answer in answers for each in [answer] * (1 + (answer.ending == "lost"))]
        return tuple(answers)

    def retried(self, answers: tuple[Answer, ...]) -> tuple[Spec, tuple[Answer, ...]]:
        rng = self.rng
        retries: dict[str, Any] = {"attempts": rng.choice((2, 3)), "initial_delay": 0.001, "max_delay": 0.002}
        retries |= {"jitter": 0.0}
        if rng.random() < 0.3:
            retries["http_status_codes"] = [404, 503]
        refused = []
        for _ in range(rng.randint(1, 3)):
            code = rng.choice((429, 503, 503, 404, 500))
            body = json.dumps(error_document(rng, code)).encode()
            headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
            if rng.random() < 0.3:
                headers += (("retry-after", "1"),)
            refused.append(Answer(kind="retried", status=code, headers=headers, pieces=(body,)))
        if self.has("lost", 0.2):
            refused.insert(rng.randint(0, 1), Answer(kind="lost", ending="lost"))
        return ("dict", {"http_options": {"retry_options": retries}}), (*refused, *answers)


def _calls_of(answer: Answer) -> list[dict[str, Any]]:
    """The calls in an answer's documents."""
    return [
        part["functionCall"]
        for document in answer.documents
        for candidate in (document.get("candidates") or ())[:1]
        for part in (candidate.get("content") or {}).get("parts") or ()
        if "functionCall" in part
    ]
