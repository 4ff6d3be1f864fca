"""A line of another program's recording, understood but not yet numbered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from venues.frame import FrameKind
from venues.venue import Venue


class Draft(NamedTuple):
    """What becomes a frame once it has its number and its connection."""

    receive_time_ns: int
    file_number: int
    kind: FrameKind
    payload: bytes


@dataclass(frozen=True, slots=True)
class ImportSource:
    """One file to import: `file_number` is its place among those given, from 0."""

    path: Path
    file_number: int
    venue: Venue
    note: Callable[[str], None]
    """Takes a sentence that the user should read in the report."""


ReadDrafts = Callable[[ImportSource], Iterator[Draft]]
"""Reads a file from its beginning, a line at a time."""
