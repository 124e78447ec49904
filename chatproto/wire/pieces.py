"""Bytes that come in pieces and are wanted in one: how a reader holds what it cannot hand out yet."""

from __future__ import annotations

__all__ = ["hold"]

#: Pieces of this size are left as they came.
_LARGE = 4 * 1024


def hold(pieces: list[bytes], piece: bytes) -> None:
    """Put a piece to those that are held, and join small ones.

    So few are held, however finely a body is cut: a byte at a time, some ten and one for each ``_LARGE`` bytes. Copies
    of a reader share the bytes, so they cost little at any offset; and no byte is moved more than some ten times.
    """
    while pieces and len(piece) < _LARGE and len(pieces[-1]) < 2 * len(piece):
        piece = pieces.pop() + piece
    pieces.append(piece)
