"""A transport over requests: what the synchronous client uses unless it is told otherwise."""

from chatproto.errors import MissingExtraError

try:
    from .transport import RequestsTransport
except ModuleNotFoundError as error:
    missing = (error.name or "").partition(".")[0]
    if missing not in {"requests", "urllib3"}:  # urllib3 comes with requests, and is imported by itself, too
        raise
    raise MissingExtraError(
        f"this transport needs {missing}, which is not installed: pip install 'chatproto[requests]'", name=missing
    ) from None

__all__ = ["RequestsTransport"]
