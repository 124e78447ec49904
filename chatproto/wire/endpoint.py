"""Where requests go, and how: what is left of ``http_options`` when its secrets are taken out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from ..errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..types import HttpOptions, HttpRetryOptions
    from .http import Headers

__all__ = ["Endpoint"]


@attrs.frozen(kw_only=True)
class Endpoint:
    """The server, and what every request to it carries.

    ``labels`` name the library and its platform. The program's own headers are not here: they may be secret, so they
    travel beside a request (see ``transport.Secrets``), not in it. ``timeout`` is in seconds.
    """

    base_url: str = "https://generativelanguage.googleapis.com/"
    api_version: str = "v1"
    labels: Headers = ()
    timeout: float | None = None
    retry_options: HttpRetryOptions | None = None
    extra_body: Mapping[str, Any] | None = None
    #: ``base_url`` is the whole address: that of a gateway which adds the path itself.
    bare: bool = False

    def __attrs_post_init__(self) -> None:
        check_base_url(self.base_url)

    def merged(self, options: HttpOptions | None) -> Endpoint:
        """This endpoint with a request's own ``http_options`` over it: each field that is set replaces the other's."""
        if options is None:
            return self
        changes: dict[str, Any] = {
            name: getattr(options, name)
            for name in ("base_url", "api_version", "retry_options", "extra_body")
            if getattr(options, name) is not None
        }
        if options.timeout is not None:
            changes["timeout"] = options.timeout / 1000 or None  # milliseconds; 0 is no timeout
        return attrs.evolve(self, **changes) if changes else self

    def url(self, path: str) -> str:
        """The address of ``path`` under this endpoint's version."""
        base = self.base_url.rstrip("/")
        if self.bare:
            return self.base_url
        return f"{base}/{self.api_version}/{path}" if self.api_version else f"{base}/{path}"

    def headers(self) -> Headers:
        """The headers of a JSON request."""
        headers: Headers = (("content-type", "application/json"), *self.labels)
        if self.timeout is not None:
            headers += (("x-server-timeout", str(math.ceil(self.timeout))),)
        return headers


def check_base_url(url: str) -> None:
    """Raise ValidationError for what cannot be the address of a server. A user and a password in it are not shown."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValidationError(f"base_url is no URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise ValidationError("base_url has a user or a password in it: hand over an authorization header instead")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError(f"base_url must begin with http:// or https:// and name a host, got {url!r}")
    if parts.query or parts.fragment:
        raise ValidationError("base_url has a query or a fragment; a path comes after it")
