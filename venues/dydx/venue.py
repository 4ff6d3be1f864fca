"""dYdX v4: perpetuals of its own chain, read from its indexer.

1. Connect; the exchange says `connected`, with message id 0.
2. Every message of the connection has the next id. Around the answers to subscriptions they may be
   written out of order: what counts is that none is missing for good.
3. Subscribe, one channel and market a message. The answer states the book, or the latest trades.
4. What follows are changes; a book may be crossed for a moment, as orders of a block are matched
   after they are shown.
5. After a loss: unsubscribe and subscribe again.
6. A subaccount is named by its address and number (`dydx1…/0`), and whoever names it may listen:
   there is no login. It is the `key` of the credentials.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote as percent_encoded

import msgspec

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.dydx import market
from venues.dydx.dialect import PATH, DydxDialect
from venues.event import NO_ROUTES, Event, FrameSequence, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.named_account import ACCOUNT, account_login, account_messages
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    ConnectionLimits,
    Continuity,
    DepthKeeper,
    Keepalive,
    SequenceScope,
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
from venues.wire import Counter, decoded_or_none

_HOST = "indexer.dydx.trade"
_CHANNELS = {
    Channel.BOOK: "v4_orderbook",
    Channel.TRADES: "v4_trades",
    Channel.LIQUIDATIONS: "v4_trades",
    Channel.TICKERS: "v4_markets",
    Channel.ORDER: "v4_subaccounts",
    Channel.POSITION: "v4_subaccounts",
    Channel.WALLET: "v4_subaccounts",
}
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9,._-]*-USD")
_SUBSCRIPTIONS_PER_CHANNEL = 32
_HTTP = FrameKind.HTTP

_TRAITS = VenueTraits(
    channels=frozenset(_CHANNELS),
    default_channels=(Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS),
    continuity=Continuity.NONE,
    sequence_scope=SequenceScope.CONNECTION,
    sequence_reorder_max=64,
    snapshot_source=SnapshotSource.IN_BAND,
    depth_keeper=DepthKeeper.NOBODY,
    may_cross=True,
    stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 600.0},
    keepalive=Keepalive(interval_s=15.0),
    limits=ConnectionLimits(message_interval_s=0.5),
    detection_limits=(
        "Messages are counted over the connection: a lost one is seen, and not which market it was "
        "of, so that all books of the connection are doubted.",
        "A book may be crossed for a moment: that is no sign of a loss here.",
        "Messages carry no exchange time, but for trades.",
    ),
    addresses=("indexer.dydx.trade/v4",),
)


class _Head(msgspec.Struct, gc=False):
    type: str
    message_id: Counter | None = None
    channel: str = ""
    message: str = ""


_HEAD = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Dydx(Venue):
    """The one venue of dYdX."""

    name: str = "dydx"
    traits: VenueTraits = _TRAITS

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return DydxDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return a connection for market data and one for one's own account, as asked for."""
        public, private, symbols, _ = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [[_topic(channel, symbol) for channel in public] for symbol in symbols]
            plans += plan_line(self._line(request, private=False), topics, _fits, _messages)
        if private:
            own = [[_topic(channel, "") for channel in private]]
            plans += plan_line(self._line(request, private=True), own, _fits, _messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the subaccount (step 6) as the token of what is subscribed to.

        Raises:
            CredentialsError: a private plan, and no subaccount.
        """
        return account_login(self.name, plan, credentials, "The key is the subaccount, dydx1…/0.")

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return the plan's messages, the subaccount put in."""
        return account_messages(plan, login)

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book (step 5)."""
        return [_message(operation, "v4_orderbook", symbol) for operation in _BOTH]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [
            HttpRequest(
                f"{plan.rest_url}/v4/perpetualMarkets?ticker={percent_encoded(symbol, safe='')}",
                symbol,
                Purpose.INSTRUMENTS,
            )
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC-USD` for a perpetual: all that there is."""
        return f"{pair.base}-USD" if pair.perpetual and pair.quote in ("USD", "USDC") else None

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        if frame.kind is _HTTP:
            return self._http_events(frame)
        payload = frame.payload
        try:
            message = market.MESSAGE.decode(payload)
        except msgspec.ValidationError:
            return self._other_events(payload, frame.receive_time_ns)
        return market.message_events(message, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        head = decoded_or_none(_HEAD, payload)
        return None if head is None else _notice(head, 0)

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        """Read an answer; else fail again, or say what it is that is of no use here."""
        head = _HEAD.decode(payload)
        notice = _notice(head, receive_time_ns)
        if head.channel in market.CHANNELS:
            market.MESSAGE.decode(payload)
        if notice is None:
            notice = Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.channel)
        if head.message_id is None:
            return (notice,)
        return (FrameSequence("", receive_time_ns, None, head.message_id), notice)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.purpose is Purpose.INSTRUMENTS:
            return market.instrument_events(answer.body, frame.receive_time_ns)
        return (market.rest_book_event(answer.body, answer.symbol, frame.receive_time_ns),)

    def _line(self, request: StreamRequest, *, private: bool) -> Line:
        return Line(
            stream=f"{self.name}/private" if private else self.name,
            url=websocket_url(f"wss://{_HOST}{PATH}", request.url, (PATH,)),
            rest_url=rest_url(f"https://{_HOST}", request.url),
            depth=None,
            private=private,
        )


_BOTH = ("unsubscribe", "subscribe")


def _message(operation: str, channel: str, symbol: str) -> str:
    body = {"type": operation, "channel": channel}
    if symbol:
        body["id"] = symbol
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _topic(channel: Channel, symbol: str) -> Topic:
    word = _CHANNELS[channel]
    wanted = {"v4_markets": "", "v4_subaccounts": ACCOUNT}.get(word, symbol)
    return Topic(Subscription(channel, symbol), _message("subscribe", word, wanted))


def _fits(messages: Sequence[str]) -> bool:
    books = sum('"v4_orderbook"' in message for message in set(messages))
    trades = sum('"v4_trades"' in message for message in set(messages))
    return max(books, trades) <= _SUBSCRIPTIONS_PER_CHANNEL


def _messages(messages: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(messages))  # trades and liquidations come by one subscription


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    if head.type == "error":
        return Notice("", receive_time_ns, None, NoticeKind.REJECTED, head.message)
    if head.type == "pong":
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    if head.type == "connected":
        return Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.type)
    if head.type in ("subscribed", "unsubscribed"):
        return market.answered(head.type, receive_time_ns)
    return None


VENUES = (Dydx(),)
