"""Venues that exist in tests alone: their messages are the events themselves, written as JSON.

One for each trait that the engine branches on. A message of a routed one may name its symbol by a
reference, which is looked up in the routes as a real venue does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.book.exchange_history import CHECKSUM
from venues import event as events_of
from venues.channel import Channel, Subscription
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.marker import (
    Closed,
    HttpResponse,
    Lost,
    Marker,
    Opened,
    http_payload,
    marker_payload,
    read_http,
)
from venues.traits import (
    BridgeRule,
    Continuity,
    DepthKeeper,
    SequenceScope,
    SnapshotSource,
    VenueTraits,
)
from venues.venue import ConnectionPlan, Dialect, StreamRequest, Venue

_PLAIN: dict[str, Any] = {
    "channels": frozenset(Channel),
    "default_channels": (Channel.BOOK,),
    "continuity": Continuity.NONE,
    "snapshot_source": SnapshotSource.IN_BAND,
}
_SINCE_START = BridgeRule(drop_below=1, joins_at=1)
_BY_TIME = BridgeRule(drop_below=1, joins_at=None)
TRAITS: dict[str, dict[str, Any]] = {
    "made": {},
    "made-counter": {"continuity": Continuity.COUNTER},
    "made-routed": {"routed": True},
    "made-client-cut": {"depth": 10, "depth_keeper": DepthKeeper.CLIENT, "checksum": CHECKSUM},
    "made-counted": {"sequence_scope": SequenceScope.CONNECTION},
    "made-counted-checksum": {"sequence_scope": SequenceScope.CONNECTION, "checksum": CHECKSUM},
    "made-counted-routed": {"sequence_scope": SequenceScope.CONNECTION, "routed": True},
    "made-reordered": {"sequence_scope": SequenceScope.CONNECTION, "sequence_reorder_max": 3},
    "made-first-delta": {
        "continuity": Continuity.ID_RANGE,
        "snapshot_source": SnapshotSource.FIRST_DELTA,
    },
    "made-requested": {
        "continuity": Continuity.CHAIN,
        "snapshot_source": SnapshotSource.REQUESTED,
        "bridge": _SINCE_START,
    },
    "made-row-numbers": {
        "continuity": Continuity.ID_RANGE,
        "snapshot_source": SnapshotSource.REST,
        "bridge": _SINCE_START,
    },
    "made-by-time": {"snapshot_source": SnapshotSource.REST, "bridge": _BY_TIME},
    "made-named-levels": {"levels_by_id": True},
    "made-crossing": {"continuity": Continuity.COUNTER, "may_cross": True},
    "made-history": {"history_first": frozenset({Channel.TRADES, Channel.LIQUIDATIONS})},
    "made-checksum": {"checksum": CHECKSUM},
    "made-numbers-and-checksum": {"continuity": Continuity.COUNTER, "checksum": CHECKSUM},
}


class _Message(msgspec.Struct):
    events: list[tuple[str, Any]]
    reference: str = ""


@dataclass(frozen=True, slots=True)
class MadeVenue(Venue):
    """A venue of some traits."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        raise NotImplementedError

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        raise NotImplementedError

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        payload = read_http(frame)[1] if frame.kind is FrameKind.HTTP else frame.payload
        message = msgspec.json.decode(payload, type=_Message)
        events: list[Event] = [
            msgspec.convert(fields, getattr(events_of, kind)) for kind, fields in message.events
        ]
        if not message.reference:
            return events
        route = routes.get(message.reference)
        if route is None:
            text = f"nothing is known of {message.reference}"
            return [Notice("", frame.receive_time_ns, None, NoticeKind.INFORMATION, text)]
        symbol = route.symbol
        return [
            each if isinstance(each, events_of.FrameSequence) else _named(each, symbol)
            for each in events
        ]

    def read_notice(self, payload: bytes) -> Notice | None:
        return None


def _named(event: Event, symbol: str) -> Event:
    if event.symbol:
        raise DecodeError("made", "both a symbol and a reference", b"")
    return msgspec.structs.replace(event, symbol=symbol)


VENUES = tuple(MadeVenue(name, VenueTraits(**_PLAIN | own)) for name, own in TRAITS.items())


def message(*events: Event, reference: str = "") -> bytes:
    """The payload that decodes to these events."""
    named = [(type(each).__name__, each) for each in events]
    return msgspec.json.encode(_Message(named, reference))


class MadeFeed:
    """Frames of one made venue, a millisecond apart."""

    STEP_NS = 1_000_000

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.connection_id = 1
        self._number = -1

    def frame(self, kind: FrameKind, payload: bytes) -> Frame:
        self._number += 1
        time_ns = 1_700_000_000_000_000_000 + self._number * self.STEP_NS
        return Frame(self._number, self.connection_id, self.venue, kind, time_ns, None, payload)

    def text(self, *events: Event, reference: str = "") -> Frame:
        return self.frame(FrameKind.TEXT, message(*events, reference=reference))

    def http(self, *events: Event, purpose: str = "book snapshot", status: int = 200) -> Frame:
        head = HttpResponse("GET", "http://x", status, purpose, "S")
        return self.frame(FrameKind.HTTP, http_payload(head, message(*events)))

    def _marker(self, kind: FrameKind, marker: Marker) -> Frame:
        return self.frame(kind, marker_payload(marker))

    def opened(self, *subscriptions: Subscription) -> Frame:
        return self._marker(FrameKind.OPENED, Opened(self.venue, "ws://x", list(subscriptions)))

    def closed(self) -> Frame:
        return self._marker(FrameKind.CLOSED, Closed(1006, "gone"))

    def lost(self) -> Frame:
        return self._marker(FrameKind.LOST, Lost(1, None, 0, 1, "backpressure"))
