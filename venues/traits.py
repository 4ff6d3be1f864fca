"""What a venue declares about itself, as data.

The engine, the recorder and the audits branch on these and never on a venue's name. Where a
branch on a name seems needed, a trait is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from venues.channel import Channel


class Continuity(Enum):
    """How a delta says which state it follows.

    - COUNTER: each delta's sequence is the last one plus one.
    - CHAIN: each delta names its predecessor's sequence.
    - ID_RANGE: each delta covers update ids first..last, and the next begins at last plus one
      (or, where `previous_sequence` is sent, names the last id before it).
    - NONE: it does not; a lost delta cannot be seen in the numbers.
    """

    COUNTER = "counter"
    CHAIN = "chain"
    ID_RANGE = "id range"
    NONE = "none"


class SequenceScope(Enum):
    """Whether the numbering runs per symbol or over all that a connection carries."""

    SYMBOL = "symbol"
    CONNECTION = "connection"


class SnapshotSource(Enum):
    """Where a book begins.

    - IN_BAND: the exchange sends a snapshot after subscribing.
    - FIRST_DELTA: the first delta of a subscription is the whole book, and does not say so.
    - REQUESTED: a message asks for it on the same connection, and it has to be joined.
    - REST: it is fetched by HTTP, and has to be joined.
    """

    IN_BAND = "in band"
    FIRST_DELTA = "first delta"
    REQUESTED = "requested"
    REST = "REST"


class DepthKeeper(Enum):
    """Who keeps the book at the subscribed depth when a level is pushed out of it.

    - VENUE: a delete is sent for the level that falls out.
    - CLIENT: none is sent; we cut after every update (Kraken).
    - NOBODY: the book is not cut at all (Binance diffs).
    """

    VENUE = "venue"
    CLIENT = "client"
    NOBODY = "nobody"


class ChecksumLayout(Enum):
    """Which text of the book a checksum is taken of.

    - INTERLEAVED: bid and ask by rank, `price:size`, joined; a shorter side is skipped.
    - INTERLEAVED_SIGNED: the same, with a minus before the sizes of asks (Bitfinex).
    - ASKS_THEN_BIDS: asks best first, then bids best first; price and size without the point and
      without leading zeros, concatenated (Kraken).
    """

    INTERLEAVED = "interleaved"
    INTERLEAVED_SIGNED = "interleaved, asks negative"
    ASKS_THEN_BIDS = "asks then bids"


@dataclass(frozen=True, slots=True)
class ChecksumRule:
    """A CRC32 over the top `levels` of each side, in the exchange's own digits."""

    layout: ChecksumLayout
    levels: int
    signed: bool
    separator: str = ""


@dataclass(frozen=True, slots=True)
class BridgeRule:
    """How a snapshot with last id L that was asked for joins the buffered deltas.

    Deltas whose last id is below `L + drop_below` are dropped; the first one kept must have
    `first_sequence <= L + joins_at <= sequence`. With `joins_at` None any later one joins: the
    numbers are times, and prove nothing.
    """

    drop_below: int
    joins_at: int | None


