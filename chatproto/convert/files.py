"""Files as programs hand them over, and each call of the files API as a machine with what goes around it.

Sync and async share all of this: the faces (``chatproto.files``) only drive.
"""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import attrs

from ..errors import ValidationError
from ..machines.exchange import Exchange
from ..machines.retry import RetryPolicy
from ..machines.steps import DataReceived, Event, ExchangeEnded, UploadEnded, UploadProgressed
from ..machines.upload import CHUNK_SIZE, Upload
from ..types import (
    DeleteFileConfig,
    DeleteFileResponse,
    DownloadFileConfig,
    File,
    GetFileConfig,
    ListFilesConfig,
    ListFilesResponse,
    UploadFileConfig,
)
from ..types._mime import guess_mime_type
from ..wire.files import (
    FileDescription,
    delete_request,
    download_request,
    file_path,
    get_request,
    list_request,
    read_answer,
)
from .calls import Call, with_http
from .config import to_http_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..wire.endpoint import Endpoint
    from ..wire.http import FileSlice

__all__ = [
    "Call",
    "Destination",
    "DownloadCall",
    "FileSource",
    "Sink",
    "UploadCall",
    "Uploadable",
    "deleting",
    "downloading",
    "getting",
    "list_config",
    "listing",
    "uploading",
]

#: A file is read in pieces of this many bytes: an event loop may hold one of them twice while it is being sent.
PIECE = 256 * 1024

T = TypeVar("T")
C = TypeVar("C", UploadFileConfig, GetFileConfig, DeleteFileConfig, DownloadFileConfig, ListFilesConfig)


class Readable(Protocol):
    """A file object that can be uploaded: binary, and able to seek."""

    def read(self, size: int, /) -> object: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


class Writable(Protocol):
    """A file object that a download can be written to."""

    def write(self, data: bytes, /) -> object: ...


Uploadable = str | os.PathLike[str] | Readable | io.IOBase
Destination = str | os.PathLike[str] | Writable | io.IOBase


# --- configs ------------------------------------------------------------------------------------------------------


def _checked(kind: type[C], given: Any, endpoint: Endpoint) -> tuple[C, Endpoint, dict[str, str]]:
    """A config, the endpoint under its ``http_options``, and its headers. ``given`` is not changed."""
    try:
        config = kind.model_validate({} if given is None else given)
        if config.http_options is None:
            return config, endpoint, {}
        try:
            options, headers = to_http_options(config.http_options)
        except ValidationError as error:
            raise error.under(".http_options") from None
    except ValidationError as error:
        raise error.under(".config") from None
    return config, endpoint.merged(options), headers


def list_config(given: Any) -> dict[str, Any]:
    """The settings of a list by their Python names, in a dict of its own."""
    try:
        return dict(ListFilesConfig.model_validate({} if given is None else given).set_fields())
    except ValidationError as error:
        raise error.under(".config") from None


def _named(name: Any) -> str:
    if not isinstance(name, str):
        hint = "; hand over its name" if isinstance(name, File) else ""
        raise ValidationError(f"expected the name of a file, got {type(name).__name__}{hint}", path="$.name")
    return file_path(name)


# --- calls --------------------------------------------------------------------------------------------------------


def getting(endpoint: Endpoint, name: Any, config: Any) -> Call[File]:
    """``files.get``."""
    path = _named(name)
    _, endpoint, headers = _checked(GetFileConfig, config, endpoint)
    return Call(get_request(endpoint, path), endpoint, headers, lambda document, _: read_answer(File, document))


def deleting(endpoint: Endpoint, name: Any, config: Any) -> Call[DeleteFileResponse]:
    """``files.delete``."""
    path = _named(name)
    _, endpoint, headers = _checked(DeleteFileConfig, config, endpoint)
    return Call(
        delete_request(endpoint, path),
        endpoint,
        headers,
        lambda document, received: with_http(read_answer(DeleteFileResponse, document), received),
    )


def listing(endpoint: Endpoint, config: Any) -> Call[ListFilesResponse]:
    """One page of ``files.list``."""
    checked, endpoint, headers = _checked(ListFilesConfig, config, endpoint)
    return Call(
        list_request(endpoint, checked.page_size, checked.page_token),
        endpoint,
        headers,
        lambda document, received: with_http(read_answer(ListFilesResponse, document), received),
    )


# --- upload -------------------------------------------------------------------------------------------------------


