"""A transport over aiohttp: what the asynchronous client uses unless it is told otherwise."""

from chatproto.errors import MissingExtraError

try:
    from .transport import AiohttpTransport
except ModuleNotFoundError as error:
    if error.name != "aiohttp":
        raise
    raise MissingExtraError(
        "this transport needs aiohttp, which is not installed: pip install 'chatproto[aiohttp]'", name="aiohttp"
    ) from None

__all__ = ["AiohttpTransport"]
