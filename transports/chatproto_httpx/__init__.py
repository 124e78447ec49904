"""A transport over httpx, or over httpx2, which has the same shape: synchronous and asynchronous."""

from importlib.util import find_spec

from chatproto.errors import MissingExtraError

if find_spec("httpx") is None and find_spec("httpx2") is None:
    raise MissingExtraError(
        "this transport needs httpx (or httpx2), which is not installed: pip install 'chatproto[httpx]'", name="httpx"
    )

from .transport import HttpxTransport

__all__ = ["HttpxTransport"]
