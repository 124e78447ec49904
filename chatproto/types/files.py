"""Uploaded files."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (annotations are evaluated, late)
from typing import TYPE_CHECKING, Any

from ._value import Setting, Value, field, value

if TYPE_CHECKING:
    from .enums import FileSource, FileState
    from .http import HttpOptions, HttpResponse

__all__ = [
    "ClaudeFile",
    "CreateFileConfig",
    "CreateFileResponse",
    "DeleteFileConfig",
    "DeleteFileResponse",
    "DownloadFileConfig",
    "File",
    "FileStatus",
    "GetFileConfig",
    "ListFilesConfig",
    "ListFilesResponse",
    "UploadFileConfig",
]


@value
class File(Value):
    """A file that was uploaded or generated. It is gone at ``expiration_time``."""

    #: ``files/...``.
    name: str | None = None
    display_name: str | None = None
    mime_type: str | None = None
    #: A string on the wire, as every int64.
    size_bytes: int | None = None
    create_time: datetime | None = None
    expiration_time: datetime | None = None
    update_time: datetime | None = None
    #: Base64.
    sha256_hash: str | None = None
    #: What a FileData refers to it by.
    uri: str | None = None
    #: Only of generated files.
    download_uri: str | None = None
    #: Only an ACTIVE file can be used in a prompt.
    state: FileState | None = None
    source: FileSource | None = None
    video_metadata: dict[str, Any] | None = None
    error: FileStatus | None = None


@value
class FileStatus(Value):
    """Why the processing of a file failed."""

    details: list[dict[str, Any]] | None = None
    message: str | None = None
    code: int | None = None


@value
class UploadFileConfig(Setting):
    """What an uploaded file is called, and of which type it is."""

    http_options: HttpOptions | None = field(default=None, local=True)
    #: ``files/`` is put in front if missing; the server makes a name if unset.
    name: str | None = None
    #: Guessed from the file's name, if unset.
    mime_type: str | None = None
    display_name: str | None = None


@value
class GetFileConfig(Setting):
    """How the call of ``files.get`` is made."""

    http_options: HttpOptions | None = field(default=None, local=True)


@value
class DeleteFileConfig(Setting):
    """How the call of ``files.delete`` is made."""

    http_options: HttpOptions | None = field(default=None, local=True)


@value
class DownloadFileConfig(Setting):
    """How the call of ``files.download`` is made."""

    http_options: HttpOptions | None = field(default=None, local=True)


@value
class ListFilesConfig(Setting):
    """Which page of the list of files is wanted."""

    http_options: HttpOptions | None = field(default=None, local=True)
    page_size: int | None = None
    page_token: str | None = None


@value
class CreateFileConfig(Setting):
    """How the call that begins an upload is made."""

    http_options: HttpOptions | None = field(default=None, local=True)
    should_return_http_response: bool | None = field(default=None, local=True)


@value
class CreateFileResponse(Value):
    """The answer to the call that begins an upload; the upload's URL is in its headers."""

    sdk_http_response: HttpResponse | None = field(default=None, local=True)


@value
class DeleteFileResponse(Value):
    """The answer to ``files.delete``."""

    sdk_http_response: HttpResponse | None = field(default=None, local=True)
    id: str | None = None
    type: str | None = None


@value
class ListFilesResponse(Value):
    """One page of the list of files."""

    sdk_http_response: HttpResponse | None = field(default=None, local=True)
    #: Gemini API only.
    next_page_token: str | None = None
    #: Gemini API only.
    files: list[File] | None = None
    #: Vertex AI only.
    data: list[ClaudeFile] | None = None
    #: Vertex AI only.
    next_page: str | None = None


@value
class ClaudeFile(Value):
    """A file of a Claude model on Vertex AI. Vertex AI only."""

    created_at: datetime | None = None
    downloadable: bool | None = None
    expires_at: datetime | None = None
    filename: str | None = None
    id: str | None = None
    mime_type: str | None = None
    size_bytes: int | None = None
    #: Always ``file``.
    type: str | None = None
