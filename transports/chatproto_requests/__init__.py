"""A transport over requests: what the synchronous client uses unless it is told otherwise."""

from chatproto.errors import MissingExtraError

try:
    import requests  # noqa: F401  # to name the extra here, not in a traceback from within
except ModuleNotFoundError as error:
    if error.name != "requests":
        raise
    raise MissingExtraError(
        "this transport needs requests, which is not installed: pip install 'chatproto[requests]'", name="requests"
    ) from None

from .transport import RequestsTransport

__all__ = ["RequestsTransport"]
