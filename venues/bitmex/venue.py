"""BitMEX: derivatives and spot, all at one address.

The book needs no REST: subscribing brings a partial, and subscribing anew another. The messages,
and the rules by which they are read, are in `market` and `account`. Nothing numbers them.

What a request may hold is not documented: "Too many args sent. Max length is 20." and "Message
length too long, dropping" are answers that others got (BitMEX/api-connectors, issue 387;
bmoscon/cryptostore, issue 24). Ten topics at a time were taken (fremantle-industries/tai, pull
request 56).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from venues.address import rest_url, websocket_url
from venues.bitmex.account import ACCOUNT_READERS
from venues.bitmex.dialect import PATH, PING, PONG, BitmexDialect, signed_text
from venues.bitmex.instrument import INSTRUMENT_PATH, instrument_events
from venues.bitmex.market import MARKET_READERS
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, chunks, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import op_message, required_keys, signature
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
from venues.wire import decoded_or_none, leading_text

_TABLES = {
    Channel.BOOK: "orderBookL2",
    Channel.TRADES: "trade",
    Channel.LIQUIDATIONS: "liquidation",
    Channel.QUOTES: "quote",
    Channel.TICKERS: "instrument",
    Channel.ORDER: "order",
    Channel.POSITION: "position",
    Channel.WALLET: "margin",
}
_SHALLOW_DEPTH = 25
_READERS = {**MARKET_READERS, **ACCOUNT_READERS}
_TABLE_BEGINNING = b'{"table":"'
_SYMBOL = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)?")
_COINS = {"BTC": "XBT"}

_ARGS_PER_MESSAGE = 10
"""More than 20 are refused, all of them, and so is a message that is too long."""
_TOPICS_PER_CONNECTION = 400
_SIGNATURE_LIFETIME_S = 60
_LOGIN = "authKeyExpires"


class _Asked(msgspec.Struct, gc=False):
    op: str = ""


class _Message(msgspec.Struct, gc=False):
    table: str | None = None
    success: bool | None = None
    error: str | None = None
    info: str | None = None
    subscribe: str = ""
    unsubscribe: str = ""
    request: _Asked | None = None
    status: Any = None


_MESSAGE = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class Bitmex(Venue):
    """The one venue."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return "bitmex"

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return BitmexDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, and one for one's own account, as asked for."""
        public, private, symbols, depth = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [
                [Topic(Subscription(one, symbol), _topic(one, symbol, depth)) for one in public]
                for symbol in symbols
            ]
            plans += plan_line(self._line(request, depth, private=False), topics, _fits, _messages)
        if private:
            topics = [[Topic(Subscription(one, ""), _TABLES[one]) for one in private]]
            plans += plan_line(self._line(request, None, private=True), topics, _fits, _messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login message of a private plan, good for a minute from `time_ms`.

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(self.name, credentials)
        expires_s = time_ms // 1000 + _SIGNATURE_LIFETIME_S
        signed = signature(keys.secret, signed_text(str(expires_s)))
        return Login(plan.url, message=op_message(_LOGIN, [keys.key, expires_s, signed]))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a partial."""
        topic = _topic(Channel.BOOK, symbol, plan.depth)
        return [op_message("unsubscribe", [topic]), op_message("subscribe", [topic])]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [
            HttpRequest(
                f"{plan.rest_url}{INSTRUMENT_PATH}?symbol={quote(symbol)}",
                symbol,
                Purpose.INSTRUMENTS,
            )
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `XBTUSDT` of a perpetual, `XBT_USDT` of a pair that is traded itself."""
        base = _COINS.get(pair.base, pair.base)
        if pair.perpetual:
            return f"{base}{pair.quote}" if pair.quote in ("USD", "USDT") else None
        return f"{base}_{_COINS.get(pair.quote, pair.quote)}"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        table = leading_text(payload, _TABLE_BEGINNING)
        if table is None:
            if frame.kind is FrameKind.HTTP:
                return self._http_events(frame)
            message = None if payload == PONG.encode() else _MESSAGE.decode(payload)
            if message is None or message.table is None:
                notice = _answer_notice(message, frame.receive_time_ns)
                if notice is None:
                    raise DecodeError(self.name, "it is neither a table nor an answer", payload)
                return (notice,)
            table = message.table
        reader = _READERS.get(table)
        if reader is None:
            text = table[:40]
            return (Notice("", frame.receive_time_ns, None, NoticeKind.INFORMATION, text),)
        return reader(payload, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_TABLE_BEGINNING):
            return None
        if payload == PONG.encode():
            return _answer_notice(None, 0)
        message = decoded_or_none(_MESSAGE, payload)
        return None if message is None or message.table else _answer_notice(message, 0)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.purpose is Purpose.INSTRUMENTS:
            return instrument_events(answer.body, frame.receive_time_ns)
        raise DecodeError(self.name, "no book is asked for by HTTP", frame.payload)

    def _line(self, request: StreamRequest, depth: int | None, *, private: bool) -> Line:
        return Line(
            stream=f"{self.name}/private" if private else self.name,
            url=websocket_url(f"wss://ws.bitmex.com{PATH}", request.url, (PATH,)),
            rest_url=rest_url("https://www.bitmex.com", request.url),
            depth=depth,
            private=private,
        )


def _answer_notice(message: _Message | None, receive_time_ns: int) -> Notice | None:
    """Return what an answer says; None where it says nothing. None is the text `pong`."""
    if message is None:
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    login = message.request is not None and message.request.op == _LOGIN
    if message.error is not None:
        kind = NoticeKind.LOGIN_REFUSED if login else NoticeKind.REJECTED
        text = f"{message.error} (status {message.status})"
    elif message.success is not None:
        if login:
            kind = NoticeKind.LOGGED_IN if message.success else NoticeKind.LOGIN_REFUSED
        else:
            kind = NoticeKind.ACKNOWLEDGED if message.success else NoticeKind.REJECTED
        text = message.subscribe or message.unsubscribe
    elif message.info is not None:
        kind, text = NoticeKind.INFORMATION, message.info
    else:
        return None
    return Notice("", receive_time_ns, None, kind, text)


def _topic(channel: Channel, symbol: str, depth: int | None) -> str:
    shallow = channel is Channel.BOOK and depth == _SHALLOW_DEPTH
    return f"{_TABLES[channel]}{'_25' if shallow else ''}:{symbol}"


def _messages(topics: Sequence[str]) -> list[str]:
    return [op_message("subscribe", piece) for piece in chunks(topics, _ARGS_PER_MESSAGE)]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


_PRIVATE = (Channel.ORDER, Channel.POSITION, Channel.WALLET)
_DEFAULT = (Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS)

_TRAITS = VenueTraits(
    channels=frozenset((*_DEFAULT, Channel.QUOTES, Channel.TICKERS, *_PRIVATE)),
    default_channels=_DEFAULT,
    continuity=Continuity.NONE,
    snapshot_source=SnapshotSource.IN_BAND,
    depths=(_SHALLOW_DEPTH,),
    depth_keeper=DepthKeeper.VENUE,
    levels_by_id=True,
    stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 600.0},
    # It says nothing for a while where nothing is traded: after 5 s it wants to be asked.
    keepalive=Keepalive(interval_s=5.0, message=PING, silence_limit_s=20.0),
    # 20 connects in an hour at once, 3 in a second after; the welcome shows a budget of 40.
    limits=ConnectionLimits(connects_max=16, connects_window_s=3600.0, message_interval_s=0.2),
    detection_limits=(
        "Messages carry neither numbers nor checksums: a lost one shows only where a later one "
        "changes or deletes a level that it had brought.",
        "Trades and liquidations carry no number: a lost one cannot be seen.",
        "A liquidation's worth is known at once for contracts of one USD, else once the "
        "instrument's contract size came; for quanto contracts (ETHUSD) never.",
    ),
    addresses=("ws.bitmex.com/realtime", "www.bitmex.com/realtime", "www.bitmex.com/api/v1"),
)

BITMEX = Bitmex(_TRAITS)

VENUES = (BITMEX,)
