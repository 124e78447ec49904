"""JSON text, read and written so that no input of a server or a program brings anything but the tree's own errors.

Python's ``json`` takes ``NaN``, makes ``inf`` of ``1e999``, and raises RecursionError on deep nesting, ValueError on
integers of thousands of digits and UnicodeEncodeError on lone surrogates. Here the first four are MalformedResponse
or ValidationError, and a lone surrogate passes through as the escape that it came as.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..errors import MalformedResponse, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_DEPTH", "decode", "encode", "excerpt", "plain_object", "written_by"]

#: How deep JSON may be nested, both ways: a number, so that it is the same on every Python and whatever is left of a
#: stack. protobuf's own JSON stops at 100; the messages of the API use some ten levels.
MAX_DEPTH = 250

_BLANK = " \t\n\r"
_EXCERPT = 80  # characters of a bad document that an error shows


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"JSON has no {constant}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is out of range for a number")
    return number


_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(r"[\[\]{}]")


def _too_deep(text: str, most: int) -> bool:
    """Whether valid JSON is nested deeper than ``most``. Only text with so many brackets is looked at closely."""
    arrays = text.count("[")
    # A level of arrays is two characters, one of objects five, but for the innermost: {"":{"":{}}}. So the brackets of
    # objects need not be counted in most texts of a thousand characters.
    if len(text) + 3 * (arrays + 1) <= 5 * most or arrays + text.count("{") <= most:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > most:
            return True
    return False


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
#: The inside of ``raw_decode``, which every Python of ours has, and no type stub.
_scan = cast("Callable[[str, int], tuple[Any, int]]", vars(_decoder)["scan_once"])
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ascii_encoder = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def decode(data: bytes | str, *, what: str, replace: bool = False, depth: int = MAX_DEPTH) -> Any:
    """The JSON document in ``data``.

    ``what`` names it in an error ("event 3", "the body"). With ``replace``, bytes that are not UTF-8 become U+FFFD, as
    the text of an event stream must be read; otherwise they are an error. Raises MalformedResponse.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace" if replace else "strict")
        if len(text) > 2 * depth and _too_deep(text, depth):  # each level takes two brackets
            problem = f"JSON nested deeper than {depth} levels"
            raise MalformedResponse(problem, where=what, excerpt=excerpt(data))
        return _document(text)
    except json.JSONDecodeError as error:
        raise MalformedResponse(f"not JSON: {error}", where=what, excerpt=excerpt(data)) from None
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}"
        raise MalformedResponse(problem, where=what, excerpt=excerpt(data)) from None
    except RecursionError:
        raise MalformedResponse("JSON nested too deeply", where=what, excerpt=excerpt(data)) from None
    except ValueError as error:  # a number that Python will not read
        raise MalformedResponse(f"not JSON: {error}", where=what, excerpt=excerpt(data)) from None


def plain_object(data: bytes) -> dict[str, Any] | None:
    """What ``decode`` gives for ``data``, where that is an object and nothing about it is unusual; else None.

    It is there for the many documents of a stream: one call, and nothing is looked at twice.
    """
    try:
        text = data.decode()
        found, end = _scan(text, 0)
    except (StopIteration, ValueError, RecursionError):
        return None
    document: dict[str, Any] = found
    usual = end == len(text) and type(found) is dict and (end <= 2 * MAX_DEPTH or not _too_deep(text, MAX_DEPTH))
    return document if usual else None


def _document(text: str) -> Any:
    """What JSON's own decoder gives, without its search for white space where there is none."""
    if text.startswith("{"):
        try:
            document, end = _scan(text, 0)
        except StopIteration:
            document, end = None, -1
        if end == len(text) or (end > 0 and not text[end:].strip(_BLANK)):
            return document
    return _decoder.decode(text.removeprefix("\ufeff"))


def encode(document: Any, *, depth: int = MAX_DEPTH) -> bytes:
    """JSON values as compact UTF-8. Raises ValidationError for what JSON cannot hold."""

    def write(encoder: json.JSONEncoder) -> tuple[str, bytes]:
        text = encoder.encode(document)
        return text, text.encode()

    return written_by(write, depth=depth)


def written_by(write: Callable[[json.JSONEncoder], tuple[str, bytes]], *, depth: int = MAX_DEPTH) -> bytes:
    """The bytes that ``write`` gives, which is called with the encoder for the JSON values in them.

    Beside the bytes it gives the text in them that is to be looked at for its depth. Raises ValidationError.
    """
    try:
        try:
            text, encoded = write(_encoder)
        except UnicodeEncodeError:  # a lone surrogate
            text, encoded = write(_ascii_encoder)
    except RecursionError:
        raise ValidationError(_DEEP) from None
    except (TypeError, ValueError) as error:
        raise ValidationError(f"no form in JSON: {error}") from None
    if _too_deep(text, depth):
        raise ValidationError(_DEEP)
    return encoded


_DEEP = f"nested deeper than {MAX_DEPTH} levels, too deeply for JSON"


def excerpt(data: bytes | str) -> str:
    """The beginning of a document, for an error message."""
    head = data[:_EXCERPT]
    return head if isinstance(head, str) else head.decode("utf-8", "backslashreplace")
