"""Configs as programs write them, turned into values that a machine can keep, encode and copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs

from ..errors import ValidationError
from ..types import CountTokensConfig, GenerateContentConfig, HttpOptions, Schema
from .json_schema import is_type, to_json_schema
from .messages import to_system_instruction
from .parsed import ParseTarget
from .schemas import to_schema
from .tools import Tools, read_tools

__all__ = ["ReadConfig", "read_config", "to_count_config", "to_http_options"]

#: Fields of http_options that configure a library's own client. A transport that was chosen already has one.
_OF_A_LIBRARY = ("client_args", "async_client_args")
#: Clients that a program has already: for a whole client, not for one message.
_LIBRARY_CLIENTS = ("httpx_client", "httpx_async_client", "aiohttp_client")


_LONGEST = 365 * 24 * 3600 * 1000


@attrs.define
class ReadConfig:
    """A config as a program wrote it, taken apart: what a machine may keep, and what belongs to the program."""

    #: Plain values only.
    values: GenerateContentConfig
    #: They may be secret, so no machine keeps them.
    headers: Mapping[str, str]
    #: None where the config has no ``tools``.
    tools: Tools | None
    #: What ``response.parsed`` is made of; None if it asks for nothing.
    target: ParseTarget | None


def read_config(given: Any) -> ReadConfig:
    """A config taken apart. It is not changed.

    ``given`` is a GenerateContentConfig, a dict in either spelling, or an object with such attributes. Raises
    ValidationError with the path of what is wrong.
    """
    tools: Tools | None = None
    try:
        config = GenerateContentConfig.model_validate(given)
        if config is given:
            config = config.model_copy()
        headers: dict[str, str] = {}
        if config.system_instruction is not None:
            config.system_instruction = _field("system_instruction", to_system_instruction, config.system_instruction)
        if config.tools is not None:
            read: Tools = _field("tools", read_tools, config.tools)
            tools, config.tools = read, list(read.declared())
        if config.response_schema is not None:
            config.response_schema = _field("response_schema", _schema, config.response_schema)
        if config.response_json_schema is not None:
            config.response_json_schema = _field("response_json_schema", _json_schema, config.response_json_schema)
        if config.http_options is not None:
            config.http_options, headers = _field("http_options", to_http_options, config.http_options)
    except ValidationError as error:
        raise error.under(".config") from None
    return ReadConfig(config, headers, tools, _parse_target(given))


def to_count_config(given: Any) -> tuple[CountTokensConfig, dict[str, str]]:
    """The same for the config of ``count_tokens``."""
    try:
        config = CountTokensConfig.model_validate(given).model_copy()
        headers: dict[str, str] = {}
        if config.system_instruction is not None:
            config.system_instruction = _field("system_instruction", to_system_instruction, config.system_instruction)
        if config.http_options is not None:
            config.http_options, headers = _field("http_options", to_http_options, config.http_options)
    except ValidationError as error:
        raise error.under(".config") from None
    return config, headers


def _field(name: str, convert: Any, given: Any) -> Any:
    try:
        return convert(given)
    except ValidationError as error:
        raise error.under(f".{name}") from None


def to_http_options(given: Any, *, of_client: bool = False) -> tuple[HttpOptions, dict[str, str]]:
    """``http_options`` without their headers, and the headers."""
    options = HttpOptions.model_validate(given).model_copy()
    for name in _OF_A_LIBRARY if of_client else (*_OF_A_LIBRARY, *_LIBRARY_CLIENTS):
        if getattr(options, name) is not None:
            raise ValidationError(
                "not supported: make the library's own client, and hand it to Client(transport=...)", path=f"$.{name}"
            )
    if options.base_url_resource_scope is not None and options.base_url is None:
        raise ValidationError("needs a base_url", path="$.base_url_resource_scope")
    if options.timeout is not None and not 0 <= options.timeout <= _LONGEST:
        raise ValidationError("a timeout is a number of milliseconds up to a year, or 0 for none", path="$.timeout")
    headers = dict(options.headers or {})
    options.headers = None
    return options, headers


def _schema(given: Any) -> Schema | None:
    return None if isinstance(given, Mapping) and not given else to_schema(given)


def _json_schema(given: Any) -> Any:
    return to_json_schema(given) if is_type(given) else given


def _parse_target(given: Any) -> ParseTarget | None:
    asked = _asked(given, "response_schema", "responseSchema")
    return ParseTarget.of(_asked(given, "response_json_schema", "responseJsonSchema") if asked is None else asked)


def _asked(given: Any, name: str, alias: str) -> Any:
    if isinstance(given, Mapping):
        it = cast("Mapping[str, Any]", given)
        return it.get(alias) if it.get(name) is None else it.get(name)
    return getattr(given, name, None)
