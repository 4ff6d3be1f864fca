"""Crypto.com Exchange, API v1: spot and perpetuals.

1. Connect, and wait a second before anything is said: requests are counted per second of the clock.
2. Subscribe with `book_subscription_type` SNAPSHOT_AND_UPDATE: a snapshot comes, then updates.
3. Each update names the one that it follows (`pu`); after a hole, subscribe again.
4. Answer every `public/heartbeat` within 5 s, with its own id.
5. One's own account is at another endpoint, after a signed `public/auth`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, chunks, plan_line
from venues.cryptocom import market
from venues.cryptocom.dialect import (
    HEARTBEAT_ANSWER,
    HEARTBEAT_METHOD,
    LOGIN_METHOD,
    MARKET_PATH,
    USER_PATH,
    CryptocomDialect,
    signed_text,
)
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import required_keys, signature
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

_HOST = "wss://stream.crypto.com"
_PRIVATE = {
    Channel.ORDER: "user.order",
    Channel.POSITION: "user.positions",
    Channel.WALLET: "user.balance",
}
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_-]*")
_CHANNELS_PER_MESSAGE = 50
_CHANNELS_PER_CONNECTION = 200
_LOGIN_ID = 1
_HEARTBEAT_BYTES_MAX = 200
_HTTP = FrameKind.HTTP

_TRAITS = VenueTraits(
    channels=frozenset((Channel.BOOK, Channel.TRADES, Channel.QUOTES, Channel.TICKERS, *_PRIVATE)),
    default_channels=(Channel.BOOK, Channel.TRADES),
    continuity=Continuity.CHAIN,
    snapshot_source=SnapshotSource.IN_BAND,
    depths=(10, 50),
    depth=50,
    depth_keeper=DepthKeeper.VENUE,
    stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 600.0},
    # A heartbeat comes every 30 s.
    keepalive=Keepalive(silence_limit_s=65.0),
    limits=ConnectionLimits(message_interval_s=0.1),
    detection_limits=(
        "There is no checksum: a wrong level inside an unbroken chain cannot be seen.",
        "Trades carry no contiguous number: a lost trade cannot be seen.",
        "Liquidations are not published.",
        "The first trades after a subscription may be older than it: they are left off the tape.",
    ),
    addresses=("stream.crypto.com/exchange/v1", "stream.crypto.com/v2"),
    history_first=frozenset({Channel.TRADES}),
)


class _Head(msgspec.Struct, gc=False):
    method: str = ""
    id: int | str | None = None
    code: int | str | None = None
    message: str = ""
    result: msgspec.Raw = msgspec.Raw(b"")


_HEAD = msgspec.json.Decoder(_Head)


class _Named(msgspec.Struct, gc=False):
    channel: str = ""


_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class Cryptocom(Venue):
    """The one venue of Crypto.com."""

    name: str = "cryptocom"
    traits: VenueTraits = _TRAITS

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return CryptocomDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return a connection for market data and one for one's own account, as asked for."""
        public, private, symbols, depth = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            line = self._line(self.name, MARKET_PATH, request, depth)
            topics = [_topics(public, symbol, depth) for symbol in symbols]
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        if private:
            line = self._line(f"{self.name}/private", USER_PATH, request, None)
            own = [[Topic(Subscription(channel, ""), _PRIVATE[channel]) for channel in private]]
            plans += plan_line(line, own, _fits, _subscribe_messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login message of a private plan (step 5).

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(self.name, credentials)
        body = {
            "id": _LOGIN_ID,
            "method": LOGIN_METHOD,
            "api_key": keys.key,
            "sig": signature(keys.secret, signed_text(_LOGIN_ID, keys.key, time_ms)),
            "nonce": time_ms,
        }
        return Login(plan.url, message=json.dumps(body, separators=(",", ":")))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if plan.depth is None:
            return []
        topic = f"book.{symbol}.{plan.depth}"
        return [_request("unsubscribe", [topic], 90), _request("subscribe", [topic], 91)]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return the one request that tells of all instruments."""
        if plan.private:
            return []
        url = f"{plan.rest_url}/exchange/v1/public/get-instruments"
        return [HttpRequest(url, "", Purpose.INSTRUMENTS)]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC_USDT`, or `BTCUSD-PERP` for a perpetual, which are all in USD."""
        if not pair.perpetual:
            return f"{pair.base}_{pair.quote}"
        return f"{pair.base}USD-PERP" if pair.quote == "USD" else None

    def reply(self, payload: bytes) -> str | None:
        """Return the answer to a heartbeat (step 4)."""
        if len(payload) > _HEARTBEAT_BYTES_MAX or HEARTBEAT_METHOD.encode() not in payload:
            return None
        head = decoded_or_none(_HEAD, payload)
        if head is None or head.method != HEARTBEAT_METHOD:
            return None
        return json.dumps({"id": head.id, "method": HEARTBEAT_ANSWER}, separators=(",", ":"))

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        if frame.kind is _HTTP:
            return self._http_events(frame)
        payload = frame.payload
        try:
            result = market.MESSAGE.decode(payload).result
        except msgspec.ValidationError:
            return self._other_events(payload, frame.receive_time_ns)
        if result is msgspec.UNSET:
            return self._other_events(payload, frame.receive_time_ns)
        return market.READERS[type(result)](result, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        head = decoded_or_none(_HEAD, payload)
        return None if head is None else _notice(head, 0)

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        """Read an answer; else fail again, or say what it is that is of no use here."""
        head = _HEAD.decode(payload)
        notice = _notice(head, receive_time_ns)
        if notice is not None:
            return (notice,)
        if not bytes(head.result):
            raise DecodeError(self.name, "it has neither a result nor a method", payload)
        channel = _NAMED.decode(head.result).channel
        if channel in market.CHANNELS:
            market.MESSAGE.decode(payload)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, channel),)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        if answer.purpose is Purpose.INSTRUMENTS:
            return market.instrument_events(answer.body, frame.receive_time_ns)
        raise DecodeError(self.name, "books come on the socket alone", answer.body)

    def _line(self, stream: str, path: str, request: StreamRequest, depth: int | None) -> Line:
        return Line(
            stream=stream,
            url=websocket_url(_HOST + path, request.url, (MARKET_PATH, USER_PATH)),
            rest_url=rest_url("https://api.crypto.com", request.url),
            depth=depth,
            private=path == USER_PATH,
        )


