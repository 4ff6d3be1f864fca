"""Kraken spot, protocol v2: objects, prices as numbers whose zeros count.

A book begins with a snapshot on the socket, and subscribing anew brings a fresh one. The messages,
and the rules by which they are read, are in `spot_v2_market`. Subscriptions are answered symbol by
symbol, a book's with its depth; a private one carries the token that REST gave.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from venues.channel import Channel, Subscription
from venues.connection_plan import Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes, Subscribed
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.kraken import spot_v2_market as market
from venues.kraken.spot_request import SYMBOL, Depth, fits, private_line, public_line, spelled
from venues.kraken.spot_rest import (
    pair_events,
    pair_requests,
    read_token,
    token_request,
)
from venues.kraken.spot_v2_dialect import PATH, KrakenV2Dialect
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import VenueTraits
from venues.venue import (
    ConnectionPlan,
    Credentials,
    Dialect,
    HttpRequest,
    Login,
    StreamRequest,
    Venue,
)

HEARTBEAT = b'{"channel":"heartbeat"}'
PING = '{"method":"ping"}'
_BOOK_BEGINNING = b'{"channel":"book",'
_TRADE_BEGINNING = b'{"channel":"trade",'
_CHANNEL_BEGINNING = b'{"channel":"'
_STATUS_BEGINNING = b'{"channel":"status",'

_NAMES = {
    Channel.BOOK: "book",
    Channel.TRADES: "trade",
    Channel.QUOTES: "ticker",
    Channel.TICKERS: "ticker",
    Channel.ORDER: "executions",
    Channel.WALLET: "balances",
}
_CHANNELS = {name: channel for channel, name in _NAMES.items()}
_EXTRAS: dict[str, dict[str, object]] = {
    "trade": {"snapshot": False},
    "ticker": {"event_trigger": "bbo"},
    "executions": {"snap_orders": True},
}
_HTTP = FrameKind.HTTP


class _Result(msgspec.Struct, gc=False):
    channel: str = ""
    symbol: str = ""
    depth: Depth | None = None


class _System(msgspec.Struct, gc=False):
    system: str = ""


class _Head(msgspec.Struct, gc=False):
    channel: str | None = None
    method: str | None = None
    success: bool | None = None
    error: str = ""
    refusal: str = msgspec.field(name="Error", default="")
    symbol: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")
    data: msgspec.Raw = msgspec.Raw(b"[]")


_HEAD = msgspec.json.Decoder(_Head)
_RESULT = msgspec.json.Decoder(_Result)
_SYSTEMS = msgspec.json.Decoder(list[_System])


@dataclass(frozen=True, slots=True)
class KrakenV2(Venue):
    """The spot exchange by its current protocol."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return KrakenV2Dialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data and one for one's own account, as asked for."""
        public, private, symbols, depth = checked_request(self, request, SYMBOL, spelled)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [
                [Topic(Subscription(one, symbol), f"{_NAMES[one]}:{symbol}") for one in public]
                for symbol in symbols
            ]
            line = public_line(self.name, PATH, request, depth)
            plans += plan_line(line, topics, fits, lambda texts: _subscribe_messages(texts, depth))
        if private:
            line = private_line(self.name, PATH, request)
            own = [[Topic(Subscription(one, ""), _NAMES[one]) for one in private]]
            plans += plan_line(line, own, fits, lambda texts: _subscribe_messages(texts, None))
        return plans

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        """Return the request for the token of a private plan.

        Raises:
            CredentialsError: the keys cannot be used.
        """
        return token_request(self.name, plan, credentials, time_ms) if plan.private else None

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the address and, for a private plan, the token in `access`.

        Raises:
            DecodeError, msgspec.MsgspecError: `access` holds no token.
        """
        return Login(plan.url, token=read_token(self.name, access) if plan.private else "")

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return the plan's messages, with the token where they are private."""
        if not plan.private:
            return plan.subscribe_messages
        topics = [_NAMES[one.channel] for one in plan.subscriptions]
        return tuple(_subscribe_messages(topics, None, login.token))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if Subscription(Channel.BOOK, symbol) not in plan.subscriptions:
            return []
        params = {"channel": "book", "symbol": [symbol], "depth": plan.depth}
        return [
            _text({"method": method, "params": params}) for method in ("unsubscribe", "subscribe")
        ]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each pair of the plan."""
        return pair_requests(plan)

    def native_symbol(self, pair: Pair) -> str | None:
        """Return the pair with a slash: v2 calls currencies what everyone calls them."""
        return None if pair.perpetual else f"{pair.base}/{pair.quote}"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload, receive_time_ns = frame.payload, frame.receive_time_ns
        if payload.startswith(_BOOK_BEGINNING):
            return market.book_events(payload, receive_time_ns)
        if payload.startswith(_TRADE_BEGINNING):
            return market.trade_events(payload, receive_time_ns)
        if frame.kind is _HTTP:
            answer = read_http_answer(self.name, frame)
            if isinstance(answer, HttpAnswer):
                return pair_events(answer, receive_time_ns, v2_names=True)
            return answer
        if payload == HEARTBEAT:
            return (Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT),)
        return self._other_events(payload, receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_CHANNEL_BEGINNING) and not payload.startswith(
            (HEARTBEAT, _STATUS_BEGINNING)
        ):
            return None
        try:
            return _notice(_HEAD.decode(payload), 0)
        except (ValueError, RecursionError):
            return None

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        head = _HEAD.decode(payload)
        notice = _notice(head, receive_time_ns)
        if notice is not None:
            subscribed = _subscribed(head, receive_time_ns)
            return (notice,) if subscribed is None else (notice, subscribed)
        if head.channel is None:
            raise DecodeError(self.name, "it has neither a channel nor a method", payload)
        read = _READERS.get(head.channel)
        if read is not None:
            return read(payload, receive_time_ns)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.channel),)


_READERS = {
    "book": market.book_events,
    "trade": market.trade_events,
    "ticker": market.ticker_events,
    "executions": market.order_events,
    "balances": market.wallet_events,
}


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    if head.channel == "heartbeat":
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    if head.channel == "status":
        text = " ".join(["status", *(one.system for one in _SYSTEMS.decode(head.data))])
        return Notice("", receive_time_ns, None, NoticeKind.INFORMATION, text)
    if head.refusal:
        return Notice("", receive_time_ns, None, NoticeKind.REJECTED, head.refusal)
    if head.channel is not None or (head.method is None and head.success is None):
        return None
    return _answer(head, receive_time_ns)


def _answer(head: _Head, receive_time_ns: int) -> Notice:
    if head.method == "pong":
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    if head.method not in (None, "subscribe", "unsubscribe", "error"):
        text = f"{head.method}: {head.error}" if head.error else f"{head.method}"
        return Notice("", receive_time_ns, None, NoticeKind.INFORMATION, text)
    if head.success:
        result = _RESULT.decode(head.result)
        text = f"{result.channel} {result.symbol}".strip()
        return Notice(result.symbol, receive_time_ns, None, NoticeKind.ACKNOWLEDGED, text)
    text = head.error or "no reason given"
    return Notice(head.symbol, receive_time_ns, None, NoticeKind.REJECTED, text)


def _subscribed(head: _Head, receive_time_ns: int) -> Subscribed | None:
    if head.method != "subscribe" or not head.success:
        return None
    result = _RESULT.decode(head.result)
    topic = f"{result.channel}:{result.symbol}" if result.symbol else result.channel
    channel = _CHANNELS.get(result.channel)
    return Subscribed(result.symbol, receive_time_ns, None, channel, result.depth, "", topic)


def _subscribe_messages(topics: Sequence[str], depth: int | None, token: str = "") -> list[str]:
    """Return a message for each channel, naming all of its symbols."""
    symbols: dict[str, list[str]] = {}
    for topic in dict.fromkeys(topics):
        name, _, symbol = topic.partition(":")
        symbols.setdefault(name, []).extend([symbol] if symbol else [])
    return [
        _text(
            {
                "method": "subscribe",
                "params": _params(name, wanted, depth, token),
                "req_id": number,
            }
        )
        for number, (name, wanted) in enumerate(symbols.items(), start=1)
    ]


def _params(name: str, symbols: Sequence[str], depth: int | None, token: str) -> dict[str, object]:
    params: dict[str, object] = {"channel": name}
    if symbols:
        params["symbol"] = list(symbols)
    if name == "book":
        params["depth"] = depth
    params |= _EXTRAS.get(name, {})
    return {**params, "token": token} if token else params


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"))
