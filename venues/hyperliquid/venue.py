"""Hyperliquid: perpetuals and spot of its own chain, one endpoint for all.

1. Connect, and send one subscription a message; each is repeated by the exchange as its answer.
2. A book comes whole with every push: there is nothing to bridge, and nothing to check it by.
3. Send `{"method":"ping"}` at least every 60 s; the exchange answers `{"channel":"pong"}`.
4. An account is named by its address, and whoever names it may listen: there is no login. The
   address is the `key` of the credentials, so that it is kept out of recordings all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.hyperliquid import market
from venues.hyperliquid.dialect import PATH, HyperliquidDialect
from venues.named_account import ACCOUNT, account_login, account_messages
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
from venues.wire import decoded_or_none

_HOST = "wss://api.hyperliquid.xyz"
_INFO_URL = "https://api.hyperliquid.xyz"
_TYPES = {
    Channel.BOOK: "l2Book",
    Channel.TRADES: "trades",
    Channel.QUOTES: "bbo",
    Channel.TICKERS: "activeAssetCtx",
    Channel.ORDER: "orderUpdates",
    Channel.POSITION: "clearinghouseState",
    Channel.WALLET: "clearinghouseState",
}
_SYMBOL = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@:/._-]*")
_SUBSCRIPTIONS_PER_CONNECTION = 200
_MARKET_BEGINNINGS = (b'{"channel":"l2Book"', b'{"channel":"bbo"', b'{"channel":"trades"')
_HTTP = FrameKind.HTTP

_TRAITS = VenueTraits(
    channels=frozenset(_TYPES),
    default_channels=(Channel.BOOK, Channel.TRADES, Channel.QUOTES),
    continuity=Continuity.NONE,
    snapshot_source=SnapshotSource.IN_BAND,
    depths=(20,),
    depth=20,
    depth_keeper=DepthKeeper.VENUE,
    stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 600.0},
    # Step 3.
    keepalive=Keepalive(interval_s=30.0, message='{"method":"ping"}', silence_limit_s=60.0),
    # The smallest of the limits that are written anywhere: 30 new connections a minute.
    limits=ConnectionLimits(connects_max=24, connects_window_s=60.0, message_interval_s=0.05),
    detection_limits=(
        "A book comes whole with each push and without a number: a lost push cannot be seen, and "
        "is made good by the next one.",
        "Trades carry no contiguous number: a lost trade cannot be seen.",
        "Liquidations of others are not published: only those that one's own fills took part in.",
        "The first trades after a subscription may be older than it: they are left off the tape.",
    ),
    addresses=("api.hyperliquid.xyz/ws",),
    history_first=frozenset({Channel.TRADES}),
)


class _Head(msgspec.Struct, gc=False):
    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_HEAD = msgspec.json.Decoder(_Head)
_WORD = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Hyperliquid(Venue):
    """The one venue of Hyperliquid."""

    name: str = "hyperliquid"
    traits: VenueTraits = _TRAITS

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return HyperliquidDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return a connection for market data and one for one's own account, as asked for."""
        public, private, symbols, _ = checked_request(self, request, _SYMBOL, str)
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
        """Return the address of the account (step 4) as the token of what is subscribed to.

        Raises:
            CredentialsError: a private plan, and no address.
        """
        return account_login(self.name, plan, credentials, "The key is the account's address, 0x….")

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return the plan's messages, the account's address put in."""
        return account_messages(plan, login)

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return nothing: the next push is a whole book anyway (step 2)."""
        return []

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return the one request that tells of all perpetuals."""
        if plan.private:
            return []
        return [
            HttpRequest(
                f"{plan.rest_url}/info",
                "",
                Purpose.INSTRUMENTS,
                "POST",
                (("Content-Type", "application/json"),),
                b'{"type":"meta"}',
            )
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC` for a perpetual: they are counted in USD and settled in USDC."""
        return pair.base if pair.perpetual and pair.quote in ("USD", "USDC") else None

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
        return market.READERS[type(message)](message, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_MARKET_BEGINNINGS):
            return None
        head = decoded_or_none(_HEAD, payload)
        return None if head is None else _notice(head, 0)

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        """Read an answer; else fail again, or say what it is that is of no use here."""
        head = _HEAD.decode(payload)
        notice = _notice(head, receive_time_ns)
        if notice is not None:
            return (notice,)
        if head.channel in market.CHANNELS:
            market.MESSAGE.decode(payload)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.channel),)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.purpose is Purpose.INSTRUMENTS:
            return market.instrument_events(answer.body, frame.receive_time_ns)
        return (market.rest_book_event(answer.body, frame.receive_time_ns),)

    def _line(self, request: StreamRequest, *, private: bool) -> Line:
        return Line(
            stream=f"{self.name}/private" if private else self.name,
            url=websocket_url(_HOST + PATH, request.url, (PATH,)),
            rest_url=rest_url(_INFO_URL, request.url),
            depth=None if private else self.traits.depth,
            private=private,
        )


def _topic(channel: Channel, symbol: str) -> Topic:
    wish = {"type": _TYPES[channel]} | ({"user": ACCOUNT} if channel.private else {"coin": symbol})
    text = json.dumps(
        {"method": "subscribe", "subscription": wish}, separators=(",", ":"), ensure_ascii=False
    )
    return Topic(Subscription(channel, symbol), text)


def _fits(messages: Sequence[str]) -> bool:
    return len(messages) <= _SUBSCRIPTIONS_PER_CONNECTION


def _messages(messages: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(messages))  # positions and collateral come by one subscription


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    if head.channel == "subscriptionResponse":
        return Notice("", receive_time_ns, None, NoticeKind.ACKNOWLEDGED)
    if head.channel == "pong":
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    if head.channel == "error":
        text = decoded_or_none(_WORD, bytes(head.data)) or ""
        return Notice("", receive_time_ns, None, NoticeKind.REJECTED, text)
    return None


VENUES = (Hyperliquid(),)
