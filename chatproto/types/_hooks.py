"""How values are built from what is handed over: cattrs converters with hooks of our own.

There are two, because there are two givers. ``"wire"`` reads what a server sent: JSON values only, strings, integers
and booleans strictly, unknown keys kept in ``extra``. ``"user"`` reads what a program wrote: either spelling, a dict or
an instance, tuples for lists, numbers as text, base64 for bytes; the unknown keys of settings are errors.

A hook walks over the keys that are there, so it costs what the JSON holds and not what the class could hold. A class's
hook comes into being on first use, and a field's when that field is first met.

cattrs' own defaults would break this API, and each is replaced: its ``str`` hook makes text of anything, its attrs hook
drops unknown keys, its JSON converter writes bytes in base85, and its ``omit_if_default`` loses an explicit ``{}``.
"""

from __future__ import annotations

import enum
import types as builtin_types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from ..errors import ValidationError
from ._open_enum import OpenEnum
from ._spelling import SpelledFloat, SpelledInt, decode_base64, decode_timestamp, spelled
from ._value import EXTRA, Extra, Field, Setting, Value, fields_of, keys_of, nearest

if typing.TYPE_CHECKING:
    import cattrs

__all__ = ["Hook", "converter", "plain_copy"]

Mode = Literal["user", "wire"]
Hook = Callable[[Any, Any], Any]

_MAX_DIGITS = 4300  # of an integer in text: int() is quadratic, and Python refuses more by default


@cache
def converter(mode: Mode) -> cattrs.Converter:
    """The converter for data from a ``"user"`` or off the ``"wire"``."""
    import cattrs

    made = cattrs.Converter(detailed_validation=False)
    scalars = _USER_SCALARS if mode == "user" else _WIRE_SCALARS
    for cls, hook in scalars.items():
        made.register_structure_hook(cls, hook)
    made.register_structure_hook_func(
        lambda kind: kind is Any or kind is object, _keep if mode == "user" else lambda item, _: plain_copy(item)
    )
    factories: list[tuple[Callable[[Any], bool], Callable[[Any], Hook]]] = [
        (lambda kind: get_origin(kind) is list, lambda kind: _list_hook(made, kind, mode)),
        (lambda kind: get_origin(kind) is dict, lambda kind: _dict_hook(made, kind)),
        (lambda kind: get_origin(kind) is Literal, _literal_hook),
        (lambda kind: get_origin(kind) in (Union, builtin_types.UnionType), lambda kind: _union_hook(made, kind)),
        (_is_value, lambda kind: (_user_hook if mode == "user" else _wire_hook)(made, kind)),
    ]
    for applies, factory in factories:
        made.register_structure_hook_factory(applies, factory)
    return made


def _is_value(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Value)


def _wrong(wanted: str, item: Any) -> ValidationError:
    return ValidationError(f"expected {wanted}, got {_describe(item)}")


def _describe(item: Any) -> str:
    if item is None:
        return "null"
    if isinstance(item, (bool, int, float)) or (isinstance(item, str) and len(item) <= 40):
        if isinstance(item, int) and item.bit_length() > 1000:
            return f"an integer of {item.bit_length()} bits"
        return f"{type(item).__name__} {item!r}"
    return type(item).__name__


def _keep(item: Any, _: Any) -> Any:
    return item


def plain_copy(item: Any) -> Any:
    """JSON containers copied, so that a caller who changes a value changes nothing else."""
    it: Any = item
    if type(item) is dict:
        return {key: plain_copy(each) for key, each in it.items()}
    if type(item) is list:
        return [plain_copy(each) for each in it]
    return it


# --- scalars ------------------------------------------------------------------------------------------------------


def _str(item: Any, _: Any) -> str:
    if isinstance(item, enum.Enum) and isinstance(item.value, str):
        return item.value
    if isinstance(item, str):
        return item
    raise _wrong("a string", item)


def _bool(item: Any, _: Any) -> bool:
    if type(item) is bool:
        return item
    raise _wrong("true or false", item)


def _int(item: Any, _: Any) -> int:
    if type(item) is int:
        return item
    if type(item) is float and item.is_integer():
        return int(item)
    if isinstance(item, str) and len(item) <= _MAX_DIGITS:
        try:
            return int(item)
        except ValueError:
            pass
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    raise _wrong("an integer", item)


