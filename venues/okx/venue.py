"""OKX v5 and OKCoin: each an instance of one class.

A book begins with a snapshot on the socket, and subscribing anew brings a fresh one. The messages,
and the rules by which they are read, are in `market` and `account`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import UnknownChannelError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.okx import market
from venues.okx.account import ACCOUNT_READERS
from venues.okx.instrument import instrument_events, instrument_type, instruments_path
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

PUBLIC_PATH = "/ws/v5/public"
BUSINESS_PATH = "/ws/v5/business"
PRIVATE_PATH = "/ws/v5/private"
LOGIN_PATH = "/users/self/verify"

LOGIN_CODES = frozenset(("60004", "60005", "60006", "60007", "60009", "60022", "60024", "60032"))
"""The codes of errors that speak of a login: its time, its key, its signature, its passphrase."""

_BOOK_CHANNELS = {5: "books5", 400: "books"}
_TICKER_CHANNELS = {
    "SPOT": ("tickers",),
    "OPTION": ("tickers", "mark-price", "open-interest"),
    "FUTURES": ("tickers", "mark-price", "open-interest"),
    "SWAP": ("tickers", "mark-price", "open-interest", "funding-rate"),
}
_PRIVATE_ARGS: Mapping[Channel, Mapping[str, str]] = {
    Channel.ORDER: {"channel": "orders", "instType": "ANY"},
    Channel.POSITION: {"channel": "positions", "instType": "ANY"},
    Channel.WALLET: {"channel": "account"},
}
_LIQUIDATED_TYPES = ("SWAP", "FUTURES")
_SYMBOL = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9._]+){1,4}")

_BOOK_BEGINNING = b'{"arg":{"channel":"books",'
_TRADE_BEGINNING = b'{"arg":{"channel":"trades",'
_QUOTE_BEGINNING = b'{"arg":{"channel":"bbo-tbt",'
_HTTP = FrameKind.HTTP

ARGS_PER_MESSAGE = 100
BOOKS_PER_CONNECTION = 25
"""Fewer than 30 books a connection are advised."""
TOPICS_PER_CONNECTION = 400


class _RestHead(msgspec.Struct, gc=False):
    code: str
    message: str = msgspec.field(name="msg", default="")


_REST_HEAD = msgspec.json.Decoder(_RestHead)


def topic_of(arg: Arg) -> str:
    """Return `channel:instId`, or `channel:instType` where all of a type is meant.

    The streams of one's account are told apart by their channel alone: what was asked for as of
    any type comes as of the type that it concerns.
    """
    if arg.channel in ACCOUNT_READERS:
        return arg.channel
    return f"{arg.channel}:{arg.instrument_id or arg.instrument_type}"


def _arg(topic: str) -> Mapping[str, str]:
    channel, _, place = topic.partition(":")
    for arg in _PRIVATE_ARGS.values():
        if arg["channel"] == channel:
            return arg
    return {"channel": channel, "instType" if place in _LIQUIDATED_TYPES else "instId": place}


@dataclass(frozen=True, slots=True)
class Okx(Venue):
    """OKX, or OKCoin. All that differs between them is data."""

    name: str
    host: str
    rest_host: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return DIALECT

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data and one for one's own account, as asked for.

        There are more of the former where more than 25 books or 400 topics are wanted.
        """
        public, private, symbols, depth = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            line = self._line(self.name, PUBLIC_PATH, request, depth)
            plans += plan_line(line, _symbol_topics(public, symbols, depth), _fits, _messages)
            if not plans:  # liquidations alone, of what is never liquidated
                offered = self.traits.channels - {Channel.LIQUIDATIONS}
                raise UnknownChannelError(self.name, public[0], offered)
        if private:
            line = self._line(f"{self.name}/private", PRIVATE_PATH, request, None)
            topics = [
                Topic(Subscription(channel, ""), _PRIVATE_ARGS[channel]["channel"])
                for channel in private
            ]
            plans += plan_line(line, [topics], _fits, _messages)
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
        message = login_message(self.name, credentials, time_text, LOGIN_PATH)
        return Login(plan.url, message=message)

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if Subscription(Channel.BOOK, symbol) not in plan.subscriptions:
            return []
        return resubscribe_messages(_arg(f"{_BOOK_CHANNELS[plan.depth or 400]}:{symbol}"))

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [
            HttpRequest(plan.rest_url + instruments_path(symbol), symbol, Purpose.INSTRUMENTS)
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC-USDT` or `BTC-USDT-SWAP`."""
        spot = f"{pair.base}-{pair.quote}"
        if not pair.perpetual:
            return spot
        return f"{spot}-SWAP" if Channel.LIQUIDATIONS in self.traits.channels else None

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        if payload.startswith(_BOOK_BEGINNING):
            return market.book_events(payload, frame.receive_time_ns)
        if payload.startswith(_TRADE_BEGINNING):
            return market.trade_events(payload, frame.receive_time_ns)
        if payload.startswith(_QUOTE_BEGINNING):
            return market.quote_events(payload, frame.receive_time_ns)
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
        head = _REST_HEAD.decode(answer.body)
        if head.code != "0":
            said = f"no {answer.purpose}: {head.message} (code {head.code})"
            time_ns = frame.receive_time_ns
            return (Notice(answer.symbol, time_ns, None, NoticeKind.INFORMATION, said),)
        if answer.purpose is Purpose.INSTRUMENTS:
            return instrument_events(answer.body, frame.receive_time_ns)
        return market.rest_snapshot_events(answer.body, answer.symbol, frame.receive_time_ns)

    def _line(self, stream: str, path: str, request: StreamRequest, depth: int | None) -> Line:
        own_paths = (PUBLIC_PATH, BUSINESS_PATH, PRIVATE_PATH)
        return Line(
            stream=stream,
            url=websocket_url(f"wss://{self.host}:8443{path}", request.url, own_paths),
            rest_url=rest_url(f"https://{self.rest_host}", request.url),
            depth=depth,
            private=path == PRIVATE_PATH,
        )


def _symbol_topics(
    channels: Sequence[Channel], symbols: Sequence[str], depth: int | None
) -> list[list[Topic]]:
    return [
        [
            Topic(Subscription(channel, symbol), text)
            for channel in channels
            for text in _topic_texts(channel, symbol, depth)
        ]
        for symbol in symbols
    ]


def _topic_texts(channel: Channel, symbol: str, depth: int | None) -> list[str]:
    kind = instrument_type(symbol)
    if channel is Channel.LIQUIDATIONS:
        return [f"liquidation-orders:{kind}"] if kind in _LIQUIDATED_TYPES else []
    if channel is Channel.TICKERS:
        return [f"{name}:{symbol}" for name in _TICKER_CHANNELS[kind]]
    if channel is Channel.BOOK:
        return [f"{_BOOK_CHANNELS[depth or 400]}:{symbol}"]
    return [f"{'trades' if channel is Channel.TRADES else 'bbo-tbt'}:{symbol}"]


def _fits(topics: Sequence[str]) -> bool:
    books = sum(topic.startswith("books") for topic in topics)
    return books <= BOOKS_PER_CONNECTION and len(set(topics)) <= TOPICS_PER_CONNECTION


def _messages(topics: Sequence[str]) -> list[str]:
    return subscribe_messages(topics, _arg, ARGS_PER_MESSAGE)


def _reader_of(arg: Arg) -> Reader | None:
    return _READERS.get(arg.channel)


SPEECH = Speech(topic_of, LOGIN_CODES)
DIALECT = ArgDialect(
    public_paths=(PUBLIC_PATH, BUSINESS_PATH),
    private_paths=(PRIVATE_PATH,),
    login_path=LOGIN_PATH,
    accepted="0",
    codes=RefusalCodes(login="60009", stream="60018", request="60012"),
    topic_of=topic_of,
)

_READERS: Mapping[str, Reader] = {
    **market.MARKET_READERS,
    **ACCOUNT_READERS,
    "instruments": instrument_events,
}

_DETECTION_LIMITS = (
    "Since June 2026 no book has a checksum (it is always 0): a wrong level inside an unbroken "
    "chain cannot be seen.",
    "Recordings from before messages were chained (2022) are held to their checksums alone: a lost "
    "message that changes none of the 25 best levels a side cannot be seen.",
    "Books of depth 5 are whole each time and not chained: a lost one cannot be seen, and none is "
    "ever called proven.",
    "A trade may stand for several matches and trade ids skip these: a lost trade cannot be seen.",
)
_LIQUIDATION_LIMITS = (
    "Liquidations carry no number, and of each contract at most one a second is sent: a lost one "
    "cannot be seen.",
    "Liquidations come for all instruments of a type, whichever were asked for.",
)
_PRIVATE = (Channel.ORDER, Channel.POSITION, Channel.WALLET)


def _traits(*, derivatives: bool, addresses: tuple[str, ...]) -> VenueTraits:
    liquidations = (Channel.LIQUIDATIONS,) if derivatives else ()
    default = (Channel.BOOK, Channel.TRADES, *liquidations)
    return VenueTraits(
        channels=frozenset((*default, Channel.QUOTES, Channel.TICKERS, *_PRIVATE)),
        default_channels=default,
        continuity=Continuity.CHAIN,
        snapshot_source=SnapshotSource.IN_BAND,
        checksum=BOOK_CHECKSUM,
        numbers_may_be_absent=True,
        depths=tuple(_BOOK_CHANNELS),
        depth=400,
        depth_keeper=DepthKeeper.VENUE,
        # A book without a change is sent again, empty, after about 60 s.
        stale_limits_s={Channel.BOOK: 90.0, Channel.TRADES: 300.0},
        keepalive=Keepalive(message=PING),
        # Three a second and address are allowed.
        limits=ConnectionLimits(connects_max=2, connects_window_s=1.0),
        detection_limits=_DETECTION_LIMITS + (_LIQUIDATION_LIMITS if derivatives else ()),
        addresses=addresses,
        history_first=frozenset((Channel.TRADES, *liquidations)),
    )


OKX = Okx(
    "okx",
    "ws.okx.com",
    "www.okx.com",
    _traits(
        derivatives=True,
        addresses=(
            *("ws.okx.com/ws/v5", "wsaws.okx.com/ws/v5", "wspap.okx.com/ws/v5"),
            *("wseea.okx.com/ws/v5", "wsus.okx.com/ws/v5", "ws.okex.com/ws/v5"),
            *("www.okx.com/api/v5", "www.okex.com/api/v5", "aws.okx.com/api/v5"),
        ),
    ),
)
OKCOIN = Okx(
    "okcoin",
    "real.okcoin.com",
    "www.okcoin.com",
    _traits(derivatives=False, addresses=("real.okcoin.com/ws/v5", "www.okcoin.com/api/v5")),
)

VENUES = (OKX, OKCOIN)
