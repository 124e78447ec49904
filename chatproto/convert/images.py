"""Pictures of Pillow's as Blobs, and images in files. Pillow is never imported here: a picture brings it along."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..errors import MissingExtraError, ValidationError
from ..types import Blob, FileData, Image, Part
from ..types._mime import guess_mime_type

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["image_from_file", "image_to_part", "save_image", "show_image", "to_blob"]

_STORAGE = "storage.googleapis.com"
#: The mode that PNG has, for one that it has not. What is not here becomes RGB.
_FOR_PNG = {"F": "L", "I": "I;16", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"}
_OF_PNG = ("1", "I;16", "L", "LA", "P", "RGB", "RGBA")


def to_blob(picture: Any) -> Blob:
    """A ``PIL.Image.Image`` as a Blob, the frame that it stands at.

    What was read from a JPEG, from a file or from memory, is written with that one's own quality; anything else as
    PNG, in the nearest mode that PNG has. Raises ValidationError for a picture that its library cannot write.
    """
    try:
        data = _jpeg(picture)
        if data is not None:
            return Blob(data=data, mime_type="image/jpeg")
        return Blob(data=_png(picture), mime_type="image/png")
    except Exception as error:  # noqa: BLE001  (image libraries raise what they like)
        raise ValidationError(f"the image cannot be encoded: {type(error).__name__}: {error}") from None


def _jpeg(picture: Any) -> bytes | None:
    """None for a picture that was not read from a JPEG, or is no longer what was read."""
    if picture.format not in ("JPEG", "MPO") or not getattr(picture, "quantization", None):
        return None
    buffer = io.BytesIO()
    options: dict[str, Any] = {"quality": "keep"}
    if picture.format == "MPO":  # several JPEGs in one file, as phones write them; "keep" is for a plain JPEG only
        from importlib import import_module

        sampling = import_module("PIL.JpegImagePlugin").get_sampling(picture)
        options = {"qtables": picture.quantization, "subsampling": sampling}
    try:
        picture.save(buffer, format="JPEG", **options)
    except (OSError, ValueError):
        return None
    return buffer.getvalue()


def _png(picture: Any) -> bytes:
    if picture.mode not in _OF_PNG:
        picture = picture.convert(_FOR_PNG.get(picture.mode, "RGB"))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", save_all=False)
    return buffer.getvalue()


def image_to_part(image: Image) -> Part:
    """A types.Image as a part: its bytes, or where it is."""
    if image.image_bytes is not None:
        if image.mime_type is None:
            raise ValidationError("an image needs its mime_type, for example 'image/png'")
        return Part(inline_data=Blob(data=image.image_bytes, mime_type=image.mime_type))
    if image.gcs_uri is None:
        raise ValidationError("an Image without image_bytes and gcs_uri cannot be a part")
    if image.mime_type is None:
        return Part.from_uri(file_uri=image.gcs_uri)
    return Part(file_data=FileData(file_uri=image.gcs_uri, mime_type=image.mime_type))


def image_from_file(location: str | PathLike[str], mime_type: str | None) -> Image:
    """The Image in a local file, or at ``gs://bucket/name``, which stays where it is."""
    place = str(location)
    parts = urlsplit(place)
    if parts.scheme == "https" and parts.netloc == _STORAGE:
        place = f"gs:/{unquote(parts.path)}"
    if place.startswith("gs://"):
        return Image(gcs_uri=place, mime_type=mime_type)
    return Image(image_bytes=Path(place).read_bytes(), mime_type=mime_type or guess_mime_type(place))


def save_image(image: Image, location: str | PathLike[str]) -> None:
    """Write the bytes into a file."""
    Path(location).write_bytes(_bytes_of(image))


def show_image(image: Image) -> None:
    """Show the image: in the notebook, where there is one, else in Pillow's viewer."""
    import sys

    data = _bytes_of(image)
    if "ipykernel" in sys.modules:
        from importlib import import_module

        display: Any = import_module("IPython.display")
        display.display(display.Image(data))
        return
    try:
        from PIL import Image as Pillow
    except ImportError:
        raise MissingExtraError("showing an image needs Pillow: pip install 'chatproto[images]'") from None
    Pillow.open(io.BytesIO(data)).show()


def _bytes_of(image: Image) -> bytes:
    if image.image_bytes is None:
        raise ValidationError("the image has no bytes; it is a reference", path="$.image_bytes")
    return image.image_bytes
