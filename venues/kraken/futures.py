"""Kraken Futures: perpetual and dated contracts, books by sequence number.

A book begins with a snapshot on the socket, and subscribing anew brings a fresh one. The messages,
and the rules by which they are read, are in `futures_market` and `futures_account`.

How a private connection begins: we say `{"event":"challenge","api_key":…}`, the exchange answers
with a challenge, and every private subscription carries it and our signature of it. Whoever has the
key gets a challenge: only a subscription shows whether the signature is right.

What is wrong is said in an error or in an alert:

    {"event":"error","message":"Invalid product id"}
    {"event":"alert","message":"Failed to subscribe to authenticated feed"}   a wrong signature
    {"event":"alert","message":"rate_limited"}              the request was dropped, not put off
    {"event":"alert","message":"Not subscribed to feed"}    nothing is lost by it

The alerts are from btschwertfeger/python-kraken-sdk, issue 179, and
nautechsystems/nautilus_trader, pull request 4093.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes, Subscribed
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.kraken import futures_account as account
from venues.kraken import futures_market as market
from venues.kraken.futures_dialect import PATH, KrakenFuturesDialect
from venues.kraken.signature import signed_challenge, signing_key
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import VenueTraits
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

TOPICS_MAX = 300
"""Products and feeds on one connection: nothing is documented, so we keep it moderate."""

_DELTA_BEGINNING = b'{"feed":"book",'
_TRADE_BEGINNING = b'{"feed":"trade",'
_TICKER_BEGINNING = b'{"feed":"ticker",'
_FEED_BEGINNING = b'{"feed":"'
_FEEDS = {
    Channel.BOOK: "book",
    Channel.TRADES: "trade",
    Channel.LIQUIDATIONS: "trade",
    Channel.QUOTES: "ticker",
    Channel.TICKERS: "ticker",
    Channel.ORDER: "open_orders",
    Channel.POSITION: "open_positions",
    Channel.WALLET: "balances",
}
_CHANNELS = {
    "book": Channel.BOOK,
    "trade": Channel.TRADES,
    "ticker": Channel.TICKERS,
    "open_orders": Channel.ORDER,
    "open_positions": Channel.POSITION,
    "balances": Channel.WALLET,
}
_READERS: Mapping[str, Callable[[bytes, int], Sequence[Event]]] = {
    "book": market.delta_events,
    "book_snapshot": market.snapshot_events,
    "trade": market.trade_events,
    "trade_snapshot": market.trade_snapshot_events,
    "ticker": market.ticker_events,
    "open_orders": account.order_events,
    "open_orders_snapshot": account.order_snapshot_events,
    "open_positions": account.position_events,
    "balances": account.wallet_events,
    "balances_snapshot": account.wallet_events,
}
_PERPETUALS = {"BTC": "XBT"}
_SYMBOL = re.compile(r"[A-Z]{2}_[A-Z0-9][A-Z0-9._]*")
_LOGIN_WORDS = ("api_key", "api key", "challenge", "authenticated feed")
_REFUSING_ALERTS = ("failed to subscribe", "rate_limited")
_FAILURES = frozenset(("error", "subscribed_failed", "unsubscribed_failed"))
_HTTP = FrameKind.HTTP


class _Head(msgspec.Struct, gc=False):
    event: str | None = None
    feed: str | None = None
    product_ids: list[str] = []
    message: str = ""


_HEAD = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class KrakenFutures(Venue):
    """The futures exchange."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return KrakenFuturesDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data and one for one's own account, as asked for."""
        public, private, symbols, _ = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [
                [Topic(Subscription(one, symbol), f"{_FEEDS[one]}:{symbol}") for one in public]
                for symbol in symbols
            ]
            line = _line(self.name, request, private=False)
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        if private:
            line = _line(f"{self.name}/private", request, private=True)
            own = [[Topic(Subscription(one, ""), _FEEDS[one]) for one in private]]
            plans += plan_line(line, own, _fits, _subscribe_messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the request for a challenge, for a private plan.

        The token is what later messages need: the key, and what the challenge is signed with.

        Raises:
            CredentialsError: the keys cannot be used.
        """
        if not plan.private:
            return Login(plan.url)
        signing_key(self.name, credentials)
        assert credentials is not None
        message = _text({"event": "challenge", "api_key": credentials.key})
        return Login(plan.url, message=message, token=f"{credentials.key}\n{credentials.secret}")

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return the plan's messages, each with the signed challenge where they are private."""
        if not plan.private:
            return plan.subscribe_messages
        key, _, secret = login.token.partition("\n")
        signed = {
            "api_key": key,
            "original_challenge": answer,
            "signed_challenge": signed_challenge(
                signing_key(self.name, Credentials(key, secret)), answer
            ),
        }
        return tuple(
            _text({"event": "subscribe", "feed": _FEEDS[one.channel], **signed})
            for one in plan.subscriptions
        )

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if Subscription(Channel.BOOK, symbol) not in plan.subscriptions:
            return []
        return [
            _text({"event": event, "feed": "book", "product_ids": [symbol]})
            for event in ("unsubscribe", "subscribe")
        ]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return the request for all contracts: there is none for a single one."""
        if plan.private:
            return []
        url = f"{plan.rest_url}/derivatives/api/v3/instruments"
        return [HttpRequest(url, "", Purpose.INSTRUMENTS)]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return the multi-collateral perpetual of a pair in USD; there is none in any other."""
        if not pair.perpetual or pair.quote != "USD":
            return None
        return f"PF_{_PERPETUALS.get(pair.base, pair.base)}USD"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload, receive_time_ns = frame.payload, frame.receive_time_ns
        if payload.startswith(_DELTA_BEGINNING):
            return market.delta_events(payload, receive_time_ns)
        if payload.startswith(_TRADE_BEGINNING):
            return market.trade_events(payload, receive_time_ns)
        if payload.startswith(_TICKER_BEGINNING):
            return market.ticker_events(payload, receive_time_ns)
        if frame.kind is _HTTP:
            answer = read_http_answer(self.name, frame)
            if isinstance(answer, HttpAnswer):
                return self._http_events(answer, receive_time_ns)
            return answer
        return self._other_events(payload, receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_FEED_BEGINNING) and not payload.startswith(b'{"feed":"heartbeat"'):
            return None
        try:
            return _notice(_HEAD.decode(payload), 0)
        except (ValueError, RecursionError):
            return None

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        head = _HEAD.decode(payload)
        notice = _notice(head, receive_time_ns)
        if notice is not None:
            return (notice, *_subscribed(head, receive_time_ns))
        if head.feed is None:
            raise DecodeError(self.name, "it has neither an event nor a feed", payload)
        read = _READERS.get(head.feed)
        if read is not None:
            return read(payload, receive_time_ns)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.feed),)

    def _http_events(self, answer: HttpAnswer, receive_time_ns: int) -> Sequence[Event]:
        if answer.purpose is Purpose.INSTRUMENTS:
            return market.instrument_events(answer.body, receive_time_ns)
        text = "a book by REST: it has no number, and so cannot join the stream"
        return (Notice(answer.symbol, receive_time_ns, None, NoticeKind.INFORMATION, text),)


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    subject = " ".join([head.feed or "", *head.product_ids]).strip()
    symbol = head.product_ids[0] if len(head.product_ids) == 1 else ""
    if head.event is None:
        if head.feed != "heartbeat":
            return None
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    kind, text = NoticeKind.INFORMATION, f"{head.event} {head.message}".strip()
    if head.event in ("subscribed", "unsubscribed"):
        kind, text = NoticeKind.ACKNOWLEDGED, subject
    elif head.event == "challenge":
        kind, text = NoticeKind.LOGGED_IN, head.message
    elif head.event in _FAILURES or (head.event == "alert" and _refuses(head.message)):
        kind, text = _refusal(head.message or subject)
    return Notice(symbol, receive_time_ns, None, kind, text)


