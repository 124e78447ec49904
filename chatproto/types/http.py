"""How requests are sent, and what came back as HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._value import Setting, Value, field, value

if TYPE_CHECKING:
    from .setting_enums import ResourceScope

__all__ = ["HttpOptions", "HttpResponse", "HttpRetryOptions"]


@value
class HttpOptions(Setting):
    """How requests are sent, for a client or for one call; unset fields fall back to the client's."""

    base_url: str | None = None
    #: With COLLECTION, paths have no version, project and location.
    base_url_resource_scope: ResourceScope | None = None
    api_version: str | None = None
    headers: dict[str, str] | None = field(default=None, secret=True)
    #: In milliseconds.
    timeout: int | None = None
    #: Arguments for the HTTP library's own client.
    client_args: dict[str, Any] | None = field(default=None, secret=True)
    async_client_args: dict[str, Any] | None = field(default=None, secret=True)
    #: Merged into the JSON body of every request, in the API's own shape.
    extra_body: dict[str, Any] | None = None
    retry_options: HttpRetryOptions | None = None
    #: An HTTP client of the program's own, which chatproto then uses and does not close.
    httpx_client: Any = None
    httpx_async_client: Any = None
    aiohttp_client: Any = None


@value
class HttpRetryOptions(Setting):
    """When a request is tried again, and after how long."""

    #: The first one included; 0 and 1 mean no retries. 5, if unset.
    attempts: int | None = None
    #: In seconds; 1, if unset.
    initial_delay: float | None = None
    #: In seconds; 60, if unset.
    max_delay: float | None = None
    #: By which factor the delay grows; 2, if unset.
    exp_base: float | None = None
    #: Up to how many seconds are added at random; 1, if unset.
    jitter: float | None = None
    #: 408, 429 and the usual 5xx, if unset.
    http_status_codes: list[int] | None = None


@value
class HttpResponse(Value):
    """The HTTP response behind a result, as plain values."""

    headers: dict[str, str] | None = None
    #: Text, undecoded.
    body: str | None = None
