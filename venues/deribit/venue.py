"""Deribit v2: perpetuals, futures, options and spot, all at one address.

How a connection goes on:

1. `public/set_heartbeat` makes the exchange say something every 10 s.
2. Some of these are test requests: one that is not answered ends the connection.
3. Channels are asked for; a book begins with a snapshot, and asked for anew with a fresh one.
4. Channels of one's own account need a login first, and a connection of their own.

Books come every 100 ms; each change there is (`raw`) comes to clients with a login alone, and is
read where it is recorded. The messages, and the rules by which they are read, are in `market`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, chunks, plan_line
from venues.deribit.account import ACCOUNT_READERS, order_answer_event
from venues.deribit.dialect import NOTIFICATION, PATHS, DeribitDialect
from venues.deribit.instrument import INSTRUMENT_PATH, instrument_events
from venues.deribit.market import MARKET_READERS, rest_snapshot_event
from venues.deribit.rpc import (
    HEARTBEAT_ID,
    LOGIN_ID,
    MESSAGE,
    RESUBSCRIBE_ID,
    TEST_ID,
    answer_notice,
    has_result,
    rpc_message,
    subscribe_message,
)
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    ConnectionLimits,
    Continuity,
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
from venues.wire import leading_text

HEARTBEAT_INTERVAL_S = 10

_CHANNELS = {
    Channel.BOOK: "book.{}.100ms",
    Channel.TRADES: "trades.{}.100ms",
    Channel.LIQUIDATIONS: "trades.{}.100ms",
    Channel.QUOTES: "quote.{}",
    Channel.TICKERS: "ticker.{}.100ms",
    Channel.ORDER: "user.orders.any.any.raw",
    Channel.POSITION: "user.changes.any.any.raw",
    Channel.WALLET: "user.portfolio.any",
}
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_d-]*")
_DECIMAL_STRIKE = re.compile(r"(?<=[0-9])D(?=[0-9])")
_CHANNELS_PER_MESSAGE = 100
_CHANNELS_PER_CONNECTION = 500
_TEST_REQUEST = b"test_request"


_TRADES = NOTIFICATION + b"trades."
_trade_events = MARKET_READERS["trades"]


@dataclass(frozen=True, slots=True)
class Deribit(Venue):
    """The one venue."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return "deribit"

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return DeribitDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, and one for one's own account, as asked for.

        Liquidations are trades here: both come by one channel, which is asked for once.
        """
        public, private, symbols, depth = checked_request(self, request, _SYMBOL, _spelled)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [
                [Topic(Subscription(one, symbol), _CHANNELS[one].format(symbol)) for one in public]
                for symbol in symbols
            ]
            plans += plan_line(self._line(request, depth, private=False), topics, _fits, _public)
        if private:
            topics = [[Topic(Subscription(one, ""), _CHANNELS[one]) for one in private]]
            plans += plan_line(self._line(request, None, private=True), topics, _fits, _private)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login message of a private plan (4).

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(self.name, credentials)
        params: dict[str, object] = {
            "grant_type": "client_credentials",
            "client_id": keys.key,
            "client_secret": keys.secret,
        }
        return Login(plan.url, message=rpc_message(LOGIN_ID, "public/auth", params))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot (3)."""
        channels = [_CHANNELS[Channel.BOOK].format(symbol)]
        return [
            rpc_message(RESUBSCRIBE_ID, "public/unsubscribe", {"channels": channels}),
            subscribe_message(RESUBSCRIBE_ID + 1, channels, private=False),
        ]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [
            HttpRequest(
                f"{plan.rest_url}{INSTRUMENT_PATH}?instrument_name={quote(symbol)}",
                symbol,
                Purpose.INSTRUMENTS,
            )
            for symbol in symbols
        ]

    def reply(self, payload: bytes) -> str | None:
        """Return the answer to a test request (2)."""
        if _TEST_REQUEST not in payload[:200] or payload.startswith(NOTIFICATION):
            return None
        return rpc_message(TEST_ID, "public/test", {})

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC-PERPETUAL` of a perpetual in USD, `BTC_USDC-PERPETUAL` else, `BTC_USDC`."""
        if not pair.perpetual:
            return f"{pair.base}_{pair.quote}"
        if pair.quote == "USD":
            return f"{pair.base}-PERPETUAL"
        return f"{pair.base}_{pair.quote}-PERPETUAL" if pair.quote in ("USDC", "USDT") else None

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload, receive_time_ns = frame.payload, frame.receive_time_ns
        if payload.startswith(_TRADES):
            return _trade_events(payload, receive_time_ns, "trades")
        channel = leading_text(payload, NOTIFICATION)
        if channel is not None:
            return _notification_events(channel, payload, receive_time_ns)
        if frame.kind is FrameKind.HTTP:
            return self._http_events(frame)
        message = MESSAGE.decode(payload)
        params = message.params
        if message.method == "subscription" and params is not None and params.channel is not None:
            return _notification_events(params.channel, payload, receive_time_ns)
        if has_result(message):
            order = order_answer_event(message.result, receive_time_ns)
            if order is not None:
                return (order,)
        notice = answer_notice(message, receive_time_ns)
        if notice is None:
            raise DecodeError(self.name, "it is neither a notification nor an answer", payload)
        return (notice,)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(NOTIFICATION):
            return None
        try:
            return answer_notice(MESSAGE.decode(payload), 0)
        except (ValueError, RecursionError):
            return None

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.purpose is Purpose.INSTRUMENTS:
            return instrument_events(answer.body, frame.receive_time_ns)
        return (rest_snapshot_event(answer.body, frame.receive_time_ns),)

    def _line(self, request: StreamRequest, depth: int | None, *, private: bool) -> Line:
        return Line(
            stream=f"{self.name}/private" if private else self.name,
            url=websocket_url(f"wss://www.deribit.com{PATHS[0]}", request.url, PATHS),
            rest_url=rest_url("https://www.deribit.com", request.url),
            depth=depth,
            private=private,
        )


def _notification_events(channel: str, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    words = channel.split(".", 2)
    market_reader = MARKET_READERS.get(words[0])
    if market_reader is not None:
        return market_reader(payload, receive_time_ns, channel)
    account_reader = ACCOUNT_READERS.get(".".join(words[:2]))
    if account_reader is not None:
        return account_reader(payload, receive_time_ns)
    return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, channel[:100]),)


def _spelled(symbol: str) -> str:
    """Return upper case, but for the `d` that stands for the point in a strike (`0d5`)."""
    return _DECIMAL_STRIKE.sub("d", symbol.upper())


def _public(channels: Sequence[str]) -> list[str]:
    return _messages(channels, private=False)


def _private(channels: Sequence[str]) -> list[str]:
    return _messages(channels, private=True)


def _messages(channels: Sequence[str], *, private: bool) -> list[str]:
    interval: dict[str, object] = {"interval": HEARTBEAT_INTERVAL_S}
    pieces = chunks(list(dict.fromkeys(channels)), _CHANNELS_PER_MESSAGE)
    return [
        rpc_message(HEARTBEAT_ID, "public/set_heartbeat", interval),
        *(
            subscribe_message(number, piece, private=private)
            for number, piece in enumerate(pieces, start=1)
        ),
    ]


def _fits(channels: Sequence[str]) -> bool:
    return len(channels) <= _CHANNELS_PER_CONNECTION


_PRIVATE = (Channel.ORDER, Channel.POSITION, Channel.WALLET)
_DEFAULT = (Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS)

_TRAITS = VenueTraits(
    channels=frozenset((*_DEFAULT, Channel.QUOTES, Channel.TICKERS, *_PRIVATE)),
    default_channels=_DEFAULT,
    continuity=Continuity.CHAIN,
    snapshot_source=SnapshotSource.IN_BAND,
    # Options are quiet for minutes.
    stale_limits_s={Channel.BOOK: 120.0, Channel.TRADES: 3600.0},
    keepalive=Keepalive(silence_limit_s=2.5 * HEARTBEAT_INTERVAL_S),
    # Three requests in a second, of which ten may come at once.
    limits=ConnectionLimits(connects_max=25, connects_window_s=60.0, message_interval_s=0.35),
    detection_limits=(
        "There is no checksum: a wrong level inside an unbroken chain cannot be seen.",
        "Grouped books, which are read and never asked for, are whole each time: a lost one cannot "
        "be seen, and none is ever called proven.",
        "Books are told every 100 ms: what came and went in between is not in them.",
        "Quotes and tickers carry no number: a lost one cannot be seen.",
    ),
    addresses=(
        "www.deribit.com/ws/api/v2",
        "streams.deribit.com/ws/api/v2",
        "www.deribit.com/api/v2",
    ),
)

DERIBIT = Deribit(_TRAITS)

VENUES = (DERIBIT,)
