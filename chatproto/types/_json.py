"""What JSON values are, for type checkers: narrowing that keeps ``Any`` inside."""

from __future__ import annotations

from typing import Any, TypeGuard

__all__ = ["is_array", "is_object"]


def is_object(item: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return type(item) is dict


def is_array(item: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return type(item) is list
