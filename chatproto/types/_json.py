"""What JSON values are, for type checkers: narrowing that keeps ``Any`` inside."""

from __future__ import annotations

from typing import Any, TypeGuard

__all__ = ["is_array", "is_object", "key_of", "under_either"]


def is_object(item: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return type(item) is dict


def is_array(item: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return type(item) is list


def key_of(owner: dict[str, Any], camel: str, snake: str) -> str:
    """Which of its two spellings a key has in ``owner``: the one that a reader of the types would take."""
    return snake if owner.get(camel) is None and owner.get(snake) is not None else camel


def under_either(owner: dict[str, Any], camel: str, snake: str) -> Any:
    """What is under either spelling of a key; null is as good as absent."""
    held = owner.get(camel)
    return owner.get(snake) if held is None else held
