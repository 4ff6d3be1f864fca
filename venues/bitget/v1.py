"""Bitget's v1 protocol, in which the recordings of 2022 speak. The exchange no longer does.

A book begins with a snapshot on the socket, and subscribing anew brings a fresh one; nothing is
numbered, each message has a checksum. The messages, and the rules by which they are read, are in
`classic_market`. Its private streams are not offered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.bitget.classic_market import CLASSIC_READERS
from venues.bitget.instrument import v1_spot_events, v1_spot_path
from venues.bitget.spelling import spelled, split_symbol, stream_name, topic_of
from venues.bitget.venue import (
    ARGS_PER_MESSAGE,
    CONNECTION_LIMITS,
    LOGIN_PATH,
    REFUSAL_CODES,
    SPEECH,
    rest_refusal,
)
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_arg_dialect import ArgDialect
from venues.op_arg_objects import (
    BOOK_CHECKSUM,
    PING,
    Arg,
    Reader,
    read_notice,
    resubscribe_messages,
    routed_events,
    subscribe_messages,
)
from venues.pair import Pair
from venues.stream_request import (
    checked_channels,
    checked_depth,
    checked_symbols,
    require_symbols,
)
from venues.traits import (
    Continuity,
    DepthKeeper,
    Keepalive,
    SnapshotSource,
    VenueTraits,
)
from venues.venue import (
    ConnectionPlan,
    Dialect,
    HttpRequest,
    Purpose,
    StreamRequest,
    Venue,
)

PATHS: Mapping[str, str] = {"sp": "/spot/v1/stream", "mc": "/mix/v1/stream"}
"""By `instType`: spot, and contracts of all sorts."""

_CHANNELS = {Channel.TRADES: "trade", Channel.TICKERS: "ticker"}
_SYMBOL = re.compile(r"(?:mc:)?[A-Z0-9]+")
_CHANNEL_KEY = b'"channel":"'
_TOPICS_PER_CONNECTION = 200
_HTTP = FrameKind.HTTP

DIALECT = ArgDialect(
    public_paths=tuple(PATHS.values()),
    private_paths=(),
    login_path=LOGIN_PATH,
    accepted=0,
    codes=REFUSAL_CODES,
    topic_of=topic_of,
)


@dataclass(frozen=True, slots=True)
class BitgetV1(Venue):
    """Bitget as it spoke in 2022, spot and contracts."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return DIALECT

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for spot and for contracts, as the symbols ask for."""
        channels = checked_channels(self.name, request, self.traits)
        depth = checked_depth(self.name, request, self.traits)
        symbols = checked_symbols(self, request, _SYMBOL, spelled)
        require_symbols(self.name, symbols)
        plans: list[ConnectionPlan] = []
        for kind, path in PATHS.items():
            topics = [
                [
                    Topic(Subscription(one, symbol), _topic_text(one, symbol, depth))
                    for one in channels
                ]
                for symbol in symbols
                if split_symbol(symbol, "sp")[0] == kind
            ]
            line = Line(
                stream=self.name if kind == "sp" else f"{self.name}/mix",
                url=websocket_url(f"wss://ws.bitget.com{path}", request.url, PATHS.values()),
                rest_url=rest_url("https://api.bitget.com", request.url),
                depth=depth,
            )
            plans += plan_line(line, topics, _fits, _messages)
        return plans

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if Subscription(Channel.BOOK, symbol) not in plan.subscriptions:
            return []
        return resubscribe_messages(_arg(_topic_text(Channel.BOOK, symbol, plan.depth)))

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each spot symbol; of contracts only all could be asked for."""
        symbols = sorted({one.symbol for one in plan.subscriptions if ":" not in one.symbol})
        return [
            HttpRequest(plan.rest_url + v1_spot_path(symbol), symbol, Purpose.INSTRUMENTS)
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTCUSDT`, or `mc:BTCUSDT` for a perpetual."""
        if not pair.perpetual:
            return pair.base + pair.quote
        return f"mc:{pair.base}{pair.quote}" if pair.quote in ("USDT", "USD") else None

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        reader = CLASSIC_READERS.get(stream_name(payload, _CHANNEL_KEY))
        if reader is not None:
            return reader(payload, frame.receive_time_ns)
        if frame.kind is _HTTP:
            return self._http_events(frame)
        return routed_events(self.name, payload, frame.receive_time_ns, SPEECH, _reader_of)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        return read_notice(payload, SPEECH)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        refusal = rest_refusal(answer, frame.receive_time_ns)
        if refusal is not None:
            return (refusal,)
        if answer.purpose is Purpose.INSTRUMENTS:
            return v1_spot_events(answer.body, frame.receive_time_ns)
        raise DecodeError(self.name, "no book by HTTP is read in v1", answer.body)


def _topic_text(channel: Channel, symbol: str, depth: int | None) -> str:
    kind, name = split_symbol(symbol, "sp")
    stream = f"books{depth or ''}" if channel is Channel.BOOK else _CHANNELS[channel]
    return f"{kind}/{stream}/{name}"


def _arg(topic: str) -> Mapping[str, str]:
    kind, channel, name = topic.split("/")
    return {"instType": kind.upper(), "channel": channel, "instId": name}


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _messages(topics: Sequence[str]) -> list[str]:
    return subscribe_messages(topics, _arg, ARGS_PER_MESSAGE)


def _reader_of(arg: Arg) -> Reader | None:
    return CLASSIC_READERS.get(arg.channel.encode())


BITGET_V1 = BitgetV1(
    "bitget-v1",
    VenueTraits(
        channels=frozenset((Channel.BOOK, Channel.TRADES, Channel.TICKERS)),
        default_channels=(Channel.BOOK, Channel.TRADES),
        continuity=Continuity.NONE,
        snapshot_source=SnapshotSource.IN_BAND,
        checksum=BOOK_CHECKSUM,
        depths=(5, 15),
        depth_keeper=DepthKeeper.VENUE,
        stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 300.0},
        keepalive=Keepalive(message=PING),
        limits=CONNECTION_LIMITS,
        detection_limits=(
            "Nothing is numbered: a lost message that changes none of the 25 best levels a side "
            "cannot be seen, and a lost trade or ticker neither.",
            "The exchange no longer speaks this protocol: it is here for recordings.",
        ),
        addresses=(
            *("ws.bitget.com/spot/v1", "ws.bitget.com/mix/v1"),
            *("api.bitget.com/api/spot/v1", "api.bitget.com/api/mix/v1"),
        ),
    ),
)
