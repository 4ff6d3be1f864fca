"""HTX spot.

Books are at `/feed`, all other market data at `/ws`, one's own account at `/ws/v2`: up to three
connections. A book is asked for on the connection of its messages, right behind its subscription;
the procedure is in `market`. The exchange pings every 5 s and hangs up on those that do not answer.

Sources: HTX, "Market By Price (incremental update)", "WebSocket v2 authentication", "Subscribe
order updates", "Subscribe account change".
"""

from __future__ import annotations

import json
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
from venues.htx import account, market, rest
from venues.htx.answer import ANSWER, answer_notice, quick_notice, reply_text
from venues.htx.dialect import HtxDialect
from venues.htx.signing import SPOT_HOST, signature, spot_parameters, utc_text
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    BridgeRule,
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

BOOK_PATH, MARKET_PATH, ACCOUNT_PATH = "/feed", "/ws", "/ws/v2"
_PATHS = (BOOK_PATH, MARKET_PATH, ACCOUNT_PATH)
DEPTHS = (5, 20, 150, 400)

_HTTP = FrameKind.HTTP
_SYMBOL = re.compile(r"[a-z0-9]+")
_TOPICS_PER_CONNECTION = 100
_WORDS = {Channel.TRADES: "trade.detail", Channel.QUOTES: "bbo", Channel.TICKERS: "detail"}
_PRIVATE_TOPICS = {Channel.ORDER: "orders#*", Channel.WALLET: "accounts.update#2"}


@dataclass(frozen=True, slots=True)
class HtxSpot(Venue):
    """HTX' spot market."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return HtxDialect(_PATHS, (ACCOUNT_PATH,), SPOT_HOST)

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for books, for other market data and for one's own account."""
        public, private, symbols, depth = checked_request(self, request, _SYMBOL, str.lower)
        plans: list[ConnectionPlan] = []
        if public:
            others = [channel for channel in public if channel is not Channel.BOOK]
            topics = [_topics(others, symbol) for symbol in symbols]
            line = _line(self.name, MARKET_PATH, request, None)
            plans += plan_line(line, topics, _fits, subscribe_messages)
        if Channel.BOOK in public:
            books = [
                [Topic(Subscription(Channel.BOOK, symbol), f"market.{symbol}.mbp.{depth}")]
                for symbol in symbols
            ]
            line = _line(f"{self.name}/feed", BOOK_PATH, request, depth)
            plans += plan_line(line, books, _fits, _book_messages)
        if private:
            own = [
                Topic(Subscription(channel, ""), _PRIVATE_TOPICS[channel]) for channel in private
            ]
            line = _line(f"{self.name}/private", ACCOUNT_PATH, request, None)
            plans += plan_line(line, [own], _fits, _private_messages)
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
        parameters = spot_parameters(keys.key, utc_text(time_ms))
        signed = signature(keys.secret, SPOT_HOST, ACCOUNT_PATH, parameters)
        said = {"authType": "api", **parameters, "signature": signed}
        return Login(plan.url, message=message_text(action="req", ch="auth", params=said))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return the request for the book as it is now; the subscription goes on."""
        return [_book_request(f"market.{symbol}.mbp.{plan.depth}", f"fresh-{symbol}")]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        return [
            HttpRequest(
                f"{plan.rest_url}{rest.SPOT_PATH}?symbols={symbol}", symbol, Purpose.INSTRUMENTS
            )
            for symbol in sorted({one.symbol for one in plan.subscriptions if one.symbol})
        ]

    def reply(self, payload: bytes) -> str | None:
        """Return the pong to a ping."""
        return reply_text(payload)

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `btcusdt`; perpetuals are at another venue of the exchange."""
        return None if pair.perpetual else f"{pair.base}{pair.quote}".lower()

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
        if answer.rep is not None and answer.status == "ok":
            return market.requested_events(content, receive_time_ns)
        notice = answer_notice(answer, receive_time_ns)
        if notice is not None:
            return (notice,)
        if answer.ch is None:
            raise DecodeError(self.name, "it has neither a channel nor is it an answer", content)
        if answer.action == "push":
            return account.account_events(content, answer.ch, receive_time_ns)
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
        return rest.pair_events(answer.body, frame.receive_time_ns)


def message_text(**body: object) -> str:
    """Return the text of a message."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def subscribe_messages(topics: Sequence[str]) -> list[str]:
    """Return a request for each topic of market data."""
    return [
        message_text(sub=topic, id=f"subscribe-{number}")
        for number, topic in enumerate(topics, start=1)
    ]


def _book_request(topic: str, request_id: str) -> str:
    return message_text(req=topic, id=request_id)


def _book_messages(topics: Sequence[str]) -> list[str]:
    """Return the subscriptions, and behind them the requests for the books."""
    requests = [
        _book_request(topic, f"book-{number}") for number, topic in enumerate(topics, start=1)
    ]
    return subscribe_messages(topics) + requests


def _private_messages(topics: Sequence[str]) -> list[str]:
    return [message_text(action="sub", ch=topic) for topic in topics]


def _topics(channels: Sequence[Channel], symbol: str) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), f"market.{symbol}.{_WORDS[channel]}")
        for channel in channels
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _line(stream: str, path: str, request: StreamRequest, depth: int | None) -> Line:
    return Line(
        stream=stream,
        url=websocket_url(f"wss://{SPOT_HOST}{path}", request.url, _PATHS),
        rest_url=rest_url(f"https://{SPOT_HOST}", request.url),
        depth=depth,
        private=path == ACCOUNT_PATH,
    )


SPOT = HtxSpot(
    name="htx",
    traits=VenueTraits(
        channels=frozenset((Channel.BOOK, *_WORDS, *_PRIVATE_TOPICS)),
        default_channels=(Channel.BOOK, Channel.TRADES),
        continuity=Continuity.CHAIN,
        snapshot_source=SnapshotSource.REQUESTED,
        bridge=BridgeRule(drop_below=1, joins_at=0),
        depths=DEPTHS,
        depth=150,
        depth_keeper=DepthKeeper.VENUE,
        # A pair that nobody trades sends nothing; the exchange's pings show that it lives: every
        # 5 s, and every 20 s for one's own account.
        stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 300.0},
        keepalive=Keepalive(silence_limit_s=45.0),
        # Faster requests for books are refused (`429 too many request`).
        limits=ConnectionLimits(message_interval_s=0.1),
        detection_limits=(
            "The exchange sends no checksum: a wrong level inside an unbroken chain cannot be "
            "seen.",
            "Of depth.step0, which is read and never asked for, only whole books are sent: a lost "
            "one cannot be seen, and none is ever called proven.",
            "Trades carry no contiguous number: a lost trade cannot be seen.",
        ),
        addresses=("api.huobi.pro/", "api-aws.huobi.pro/", "api.htx.com/"),
    ),
)
