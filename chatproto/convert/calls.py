"""Calls that are answered by one document: what to send, and how to read the answer. Sync and async share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..machines.exchange import Exchange
from ..machines.history import encode_content
from ..machines.retry import RetryPolicy
from ..machines.steps import DocumentReceived, Event, ExchangeEnded
from ..types import CountTokensConfig, CountTokensResponse, HttpResponse
from ..wire.files import read_answer
from ..wire.gemini import envelope_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..types import Content
    from ..types._value import Value
    from ..wire.endpoint import Endpoint
    from ..wire.gemini import Dialect
    from ..wire.http import Headers, Request

__all__ = ["Call", "counting", "with_http"]

T = TypeVar("T")
R = TypeVar("R", bound="Value")


class Call(Generic[T]):
    """A call that is answered by one document."""

    def __init__(
        self, request: Request, endpoint: Endpoint, headers: Mapping[str, str], read: Callable[[Any, Headers], T]
    ) -> None:
        self.endpoint = endpoint
        self.headers = headers
        policy = RetryPolicy.of(endpoint.retry_options)
        self.machine = Exchange(request, streamed=False, policy=policy, answer="resource")
        self._read = read
        self._document: dict[str, Any] = {}

    def take(self, event: Event) -> None:
        """An event of the machine. Raises the error that it brings."""
        match event:
            case DocumentReceived(document=document):
                self._document = document
            case ExchangeEnded(error=error) if error is not None:
                raise error
            case _:
                pass

    def result(self) -> T:
        """What the call gives, once the machine is through. Raises MalformedResponse."""
        return self._read(self._document, self.machine.headers)


def with_http(response: R, headers: Headers) -> R:
    """``response``, with the head that it came with."""
    response.__dict__["sdk_http_response"] = HttpResponse(headers={key.lower(): item for key, item in headers})
    return response


def counting(
    dialect: Dialect,
    endpoint: Endpoint,
    model: str,
    contents: Sequence[Content],
    config: CountTokensConfig | None,
    headers: Mapping[str, str],
) -> Call[CountTokensResponse]:
    """``countTokens`` of ``contents``. Raises ValidationError for what this API does not count."""
    endpoint = endpoint.merged(config.http_options if config is not None else None)
    settings = dialect.count_settings(config)
    envelope = envelope_for(dialect, endpoint, model=model, method="countTokens", settings=settings)
    request = envelope.around((b",".join(map(encode_content, contents)),))
    return Call(
        request,
        endpoint,
        headers,
        lambda document, received: with_http(read_answer(CountTokensResponse, document), received),
    )
