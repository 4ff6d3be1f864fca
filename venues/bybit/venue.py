"""Bybit v5: spot, linear and inverse, each an instance of one class.

The book needs no REST: a snapshot comes on the socket after subscribing, and subscribing anew
brings a fresh one. The messages, and the rules by which they are read, are in `market`.

A request is answered as a whole, and one topic that cannot be had refuses all that stand beside it
(a probe of 2026-09-05 in ccxt/ccxt, issue 30284): each symbol is asked for by a message of its own.
So spot's limit of ten topics a message is never met. Another probe (2026-09-28) sent 200 such
messages at once, and all were taken; no rate is documented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from venues.account_rows import ACCOUNT_READERS
from venues.address import rest_url, websocket_url
from venues.bybit import market
from venues.bybit.dialect import PRIVATE_PATH, BybitDialect, signed_text
from venues.bybit.instrument import instrument_events, instruments_path
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import PING, answer_notice, op_message, required_keys, signature
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    ConnectionLimits,
    Continuity,
    DepthKeeper,
    Keepalive,
    SnapshotSource,
    VenueTraits,
)
from venues.venue import (
    ConnectionPlan,
    Credentials,
    Dialect,
    HttpRequest,
    Login,
    Purpose,
    StreamRequest,
    Venue,
)

DEPTHS = (1, 50, 200, 1000)

_BOOK_BEGINNINGS = tuple(f'{{"topic":"orderbook.{depth}.'.encode() for depth in DEPTHS)
_TRADE_BEGINNING = b'{"topic":"publicTrade.'
_MARKET_BEGINNING = b'{"topic":"'

_TOPICS = {
    Channel.BOOK: "orderbook.{depth}",
    Channel.TRADES: "publicTrade",
    Channel.LIQUIDATIONS: "allLiquidation",
    Channel.TICKERS: "tickers",
}
_TRADE_TOPIC = re.compile(r"publicTrade\.[^.]+|trade\.(?:spot|linear|inverse)\.[^.]+")
_BOOK_TOPIC = re.compile(r"orderbook\.[0-9]+\.[^.]+")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9-]*")

_ARGS_CHARACTERS_MAX = 21_000
_SIGNATURE_LIFETIME_MS = 10_000
_HTTP = FrameKind.HTTP


class _TopicHead(msgspec.Struct, gc=False):
    topic: str | None = None


_TOPIC_HEAD = msgspec.json.Decoder(_TopicHead)


@dataclass(frozen=True, slots=True)
class Bybit(Venue):
    """One of Bybit's venues. All that differs between them is data."""

    category: str
    traits: VenueTraits
    liquidation_events: Callable[[bytes, int], Sequence[Event]]

    @property
    def name(self) -> str:
        """The registry name."""
        return f"bybit-{self.category}"

    @property
    def public_path(self) -> str:
        """Where its market data are."""
        return f"/v5/public/{self.category}"

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return BybitDialect(self.category)

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return a connection for market data and one for one's own account, as asked for.

        There are more of the former where the topics' names exceed 21,000 characters.
        """
        public, private, symbols, depth = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            line = self._line(self.name, self.public_path, request, depth)
            topics = [_topics(public, symbol, depth) for symbol in symbols]
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        if private:
            line = self._line(f"{self.name}/private", PRIVATE_PATH, request, None)
            topics = [[Topic(Subscription(channel, ""), channel.value) for channel in private]]
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        return plans

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if plan.depth is None:
            return []
        topic = _topic(Channel.BOOK, symbol, plan.depth)
        return [
            op_message("unsubscribe", [topic], f"fresh-{symbol}-off"),
            op_message("subscribe", [topic], f"fresh-{symbol}-on"),
        ]

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login message of a private plan, good for 10 s from `time_ms`.

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(self.name, credentials)
        expires_ms = time_ms + _SIGNATURE_LIFETIME_MS
        signed = signature(keys.secret, signed_text(str(expires_ms)))
        return Login(plan.url, message=op_message("auth", [keys.key, expires_ms, signed]))

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [
            HttpRequest(
                plan.rest_url + instruments_path(self.category, symbol), symbol, Purpose.INSTRUMENTS
            )
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTCUSDT`; a perpetual in USDC is `BTCPERP`."""
        if pair.perpetual is (self.category == "spot"):
            return None
        if self.category == "inverse":
            return f"{pair.base}USD" if pair.quote == "USD" else None
        if pair.perpetual and pair.quote == "USDC":
            return f"{pair.base}PERP"
        return pair.base + pair.quote if pair.quote != "USD" else None

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        if payload.startswith(_BOOK_BEGINNINGS):
            return market.book_events(payload, frame.receive_time_ns)
        if payload.startswith(_TRADE_BEGINNING):
            return market.trade_events(payload, frame.receive_time_ns)
        if frame.kind is _HTTP:
            return self._http_events(frame)
        return self._other_events(payload, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_MARKET_BEGINNING):
            return None
        try:
            return answer_notice(payload, 0, bare_is_login=False)
        except (ValueError, RecursionError):
            return None

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        topic = _TOPIC_HEAD.decode(payload).topic
        if topic is None:
            notice = answer_notice(payload, receive_time_ns, bare_is_login=False)
            if notice is None:
                raise DecodeError(self.name, "it has neither a topic nor an operation", payload)
            return (notice,)
        word = topic.partition(".")[0]
        if word in ACCOUNT_READERS:
            return ACCOUNT_READERS[word](payload, receive_time_ns, self.category)
        if _BOOK_TOPIC.fullmatch(topic):
            return market.book_events(payload, receive_time_ns)
        if _TRADE_TOPIC.fullmatch(topic):
            return market.trade_events(payload, receive_time_ns)
        if word == "allLiquidation":
            return self.liquidation_events(payload, receive_time_ns)
        if word == "tickers":
            return market.ticker_events(payload, receive_time_ns)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, topic),)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        refusal = market.rest_refusal(answer.body)
        if refusal is not None:
            time_ns = frame.receive_time_ns
            return (Notice(answer.symbol, time_ns, None, NoticeKind.INFORMATION, refusal),)
        if answer.purpose is Purpose.INSTRUMENTS:
            inverse = self.category == "inverse"
            return instrument_events(answer.body, frame.receive_time_ns, inverse=inverse)
        return (market.rest_snapshot_event(answer.body, frame.receive_time_ns),)

    def _line(self, stream: str, path: str, request: StreamRequest, depth: int | None) -> Line:
        own_paths = (self.public_path, PRIVATE_PATH)
        return Line(
            stream=stream,
            url=websocket_url(f"wss://stream.bybit.com{path}", request.url, own_paths),
            rest_url=rest_url("https://api.bybit.com", request.url),
            depth=depth,
            private=path == PRIVATE_PATH,
        )


