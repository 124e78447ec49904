"""What is said: contents, and their parts of every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

from ..errors import ValidationError
from ._value import Value, value

if TYPE_CHECKING:
    from .enums import FunctionResponseScheduling, Language, MediaProcessing, Outcome, ToolType
    from .image import Image
    from .media import (
        AudioMetadata,
        DocumentMetadata,
        PartMediaResolution,
        SpeechMetadata,
        SpreadsheetMetadata,
        Transcription,
        VideoMetadata,
    )
    from .unions import BlobImageUnionDict, PartUnionDict

__all__ = [
    "Blob",
    "CodeExecutionResult",
    "Content",
    "ExecutableCode",
    "FileData",
    "FunctionCall",
    "FunctionResponse",
    "FunctionResponseBlob",
    "FunctionResponseFileData",
    "FunctionResponsePart",
    "ModelContent",
    "Part",
    "PartialArg",
    "ToolCall",
    "ToolResponse",
    "UserContent",
]


@value
class Part(Value):
    """One piece of a content. One field says of what kind it is; the others say how it is to be taken.

    ``Part("text")``, ``Part(file)`` and ``Part({"text": "text"})`` are short for the keywords. A ``PIL.Image.Image``,
    as ``inline_data`` or by itself, is encoded at once, so that a Part never holds anything but values.
    """

    media_resolution: PartMediaResolution | None = None
    code_execution_result: CodeExecutionResult | None = None
    executable_code: ExecutableCode | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    inline_data: Blob | None = None
    text: str | None = None
    #: Whether the text is a summary of the model's thinking, not of its answer.
    thought: bool | None = None
    #: Opaque; the model needs it back in the next request, in the part that it came in.
    thought_signature: bytes | None = None
    video_metadata: VideoMetadata | None = None
    #: Gemini API only.
    tool_call: ToolCall | None = None
    #: Gemini API only.
    tool_response: ToolResponse | None = None
    #: The program's own notes on the part. Gemini API only.
    part_metadata: dict[str, Any] | None = None
    audio_transcription: Transcription | None = None
    media_processing: MediaProcessing | None = None
    speech_metadata: SpeechMetadata | None = None
    document_metadata: DocumentMetadata | None = None
    spreadsheet_metadata: SpreadsheetMetadata | None = None
    audio_metadata: AudioMetadata | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            value: PartUnionDict | Mapping[str, Any] | None = None,
            /,
            *,
            media_resolution: PartMediaResolution | None = None,
            code_execution_result: CodeExecutionResult | None = None,
            executable_code: ExecutableCode | None = None,
            file_data: FileData | None = None,
            function_call: FunctionCall | None = None,
            function_response: FunctionResponse | None = None,
            inline_data: Blob | BlobImageUnionDict | None = None,
            text: str | None = None,
            thought: bool | None = None,
            thought_signature: bytes | None = None,
            video_metadata: VideoMetadata | None = None,
            tool_call: ToolCall | None = None,
            tool_response: ToolResponse | None = None,
            part_metadata: dict[str, Any] | None = None,
            audio_transcription: Transcription | None = None,
            media_processing: MediaProcessing | None = None,
            speech_metadata: SpeechMetadata | None = None,
            document_metadata: DocumentMetadata | None = None,
            spreadsheet_metadata: SpreadsheetMetadata | None = None,
            audio_metadata: AudioMetadata | None = None,
        ) -> None: ...

    else:

        def __init__(self, value: Any = None, /, **fields: Any) -> None:
            if value is None:
                self._fill(fields)
            elif any(item is not None for item in fields.values()):
                raise ValidationError("a Part is made from one positional argument or from keywords, not from both")
            else:
                self.__dict__.update(_part(value, copied=True).__dict__)

        def _fill(self, fields: Mapping[str, Any]) -> None:
            super()._fill(_encoded(fields))

        def __setattr__(self, name: str, item: Any) -> None:
            super().__setattr__(name, _encoded({name: item})[name] if name == "inline_data" else item)

        @classmethod
        def model_validate(cls, obj: Any) -> Self:  # noqa: D102  (Value has the docstring)
            return super().model_validate(_encoded(obj) if isinstance(obj, Mapping) else obj)

    def as_image(self) -> Image | None:
        """The inline data as an Image; None if it is not an image."""
        return None if self.inline_data is None else self.inline_data.as_image()

    @classmethod
    def from_text(cls, *, text: str) -> Self:
        """A part that is text."""
        return cls(text=text)

    @classmethod
    def from_bytes(
        cls,
        *,
        data: bytes,
        mime_type: str,
        media_resolution: PartMediaResolution | Mapping[str, Any] | str | None = None,
    ) -> Self:
        """A part that is media, given as bytes."""
        return cls(inline_data=Blob(data=data, mime_type=mime_type), media_resolution=_resolution(media_resolution))

    @classmethod
    def from_uri(
        cls,
        *,
        file_uri: str,
        mime_type: str | None = None,
        media_resolution: PartMediaResolution | Mapping[str, Any] | str | None = None,
    ) -> Self:
        """A part that refers to a file. Without ``mime_type`` the URI's ending must tell it."""
        if mime_type is None:
            from ._mime import guess_mime_type

            mime_type = guess_mime_type(file_uri)
            if mime_type is None:
                raise ValidationError(f"the ending of {file_uri[:200]!r} does not tell a MIME type; give mime_type")
        file_data = FileData(file_uri=file_uri, mime_type=mime_type)
        return cls(file_data=file_data, media_resolution=_resolution(media_resolution))

    @classmethod
    def from_function_call(cls, *, name: str, args: dict[str, Any]) -> Self:
        """A part that calls a function."""
        return cls(function_call=FunctionCall(name=name, args=args))

    @classmethod
    def from_function_response(
        cls, *, name: str, response: dict[str, Any], parts: list[FunctionResponsePart] | None = None
    ) -> Self:
        """A part that answers a function call. It has no id: where calls have one, the chat fills it in."""
        return cls(function_response=FunctionResponse(name=name, response=response, parts=parts))

    @classmethod
    def from_executable_code(cls, *, code: str, language: Language) -> Self:
        """A part that is code for the server to run."""
        return cls(executable_code=ExecutableCode(code=code, language=language))

    @classmethod
    def from_code_execution_result(cls, *, outcome: Outcome, output: str) -> Self:
        """A part that says what running code gave."""
        return cls(code_execution_result=CodeExecutionResult(outcome=outcome, output=output))