class FileSource:
    """The bytes of a file that is uploaded. Used by one thread after the other.

    A path is opened when the first bytes are asked for; a file object is the program's, and is not closed.
    """

    def __init__(self, file: Readable | Path, *, size: int, start: int = 0) -> None:
        self.size = size
        self._given = file
        self._opened: io.RawIOBase | None = None
        self._start = start
        self._closed = False
        self._using = threading.Lock()

    def read(self, part: FileSlice) -> tuple[bytes, ...]:
        """The bytes of ``part``, in pieces. Raises ValidationError where the file has become shorter."""
        pieces: list[bytes] = []
        with self._using:
            if self._closed:
                return ()
            file = self._file()
            file.seek(self._start + part.offset)
            left = part.size
            while left > 0:
                piece = file.read(min(PIECE, left))
                if not piece:
                    there = part.offset + part.size - left
                    raise ValidationError(f"the file has become shorter: {there} of {self.size} bytes are there")
                if not isinstance(piece, (bytes, bytearray)):
                    raise ValidationError(_NOT_BINARY, path="$.file")
                pieces.append(bytes(piece))
                left -= len(piece)
        return tuple(pieces)

    def _file(self) -> Readable:
        if not isinstance(self._given, Path):
            return self._given
        if self._opened is None:
            self._opened = self._given.open("rb", buffering=0)
        return self._opened

    def close(self) -> None:
        """Close what was opened here, after a read that is under way. May be called twice."""
        with self._using:
            self._closed = True
            if self._opened is not None:
                self._opened.close()


_NOT_BINARY = "the file must be opened in binary mode"
_NO_TYPE = "the MIME type cannot be told from the name of the file: give it as config.mime_type"


class UploadCall:
    """An upload, its source, and who wants to know how far it is."""

    def __init__(self, machine: Upload, source: FileSource, endpoint: Endpoint, headers: Mapping[str, str]) -> None:
        self.machine = machine
        self.source = source
        self.endpoint = endpoint
        self.headers = headers
        self._file: File | None = None

    def take(self, event: Event) -> UploadProgressed | None:
        """An event of the machine; news of the progress is given back. Raises the error that it brings."""
        match event:
            case UploadProgressed():
                return event
            case UploadEnded(error=error) if error is not None:
                raise error
            case UploadEnded(file=file):
                self._file = file
            case _:
                pass
        return None

    def result(self) -> File:
        """The file as the server knows it, once the machine is through."""
        return cast("File", self._file)  # UploadEnded has either a file or an error


def uploading(endpoint: Endpoint, file: Any, config: Any) -> UploadCall:
    """``files.upload``. Looks at the file, so it may wait for a disk.

    Raises FileNotFoundError for a path that is no file, and ValidationError for what else cannot be uploaded.
    """
    checked, endpoint, headers = _checked(UploadFileConfig, config, endpoint)
    if isinstance(file, (str, os.PathLike)):
        path = Path(cast("str | os.PathLike[str]", file))
        if not path.is_file():
            raise FileNotFoundError(f"{file} is not a valid file path.")
        source, file_name = FileSource(path, size=path.stat().st_size), path.name
        mime_type = checked.mime_type or _guessed(path)
    elif hasattr(file, "read"):
        if checked.mime_type is None:
            raise ValidationError(_NO_TYPE, path="$.config.mime_type")
        source, file_name, mime_type = _of_object(file), None, checked.mime_type
    else:
        kind = type(file).__name__
        hint = "; wrap them in io.BytesIO" if isinstance(file, (bytes, bytearray)) else ""
        raise ValidationError(f"expected a path or a file opened in binary mode, got {kind}{hint}", path="$.file")
    described = FileDescription(
        size=source.size,
        mime_type=mime_type,
        name=None if checked.name is None else _full_name(checked.name),
        display_name=checked.display_name,
        file_name=file_name,
    )
    machine = Upload(described, endpoint, source=file_name or "file", chunk_size=CHUNK_SIZE)
    return UploadCall(machine, source, endpoint, headers)


def _full_name(name: str) -> str:
    return name if name.startswith("files/") else f"files/{name}"


def _guessed(path: Path) -> str:
    """By the ending, from chatproto's table first, so that it is the same on every computer; then from the system's,
    to which programs may have added.
    """
    import mimetypes

    found = guess_mime_type("name" + path.suffix) or mimetypes.guess_type(path.name)[0]
    if found is None:
        raise ValidationError(_NO_TYPE, path="$.config.mime_type")
    return found