def _topic(channel: Channel, symbol: str, depth: int | None) -> str:
    return f"{_TOPICS[channel].format(depth=depth)}.{symbol}"


def _topics(channels: Sequence[Channel], symbol: str, depth: int | None) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), _topic(channel, symbol, depth)) for channel in channels
    ]


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    """Return a message for each symbol, and for each stream of one's own account."""
    by_symbol: dict[str, list[str]] = {}
    for topic in topics:
        by_symbol.setdefault(topic.rpartition(".")[2], []).append(topic)
    return [
        op_message("subscribe", named, f"subscribe-{number}")
        for number, named in enumerate(by_symbol.values(), start=1)
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(json.dumps(topics, separators=(",", ":"))) <= _ARGS_CHARACTERS_MAX


_DETECTION_LIMITS = (
    "The v5 protocol has no checksum: a wrong level inside an unbroken sequence cannot be seen.",
    "Trades carry no contiguous number: a lost trade cannot be seen.",
    "Of books of depth 1 only snapshots are sent: a lost one cannot be seen, and none is ever "
    "called proven.",
    "RPI orders are not in these books.",
)
_LIQUIDATION_LIMITS = ("Liquidations carry no number: a lost one cannot be seen.",)
_RETIRED_ADDRESSES = {
    "spot": ("stream.bybit.com/spot",),
    "linear": ("stream.bybit.com/realtime_public",),
    "inverse": ("stream.bybit.com/realtime",),
}
"""Where the protocol before v5 was spoken: its messages are passed over, with notices."""

_PRIVATE = (Channel.ORDER, Channel.POSITION, Channel.WALLET)


def _traits(category: str) -> VenueTraits:
    derivatives = category != "spot"
    liquidations = (Channel.LIQUIDATIONS,) if derivatives else ()
    default = (Channel.BOOK, Channel.TRADES, *liquidations)
    return VenueTraits(
        channels=frozenset((*default, Channel.TICKERS, *_PRIVATE)),
        default_channels=default,
        continuity=Continuity.COUNTER,
        snapshot_source=SnapshotSource.IN_BAND,
        depths=DEPTHS,
        depth=50,
        depth_keeper=DepthKeeper.VENUE,
        keepalive=Keepalive(message=PING),
        # 80 % of the 500 connects in 5 minutes and domain that are allowed.
        limits=ConnectionLimits(connects_max=400, connects_window_s=300.0, message_interval_s=0.02),
        detection_limits=_DETECTION_LIMITS + (_LIQUIDATION_LIMITS if derivatives else ()),
        addresses=(f"stream.bybit.com/v5/public/{category}", *_RETIRED_ADDRESSES[category]),
    )


SPOT = Bybit("spot", _traits("spot"), market.linear_liquidation_events)
LINEAR = Bybit("linear", _traits("linear"), market.linear_liquidation_events)
INVERSE = Bybit("inverse", _traits("inverse"), market.inverse_liquidation_events)

VENUES = (SPOT, LINEAR, INVERSE)