def _topics(channels: Sequence[Channel], symbol: str, depth: int | None) -> list[Topic]:
    topics: list[Topic] = []
    for channel in channels:
        names = {
            Channel.BOOK: [f"book.{symbol}.{depth}"],
            Channel.TRADES: [f"trade.{symbol}"],
            Channel.QUOTES: [f"ticker.{symbol}"],
            Channel.TICKERS: [f"ticker.{symbol}"],
        }[channel]
        if channel is Channel.TICKERS and symbol.endswith("-PERP"):
            names += [f"mark.{symbol}", f"funding.{symbol}"]
        topics += [Topic(Subscription(channel, symbol), name) for name in names]
    return topics


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _CHANNELS_PER_CONNECTION


def _request(method: str, topics: Sequence[str], request_id: int) -> str:
    params: dict[str, object] = {"channels": list(topics)}
    if method == "subscribe" and any(topic.startswith("book.") for topic in topics):
        params["book_subscription_type"] = "SNAPSHOT_AND_UPDATE"  # Step 2.
    body = {"id": request_id, "method": method, "params": params}
    return json.dumps(body, separators=(",", ":"))


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    each_once = list(dict.fromkeys(topics))
    return [
        _request("subscribe", piece, number)
        for number, piece in enumerate(chunks(each_once, _CHANNELS_PER_MESSAGE), start=2)
    ]


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    if bytes(head.result):
        return None
    accepted = head.code in (0, "0")
    if head.method == HEARTBEAT_METHOD:
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    if head.method == LOGIN_METHOD:
        kind = NoticeKind.LOGGED_IN if accepted else NoticeKind.LOGIN_REFUSED
    elif head.code is not None:
        kind = NoticeKind.ACKNOWLEDGED if accepted else NoticeKind.REJECTED
    else:
        return None
    text = "" if accepted else f"{head.message} ({head.code})".strip()
    return Notice("", receive_time_ns, None, kind, text)


VENUES = (Cryptocom(),)