def _float(item: Any, _: Any) -> float:
    if type(item) is float or type(item) is int:
        return item
    if isinstance(item, str):
        try:
            return float(item)
        except ValueError:
            pass
    if isinstance(item, (int, float)) and not isinstance(item, bool):
        return item
    raise _wrong("a number", item)


def _user_float(item: Any, kind: Any) -> float:
    made = _float(item, kind)
    try:
        return float(made)
    except OverflowError:
        raise _wrong("a number that fits a double", item) from None


def _wire_int(item: Any, kind: Any) -> int:
    made = _int(item, kind)
    return spelled(SpelledInt, made, item) if isinstance(item, str) else made


def _wire_float(item: Any, kind: Any) -> float:
    made = _user_float(item, kind)
    return made if type(item) is float else spelled(SpelledFloat, made, item)


def _bytes(item: Any, _: Any) -> bytes:
    if isinstance(item, str):
        try:
            return decode_base64(item)
        except ValueError:
            raise ValidationError("expected bytes as base64; this text is not base64") from None
    if isinstance(item, bytes):
        return item
    buffer: Any = item
    if isinstance(item, (bytearray, memoryview)):
        return bytes(buffer)
    raise _wrong("bytes, or base64 text", item)


def _wire_bytes(item: Any, kind: Any) -> bytes:
    if isinstance(item, str):
        return _bytes(item, kind)
    raise _wrong("base64 text", item)


def _datetime(item: Any, _: Any) -> datetime:
    if isinstance(item, datetime):
        return item
    if isinstance(item, str):
        try:
            return decode_timestamp(item)
        except ValueError as error:
            raise ValidationError(f"expected an RFC 3339 timestamp, got {item[:40]!r} ({error})") from None
    raise _wrong("a timestamp", item)


def _user_enum(item: Any, kind: type[OpenEnum]) -> OpenEnum:
    if isinstance(item, kind):
        return item
    plain = item.value if isinstance(item, enum.Enum) else item
    if isinstance(plain, (str, int)) and not isinstance(plain, bool):
        return kind(plain)
    raise _wrong(f"a value of {kind.__name__}", item)


def _wire_enum(item: Any, kind: type[OpenEnum]) -> OpenEnum:
    if type(item) is str or type(item) is int:
        listed: Any = kind._value2member_map_.get(item)
        return kind.from_wire(item) if listed is None else listed
    raise _wrong(f"a value of {kind.__name__}", item)


# cattrs looks these up by class, before anything else, and takes the nearest base.
_USER_SCALARS: dict[type, Hook] = {
    str: _str,
    bool: _bool,
    int: _int,
    float: _user_float,
    bytes: _bytes,
    datetime: _datetime,
    OpenEnum: _user_enum,
}
_WIRE_SCALARS: dict[type, Hook] = {
    str: _str,
    bool: _bool,
    int: _wire_int,
    float: _wire_float,
    bytes: _wire_bytes,
    datetime: _datetime,
    OpenEnum: _wire_enum,
}


def _literal_hook(kind: Any) -> Hook:
    allowed = get_args(kind)

    def structure(item: Any, _: Any) -> Any:
        if item in allowed:
            return item
        raise _wrong(" or ".join(map(repr, allowed)), item)

    return structure


# --- containers ---------------------------------------------------------------------------------------------------


def _list_hook(made: cattrs.Converter, kind: Any, mode: Mode) -> Hook:
    (inner,) = get_args(kind)
    hook = made.get_structure_hook(inner)
    accepted = (list, tuple) if mode == "user" else (list,)

    def structure(item: Any, _: Any) -> list[Any]:
        items: list[Any] = item
        if not isinstance(item, accepted):
            raise _wrong("a list", item)
        return _each(items, hook, inner)

    return structure


def _each(items: Iterable[Any], hook: Hook, kind: Any) -> list[Any]:
    built: list[Any] = []
    try:
        for each in items:
            built.append(hook(each, kind))  # noqa: PERF401  (its length is the index in the error)
    except ValidationError as error:
        raise error.under(f"[{len(built)}]") from None
    return built


