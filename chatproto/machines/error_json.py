"""temporary"""

from __future__ import annotations

from typing import Any

from .continuation import _error_of
from .continuation import _error_to_json as error_to_json

__all__ = ["error_from_json", "error_to_json"]


def error_from_json(document: Any) -> Any:
    """Temporary"""
    return None if document is None else _error_of(document)
