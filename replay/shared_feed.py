"""Which feeds several recordings hold of the same time: played together, these count twice.

A message has no name by which it could be known again in another recording, so that trades and
liquidations which both have are two each, but where the exchange numbers them. What a recording
has is told by its segments, and which symbols by what was asked for, where that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec

from replay.recording import Recording


class SharedFeed(NamedTuple):
    """A venue that two recordings heard at the same time; no symbols where it is not known."""

    first: Recording
    second: Recording
    venue: str
    symbols: tuple[str, ...]


class _Asked(msgspec.Struct):
    venue: str = ""
    symbols: list[str] = []


class _Filtered(msgspec.Struct):
    symbols: list[str] | None = None
    channels: list[str] | None = None


def shared_feeds(recordings: Sequence[Recording]) -> list[SharedFeed]:
    """Return what any two of the recordings both have, by venue."""
    found: list[SharedFeed] = []
    for first, second in combinations(recordings, 2):
        for venue in sorted(set(first.venues) & set(second.venues)):
            if not _at_once(_span_ns(first, venue), _span_ns(second, venue)):
                continue
            channels = [_filtered(each).channels for each in (first, second)]
            if all(channels) and not set(channels[0] or ()) & set(channels[1] or ()):
                continue
            one, other = _symbols(first, venue), _symbols(second, venue)
            shared = tuple(sorted(one & other))
            if shared or not (one and other):
                found.append(SharedFeed(first, second, venue, shared))
    return found


def _span_ns(recording: Recording, venue: str) -> tuple[int, int]:
    entries = [entry for entry in recording.segments if entry.venue == venue]
    return (
        min(entry.min_receive_time_ns for entry in entries),
        max(entry.max_receive_time_ns for entry in entries),
    )


def _at_once(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _symbols(recording: Recording, venue: str) -> set[str]:
    """Return the symbols that were asked for; none where it is not known."""
    try:
        streams = msgspec.convert(recording.description.asked_for.get("streams", []), list[_Asked])
    except msgspec.ValidationError:
        return set()
    filtered = _filtered(recording)
    asked = {symbol for stream in streams if stream.venue == venue for symbol in stream.symbols}
    if filtered.symbols is None:
        return asked
    return asked & set(filtered.symbols) if asked else set(filtered.symbols)


def _filtered(recording: Recording) -> _Filtered:
    try:
        return msgspec.convert(recording.description.asked_for.get("filtered", {}), _Filtered)
    except msgspec.ValidationError:
        return _Filtered()
