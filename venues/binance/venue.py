"""Binance: spot, USD-M futures and COIN-M futures, each an instance of one class.

Book procedure of the exchange (spot; futures in brackets), of which the engine does steps 3 to 6
by the traits declared here:

1. Open the depth stream and keep its events.
2. Fetch a depth snapshot by REST, with last update id L.
3. Drop events whose last id is L or less [less than L].
4. The first event kept has first id <= L + 1 <= last id [first id <= L <= last id].
5. Each next event begins at the last id plus one [names the last id before it as `pu`].
6. A size is absolute; zero removes the level. What was never listed is unknown, not empty.

USD-M has two hosts' worth of streams on one host since 2026-04-23: what is sent at high frequency
is at `/public`, all else at `/market`, and a stream asked for at the wrong one is silent.

One's own account is on a connection of its own: `access` says how it is reached.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote as percent_encoded

import msgspec

from venues.address import rest_url, websocket_url
from venues.binance import market
from venues.binance.access import AccountAccess
from venues.binance.account import ACCOUNT_READERS
from venues.binance.dialect import BinanceDialect
from venues.binance.instrument import instrument_events
from venues.binance.notice import read_event_name, read_notice
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, chunks, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    BridgeRule,
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

_QUOTE_STREAM = b'@bookTicker","data":{'
_STREAM_NAME_END = 96
"""Where a stream's name has ended in a wrapped message: names are shorter than 60 characters."""

_decode_wrapped_quote = market.WRAPPED_QUOTE.decode
_decode_wrapped_message = market.WRAPPED_MESSAGE.decode
_message_events = market.message_events

_HTTP = FrameKind.HTTP
_INSTRUMENTS = Purpose.INSTRUMENTS
_STREAMS_PER_MESSAGE = 50
_STREAMS_PER_CONNECTION = 200
_SYMBOL = re.compile(r"[^\W_]\w*")
"""Letters of any script: some coins are named in Chinese."""


@dataclass(frozen=True, slots=True)
class Part:
    """One endpoint of a venue: its name, '' where it is the only one, and the streams it has."""

    name: str
    path: str
    streams: Mapping[Channel, str]


