"""Bitstamp: spot and perpetuals, books joined to REST by time.

Procedure of the exchange, of which the engine does steps 3 and 4 by the traits declared here:

1. Subscribe to `diff_order_book_[market]`, one channel a message, and keep what comes.
2. Fetch the order book by REST.
3. Drop the diffs whose `microtimestamp` is at or before that of the book.
4. Apply the others. Times prove nothing: a diff that was lost cannot be seen, and no book is ever
   called proven.
5. `bts:request_reconnect` announces the end of the connection a few seconds ahead.
6. One's own orders come by `private-my_orders_[market]-[user]`, subscribed to with a token that is
   fetched by a signed POST and good for 60 s.

A book is asked for by REST for each market, also after a reconnect. What `order_book_[market]`
sends is read, never asked for: it has 100 levels.

Source: Bitstamp, Websocket API v2 and API reference.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from venues.address import rest_url, websocket_url
from venues.bitstamp import market
from venues.bitstamp.dialect import PATHS, SNAPSHOT_PATH, TOKEN_PATH, BitstampDialect
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.nonce import nonce_uuid
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import (
    checked_channels,
    checked_depth,
    checked_symbols,
    require_symbols,
)
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

_NAME = "bitstamp"
_WORDS = {
    Channel.BOOK: market.DIFF,
    Channel.TRADES: market.TRADES,
    Channel.TICKERS: market.FUNDING,
    Channel.ORDER: market.ORDERS,
}
_SYMBOL = re.compile(r"[a-z0-9]+(?:-perp)?")
_CHANNELS_PER_CONNECTION = 1000
_TOKEN_BODY = b"unused=1"
"""An empty POST is refused, whatever its signature."""
_CONTENT_TYPE = "application/x-www-form-urlencoded"
_MARKET_BEGINNING = b'{"data":{"'
_HTTP = FrameKind.HTTP


class _Access(msgspec.Struct):
    token: str
    user_id: int


_ACCESS = msgspec.json.Decoder(_Access)


@dataclass(frozen=True, slots=True)
class Bitstamp(Venue):
    """Bitstamp."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return _NAME

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return BitstampDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, and one for one's own orders, as asked for."""
        channels = checked_channels(_NAME, request, self.traits)
        checked_depth(_NAME, request, self.traits)
        symbols = checked_symbols(self, request, _SYMBOL, str.lower)
        # The private channel names its market too.
        require_symbols(_NAME, symbols)
        plans: list[ConnectionPlan] = []
        for private in (False, True):
            wanted = [channel for channel in channels if channel.private is private]
            topics = [_topics(wanted, symbol) for symbol in symbols]
            line = Line(
                stream=f"{_NAME}/private" if private else _NAME,
                url=websocket_url("wss://ws.bitstamp.net", request.url, PATHS),
                rest_url=rest_url("https://www.bitstamp.net", request.url),
                depth=None,
                private=private,
            )
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        return plans

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        """Return the request for a token of a private plan (step 6).

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return None
        keys = required_keys(_NAME, credentials)
        url = f"{plan.rest_url}{TOKEN_PATH}"
        host = urlsplit(url).netloc
        nonce = nonce_uuid(keys.secret, time_ms)
        signed = (
            f"BITSTAMP {keys.key}POST{host}{TOKEN_PATH}{_CONTENT_TYPE}{nonce}{time_ms}v2"
        ).encode() + _TOKEN_BODY
        signature = hmac.new(keys.secret.encode(), signed, hashlib.sha256).hexdigest()
        headers = (
            ("X-Auth", f"BITSTAMP {keys.key}"),
            ("X-Auth-Signature", signature),
            ("X-Auth-Nonce", nonce),
            ("X-Auth-Timestamp", str(time_ms)),
            ("X-Auth-Version", "v2"),
            ("Content-Type", _CONTENT_TYPE),
        )
        return HttpRequest(url, "", Purpose.ACCESS, "POST", headers, _TOKEN_BODY)

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the address, and as token the user's number and token.

        Raises:
            CredentialsError: a key is missing.
            msgspec.MsgspecError: `access` is no such answer.
        """
        if not plan.private:
            return Login(plan.url)
        required_keys(_NAME, credentials)
        answer = _ACCESS.decode(access)
        return Login(plan.url, token=f"{answer.user_id} {answer.token}")

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return what to send, with the user's number and token where the plan is private."""
        if not plan.private:
            return plan.subscribe_messages
        user, _, token = login.token.partition(" ")
        channels = [json.loads(text)["data"]["channel"] for text in plan.subscribe_messages]
        return tuple(_message("bts:subscribe", f"{channel}-{user}", token) for channel in channels)

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        """Return the request for the whole book, a level a price (step 2)."""
        return HttpRequest(f"{plan.rest_url}{SNAPSHOT_PATH}{symbol}/?group=1", symbol)

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return the one request that tells of all markets."""
        if plan.private:
            return []
        return [HttpRequest(f"{plan.rest_url}/api/v2/markets/", "", Purpose.INSTRUMENTS)]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `btcusd`, or `btcusd-perp` for a perpetual."""
        return f"{pair.base}{pair.quote}{'-perp' if pair.perpetual else ''}".lower()

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        if frame.kind is not _HTTP:
            return market.message_events(frame.payload, frame.receive_time_ns)
        answer = read_http_answer(_NAME, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.purpose is Purpose.INSTRUMENTS:
            return market.instrument_events(answer.body, frame.receive_time_ns)
        if not answer.symbol:
            raise DecodeError(_NAME, "nothing says whose book the snapshot is", answer.body)
        return (market.rest_snapshot_event(answer.body, answer.symbol, frame.receive_time_ns),)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_MARKET_BEGINNING):
            return None
        try:
            return market.read_notice(payload)
        except (ValueError, RecursionError):
            return None


def _topics(channels: Sequence[Channel], symbol: str) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), f"{_WORDS[channel]}{symbol}") for channel in channels
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _CHANNELS_PER_CONNECTION


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    return [_message("bts:subscribe", topic) for topic in topics]


def _message(event: str, channel: str, token: str = "") -> str:
    content = {"channel": channel, "auth": token} if token else {"channel": channel}
    return json.dumps({"event": event, "data": content}, separators=(",", ":"))


_DETECTION_LIMITS = (
    "Books are joined to their REST snapshot by time alone, and diffs carry no number: a lost diff "
    "cannot be seen, and no book is ever called proven.",
    "Trades carry no contiguous number: a lost trade cannot be seen.",
    "An unknown market is acknowledged like any other, and stays silent.",
    "Tickers (mark, index, funding) are of perpetuals alone.",
)

BITSTAMP = Bitstamp(
    VenueTraits(
        channels=frozenset(_WORDS),
        default_channels=(Channel.BOOK, Channel.TRADES),
        continuity=Continuity.NONE,
        snapshot_source=SnapshotSource.REST,
        rest_resync=True,
        bridge=BridgeRule(drop_below=1, joins_at=None),
        # Books were seen silent for 49 s.
        stale_limits_s={Channel.BOOK: 120.0, Channel.TRADES: 600.0},
        keepalive=Keepalive(message='{"event":"bts:heartbeat"}', silence_limit_s=60.0),
        limits=ConnectionLimits(lifetime_s=90 * 86_400.0, message_interval_s=0.05),
        detection_limits=_DETECTION_LIMITS,
        addresses=("ws.bitstamp.net", "www.bitstamp.net/api/v2"),
    )
)

VENUES = (BITSTAMP,)
