"""Images."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ._conveniences import images
from ._value import Value, value

if TYPE_CHECKING:
    from os import PathLike  # noqa: TID251  (what a path is, for type checkers)

__all__ = ["Image"]


@value
class Image(Value):
    """An image: its bytes, or where it is in Cloud Storage."""

    #: ``gs://bucket/name``; not together with ``image_bytes``.
    gcs_uri: str | None = None
    image_bytes: bytes | None = None
    mime_type: str | None = None

    @classmethod
    def from_file(cls, *, location: str | PathLike[str], mime_type: str | None = None) -> Image:
        """The image in a local file, whose ending tells the MIME type; one in Cloud Storage stays there."""
        return cast("Image", images().image_from_file(location, mime_type))

    def save(self, location: str | PathLike[str]) -> None:
        """Write the bytes into a file."""
        images().save_image(self, location)

    def show(self) -> None:
        """Show the image, in a notebook or in Pillow's viewer."""
        images().show_image(self)
