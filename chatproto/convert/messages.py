"""Messages and ``contents``: text, parts, files, dicts and lists of them, as Contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from ..errors import ValidationError
from ..types import Blob, Content, File, FileData, FunctionResponse, Image, Part
from ..types._conveniences import is_picture
from ..types._value import keys_of
from .images import image_to_part, to_blob

__all__ = ["as_list", "to_contents", "to_message", "to_part", "to_responses", "to_system_instruction"]

_ACCEPTED = "text, a types.Part, a types.File, an image, a dict of a part's fields, or a list of those"


def to_message(message: Any, *, as_the_model: bool = False) -> Content:
    """The user content that a chat sends for ``message``; with ``as_the_model``, a lone function call is the model's.

    Raises ValidationError, with the index in a list, for anything else than text, parts, files, images, and dicts of
    parts.
    """
    if isinstance(message, Content):
        raise ValidationError(f"a message is {_ACCEPTED}; of a Content, hand over its parts")
    given = as_list(message)
    items = [message] if given is None else given
    if not items:
        raise ValidationError("a message needs at least one part; this list is empty")
    parts: list[Part] = []
    if as_the_model and isinstance(message, Part) and message.function_call is not None:
        return Content(role="model", parts=[message])
    for index, item in enumerate(items):
        try:
            parts.append(to_part(item) if as_the_model else _said_by_the_user(to_part(item)))
        except ValidationError as error:
            raise (error.under(f"[{index}]") if given is not None else error) from None
    return Content(role="user", parts=parts)


def _said_by_the_user(part: Part) -> Part:
    if part.function_call is not None:
        raise ValidationError("a function call is what the model says; a message can answer one")
    return part


def to_responses(given: Any) -> list[Part]:
    """Answers to function calls: FunctionResponses, parts that hold one, dicts of either, in a list or alone."""
    it: Any = given
    alone = isinstance(given, (Part, FunctionResponse, Mapping)) or not isinstance(given, Iterable)
    items: list[Any] = [it] if alone else list(it)
    parts: list[Part] = []
    for index, item in enumerate(items):
        try:
            parts.append(_response_part(item))
        except ValidationError as error:
            raise error.under(f"[{index}]") from None
    return parts


def _response_part(item: Any) -> Part:
    if isinstance(item, FunctionResponse):
        return Part(function_response=item)
    if isinstance(item, Mapping) and not {"function_response", "functionResponse"} & item.keys():
        return Part(function_response=FunctionResponse.model_validate(item))
    if isinstance(item, (Part, Mapping)):
        return _said_by_the_user(Part.model_validate(item))
    raise ValidationError(f"expected a types.FunctionResponse, or a part that holds one, got {type(item).__name__}")


def as_list(given: Any) -> list[Any] | None:
    """The items of a list or a tuple; None for anything else."""
    return list(cast("list[Any]", given)) if isinstance(given, (list, tuple)) else None


def to_part(item: Any) -> Part:
    """One part of a message."""
    match item:
        case Part():
            return item
        case str():
            return Part(text=str.__str__(item))  # of a member of an Enum its text, not its name
        case File():
            # Of a file in a message, as in google-genai: where it is, and its type. Part(file) keeps its name too.
            part = Part(item)
            return Part(file_data=FileData(file_uri=item.uri, mime_type=item.mime_type)) if item.display_name else part
        case Blob():
            return Part(inline_data=item)
        case FileData():
            return Part(file_data=item)
        case Image():
            return image_to_part(item)
        case Mapping():
            return _part_of(item)  # pyright: ignore[reportUnknownArgumentType]
        case bytes() | bytearray():
            raise ValidationError("bytes need a MIME type: types.Part.from_bytes(data=..., mime_type=...)")
        case list() | tuple():
            raise ValidationError("a list in a list of parts")
        case _ if is_picture(item):
            return Part(inline_data=to_blob(item))
        case _:
            raise ValidationError(f"a message is {_ACCEPTED}; got {type(item).__name__}")


#: Values that may stand for a part as dicts of their fields, told by the first key that is in one.
_BY_KEY: Mapping[str, Any] = {
    "data": Blob,
    "file_uri": FileData,
    "fileUri": FileData,
    "uri": File,
    "image_bytes": Image,
    "imageBytes": Image,
    "gcs_uri": Image,
    "gcsUri": Image,
}


def _part_of(item: Mapping[Any, Any]) -> Part:
    known = keys_of(Part)
    for key, cls in _BY_KEY.items():
        if item.get(key) is not None:
            return to_part(cls.model_validate(item))
    if not any(key in known and held is not None for key, held in item.items()):
        fields = ", ".join(sorted(map(repr, item))) or "no fields"
        raise ValidationError(f"a dict as a part needs a field of types.Part, such as 'text'; got {fields}")
    return Part.model_validate(item)


def to_contents(contents: Any) -> list[Content]:
    """The contents of ``models.generate_content`` (reference behaviour, section 8).

    Parts that stand side by side become one user content, function calls model contents; a Content, and a list inside
    the list, stands for itself.
    """
    inner = as_list(contents)
    items = [contents] if inner is None else inner
    if not items:
        raise ValidationError("contents are needed; this list is empty")
    made: list[Content] = []
    group: list[Part] = []

    def close() -> None:
        if group:
            role = "user" if group[0].function_call is None else "model"
            made.append(Content(role=role, parts=list(group)))
            group.clear()

    for index, item in enumerate(items):
        try:
            whole = _whole_content(item)
            if whole is not None:
                close()
                made.append(whole)
                continue
            part = to_part(item)
        except ValidationError as error:
            raise error.under(f"[{index}]") from None
        if group and (group[0].function_call is None) != (part.function_call is None):
            close()
        group.append(part)
    close()
    return made


def _whole_content(item: Any) -> Content | None:
    if isinstance(item, Content):
        return item
    if isinstance(item, Mapping) and ("parts" in item or "role" in item):
        return _content_of(item)  # pyright: ignore[reportUnknownArgumentType]
    items = as_list(item)
    if items is None:
        return None
    if not items:
        raise ValidationError("an empty list where parts are expected")
    return Content(role="user", parts=[to_part(each) for each in items])


def _content_of(item: Mapping[Any, Any]) -> Content:
    """A dict of a Content's fields. Its parts may hold pictures."""
    parts = as_list(item.get("parts"))
    if parts is None:
        return Content.model_validate(item)
    made: list[Any] = []
    try:
        for part in parts:
            made.append(Part.model_validate(part) if isinstance(part, Mapping) else part)  # noqa: PERF401
    except ValidationError as error:
        raise error.under(f".parts[{len(made)}]") from None
    return Content.model_validate({**item, "parts": made})


def to_system_instruction(given: Any) -> Content:
    """A system instruction in any of its forms; a Content keeps the role it has."""
    whole = _whole_content(given)
    return whole if whole is not None else Content(role="user", parts=[to_part(given)])