def _dict_hook(made: cattrs.Converter, kind: Any) -> Hook:
    _, inner = get_args(kind)
    hook = made.get_structure_hook(inner)

    def structure(item: Any, _: Any) -> dict[str, Any]:
        items: Mapping[Any, Any] = item
        if not isinstance(item, Mapping):
            raise _wrong("an object", item)
        built: dict[str, Any] = {}
        for key, each in items.items():
            if not isinstance(key, str):
                raise _wrong("an object with strings as keys", key)
            try:
                built[key] = hook(each, inner)
            except ValidationError as error:
                raise error.under(f"[{key!r}]") from None
        return built

    return structure


def _union_hook(made: cattrs.Converter, kind: Any) -> Hook:
    arms = [arm for arm in get_args(kind) if arm is not type(None)]
    hooks = [(made.get_structure_hook(arm), arm) for arm in arms]
    if len(hooks) == 1:
        only, arm = hooks[0]
        return lambda item, _: only(item, arm)

    def structure(item: Any, _: Any) -> Any:
        refused: list[ValidationError] = []
        for hook, arm in hooks:
            try:
                return hook(item, arm)
            except ValidationError as error:
                refused.append(error)
        # The refusal that went deepest is about what was meant.
        raise max(refused, key=lambda error: len(error.path))

    return structure


# --- values -------------------------------------------------------------------------------------------------------


class _LateHook:
    """The hook of one field, found when the field is first met."""

    __slots__ = ("_hook", "_made", "field")

    def __init__(self, made: cattrs.Converter, field: Field) -> None:
        self._made = made
        self._hook: Hook | None = None
        self.field = field

    def __call__(self, item: Any) -> Any:
        if self._hook is None:
            self._hook = self._made.get_structure_hook(self.field.type)
        return self._hook(item, self.field.type)


class _WireFields:
    """The fields of a class by their keys on the wire. What is usual is found at once; the rest is looked at."""

    def __init__(self, made: cattrs.Converter, cls: type[Value]) -> None:
        self._made = made
        #: Of the keys that were met: the field's name, its plain type, its hook, its type. In place of the plain type,
        #: an enum has its members by their value; a list has ``_MANY``, and the hook and type of what is in it.
        self.usual: dict[str, tuple[str, Any, Hook, Any]] = {}
        self._late = {each.name: _LateHook(made, each) for each in fields_of(cls) if not each.local}
        self._other = {key: each for key, each in keys_of(cls).items() if not each.local and key != each.wire}
        self._wires = {each.wire: each for each in fields_of(cls) if not each.local}

    def unusual(self, held: dict[str, Any], key: str, item: Any, document: dict[str, Any]) -> None:
        """Put a value where it belongs whose key has not been met, or that is null. Raises ValidationError."""
        field = self._wires.get(key)
        if field is not None and item is not None:
            hook, kind = self._first_met(key, field)
            held[field.name] = hook(item, kind)
            return
        extra = held.get(EXTRA)
        if extra is None:
            extra = held[EXTRA] = Extra()
        field = self._other.get(key)
        if field is None or item is None or field.name in held or document.get(field.wire) is not None:
            extra[key] = plain_copy(item)
        else:
            held[field.name] = self._late[field.name](item)
            extra.spelling[field.name] = key

    def _first_met(self, key: str, field: Field) -> tuple[Hook, Any]:
        kind = _only_arm(field.type)
        hook = self._made.get_structure_hook(kind)
        self.usual[key] = (field.name, kind if kind in _PLAIN else _members(kind), hook, kind)
        if get_origin(kind) is list:
            (inner,) = get_args(kind)
            self.usual[key] = (field.name, _MANY, self._made.get_structure_hook(inner), inner)
        return hook, kind