def _encoded(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a part, with a picture of an image library's as a Blob."""
    for key in ("inline_data", "inlineData"):
        item = fields.get(key)
        if item is None or isinstance(item, (Blob, dict)):
            continue
        from ._conveniences import encode_image, is_picture

        if is_picture(item):
            return {**fields, key: encode_image(item)}
    return fields


def _resolution(given: PartMediaResolution | Mapping[str, Any] | str | None) -> PartMediaResolution | None:
    # A string, and an enum's member is one, is the level.
    return cast("PartMediaResolution | None", {"level": given} if isinstance(given, str) else given)


def _part(item: Any, *, copied: bool) -> Part:
    """What a program writes for a part, as one. ``copied`` is how Part's own constructor takes Parts and Files."""
    given: Any = item
    if isinstance(item, str):
        return Part(text=item)
    if isinstance(item, Part):
        return item.model_copy(deep=True) if copied else item
    from .files import File

    if isinstance(item, Mapping):
        if "file_uri" in given or "fileUri" in given:
            return Part(file_data=FileData.model_validate(given))
        if "uri" not in given:
            return Part.model_validate(given)
        item = File.model_validate(given)
    if isinstance(item, File):
        if not item.uri or not item.mime_type:
            raise ValidationError("a File without uri and mime_type cannot be a part")
        name = item.display_name if copied else None
        return Part(file_data=FileData(file_uri=item.uri, mime_type=item.mime_type, display_name=name))
    blob = _encoded({"inline_data": item})["inline_data"]
    if blob is not item:
        return Part(inline_data=blob)
    kind = f"{type(item).__module__}.{type(item).__qualname__}"
    raise ValidationError(f"expected a string, a Part, a File, an image or a dict of one's fields, got {kind}")


@value
class Content(Value):
    """One message of a conversation: its parts, and ``user`` or ``model`` as their author."""

    parts: list[Part] | None = None
    #: ``user`` or ``model``; the server takes ``user`` if unset.
    role: str | None = None


class _ByOne(Content):
    """A content whose author is given by its class."""

    _author: ClassVar[str]

    def __init__(self, parts: PartUnionDict | Sequence[PartUnionDict]) -> None:
        items = list(parts) if isinstance(parts, (list, tuple)) else [parts]
        if not items:
            raise ValidationError(f"{type(self).__name__} needs at least one part")
        built: list[Part] = []
        try:
            for item in items:
                built.append(_part(item, copied=False))  # noqa: PERF401  (its length is the index in the error)
        except ValidationError as error:
            raise error.under(f".parts[{len(built)}]") from None
        self.__dict__.update(parts=built, role=self._author)

    def __setattr__(self, name: str, item: Any) -> None:
        if name == "role" and item != self._author:
            raise ValidationError(f"the role of a {type(self).__name__} is {self._author!r}", path="$.role")
        super().__setattr__(name, item)

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        made = super().model_validate(obj)
        if "role" not in made.__dict__:
            made.__dict__["role"] = cls._author
        elif made.role != cls._author:
            raise ValidationError(f"the role of a {cls.__name__} is {cls._author!r}", path="$.role")
        return made


# Not decorated: a type checker would give these two the keywords of Content instead of ``parts``.
class UserContent(_ByOne):
    """A Content of the user: ``UserContent("Hello")``, ``UserContent(["What is this?", part])``."""

    _author: ClassVar[str] = "user"


class ModelContent(_ByOne):
    """A Content of the model, for writing a history by hand: ``ModelContent("Hello")``."""

    _author: ClassVar[str] = "model"


@value
class Blob(Value):
    """Media given as bytes inside the message."""

    data: bytes | None = None
    display_name: str | None = None
    mime_type: str | None = None

    def as_image(self) -> Image | None:
        """The data as an Image; None if it is not an image."""
        if not self.data or not self.mime_type or not self.mime_type.startswith("image/"):
            return None
        from .image import Image

        return Image(image_bytes=self.data, mime_type=self.mime_type)


@value
class FileData(Value):
    """Media given as a reference: the URI of an uploaded file, of a Cloud Storage object or of a web page."""

    display_name: str | None = None
    file_uri: str | None = None
    mime_type: str | None = None


@value
class FunctionCall(Value):
    """The model asks the program to call a function.

    With streamed arguments it comes in several pieces: ``partial_args`` instead of ``args``, and ``will_continue``.
    """

    #: To be echoed in the function response.
    id: str | None = None
    args: dict[str, Any] | None = None
    name: str | None = None
    #: Vertex AI only.
    partial_args: list[PartialArg] | None = None
    #: Whether more pieces of this call follow. Vertex AI only.
    will_continue: bool | None = None


@value
class PartialArg(Value):
    """A piece of one argument of a function call whose arguments are streamed. Vertex AI only."""

    bool_value: bool | None = None
    #: Which argument this is a piece of, as RFC 9535 writes it: ``$.city``.
    json_path: str | None = None
    null_value: Literal["NULL_VALUE"] | None = None
    number_value: float | None = None
    string_value: str | None = None
    #: Whether more pieces of this argument follow.
    will_continue: bool | None = None


@value
class FunctionResponse(Value):
    """What a function of the program gave back.

    ``response`` holds the result under ``output`` or the failure under ``error``; without either key all of it is
    the result.
    """

    #: Whether more responses to the same call follow. Gemini API only.
    will_continue: bool | None = None
    #: For functions that are declared NON_BLOCKING.
    scheduling: FunctionResponseScheduling | None = None
    parts: list[FunctionResponsePart] | None = None
    #: That of the function call, if it had one.
    id: str | None = None
    name: str | None = None
    response: dict[str, Any] | None = None


@value
class FunctionResponsePart(Value):
    """Media that a function gave back."""

    inline_data: FunctionResponseBlob | None = None
    file_data: FunctionResponseFileData | None = None
    #: Gemini API only.
    media_processing: MediaProcessing | None = None
    media_resolution: PartMediaResolution | None = None
    video_metadata: VideoMetadata | None = None
    document_metadata: DocumentMetadata | None = None
    spreadsheet_metadata: SpreadsheetMetadata | None = None
    audio_metadata: AudioMetadata | None = None


@value
class FunctionResponseBlob(Value):
    """Media of a function's result, as bytes."""

    mime_type: str | None = None
    data: bytes | None = None
    display_name: str | None = None


@value
class FunctionResponseFileData(Value):
    """Media of a function's result, by reference."""

    file_uri: str | None = None
    mime_type: str | None = None
    display_name: str | None = None


@value
class ExecutableCode(Value):
    """Code that the model wrote to be run by the server."""

    code: str | None = None
    language: Language | None = None
    id: str | None = None


@value
class CodeExecutionResult(Value):
    """What running an ExecutableCode gave. ``output`` is standard output, or the error's text."""

    outcome: Outcome | None = None
    output: str | None = None
    id: str | None = None


@value
class ToolCall(Value):
    """The model called a tool of the server's own. The program has nothing to do, but must echo it."""

    id: str | None = None
    tool_type: ToolType | None = None
    args: dict[str, Any] | None = None


@value
class ToolResponse(Value):
    """What a tool of the server's own gave back. The program must echo it."""

    id: str | None = None
    tool_type: ToolType | None = None
    response: dict[str, Any] | None = None
