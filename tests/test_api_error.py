"""What an error of the server is, whichever form it came in."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import APIError, ClientError, ServerError
from chatproto.testing.strategies import json_values
from chatproto.wire.api_error import api_error, error_in

BAD = {"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT", "details": [{"reason": "x"}]}}


@pytest.mark.parametrize(
    ("status", "body", "name", "message", "details"),
    [
        (400, json.dumps(BAD), "INVALID_ARGUMENT", "bad", BAD),
        (404, json.dumps([BAD]), "INVALID_ARGUMENT", "bad", BAD),
        (400, '{"status": "S", "message": "M"}', "S", "M", {"status": "S", "message": "M"}),
        (500, "oops", "Internal Server Error", "oops", {"message": "oops", "status": "Internal Server Error"}),
        (502, "", "Bad Gateway", "", {"message": "", "status": "Bad Gateway"}),
        (503, "<html>x</html>", "Service Unavailable", "<html>x</html>", ...),
        (418, "x", "HTTP 418", "x", ...),
        (204, "", "No Content", "", ...),
        (201, "{}", None, None, {}),
        (304, "", "Not Modified", "", ...),
        (400, '"text"', None, None, "text"),
        (400, "[1,2]", None, None, [1, 2]),
        (400, "[]", None, None, []),
        (400, "null", None, None, None),
        (400, '{"error": "x"}', None, None, {"error": "x"}),
        (400, '{"error": {"message": 5, "status": []}}', None, None, ...),
        (400, '{"error": {"code": 400, "mess', "Bad Request", '{"error": {"code": 400, "mess', ...),
        (429, '{"a": NaN}', "Too Many Requests", '{"a": NaN}', ...),
        (400, "[" * 100_000, "Bad Request", "[" * 100_000, ...),
    ],
)
def test_any_body_is_an_error(status: int, body: str, name: str | None, message: str | None, details: Any) -> None:
    """The reference's table: class by status, the JSON as it came, and text where there is no JSON."""
    error = api_error(status, (("Content-Type", "x"), ("Retry-After", "3")), body.encode())
    expected = ClientError if 400 <= status < 500 else ServerError if status >= 500 else APIError
    assert type(error) is expected
    assert (error.code, error.status, error.message) == (status, name, message)
    if details is not ...:
        assert error.details == details
    assert str(error) == f"{status} {name}. {error.details}"
    assert error.retry_after == 3
    assert error.response is not None
    assert error.response.headers == {"content-type": "x", "retry-after": "3"}
    assert error.response.body == body


@given(st.integers(0, 999), st.binary(max_size=40) | json_values().map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_error(status: int, body: bytes) -> None:
    """L12: no body brings an exception, and every error survives a pickle with its class."""
    error = api_error(status, (), body)
    assert error.code == status
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.details, again.response) == (str(error), error.details, error.response)


@pytest.mark.parametrize(
    ("document", "code", "status", "message"),
    [
        ({"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}, 429, "RESOURCE_EXHAUSTED", "m"),
        ({"candidates": [], "error": {"code": 400}}, 400, None, None),
        ([{"error": {"code": 503}}], 503, None, None),
        ({"error": {"message": "x"}}, 500, None, "x"),
        ({"error": {"status": "NOT_FOUND"}}, 404, "NOT_FOUND", None),
        ({"error": {"status": "NEW_NAME"}}, 500, "NEW_NAME", None),
        ({"error": {"status": ["NOT_FOUND"]}}, 500, None, None),
        ({"error": {"code": "429", "status": "UNAVAILABLE"}}, 503, "UNAVAILABLE", None),
        ({"error": {"code": True}}, 500, None, None),
        ({"error": "x"}, 500, None, None),
        ({"error": {}}, 500, None, None),
        ({"error": []}, 500, None, None),
        ({"error": {"code": 10**30}}, 10**30, None, None),
    ],
)
def test_an_error_inside_a_document(document: Any, code: int, status: str | None, message: str | None) -> None:
    """W23: with a code or without, first key or not, alone or in a list of one."""
    error = error_in(document, (("X", "y"),))
    assert error is not None
    assert (error.code, error.status, error.message) == (code, status, message)
    assert type(error) is type(APIError.of(code, {}))
    assert error.response is not None
    assert error.response.headers == {"x": "y"}


@pytest.mark.parametrize("document", [{}, {"error": None}, [], [{}], [{"error": 1}, {"error": 1}], "error", None, 1])
def test_a_document_without_an_error(document: Any) -> None:
    """A null error is none, and of several documents in a list none is looked at."""
    assert error_in(document, ()) is None


@given(json_values())
def test_any_document_is_looked_at(document: Any) -> None:
    """L12: no document brings an exception; whatever stands under ``error`` is one, unless it is null."""
    assert (error_in({"error": document, "candidates": document}, ()) is None) == (document is None)
    assert isinstance(error_in(document, ()), (APIError, type(None)))
