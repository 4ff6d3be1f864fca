"""Gemini's Market Data version 2, which the exchange has archived and still answers.

Procedure of the exchange:

1. `l2` brings book and trades of a symbol both: one cannot be had without the other.
2. The first `l2_updates` of a symbol is the whole book. Subscribing anew brings another.
3. Nothing is numbered: a lost message cannot be seen, and no book is ever called proven.
4. A heartbeat comes every 5 s. A subscription has no answer but its data.

The messages, and the rules by which they are read, are in `v2_market`. Source: Gemini, Market Data
version 2 (archived).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.event import NO_ROUTES, Event, Notice, Routes
from venues.frame import Frame, FrameKind
from venues.gemini import v2_market as market
from venues.gemini.streams import REST_URL, details_request
from venues.gemini.streams_market import instrument_events
from venues.gemini.v2_dialect import PATH, V2Dialect
from venues.http_answer import HttpAnswer, read_http_answer
from venues.pair import Pair
from venues.stream_request import (
    checked_channels,
    checked_depth,
    checked_symbols,
    require_symbols,
)
from venues.traits import Continuity, Keepalive, SnapshotSource, VenueTraits
from venues.venue import ConnectionPlan, Dialect, HttpRequest, StreamRequest, Venue

_NAME = "gemini-v2"
_WORDS = {Channel.BOOK: "l2", Channel.TRADES: "l2", Channel.TICKERS: "mark_price"}
_SYMBOL = re.compile(r"[A-Z0-9]+")
_TOPICS_PER_CONNECTION = 100
_MARKET_BEGINNINGS = (b'{"type":"l2_updates"', b'{"type":"trade"')
_HTTP = FrameKind.HTTP


@dataclass(frozen=True, slots=True)
class V2(Venue):
    """Gemini, as it spoke before."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return _NAME

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return V2Dialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return the connections that `request` needs."""
        channels = checked_channels(_NAME, request, self.traits)
        checked_depth(_NAME, request, self.traits)
        symbols = checked_symbols(self, request, _SYMBOL)
        require_symbols(_NAME, symbols)
        line = Line(
            stream=_NAME,
            url=websocket_url(f"wss://api.gemini.com{PATH}", request.url, (PATH,)),
            rest_url=rest_url(REST_URL, request.url),
            depth=None,
        )
        topics = [_topics(channels, symbol) for symbol in symbols]
        return plan_line(line, topics, _fits, _subscribe_messages)

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of book and trades (steps 1 and 2)."""
        return [_message(kind, {"l2": [symbol]}) for kind in ("unsubscribe", "subscribe")]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol."""
        symbols = sorted({one.symbol for one in plan.subscriptions})
        return [details_request(plan, symbol) for symbol in symbols]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTCUSD`, or `BTCUSDCPERP` for a perpetual."""
        return f"{pair.base}{pair.quote}{'PERP' if pair.perpetual else ''}"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        if frame.kind is not _HTTP:
            return market.message_events(frame.payload, frame.receive_time_ns)
        answer = read_http_answer(_NAME, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        return instrument_events(answer.body, frame.receive_time_ns, answer.symbol)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_MARKET_BEGINNINGS):
            return None
        try:
            return market.read_notice(payload)
        except (ValueError, RecursionError):
            return None


def _topics(channels: Sequence[Channel], symbol: str) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), f"{_WORDS[channel]}:{symbol}") for channel in channels
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    symbols: dict[str, list[str]] = {}
    for topic in dict.fromkeys(topics):
        word, _, symbol = topic.partition(":")
        symbols.setdefault(word, []).append(symbol)
    return [_message("subscribe", symbols)]


def _message(kind: str, symbols: dict[str, list[str]]) -> str:
    subscriptions = [{"name": word, "symbols": names} for word, names in symbols.items()]
    return json.dumps({"type": kind, "subscriptions": subscriptions}, separators=(",", ":"))


_DETECTION_LIMITS = (
    "Books carry neither numbers nor checksums: a lost message cannot be seen in them, and no book "
    "is ever called proven.",
    "Trades carry no contiguous number: a lost trade cannot be seen.",
    "A subscription has no answer: that it was taken shows in its data alone.",
)

_TRAITS = VenueTraits(
    channels=frozenset(_WORDS),
    default_channels=(Channel.BOOK, Channel.TRADES),
    continuity=Continuity.NONE,
    snapshot_source=SnapshotSource.IN_BAND,
    stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 600.0},
    # Heartbeats come every 5 s.
    keepalive=Keepalive(silence_limit_s=20.0),
    detection_limits=_DETECTION_LIMITS,
    addresses=("api.gemini.com/v2/marketdata",),
)
MARKET_DATA = V2(_TRAITS)