def _wire_hook(made: cattrs.Converter, cls: type[Value]) -> Hook:
    fields = _WireFields(made, cls)
    usual, unusual, new = fields.usual, fields.unusual, cls.__new__

    def structure(document: dict[str, Any], _: Any) -> Value:
        if type(document) is not dict:
            raise _wrong("an object", document)
        built = new(cls)
        held = built.__dict__
        key = ""
        try:
            for key in document:  # noqa: PLC0206  (its items would be an object more for each value)
                item: Any = document[key]
                try:
                    name, plain, hook, kind = usual[key]
                except KeyError:
                    unusual(held, key, item, document)
                    continue
                if type(item) is plain:
                    held[name] = item
                elif item is None:
                    unusual(held, key, item, document)
                elif plain is None:
                    held[name] = hook(item, kind)
                elif plain is _MANY:
                    items: list[Any] = item
                    if not isinstance(item, list):
                        raise _wrong("a list", item)
                    if len(items) != 1:
                        held[name] = _each(items, hook, kind)
                        continue
                    try:  # a list of one, as most are: made here, which saves a call
                        held[name] = [hook(items[0], kind)]
                    except ValidationError as error:
                        raise error.under("[0]") from None
                elif type(plain) is dict and type(item) is str and item in plain:  # looked up here, which saves a call
                    held[name] = plain[item]
                else:
                    held[name] = hook(item, kind)
        except ValidationError as error:
            raise error.under(f".{key}") from None
        return built

    return structure


#: Types of JSON whose values are taken as they are, where a field is of that very type: no hook is called for them.
_PLAIN = (str, int, float, bool)
#: In their place, of a field that holds a list.
_MANY = object()


def _members(kind: Any) -> dict[Any, Any] | None:
    """The listed members of an enum, by their values; None of what is no enum."""
    return kind._value2member_map_ if isinstance(kind, type) and issubclass(kind, OpenEnum) else None


def _only_arm(kind: Any) -> Any:
    """The type itself, where all that is said beside it is that there may be none."""
    if get_origin(kind) not in (Union, builtin_types.UnionType):
        return kind
    arms = [arm for arm in get_args(kind) if arm is not type(None)]
    return arms[0] if len(arms) == 1 else kind


def _user_hook(made: cattrs.Converter, cls: type[Value]) -> Hook:
    keys = keys_of(cls)
    usual: dict[Any, tuple[str, Any, Hook, Any]] = {}
    new = cls.__new__

    def structure(data: Any, _: Any) -> Value:
        if isinstance(data, cls):
            return data
        given: Mapping[Any, Any] = data
        if type(data) is not dict and not isinstance(data, Mapping):
            given = _attributes(data, cls)
        built = new(cls)
        held = built.__dict__
        for key, item in given.items():
            known = usual.get(key)
            if known is None and (item is not None or key not in keys):
                known = first_met(key)
                if known is None:
                    built.extra[key] = plain_copy(item)
            if known is not None and item is not None:
                name, plain, hook, kind = known
                try:
                    held[name] = item if type(item) is plain else hook(item, kind)
                except ValidationError as error:
                    raise error.under(f".{key}") from None
        return built

    def first_met(key: Any) -> tuple[str, Any, Hook, Any] | None:
        field = keys.get(key) if isinstance(key, str) else None
        if field is None:
            if issubclass(cls, Setting) or not isinstance(key, str):
                raise ValidationError(f"{cls.__name__} has no field {key!r}{nearest(str(key), keys)}")
            return None
        kind = _only_arm(field.type)
        found = usual[str.__str__(key)] = (
            field.name,
            kind if kind in _PLAIN else None,
            made.get_structure_hook(kind),
            kind,
        )
        return found

    return structure


def _attributes(data: Any, cls: type[Value]) -> Mapping[str, Any]:
    """The fields of an attrs or dataclass object, or of a pydantic model, that ``cls`` has too."""
    kind = typing.cast("Any", type(data))
    described = (
        hasattr(kind, "__attrs_attrs__") or hasattr(kind, "__dataclass_fields__") or hasattr(kind, "model_fields")
    )
    if not described or isinstance(data, type):
        raise _wrong(f"{cls.__name__} or a dict of its fields", data)
    if isinstance(data, Value):
        given = dict(data.set_fields())
        if not given.keys() <= {each.name for each in fields_of(cls)}:
            raise _wrong(f"{cls.__name__} or a dict of its fields", data)  # fields would be lost
        return given
    return {each.name: getattr(data, each.name) for each in fields_of(cls) if hasattr(data, each.name)}
