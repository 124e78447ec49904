"""The MIME type that a URI's ending tells."""

from __future__ import annotations

__all__ = ["guess_mime_type"]

_OFFICE = "application/vnd.openxmlformats-officedocument"

#: Types of files that the API reads and the standard library's table lacks, in some version of Python at least.
_MORE = {
    ".3gp": "video/3gpp",
    ".aac": "audio/aac",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".flac": "audio/flac",
    ".flv": "video/x-flv",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".ogg": "audio/ogg",
    ".opus": "audio/opus",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".rtf": "application/rtf",
    ".webp": "image/webp",
    ".wmv": "video/x-ms-wmv",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
}


def guess_mime_type(uri: str) -> str | None:
    """The MIME type of ``uri`` by the ending of its path; None if that is not known.

    ``mimetypes.guess_type`` would read the system's tables first, which is I/O and differs between computers, so only
    the table inside that module is used.
    """
    import mimetypes
    from posixpath import splitext
    from urllib.parse import urlsplit

    try:
        split = urlsplit(uri)
    except ValueError:
        return None
    # A scheme of one letter is a drive of Windows.
    ending = splitext(split.path if len(split.scheme) > 1 else uri)[1].lower()
    # The table without the underscore is replaced when any code in the process reads the system's.
    built_in: dict[str, str] = getattr(mimetypes, "_types_map_default", mimetypes.types_map)
    return _MORE.get(ending) or built_in.get(ending)