@dataclass(frozen=True, slots=True)
class Keepalive:
    """What must pass so that a dead connection is found and a living one is kept.

    Attributes:
        interval_s: how often `message` is sent.
        message: the exchange's own heartbeat, None where protocol pings do.
        answer_limit_s: dead when no message of any kind came so long after `message`.
        silence_limit_s: reconnect after so long without any message at all.
    """

    interval_s: float = 20.0
    message: str | None = None
    answer_limit_s: float = 10.0
    silence_limit_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What the exchange allows, so that a recorder is never the one to be banned.

    `connects_max` per `connects_window_s` per host; `lifetime_s` after which the exchange cuts
    every connection, None where it does not; `message_interval_s` between two that we send.
    """

    connects_max: int = 60
    connects_window_s: float = 60.0
    lifetime_s: float | None = None
    message_interval_s: float = 0.0


class LossDetection(Enum):
    """Whether a lost book message can be noticed at all.

    - EVERY_MESSAGE: numbers show each one.
    - CHECKED_LEVELS: a checksum shows those that change the levels it covers.
    - NONE: nothing does; such a book is never called proven.
    """

    EVERY_MESSAGE = "every message"
    CHECKED_LEVELS = "checked levels"
    NONE = "none"


class LossSize(Enum):
    """What a noticed loss says of its size."""

    MESSAGES = "messages"
    UPDATES = "updates"
    UNKNOWN = "unknown"


STALE_LIMITS_S: Mapping[Channel, float] = {
    Channel.BOOK: 5.0,
    Channel.TRADES: 10.0,
    Channel.LIQUIDATIONS: 120.0,
}


@dataclass(frozen=True, slots=True)
class VenueTraits:
    """All that a venue declares.

    Attributes:
        channels: the channels it offers.
        depths: book depths that can be subscribed to; empty where the venue has none to choose.
        depth: the one taken by default; None where the book is not limited.
        default_channels: what `capture` takes where nothing is said.
        continuity: how deltas are numbered.
        sequence_scope: over what the numbers run.
        snapshot_source: where the first snapshot comes from.
        rest_resync: whether a fresh snapshot after a gap is fetched by HTTP; else by resubscribing.
        bridge: how a REST snapshot joins the deltas; None where there is none.
        checksum: None where the venue sends none.
        depth_keeper: who cuts the book at its depth.
        quote_shares_sequence: a quote's sequence is a book sequence, so that it can check the book.
        stale_limits_s: silence after which a channel is stale; a channel not listed never is.
        keepalive: heartbeats and deadlines.
        limits: what the exchange allows.
        detection_limits: classes of loss that this feed cannot reveal, for people to read.
        addresses: beginnings of `host/path` by which a recorded URL is known to be this venue's;
            of two venues the longer beginning wins.
        sequence_reorder_max: how many frames late a number of the connection's count may come.
        routed: later messages mean their subscription by a reference that its answer gave.
        levels_by_id: levels are named by ids (see `BookDelta.level_ids`).
        history_first: channels whose first message after subscribing repeats the past, unmarked.
        may_cross: the exchange sends books that are crossed for a moment; no fault.
        numbers_may_be_absent: older recordings of it carry none of the numbers that `continuity`
            names. A book whose snapshot has a checksum in place of a number rests on checksums.
        login_optional: public connections log in too where keys are at hand, and do without them.
        rest_requests_per_minute: HTTP requests that we allow ourselves per host.
    """

    channels: frozenset[Channel]
    default_channels: tuple[Channel, ...]
    continuity: Continuity
    snapshot_source: SnapshotSource
    sequence_scope: SequenceScope = SequenceScope.SYMBOL
    rest_resync: bool = False
    bridge: BridgeRule | None = None
    checksum: ChecksumRule | None = None
    depths: tuple[int, ...] = ()
    depth: int | None = None
    depth_keeper: DepthKeeper = DepthKeeper.NOBODY
    quote_shares_sequence: bool = False
    stale_limits_s: Mapping[Channel, float] = field(default_factory=lambda: STALE_LIMITS_S)
    keepalive: Keepalive = Keepalive()
    limits: ConnectionLimits = ConnectionLimits()
    detection_limits: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    sequence_reorder_max: int = 0
    routed: bool = False
    levels_by_id: bool = False
    history_first: frozenset[Channel] = frozenset()
    may_cross: bool = False
    numbers_may_be_absent: bool = False
    login_optional: bool = False
    rest_requests_per_minute: int = 20

    @property
    def loss_detection(self) -> LossDetection:
        """What the numbers and checksums declared here can show."""
        if (
            self.continuity is not Continuity.NONE
            or self.sequence_scope is SequenceScope.CONNECTION
        ):
            return LossDetection.EVERY_MESSAGE
        return LossDetection.NONE if self.checksum is None else LossDetection.CHECKED_LEVELS

    @property
    def loss_size(self) -> LossSize | None:
        """In what a noticed loss is counted; None where none is noticed."""
        if self.loss_detection is LossDetection.NONE:
            return None
        if self.continuity is Continuity.COUNTER or self.sequence_scope is SequenceScope.CONNECTION:
            return LossSize.MESSAGES
        return LossSize.UPDATES if self.continuity is Continuity.ID_RANGE else LossSize.UNKNOWN
