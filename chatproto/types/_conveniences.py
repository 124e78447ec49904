"""The one door out of the pure rooms: what a program asks of a value and no value can do alone.

``Part(inline_data=image)`` has an image library encode a picture; ``Image.from_file`` opens a file. Both are done in
``convert.images``, which is found here by its name when a program calls them. So is ``convert.openapi``, which reads
the signature of a function. Nothing that a machine does comes here: what is read off the wire holds no images of a
library's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .content import Blob

__all__ = ["declarations", "encode_image", "images", "is_picture"]


def declarations() -> Any:
    """The module ``convert.openapi``."""
    return import_module("chatproto.convert.openapi")


def images() -> Any:
    """The module ``convert.images``."""
    return import_module("chatproto.convert.images")


def is_picture(item: object) -> bool:
    """Whether ``item`` is a ``PIL.Image.Image``. Told by the names of its classes: Pillow need not be there."""
    return any(base.__module__ == "PIL.Image" and base.__name__ == "Image" for base in type(item).__mro__)


def encode_image(item: Any) -> Blob:
    """A ``PIL.Image.Image`` as a Blob: JPEG stays JPEG, all else becomes PNG."""
    blob: Blob = images().to_blob(item)
    return blob
