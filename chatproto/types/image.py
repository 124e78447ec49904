"""Images."""

from __future__ import annotations

from ._value import Value, value

__all__ = ["Image"]


@value
class Image(Value):
    """An image: its bytes, or where it is in Cloud Storage."""

    #: ``gs://bucket/name``; not together with ``image_bytes``.
    gcs_uri: str | None = None
    image_bytes: bytes | None = None
    mime_type: str | None = None
