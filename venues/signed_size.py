"""Sizes whose sign says on which side a position is."""

from __future__ import annotations

from venues.event import Side


def side_and_size(signed_size: str) -> tuple[Side | None, str]:
    """Return the side of a position and its size without the sign; no side where it is flat."""
    size = signed_size.removeprefix("-")
    if not size.strip("0."):
        return None, size
    return (Side.SELL if size != signed_size else Side.BUY), size