def _of_object(file: Any) -> FileSource:
    mode = getattr(file, "mode", None)
    if isinstance(file, io.TextIOBase) or (isinstance(mode, str) and "b" not in mode):
        raise ValidationError(_NOT_BINARY, path="$.file")
    try:
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
    except (AttributeError, OSError, TypeError, ValueError) as error:
        raise ValidationError(f"the file must be able to seek: {error}", path="$.file") from None
    # Placed behind its end, it has nothing more to give.
    return FileSource(cast("Readable", file), size=max(0, size), start=start)


# --- download -----------------------------------------------------------------------------------------------------


class Sink:
    """Where a download goes: memory, a file object, or a path. Used by one thread after the other.

    A path is opened when the first bytes come, so that a refused download leaves what was there. A download that
    breaks off after that leaves no file: a part of one could be taken for the whole. What is not a regular file (a
    device, a pipe) and what was written to a file object stays as it is.
    """

    def __init__(self, destination: Any) -> None:
        self._path: Path | None = None
        self._file: Writable | None = None
        self._opened: io.BufferedWriter | None = None
        self._pieces: list[bytes] | None = None
        self._closed = False
        self._using = threading.Lock()
        if destination is None:
            self._pieces = []
        elif isinstance(destination, (str, os.PathLike)):
            self._path = Path(cast("str | os.PathLike[str]", destination))
        elif hasattr(destination, "write"):
            self._file = cast("Writable", destination)
        else:
            kind = type(destination).__name__
            raise ValidationError(f"expected a path or a writable file object, got {kind}", path="$.destination")

    @property
    def blocks(self) -> bool:
        """Whether writing may wait for a disk."""
        return self._pieces is None

    def write(self, data: bytes) -> None:
        """More bytes; ``b""`` makes an empty file where nothing came."""
        with self._using:
            if self._closed:
                return
            if self._pieces is not None:
                self._pieces.append(data)
            elif self._path is not None:
                if self._opened is None:
                    self._opened = self._path.open("wb")
                self._opened.write(data)
            elif self._file is not None:
                _write_all(self._file, data)

    def close(self, *, whole: bool) -> None:
        """Close what was opened here, and remove it unless the download is ``whole``. May be called twice."""
        with self._using:
            self._closed = True
            opened, self._opened = self._opened, None
            if opened is None or self._path is None:
                return
            try:
                opened.close()
            finally:
                path = self._path.resolve()
                if not whole and path.is_file():
                    path.unlink()

    def content(self) -> bytes | None:
        """What came, if it was to be kept in memory."""
        return None if self._pieces is None else b"".join(self._pieces)


def _write_all(file: Writable, data: bytes) -> None:
    """A raw file may take less than it is given."""
    while data:
        written = file.write(data)
        data = data[written:] if isinstance(written, int) and 0 < written < len(data) else b""


@attrs.frozen
class DownloadCall:
    """A download and where it goes."""

    machine: Exchange
    sink: Sink
    endpoint: Endpoint
    headers: Mapping[str, str]

    def take(self, event: Event) -> bytes | None:
        """An event of the machine; bytes are given back, to be written. Raises the error that it brings."""
        match event:
            case DataReceived(data=data):
                return data
            case ExchangeEnded(error=None):
                return b""
            case ExchangeEnded(error=error) if error is not None:
                raise error
            case _:
                return None


def downloading(endpoint: Endpoint, file: Any, destination: Any, config: Any) -> DownloadCall:
    """``files.download``. ``file`` is a name, a URL, or a File that has a ``download_uri``."""
    if isinstance(file, File):
        if file.download_uri is None:
            raise ValidationError(
                "only generated files can be downloaded, and not uploaded ones: see File.source and File.download_uri",
                path="$.file",
            )
        if file.name is None:
            raise ValidationError("the file has no name", path="$.file")
        file = file.name
    if not isinstance(file, str):
        raise ValidationError(f"expected a File or the name of one, got {type(file).__name__}", path="$.file")
    path = file_path(file)
    sink = Sink(destination)
    _, endpoint, headers = _checked(DownloadFileConfig, config, endpoint)
    policy = RetryPolicy.of(endpoint.retry_options)
    exchange = Exchange(download_request(endpoint, path), streamed=False, policy=policy, answer="bytes")
    return DownloadCall(exchange, sink, endpoint, headers)