@dataclass(frozen=True, slots=True)
class Binance(Venue):
    """One of Binance's venues. All that differs between them is data.

    `quotes_by_stream` says that a bookTicker does not begin with its own name (spot's has none,
    COIN-M's comes second), so that the name of the stream tells it sooner.
    """

    name: str
    traits: VenueTraits
    host: str
    rest_host: str
    parts: tuple[Part, ...]
    snapshot_path: str
    snapshot_limit: int
    instruments_path: str
    instruments_by_symbol: bool
    quotes_by_stream: bool
    notional: market.Notional
    access: AccountAccess
    futures: bool = True
    inverse: bool = False

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        paths = tuple(part.path for part in self.parts)
        return BinanceDialect(self.name, paths, self.snapshot_path, self.access)

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return the connections that `request` needs: one a part, more beyond 200 streams.

        One's own account is another one: it brings all of the account, whatever is asked for.
        """
        public, private, symbols, depth = checked_request(self, request, _SYMBOL)
        access = self.access
        own_paths = {*(part.path for part in self.parts), access.plan_path}
        hosted = rest_url(self.rest_host, request.url)
        plans: list[ConnectionPlan] = []
        for part in self.parts if public else ():
            name = f"{self.name}/{part.name}" if part.name else self.name
            url = websocket_url(self.host + part.path, request.url, own_paths)
            topics = [_topics(part, public, symbol) for symbol in symbols]
            line = Line(name, url, hosted, depth)
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        if private:
            url = websocket_url(access.host + access.plan_path, request.url, own_paths)
            own = tuple(Subscription(channel, "") for channel in private)
            name = f"{self.name}/private"
            plans.append(ConnectionPlan(name, url, own, access.messages, True, hosted, None))
        return plans

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        """Return the request for a listen key, for one's own account at the futures.

        Raises:
            CredentialsError: there is no key.
        """
        return self.access.request(self.name, plan, credentials) if plan.private else None

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return how a connection begins.

        Raises:
            CredentialsError: the plan is private and the keys cannot be used.
            DecodeError, msgspec.MsgspecError: `access` gives no listen key.
        """
        if not plan.private:
            return Login(plan.url)
        return self.access.login(self.name, plan, credentials, time_ms, access)

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return the plan's messages; of one's own account at spot, the signed one."""
        return (login.token,) if login.token else plan.subscribe_messages

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        """Return the request for a depth snapshot, as deep as the exchange gives one."""
        query = f"symbol={percent_encoded(symbol, safe='')}&limit={self.snapshot_limit}"
        return HttpRequest(f"{plan.rest_url}{self.snapshot_path}?{query}", symbol)

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol at spot, one for all of them at the futures."""
        if plan.private:
            return []
        url = f"{plan.rest_url}{self.instruments_path}"
        if not self.instruments_by_symbol:
            return [HttpRequest(url, "", _INSTRUMENTS)]
        return [
            HttpRequest(f"{url}?symbol={percent_encoded(symbol, safe='')}", symbol, _INSTRUMENTS)
            for symbol in sorted({one.symbol for one in plan.subscriptions})
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTCUSDT` (spot, USD-M perpetual) or `BTCUSD_PERP` (COIN-M perpetual)."""
        if pair.perpetual is not self.futures or (pair.quote == "USD") is not self.inverse:
            return None
        return f"{pair.base}{pair.quote}" + ("_PERP" if self.inverse else "")

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        if frame.kind is _HTTP:
            return self._http_events(frame)
        # One pass over the bytes: the kind of message is taken from the data themselves.
        message: market.UntaggedQuote | market.Message | None
        if self.quotes_by_stream and payload.find(_QUOTE_STREAM, 0, _STREAM_NAME_END) != -1:
            message = _decode_wrapped_quote(payload).data
        else:
            try:
                message = _decode_wrapped_message(payload).data
            except msgspec.ValidationError:
                message = None
        if message is None:
            return self._other_events(frame)
        return _message_events(message, frame.receive_time_ns, self.notional)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        return read_notice(payload)

    def _other_events(self, frame: Frame) -> Sequence[Event]:
        """Read what is not a wrapped message of a kind we know."""
        notice = read_notice(frame.payload, frame.receive_time_ns)
        if notice is not None:
            return (notice,)
        name, wrapped = read_event_name(frame.payload)
        data = frame.payload if wrapped is None else wrapped
        read_account = ACCOUNT_READERS.get(name or "")
        if read_account is not None:
            return read_account(bytes(data), frame.receive_time_ns)
        message: market.UntaggedQuote | market.Message
        if name is None:
            message = market.UNTAGGED_QUOTE.decode(data)
        elif name in market.EVENT_NAMES:
            message = market.MESSAGE.decode(data)
        else:
            return (Notice("", frame.receive_time_ns, None, NoticeKind.INFORMATION, name),)
        return _message_events(message, frame.receive_time_ns, self.notional)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.purpose is _INSTRUMENTS:
            return instrument_events(answer.body, frame.receive_time_ns)
        snapshot = market.snapshot_event(answer.body, answer.symbol, frame.receive_time_ns)
        if snapshot is None:
            raise DecodeError(self.name, "nothing says whose book the snapshot is", answer.body)
        return (snapshot,)


def _topics(part: Part, channels: Sequence[Channel], symbol: str) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), f"{symbol.lower()}@{part.streams[channel]}")
        for channel in channels
        if channel in part.streams
    ]


def _fits(streams: Sequence[str]) -> bool:
    return len(streams) <= _STREAMS_PER_CONNECTION


def _subscribe_messages(streams: Sequence[str]) -> list[str]:
    return [
        json.dumps(
            {"method": "SUBSCRIBE", "params": list(piece), "id": number},
            separators=(",", ":"),
            ensure_ascii=False,
        )
        for number, piece in enumerate(chunks(streams, _STREAMS_PER_MESSAGE), start=1)
    ]


_EVERY_BOOK = (
    "The book is exact only between the outermost prices of the REST snapshot that began it: a "
    "level beyond them is unknown until it changes.",
    "The exchange sends no checksum: a wrong level shows only where a quote contradicts it.",
    "Not every change of the best prices is published as a quote: flickers are left out.",
)
_FUTURES = (
    "Of liquidation orders only one per symbol and second is published: notionals are a lower "
    "bound.",
    "A trade that is not of the open market (insurance fund, auto-deleveraging) is left out and "
    "its number missing.",
)
_CONNECTS_MAX, _CONNECTS_WINDOW_S = 240, 300.0
"""80 % of the 300 connects in 5 minutes and address that are allowed."""

_LIFETIME_S = 24 * 3600.0


def _traits(
    *,
    futures: bool,
    message_interval_s: float,
    silence_limit_s: float,
    addresses: tuple[str, ...],
) -> VenueTraits:
    liquidations = (Channel.LIQUIDATIONS,) if futures else ()
    default = (Channel.BOOK, Channel.TRADES, *liquidations, Channel.QUOTES)
    positions = (Channel.POSITION,) if futures else ()
    return VenueTraits(
        channels=frozenset((*default, Channel.TICKERS, Channel.ORDER, Channel.WALLET, *positions)),
        default_channels=default,
        continuity=Continuity.ID_RANGE,
        snapshot_source=SnapshotSource.REST,
        rest_resync=True,
        bridge=BridgeRule(0, 0) if futures else BridgeRule(drop_below=1, joins_at=1),
        quote_shares_sequence=True,
        keepalive=Keepalive(silence_limit_s=silence_limit_s),
        limits=ConnectionLimits(_CONNECTS_MAX, _CONNECTS_WINDOW_S, _LIFETIME_S, message_interval_s),
        detection_limits=_EVERY_BOOK + (_FUTURES if futures else ()),
        addresses=addresses,
    )


_PUBLIC_STREAMS = {
    Channel.BOOK: "depth@0ms",
    Channel.TRADES: "trade",
    Channel.QUOTES: "bookTicker",
}
_MARKET_STREAMS = {Channel.LIQUIDATIONS: "forceOrder", Channel.TICKERS: "markPrice@1s"}

SPOT = Binance(
    name="binance-spot",
    traits=_traits(
        futures=False,
        message_interval_s=0.25,
        silence_limit_s=30.0,
        addresses=(
            "stream.binance.com/",
            "data-stream.binance.vision/",
            "ws-api.binance.com/",
            "api.binance.com/",
        ),
    ),
    host="wss://stream.binance.com:9443",
    rest_host="https://api.binance.com",
    parts=(
        Part(
            "",
            "/stream",
            {**_PUBLIC_STREAMS, Channel.BOOK: "depth@100ms", Channel.TICKERS: "ticker"},
        ),
    ),
    snapshot_path="/api/v3/depth",
    snapshot_limit=5000,
    instruments_path="/api/v3/exchangeInfo",
    instruments_by_symbol=True,
    quotes_by_stream=True,
    notional=market.linear_notional,
    access=AccountAccess("wss://ws-api.binance.com:443", "/ws-api/v3"),
    futures=False,
)

USDM = Binance(
    name="binance-usdm",
    traits=_traits(
        futures=True,
        message_interval_s=0.125,
        silence_limit_s=30.0,
        addresses=("fstream.binance.com/", "fapi.binance.com/"),
    ),
    host="wss://fstream.binance.com",
    rest_host="https://fapi.binance.com",
    parts=(
        Part("public", "/public/stream", _PUBLIC_STREAMS),
        Part("market", "/market/stream", _MARKET_STREAMS),
    ),
    snapshot_path="/fapi/v1/depth",
    snapshot_limit=1000,
    instruments_path="/fapi/v1/exchangeInfo",
    instruments_by_symbol=False,
    quotes_by_stream=False,
    notional=market.linear_notional,
    access=AccountAccess("wss://fstream.binance.com", "/private/ws", "/fapi/v1/listenKey"),
)

COINM = Binance(
    name="binance-coinm",
    traits=_traits(
        futures=True,
        message_interval_s=0.125,
        silence_limit_s=30.0,
        addresses=("dstream.binance.com/", "dapi.binance.com/"),
    ),
    host="wss://dstream.binance.com",
    rest_host="https://dapi.binance.com",
    parts=(Part("", "/stream", {**_PUBLIC_STREAMS, **_MARKET_STREAMS}),),
    snapshot_path="/dapi/v1/depth",
    snapshot_limit=1000,
    instruments_path="/dapi/v1/exchangeInfo",
    instruments_by_symbol=False,
    quotes_by_stream=True,
    notional=market.coin_notional,
    access=AccountAccess("wss://dstream.binance.com", "/ws", "/dapi/v1/listenKey"),
    inverse=True,
)

VENUES = (SPOT, USDM, COINM)
