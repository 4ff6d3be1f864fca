"""Some of a recording's frames, such that they still are a recording: `filter`, `split`, `cat`.

Rules.

- By venue and kind, a frame is taken or not by what it says of itself. By time, all are taken from
  the first one in the range up to the first one after it, so that a clock that stepped back makes
  no hole in the middle. By symbol and channel,
  by its events: one with any event about a wanted symbol by a wanted channel is taken whole.
- What is about no market is taken with its connection: markers, acknowledgements, heartbeats, what
  could not be decoded, and what the recorder says of itself.
- A connection that is open where the time range begins is carried in: its opening, what was sent
  and acknowledged on it, and the instruments asked for, with the times they have. Without them the
  references of what follows mean nothing. `carried` says how many frames these are.
- What tells of a loss (`LOST`, and `CLOSED`, as what came until the next connection is nowhere)
  goes into a recording whatever kinds are asked for: without it, the rest would look whole.
- An OPENED marker names only those subscriptions that are kept: the others would be missed.

What filtering by symbol or channel cannot keep is a count over a whole connection
(`SequenceScope.CONNECTION`): such venues show gaps then. `counted_venues` names them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import msgspec

from replay.decoded_frames import Decoded, FrameDecoder
from replay.event_channel import channel_of
from replay.frame_source import FrameSource
from venues.channel import Channel
from venues.errors import UnknownVenueError
from venues.event import Instrument, Notice, NoticeKind, Subscribed
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import MarkerError, Opened, marker_payload, read_marker
from venues.registry import venue_named
from venues.traits import SequenceScope

_BEGINNINGS = frozenset({NoticeKind.ACKNOWLEDGED, NoticeKind.LOGGED_IN, NoticeKind.REJECTED})
_LOSSES = frozenset({FrameKind.LOST, FrameKind.CLOSED})
CARRIED_MAX = 10_000
"""Frames of beginnings that are kept in memory for each connection."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is taken; None is all there is. Times are receive times, half-open.

    `losses` says that what tells of a loss is taken besides the kinds.
    """

    from_ns: int | None = None
    to_ns: int | None = None
    venues: Collection[str] | None = None
    symbols: Collection[str] | None = None
    channels: Collection[Channel] | None = None
    kinds: Collection[FrameKind] | None = None
    losses: bool = False

    @property
    def by_content(self) -> bool:
        """Whether frames have to be decoded to be told apart."""
        return self.symbols is not None or self.channels is not None

    def with_losses(self) -> Wanted:
        """Return the same, and what tells of a loss: what becomes a recording must have it."""
        return replace(self, losses=True)

    def asks_for(self, kind: FrameKind) -> bool:
        """Return whether frames of this kind are wanted for themselves."""
        return self.kinds is None or kind in self.kinds

    def covers(self, symbol: str, channel: Channel | None) -> bool:
        """Return whether an event about this symbol, by this channel, is wanted."""
        if self.symbols is not None and symbol and symbol not in self.symbols:
            return False
        return self.channels is None or channel is None or channel in self.channels


@dataclass(slots=True)
class Met:
    """What a selection met on its way: symbols, channels, and venues that count connections."""

    symbols: set[str] = field(default_factory=set)
    channels: set[Channel] = field(default_factory=set)
    counted_venues: set[str] = field(default_factory=set)
    carried: int = 0
    taken: int = 0
    about_markets: int = 0


class ConnectionBeginnings:
    """What has to be carried in to where a recording is cut: the beginnings of open connections."""

    def __init__(self) -> None:
        self._frames: dict[tuple[str, int], list[Frame]] = {}

    def note(self, each: Decoded) -> None:
        """Take note of a frame that lies before the cut."""
        frame, key = each.frame, (each.frame.venue, each.frame.connection_id)
        if frame.kind is FrameKind.CLOSED:
            self._frames.pop(key, None)
        elif frame.kind is FrameKind.OPENED:
            self._frames[key] = [frame]
        elif frame.kind is FrameKind.SENT or any(map(_begins, each.events)):
            kept = self._frames.setdefault(key, [])
            if len(kept) < CARRIED_MAX:
                kept.append(frame)

    def frames(self) -> list[Frame]:
        """Return them in the order of their numbers."""
        every = (frame for kept in self._frames.values() for frame in kept)
        return sorted(every, key=lambda frame: frame.frame_number)


def _begins(event: object) -> bool:
    if isinstance(event, Notice):
        return event.kind in _BEGINNINGS
    return isinstance(event, Subscribed | Instrument)


def selected(
    source: FrameSource, wanted: Wanted, met: Met | None = None, *, skip_damaged: bool = False
) -> Iterator[Frame]:
    """Yield the frames that are wanted, with their own numbers; see the module's rules.

    Raises:
        ReplayError: the source cannot be read.
    """
    met = met or Met()
    decode = FrameDecoder().decode
    before: ConnectionBeginnings | None = ConnectionBeginnings()
    from_ns, to_ns = wanted.from_ns, wanted.to_ns
    for frame in source.frames(streams=wanted.venues, skip_damaged=skip_damaged):
        if to_ns is not None and frame.receive_time_ns >= to_ns:
            break
        within = before is None or from_ns is None or frame.receive_time_ns >= from_ns
        if within and not wanted.by_content and before is None:
            each = Decoded(frame, (), True)
        else:
            each = decode(frame)
        if not within:
            if before is not None:
                before.note(each)
            continue
        if before is not None:
            for carried in before.frames():
                taken = _cut(decode(carried), wanted, met, again=True)
                if taken is not None:
                    met.carried += 1
                    yield taken
            before = None
        taken = _cut(each, wanted, met)
        if taken is not None:
            met.taken += wanted.asks_for(taken.kind)
            yield taken


def _cut(each: Decoded, wanted: Wanted, met: Met, *, again: bool = False) -> Frame | None:
    """Return the frame as it is to be kept, None where it is not."""
    frame = each.frame
    if not wanted.asks_for(frame.kind) and not (wanted.losses and frame.kind in _LOSSES):
        return None
    if not wanted.by_content:
        return frame
    if frame.kind is FrameKind.OPENED:
        return _opening(frame, wanted)
    about = [(event.symbol, channel_of(event)) for event in each.events]
    about = [(symbol, channel) for symbol, channel in about if channel is not None]
    if not about:
        instruments = [event for event in each.events if isinstance(event, Instrument)]
        if instruments and not any(wanted.covers(one.symbol, None) for one in instruments):
            return None
        return frame
    if not again:
        _note(met, frame.venue, about)
    if any(wanted.covers(symbol, channel) for symbol, channel in about):
        met.about_markets += 1
        return frame
    return None


def _note(met: Met, venue: str, about: list[tuple[str, Channel | None]]) -> None:
    for symbol, channel in about:
        met.symbols.add(symbol)
        if channel is not None:
            met.channels.add(channel)
    if venue not in met.counted_venues and _counts_connection(venue):
        met.counted_venues.add(venue)


def _counts_connection(name: str) -> bool:
    try:
        return venue_named(name).traits.sequence_scope is SequenceScope.CONNECTION
    except UnknownVenueError:
        return False


def _opening(frame: Frame, wanted: Wanted) -> Frame:
    if frame.venue == RECORDER:
        return frame
    try:
        opened = read_marker(frame, Opened)
    except MarkerError:
        return frame
    kept = [each for each in opened.subscriptions if wanted.covers(each.symbol, each.channel)]
    if kept == opened.subscriptions:
        return frame
    payload = marker_payload(msgspec.structs.replace(opened, subscriptions=kept))
    return msgspec.structs.replace(frame, payload=payload)
