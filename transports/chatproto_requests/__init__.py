"""A transport over requests: what the synchronous client uses unless it is told otherwise."""

from chatproto.errors import MissingExtraError

try:
    from .transport import RequestsTransport
except ModuleNotFoundError as error:
    if error.name != "requests":
        raise
    raise MissingExtraError(
        "this transport needs requests, which is not installed: pip install 'chatproto[requests]'", name="requests"
    ) from None

__all__ = ["RequestsTransport"]