def _refuses(alert: str) -> bool:
    return alert.lower().startswith(_REFUSING_ALERTS)


def _refusal(said: str) -> tuple[NoticeKind, str]:
    about_login = any(word in said.lower() for word in _LOGIN_WORDS)
    return (NoticeKind.LOGIN_REFUSED if about_login else NoticeKind.REJECTED), said


def _subscribed(head: _Head, receive_time_ns: int) -> list[Subscribed]:
    if head.event != "subscribed" or head.feed is None:
        return []
    channel = _CHANNELS.get(head.feed)
    return [
        Subscribed(
            product,
            receive_time_ns,
            None,
            channel,
            None,
            "",
            f"{head.feed}:{product}" if product else head.feed,
        )
        for product in head.product_ids or [""]
    ]


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    """Return a message for each feed, naming all of its products."""
    products: dict[str, list[str]] = {}
    for topic in dict.fromkeys(topics):
        feed, _, product = topic.partition(":")
        products.setdefault(feed, []).extend([product] if product else [])
    return [
        _text({"event": "subscribe", "feed": feed, **({"product_ids": wanted} if wanted else {})})
        for feed, wanted in products.items()
    ]


def _line(stream: str, request: StreamRequest, *, private: bool) -> Line:
    url = websocket_url(f"wss://futures.kraken.com{PATH}", request.url, (PATH,))
    return Line(stream, url, rest_url("https://futures.kraken.com", request.url), None, private)


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= TOPICS_MAX


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"))
