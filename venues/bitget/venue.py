"""Bitget today: the v3 protocol of the unified account, public data of which need no account.

A book begins with a snapshot on the socket, and subscribing anew brings a fresh one. Recordings of
v2 are read as well, but nothing is asked for in it: its books name no predecessor, those of v3 do.
The messages, and the rules by which they are read, are in `market`, `classic_market`, `account`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from venues.address import rest_url, websocket_url
from venues.bitget.account import ACCOUNT_READERS
from venues.bitget.classic_market import CLASSIC_READERS
from venues.bitget.instrument import instrument_events, instruments_path
from venues.bitget.market import MARKET_READERS
from venues.bitget.spelling import spelled, split_symbol, stream_name, topic_of
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError, UnknownChannelError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_arg_dialect import ArgDialect, RefusalCodes
from venues.op_arg_objects import (
    BOOK_CHECKSUM,
    PING,
    Arg,
    Reader,
    Speech,
    login_message,
    read_notice,
    resubscribe_messages,
    routed_events,
    subscribe_messages,
)
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

PUBLIC_PATH = "/v3/ws/public"
PRIVATE_PATH = "/v3/ws/private"
LOGIN_PATH = "/user/verify"

LOGIN_CODES = frozenset(("30005", "30011", "30012", "30013", "30014", "30015"))
"""The codes of errors that speak of a login: its key, passphrase, time or signature."""
REFUSAL_CODES = RefusalCodes(login=30005, stream=30001, request=30002)

CONNECTION_LIMITS = ConnectionLimits(
    # 80 % of the 300 connects in 5 minutes that are allowed, and half of the 10 messages a second.
    connects_max=240,
    connects_window_s=300.0,
    lifetime_s=86_400.0,
    message_interval_s=0.2,
)
ARGS_PER_MESSAGE = 50
TOPICS_PER_CONNECTION = 50
"""More than 50 streams a connection are advised against."""

_TOPICS = {
    Channel.BOOK: "books",
    Channel.TRADES: "publicTrade",
    Channel.QUOTES: "books1",
    Channel.TICKERS: "ticker",
    Channel.LIQUIDATIONS: "liquidation",
    Channel.ORDER: "order",
    Channel.POSITION: "position",
    Channel.WALLET: "account",
}
_PERPETUALS = {
    "USDT": "usdt-futures:{base}USDT",
    "USDC": "usdc-futures:{base}PERP",
    "USD": "coin-futures:{base}USD",
}
_SYMBOL = re.compile(r"(?:(?:usdt|usdc|coin)-futures:)?[A-Z0-9]+(?:[-_][A-Z0-9]+)?")
_TOPIC_KEY = b'"topic":"'
_CHANNEL_KEY = b'"channel":"'
_READERS: Mapping[bytes, Reader] = {**MARKET_READERS, **ACCOUNT_READERS}
_HTTP = FrameKind.HTTP


class _RestHead(msgspec.Struct, gc=False):
    code: str
    message: str = msgspec.field(name="msg", default="")


_REST_HEAD = msgspec.json.Decoder(_RestHead)

SPEECH = Speech(topic_of, LOGIN_CODES)
DIALECT = ArgDialect(
    public_paths=(PUBLIC_PATH, "/v2/ws/public"),
    private_paths=(PRIVATE_PATH, "/v2/ws/private"),
    login_path=LOGIN_PATH,
    accepted=0,
    codes=REFUSAL_CODES,
    topic_of=topic_of,
)


@dataclass(frozen=True, slots=True)
class Bitget(Venue):
    """Bitget, spot and contracts."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return DIALECT

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, of 50 topics each, and one for one's own account."""
        public, private, symbols, depth = checked_request(self, request, _SYMBOL, spelled)
        plans: list[ConnectionPlan] = []
        if public:
            line = self._line(self.name, PUBLIC_PATH, request, depth)
            topics = [_symbol_topics(public, symbol, depth) for symbol in symbols]
            plans += plan_line(line, topics, _fits, _messages)
            if not plans:  # liquidations alone, of what is never liquidated
                offered = self.traits.channels - {Channel.LIQUIDATIONS}
                raise UnknownChannelError(self.name, public[0], offered)
        if private:
            line = self._line(f"{self.name}/private", PRIVATE_PATH, request, None)
            own = [Topic(Subscription(one, ""), f"UTA/{_TOPICS[one]}/") for one in private]
            plans += plan_line(line, [own], _fits, _messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login message of a private plan, whose time is in seconds.

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        time_text = str(time_ms // 1000)
        return Login(plan.url, message=login_message(self.name, credentials, time_text, LOGIN_PATH))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if Subscription(Channel.BOOK, symbol) not in plan.subscriptions:
            return []
        return resubscribe_messages(_arg(_topic_text(Channel.BOOK, symbol, plan.depth)))

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [
            HttpRequest(plan.rest_url + instruments_path(symbol), symbol, Purpose.INSTRUMENTS)
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTCUSDT`, or `usdt-futures:BTCUSDT` for a perpetual."""
        if not pair.perpetual:
            return pair.base + pair.quote
        spelling = _PERPETUALS.get(pair.quote)
        return None if spelling is None else spelling.format(base=pair.base)

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        reader = MARKET_READERS.get(stream_name(payload, _TOPIC_KEY))
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
            return instrument_events(answer.body, frame.receive_time_ns)
        raise DecodeError(self.name, "no book by HTTP is read here", answer.body)

    def _line(self, stream: str, path: str, request: StreamRequest, depth: int | None) -> Line:
        own_paths = (*DIALECT.public_paths, *DIALECT.private_paths)
        return Line(
            stream=stream,
            url=websocket_url(f"wss://ws.bitget.com{path}", request.url, own_paths),
            rest_url=rest_url("https://api.bitget.com", request.url),
            depth=depth,
            private=path == PRIVATE_PATH,
        )


def rest_refusal(answer: HttpAnswer, receive_time_ns: int) -> Notice | None:
    """Return the notice that an answer by HTTP is where it refuses.

    Raises:
        msgspec.MsgspecError: it is no answer of the exchange's.
    """
    head = _REST_HEAD.decode(answer.body)
    if head.code == "00000":
        return None
    said = f"no {answer.purpose}: {head.message} (code {head.code})"
    return Notice(answer.symbol, receive_time_ns, None, NoticeKind.INFORMATION, said)


def _topic_text(channel: Channel, symbol: str, depth: int | None) -> str:
    kind, name = split_symbol(symbol, "spot")
    if channel is Channel.LIQUIDATIONS:
        return f"{kind}/liquidation/"
    stream = f"books{depth or ''}" if channel is Channel.BOOK else _TOPICS[channel]
    return f"{kind}/{stream}/{name}"


def _symbol_topics(channels: Sequence[Channel], symbol: str, depth: int | None) -> list[Topic]:
    spot = ":" not in symbol
    return [
        Topic(Subscription(channel, symbol), _topic_text(channel, symbol, depth))
        for channel in channels
        if not (spot and channel is Channel.LIQUIDATIONS)
    ]


def _arg(topic: str) -> Mapping[str, str]:
    kind, stream, name = topic.split("/")
    arg = {"instType": kind, "topic": stream}
    return {**arg, "symbol": name} if name else arg


def _fits(topics: Sequence[str]) -> bool:
    return len(set(topics)) <= TOPICS_PER_CONNECTION


def _messages(topics: Sequence[str]) -> list[str]:
    return subscribe_messages(topics, _arg, ARGS_PER_MESSAGE)


def _reader_of(arg: Arg) -> Reader | None:
    if arg.topic:
        return _READERS.get(arg.topic.encode())
    return CLASSIC_READERS.get(arg.channel.encode())


_DEFAULT = (Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS)
_PRIVATE = (Channel.ORDER, Channel.POSITION, Channel.WALLET)

BITGET = Bitget(
    "bitget",
    VenueTraits(
        channels=frozenset((*_DEFAULT, Channel.QUOTES, Channel.TICKERS, *_PRIVATE)),
        default_channels=_DEFAULT,
        continuity=Continuity.CHAIN,
        snapshot_source=SnapshotSource.IN_BAND,
        checksum=BOOK_CHECKSUM,
        numbers_may_be_absent=True,
        depths=(5, 50),
        depth_keeper=DepthKeeper.VENUE,
        stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 300.0},
        keepalive=Keepalive(message=PING),
        limits=CONNECTION_LIMITS,
        detection_limits=(
            "v3 books have no checksum (it is always 0): a wrong level inside an unbroken chain "
            "cannot be seen.",
            "Books of depth 5 and 50 are whole each time: a lost one cannot be seen, and none is "
            "ever called proven.",
            "Books of v2 recordings are not chained and are held to their checksums alone: a lost "
            "message that changes none of the 25 best levels a side cannot be seen.",
            "Trades carry no contiguous number: a lost trade cannot be seen.",
            "Of liquidations the largest a side, instrument and second is sent, without a number: "
            "a lost one cannot be seen. They come for all instruments of a type.",
        ),
        addresses=(
            *("ws.bitget.com/v3/ws", "ws.bitget.com/v2/ws"),
            *("api.bitget.com/api/v3", "api.bitget.com/api/v2"),
        ),
    ),
)
