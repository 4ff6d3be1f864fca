"""HTX' perpetual swaps: linear ones (BTC-USDT) and inverse ones (BTC-USD).

The two kinds have an endpoint each for market data, and another one each for notifications, where
liquidations are: up to four connections. A book begins on the socket; the procedure is in `market`.
The exchange pings and hangs up on those that do not answer: `{"ping":…}` for market data,
`{"op":"ping"}` for notifications.

Of one's own account the notifications of USDT cross margin are offered.

Sources: HTX, "Subscribe Incremental Market Depth Data", "Subscribe Liquidation Order Data",
"[Cross] Subscribe Order Data", "[Cross] Subscribe Position Updates".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.compression import unpacked
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.htx import market, rest
from venues.htx.answer import ANSWER, answer_notice, quick_notice, reply_text
from venues.htx.dialect import HtxDialect
from venues.htx.notification import notification_events
from venues.htx.signing import SWAP_HOST, signature, swap_parameters, utc_text
from venues.htx.spot import message_text, subscribe_messages
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import (
    checked_channels,
    checked_depth,
    checked_symbols,
    require_symbols,
)
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

LINEAR_PATH, INVERSE_PATH = "/linear-swap-ws", "/swap-ws"
LINEAR_NOTICE_PATH, INVERSE_NOTICE_PATH = "/linear-swap-notification", "/swap-notification"
_PATHS = (LINEAR_PATH, INVERSE_PATH, LINEAR_NOTICE_PATH, INVERSE_NOTICE_PATH)
DEPTHS = (20, 150)

_HTTP = FrameKind.HTTP
_SYMBOL = re.compile(r"[A-Z0-9]+-[A-Z0-9]+(?:-[A-Z0-9]+)?")
_TOPICS_PER_CONNECTION = 100
_WORDS = {
    Channel.BOOK: "depth.size_{depth}.high_freq",
    Channel.TRADES: "trade.detail",
    Channel.QUOTES: "bbo",
    Channel.TICKERS: "detail",
}
_PRIVATE_TOPICS = {
    Channel.ORDER: "orders_cross.*",
    Channel.POSITION: "positions_cross.*",
    Channel.WALLET: "accounts_cross.*",
}


@dataclass(frozen=True, slots=True)
class HtxSwap(Venue):
    """HTX' perpetual swaps of both kinds."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return HtxDialect(_PATHS, (LINEAR_NOTICE_PATH, INVERSE_NOTICE_PATH), SWAP_HOST)

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, for liquidations and for one's own account."""
        channels = checked_channels(self.name, request, self.traits)
        depth = checked_depth(self.name, request, self.traits)
        symbols = checked_symbols(self, request, _SYMBOL)
        public = [channel for channel in channels if channel in _WORDS]
        liquidations = Channel.LIQUIDATIONS in channels
        private = [channel for channel in channels if channel.private]
        if public or liquidations:
            require_symbols(self.name, symbols)
        plans: list[ConnectionPlan] = []
        for kind, path, notice_path in (
            ("", LINEAR_PATH, LINEAR_NOTICE_PATH),
            ("/inverse", INVERSE_PATH, INVERSE_NOTICE_PATH),
        ):
            named = [symbol for symbol in symbols if _inverse(symbol) is bool(kind)]
            stream = f"{self.name}{kind}"
            topics = [_topics(public, symbol, depth) for symbol in named]
            line = _line(stream, path, request, depth)
            plans += plan_line(line, topics, _fits, _market_messages)
            if liquidations:
                forced = [[_liquidations(symbol)] for symbol in named]
                line = _line(f"{stream}/liquidations", notice_path, request, None)
                plans += plan_line(line, forced, _fits, _notification_messages)
        if private:
            own = [
                Topic(Subscription(channel, ""), _PRIVATE_TOPICS[channel]) for channel in private
            ]
            line = _line(f"{self.name}/private", LINEAR_NOTICE_PATH, request, None, private=True)
            plans += plan_line(line, [own], _fits, _notification_messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the signed login of a private plan.

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(self.name, credentials)
        parameters = swap_parameters(keys.key, utc_text(time_ms))
        signed = signature(keys.secret, SWAP_HOST, LINEAR_NOTICE_PATH, parameters)
        text = message_text(op="auth", type="api", cid="login", **parameters, Signature=signed)
        return Login(plan.url, message=text)

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if plan.depth is None:
            return []
        topic = _topic(Channel.BOOK, symbol, plan.depth)
        return [
            message_text(unsub=topic, data_type="incremental", id=f"fresh-{symbol}-off"),
            message_text(sub=topic, data_type="incremental", id=f"fresh-{symbol}-on"),
        ]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        requests: list[HttpRequest] = []
        for symbol in sorted({one.symbol for one in plan.subscriptions if one.symbol}):
            path = rest.INVERSE_PATH if _inverse(symbol) else rest.LINEAR_PATH
            url = f"{plan.rest_url}{path}?contract_code={symbol}"
            requests.append(HttpRequest(url, symbol, Purpose.INSTRUMENTS))
        return requests

    def reply(self, payload: bytes) -> str | None:
        """Return the pong to a ping."""
        return reply_text(payload)

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC-USDT` or `BTC-USD` for a perpetual."""
        if not pair.perpetual or pair.quote not in ("USDT", "USD"):
            return None
        return f"{pair.base}-{pair.quote}"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        if frame.kind is _HTTP:
            return self._http_events(frame)
        content = unpacked(frame.payload)
        if content.startswith(b'{"ch":"market.'):
            return market.market_events(content, frame.receive_time_ns)
        return self._other_events(content, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        return quick_notice(payload)

    def _other_events(self, content: bytes, receive_time_ns: int) -> Sequence[Event]:
        answer = ANSWER.decode(content)
        if answer.op == "notify" and answer.topic is not None:
            return notification_events(content, answer.topic, receive_time_ns)
        notice = answer_notice(answer, receive_time_ns)
        if notice is not None:
            return (notice,)
        if answer.ch is None:
            raise DecodeError(self.name, "it has neither a channel nor is it an answer", content)
        if answer.ch.startswith("market."):
            return market.market_events(content, receive_time_ns)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, answer.ch),)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        refusal = rest.refusal_notice(answer, frame.receive_time_ns)
        if refusal is not None:
            return (refusal,)
        if answer.purpose is not Purpose.INSTRUMENTS:
            raise DecodeError(self.name, "books are not asked for by HTTP", answer.body)
        return rest.contract_events(answer.body, frame.receive_time_ns)


def _inverse(symbol: str) -> bool:
    return symbol.split("-")[1] == "USD"


def _topic(channel: Channel, symbol: str, depth: int | None) -> str:
    return f"market.{symbol}.{_WORDS[channel].format(depth=depth)}"


def _topics(channels: Sequence[Channel], symbol: str, depth: int | None) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), _topic(channel, symbol, depth)) for channel in channels
    ]


def _liquidations(symbol: str) -> Topic:
    return Topic(Subscription(Channel.LIQUIDATIONS, symbol), f"public.{symbol}.liquidation_orders")


def _market_messages(topics: Sequence[str]) -> list[str]:
    """Return a request for each topic; books come as changes only to those who say so."""
    plain = subscribe_messages(topics)
    return [
        text[:-1] + ',"data_type":"incremental"}' if topic.endswith(".high_freq") else text
        for topic, text in zip(topics, plain, strict=True)
    ]


def _notification_messages(topics: Sequence[str]) -> list[str]:
    return [
        message_text(op="sub", cid=f"subscribe-{number}", topic=topic)
        for number, topic in enumerate(topics, start=1)
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _line(
    stream: str, path: str, request: StreamRequest, depth: int | None, *, private: bool = False
) -> Line:
    return Line(
        stream=stream,
        url=websocket_url(f"wss://{SWAP_HOST}{path}", request.url, _PATHS),
        rest_url=rest_url(f"https://{SWAP_HOST}", request.url),
        depth=depth,
        private=private,
    )


SWAP = HtxSwap(
    name="htx-swap",
    traits=VenueTraits(
        channels=frozenset((*_WORDS, Channel.LIQUIDATIONS, *_PRIVATE_TOPICS)),
        default_channels=(Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS),
        continuity=Continuity.COUNTER,
        snapshot_source=SnapshotSource.IN_BAND,
        depths=DEPTHS,
        depth=150,
        depth_keeper=DepthKeeper.VENUE,
        # A contract that nobody trades sends nothing; the exchange's pings show that it lives.
        stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 300.0},
        keepalive=Keepalive(silence_limit_s=45.0),
        limits=ConnectionLimits(message_interval_s=0.05),
        history_first=frozenset({Channel.TRADES}),
        detection_limits=(
            "The exchange sends no checksum: a wrong level inside an unbroken count cannot be "
            "seen.",
            "Of depth.step0, which is read and never asked for, only whole books are sent: a lost "
            "one cannot be seen, and none is ever called proven.",
            "Trades and liquidations carry no contiguous number: a lost one cannot be seen.",
        ),
        addresses=("api.hbdm.com/", "api.hbdm.vn/", "futures.huobi.com/"),
    ),
)
