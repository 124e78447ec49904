"""What the server says in streams, drawn at random: chunks and hops, and what can go wrong between them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from differential.answers import (
    MINE,
    REFUSALS,
    SHAPES,
    SSE,
    STATUSES,
    Answer,
    Calls,
    decorated,
    draw_content,
    draw_reason,
    draw_usage,
    error_document,
    event_of,
    fixed_stream,
    fixed_unary,
    pick,
    refused,
    shaped,
    wrong_type,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Collection

    from differential.answers import Calls, Ending

__all__ = ["STREAM_SHAPES", "STREAM_TROUBLES", "draw_hop", "draw_stream"]

Json = dict[str, Any]

STREAM_SHAPES = {
    "text": 16.0,
    "finish with empty text": 2.0,
    "finish without parts": 2.0,
    "finish without content": 2.0,
    "usage last": 2.0,
    "usage first": 1.0,
    "no finish reason": 1.5,
    "finish reason in the middle": 1.0,
    "no events": 1.0,
}

STREAM_TROUBLES = {
    "text": 0.0,
    "error event": 3.0,
    "error event without a code": 1.0,
    "error event of another form": 0.5,
    "bare error": 1.5,
    "bad event": 1.0,
    "event of the wrong type": 1.0,
    "cut": 4.0,
    "comment": 1.0,
    "event line": 1.0,
    "data without a space": 1.0,
    "done": 1.0,
    "empty event": 0.5,
    "invalid UTF-8": 0.5,
}


def _documents(rng: random.Random, features: Collection[str], calls: Calls | None) -> tuple[str, list[Json]]:
    """The events of a stream that goes well, and what is particular about them."""
    kind = pick(rng, STREAM_SHAPES, features)
    documents: list[Json] = []
    for _ in range(rng.choice((1, 2, 2, 3, 4))):
        document: Json = {"candidates": [{"content": draw_content(rng, features, calls)}]}
        shape = pick(rng, SHAPES, features) if rng.random() < 0.3 else "text"
        if shape != "text" and kind == "text":
            kind = shape
        documents.append(shaped(rng, shape, decorated(rng, document, features), features))
    reason = draw_reason(rng, features)
    match kind:
        case "finish with empty text":
            content = {"role": "model", "parts": [{"text": ""}]}
            documents.append({"candidates": [{"content": content, "finishReason": reason}]})
        case "finish without parts":
            documents.append({"candidates": [{"content": {"role": "model"}, "finishReason": reason}]})
        case "finish without content":
            documents.append({"candidates": [{"finishReason": reason}]})
        case "no finish reason":
            pass
        case "no events":
            documents.clear()
        case "finish reason in the middle":
            _finish(documents[0], reason)
            documents.append({"candidates": [{"content": {"role": "model", "parts": [{"text": "more"}]}}]})
        case _:
            _finish(documents[-1], reason)
    if kind in ("usage first", "usage last"):
        documents.insert(len(documents) if kind == "usage last" else 0, {"usageMetadata": draw_usage(rng)})
    return kind, documents


def _finish(document: Json, reason: str) -> None:
    candidates = document.get("candidates")
    if candidates:
        candidates[0].setdefault("finishReason", reason)
    elif "promptFeedback" not in document:
        document["candidates"] = [{"finishReason": reason}]


def _framed(rng: random.Random, document: Any, eol: bytes) -> bytes:
    if rng.random() < 0.1:
        lines = json.dumps(document, indent=1).encode().split(b"\n")
        return b"".join(b"data: " + line + eol for line in lines) + eol
    return b"data: " + json.dumps(document, ensure_ascii=rng.random() < 0.5).encode() + eol + eol


def _in_pieces(rng: random.Random, frames: list[bytes]) -> tuple[bytes, ...]:
    """The frames as they are written: one by one, all at once, or cut anywhere."""
    way = rng.random()
    if way < 0.5:
        return tuple(frames)
    whole = b"".join(frames)
    if way < 0.7 or len(whole) < 2:
        return (whole,) if whole else ()
    cuts = sorted(rng.sample(range(1, len(whole)), min(len(whole) - 1, rng.randint(1, 6))))
    return tuple(whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True))


def draw_stream(
    rng: random.Random, features: Collection[str], calls: Calls | None = None, *, trouble: float = 0.2
) -> Answer:
    """A streamed answer."""
    kind, documents = _documents(rng, features, calls)
    heads = [name for name in ("error JSON", "error list", "error text", "lost", "another success") if name in features]
    if heads and rng.random() < trouble / 3:
        head = {"text", *heads}
        return refused(rng, pick(rng, REFUSALS, head), documents[0] if documents else {})
    eol = rng.choice((b"\r\n", b"\r\n", b"\n"))
    frames = [_framed(rng, document, eol) for document in documents]
    # The reference fails at numbers, so nobody could say what it would have seen.
    numbers = any('"category": 7' in json.dumps(document) for document in documents)
    troubles = [name for name in STREAM_TROUBLES if name in features and not numbers]
    if troubles and rng.random() < trouble:
        return _troubled(rng, pick(rng, STREAM_TROUBLES, features), documents, frames, eol)
    if frames and "no final blank line" in features and rng.random() < 0.1:
        frames[-1] = frames[-1].rstrip(b"\r\n")
    return Answer(kind=kind, headers=(SSE, MINE), pieces=_in_pieces(rng, frames), documents=tuple(documents))


def draw_hop(rng: random.Random, *, streamed: bool, odd: Collection[str]) -> Answer:
    """An answer that is to be continued: it ends with a token, of three that may come again."""
    token = base64.b64encode(rng.choice((b"t1", b"t2", b"\xfb\xff"))).decode()
    candidate: Json = {"content": draw_content(rng, odd, None), "continuationToken": token}
    if rng.random() < 0.8:
        candidate["finishReason"] = "CONTINUATION"
    document = decorated(rng, {"candidates": [candidate]}, odd)
    if not streamed:
        return fixed_unary(document, "continued")
    documents = [decorated(rng, {"candidates": [{"content": draw_content(rng, odd, None)}]}, odd) for _ in range(2)]
    if rng.random() < 0.3:
        documents[0]["candidates"][0]["continuationToken"] = base64.b64encode(b"t0").decode()
    documents = [*documents[: rng.randint(0, 2)], document]
    if "cut" in odd and rng.random() < 0.3:
        kept = documents[: rng.randint(0, len(documents))]
        pieces = tuple(map(event_of, kept))
        return Answer(kind="continued", headers=(SSE, MINE), pieces=pieces, ending="cut", documents=tuple(kept))
    return fixed_stream(documents, "continued")


def _troubled(rng: random.Random, kind: str, documents: list[Json], frames: list[bytes], eol: bytes) -> Answer:
    """A stream in which something happens after some of its events."""
    after = rng.randint(0, len(frames))
    before = frames[:after]
    code = rng.choice(tuple(STATUSES))
    refusal = error_document(rng, code)
    rest = frames[after:]
    kept = documents[:after]
    ending: Ending = "whole"
    match kind:
        case "error event":
            odd = b"data: " + json.dumps(refusal).encode() + eol + eol
        case "error event without a code":
            del refusal["error"]["code"]
            odd = b"data: " + json.dumps(refusal).encode() + eol + eol
        case "error event of another form":
            odd = b"data: " + rng.choice((b'{"error": "x"}', b'{"candidates": [], "error": {"code": 400}}')) + eol + eol
        case "bare error":
            odd, rest = json.dumps(refusal, indent=2).replace("\n", eol.decode()).encode() + eol, []
        case "bad event":
            odd = b"data: " + rng.choice((b'{"candidates": [', b"oops", b'{"a" 1}')) + eol + eol
        case "event of the wrong type":
            odd = b"data: " + json.dumps(wrong_type(rng, {})).encode() + eol + eol
        case "invalid UTF-8":
            odd = b'data: {"candidates": [{"content": {"role": "model", "parts": [{"text": "\xff"}]}}]}' + eol + eol
            content = {"role": "model", "parts": [{"text": "\ufffd"}]}
            kept = [*kept, {"candidates": [{"content": content}]}, *documents[after:]]
        case "cut":
            partial = rest[0][: rng.randint(0, len(rest[0]) - 3)] if rest and rng.random() < 0.5 else b""
            pieces = [*before, partial] if partial else before
            return Answer(kind=kind, headers=(SSE, MINE), pieces=tuple(pieces), ending="cut", documents=tuple(kept))
        case _:
            # Harmless by the WHATWG text: what comes after it comes.
            line = {
                "comment": b": ping",
                "event line": b"event: message",
                "done": b"data: [DONE]",
                "empty event": b"data: ",
            }.get(kind)
            if line is None:
                odd, rest = b"data:" + rest[0][6:] if rest else b"data:{}" + eol + eol, rest[1:]
                kept = documents if after < len(frames) else [*documents, {}]
            else:
                odd = line + eol + eol
                kept = documents
    return Answer(
        kind=kind,
        headers=(SSE, MINE),
        pieces=_in_pieces(rng, [*before, odd, *rest]),
        ending=ending,
        documents=tuple(kept),
    )
