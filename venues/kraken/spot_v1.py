"""Kraken spot, protocol v1: positional arrays, prices as strings.

A book begins with a snapshot on the socket, and subscribing anew brings a fresh one. The messages,
and the rules by which they are read, are in `spot_v1_market`. Subscriptions are answered pair by
pair; a private one carries the token that REST gave.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from venues.channel import Channel, Subscription
from venues.connection_plan import Topic, plan_line
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.kraken import spot_v1_market as market
from venues.kraken.spot_request import SYMBOL, fits, private_line, public_line, spelled
from venues.kraken.spot_rest import (
    V1_NAMES,
    pair_events,
    pair_requests,
    read_token,
    token_request,
)
from venues.kraken.spot_v1_dialect import PATH, KrakenV1Dialect
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

HEARTBEAT = b'{"event":"heartbeat"}'
PING = '{"event":"ping"}'
_NAMES = {
    Channel.BOOK: "book",
    Channel.TRADES: "trade",
    Channel.QUOTES: "spread",
    Channel.TICKERS: "ticker",
    Channel.ORDER: "openOrders",
}
_HTTP = FrameKind.HTTP


class _Said(msgspec.Struct, gc=False):
    event: str = ""
    refusal: str = msgspec.field(name="Error", default="")
    status: str = ""
    error: str = msgspec.field(name="errorMessage", default="")
    name: str = msgspec.field(name="channelName", default="")
    pair: str = ""


_SAID = msgspec.json.Decoder(_Said)


@dataclass(frozen=True, slots=True)
class KrakenV1(Venue):
    """The spot exchange by its older protocol."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return KrakenV1Dialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data and one for one's own orders, as asked for."""
        public, private, symbols, depth = checked_request(self, request, SYMBOL, spelled)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [
                [Topic(Subscription(one, symbol), _topic(one, symbol, depth)) for one in public]
                for symbol in symbols
            ]
            line = public_line(self.name, PATH, request, depth)
            plans += plan_line(line, topics, fits, _subscribe_messages)
        if private:
            line = private_line(self.name, PATH, request)
            own = [[Topic(Subscription(Channel.ORDER, ""), _NAMES[Channel.ORDER])]]
            plans += plan_line(line, own, fits, _subscribe_messages)
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
        return tuple(_subscribe_messages(topics, login.token))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if Subscription(Channel.BOOK, symbol) not in plan.subscriptions:
            return []
        body = {"pair": [symbol], "subscription": {"name": "book", "depth": plan.depth}}
        return [_text({"event": event, **body}) for event in ("unsubscribe", "subscribe")]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each pair of the plan."""
        return pair_requests(plan)

    def native_symbol(self, pair: Pair) -> str | None:
        """Return the pair as v1 writes it: BTC is XBT, DOGE is XDG."""
        if pair.perpetual:
            return None
        return f"{V1_NAMES.get(pair.base, pair.base)}/{V1_NAMES.get(pair.quote, pair.quote)}"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload, receive_time_ns = frame.payload, frame.receive_time_ns
        if frame.kind is _HTTP:
            answer = read_http_answer(self.name, frame)
            if isinstance(answer, HttpAnswer):
                return pair_events(answer, receive_time_ns, v2_names=False)
            return answer
        if payload == HEARTBEAT:
            return (Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT),)
        if payload[:1] != b"[":
            return self._said(payload, receive_time_ns)
        name, _ = market.channel_and_pair(payload)
        if name.startswith("book-"):
            return market.book_events(payload, receive_time_ns)
        read = _READERS.get(name)
        return (
            market.passed_over(payload, name, receive_time_ns)
            if read is None
            else read(payload, receive_time_ns)
        )

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload[:1] == b"[":
            return None
        try:
            return _notice(_SAID.decode(payload), 0)
        except (ValueError, RecursionError):
            return None

    def _said(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        said = _SAID.decode(payload)
        notice = _notice(said, receive_time_ns)
        if said.event == "subscriptionStatus" and said.status == "subscribed":
            return (notice, market.subscribed(said.name, said.pair, receive_time_ns))
        return (notice,)


_READERS = {
    "trade": market.trade_events,
    "spread": market.quote_events,
    "ticker": market.ticker_events,
    "openOrders": market.order_events,
}


def _notice(said: _Said, receive_time_ns: int) -> Notice:
    if said.refusal:
        return Notice("", receive_time_ns, None, NoticeKind.REJECTED, said.refusal)
    if not said.event:
        raise ValueError("it is neither data nor an event")
    what = f"{said.name} {said.pair}".strip()
    text = f"{what}: {said.error}" if said.error and what else said.error or what
    if said.event in ("heartbeat", "pong"):
        kind = NoticeKind.HEARTBEAT
    elif said.event == "error" or said.status == "error":
        kind = NoticeKind.REJECTED
    elif said.event == "subscriptionStatus":
        kind = NoticeKind.ACKNOWLEDGED
    else:
        kind, text = NoticeKind.INFORMATION, f"{said.event} {said.status}".strip()
    return Notice(said.pair, receive_time_ns, None, kind, text)


def _topic(channel: Channel, symbol: str, depth: int | None) -> str:
    name = _NAMES[channel]
    return f"{name}-{depth}:{symbol}" if channel is Channel.BOOK else f"{name}:{symbol}"


def _subscribe_messages(topics: Sequence[str], token: str = "") -> list[str]:
    """Return a message for each channel, naming all of its pairs."""
    pairs: dict[str, list[str]] = {}
    for topic in topics:
        name, _, pair = topic.partition(":")
        pairs.setdefault(name, []).extend([pair] if pair else [])
    return [
        _text({"event": "subscribe", **_asked(name, symbols, token), "reqid": number})
        for number, (name, symbols) in enumerate(pairs.items(), start=1)
    ]


def _asked(name: str, symbols: Sequence[str], token: str) -> dict[str, object]:
    kind, _, depth = name.partition("-")
    subscription: dict[str, object] = {"name": kind}
    if depth:
        subscription["depth"] = int(depth)
    if token:
        subscription["token"] = token
    body: dict[str, object] = {"pair": list(symbols)} if symbols else {}
    return {**body, "subscription": subscription}


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"))
