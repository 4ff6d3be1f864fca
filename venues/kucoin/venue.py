"""KuCoin: spot and futures.

A symbol without a hyphen (`XBTUSDTM`) is a contract: those have hosts, topics and a REST book of
their own (see `futures`), and so connections of their own. Numbers of states mean the same. One's
own account is one of spot and one of futures: that of the symbols asked for, both without any.

How a connection begins: a POST to `bullet-public` (for one's own account `bullet-private`, signed)
gives a token, good for 24 hours, the address to connect to and how often to ping; the exchange says
`welcome`, takes subscriptions and answers each with `ack`. It takes subscriptions that come before
its welcome, too (the recorded feed shows it).

The book needs REST; the procedure is in `market`. The whole book can only be fetched with keys,
and a recording of public data must not need any: so the snapshot is the public one, of 100 levels
a side. Between its outermost prices the book is exact. Beyond them a level is unknown until it
changes.

Sources: KuCoin, "Websocket: Apply connect token", "Level2 market data", "Private order change",
"Account balance notice"; of futures "All Order", "All Position", "Balance".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from venues.channel import Channel, Subscription
from venues.connection_plan import Topic, chunks, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.kucoin import account, futures, market
from venues.kucoin.access import read_access, signed_headers
from venues.kucoin.dialect import (
    PRIVATE_ACCESS_PATH,
    PUBLIC_ACCESS_PATH,
    KucoinDialect,
)
from venues.kucoin.part import (
    FUTURES_ACCOUNT_TOPICS,
    FUTURES_PART,
    PARTS,
    SPOT_TOPICS,
    part_of,
)
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    STALE_LIMITS_S,
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
from venues.wire import decoded_or_none

_HTTP = FrameKind.HTTP
_SYMBOL = re.compile(r"[A-Z0-9]+-[A-Z0-9]+|[A-Z0-9]{5,}")
_BITCOIN = {"BTC": "XBT"}
"""What contracts call a coin."""
_SYMBOLS_PER_MESSAGE = 100
_TOPICS_PER_CONNECTION = 300
_PING = '{"id":"ping","type":"ping"}'

_Reader = Callable[[bytes, int], Sequence[Event]]
_READERS: Mapping[str, _Reader] = {
    "/market/level2": market.book_events,
    "/market/match": market.trade_events,
    "/market/ticker": market.quote_events,
    "/market/snapshot": market.ticker_events,
    "/indicator/index": market.indicator_events,
    "/indicator/markPrice": market.indicator_events,
    "/spotMarket/tradeOrders": account.order_events,
    "/spotMarket/tradeOrdersV2": account.order_events,
    "/account/balance": account.balance_events,
    **futures.READERS,
}


class _Head(msgspec.Struct, gc=False):
    type: str | None = None
    topic: str | None = None
    code: int | None = None
    data: msgspec.Raw = msgspec.Raw(b'""')


_HEAD = msgspec.json.Decoder(_Head)

_ANSWER_KINDS = {
    "ack": NoticeKind.ACKNOWLEDGED,
    "error": NoticeKind.REJECTED,
    "welcome": NoticeKind.INFORMATION,
    "pong": NoticeKind.HEARTBEAT,
}


@dataclass(frozen=True, slots=True)
class Kucoin(Venue):
    """KuCoin's spot market."""

    name: str
    traits: VenueTraits

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return KucoinDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, of 300 topics each, and those for one's accounts."""
        public, private, symbols, _ = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            for part in PARTS:
                topics = [
                    [
                        Topic(Subscription(channel, symbol), f"{part.topics[channel]}:{symbol}")
                        for channel in public
                    ]
                    for symbol in symbols
                    if part_of(symbol) is part
                ]
                line = part.line(self.name, request)
                plans += plan_line(line, topics, _fits, _public_messages)
        for part in PARTS:
            own = part.account(private, symbols)
            line = part.line(self.name, request, private=True)
            plans += plan_line(line, [own], _fits, _private_messages)
        return plans

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        """Return the request for a token.

        Raises:
            CredentialsError: the plan is private and key, secret or passphrase is missing.
        """
        path = PRIVATE_ACCESS_PATH if plan.private else PUBLIC_ACCESS_PATH
        headers: tuple[tuple[str, str], ...] = ()
        if plan.private:
            headers = signed_headers(self.name, credentials, time_ms, f"POST{path}")
        return HttpRequest(plan.rest_url + path, "", Purpose.ACCESS, "POST", headers)

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the address that the exchange names, with the token that lets us in.

        Raises:
            DecodeError: the answer gives no token or names no server.
            msgspec.MsgspecError: it is no such answer.
        """
        return read_access(self.name, access, time_ms)

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        """Return the request for the best 100 levels a side; of a contract, for the whole book."""
        path = part_of(symbol).snapshot_path
        return HttpRequest(f"{plan.rest_url}{path}?symbol={symbol}", symbol)

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        return [
            HttpRequest(
                f"{plan.rest_url}{part_of(symbol).instruments_path}/{symbol}",
                symbol,
                Purpose.INSTRUMENTS,
            )
            for symbol in sorted({one.symbol for one in plan.subscriptions if one.symbol})
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC-USDT`, and for a perpetual `XBTUSDTM`."""
        if not pair.perpetual:
            return f"{pair.base}-{pair.quote}"
        if pair.quote not in ("USDT", "USDC", "USD"):
            return None
        return f"{_BITCOIN.get(pair.base, pair.base)}{pair.quote}M"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        if frame.kind is _HTTP:
            return self._http_events(frame)
        # The subject stands before the rows or behind them: found so, it costs less than a pass.
        if b'"subject":"trade.l2update"' in payload:
            return market.book_events(payload, frame.receive_time_ns)
        if b'"subject":"trade.l3match"' in payload:
            return market.trade_events(payload, frame.receive_time_ns)
        if b'"subject":"trade.ticker"' in payload:
            return market.quote_events(payload, frame.receive_time_ns)
        if b'"topic":"/contractMarket/level2:' in payload:
            return futures.book_events(payload, frame.receive_time_ns)
        return self._other_events(payload, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        head = decoded_or_none(_HEAD, payload)
        return None if head is None else _answer_notice(head, 0)

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        head = _HEAD.decode(payload)
        notice = _answer_notice(head, receive_time_ns)
        if notice is not None:
            return (notice,)
        if head.topic is None or not head.topic.startswith("/"):
            raise DecodeError(self.name, "it has neither a topic nor is it an answer", payload)
        reader = _READERS.get(head.topic.partition(":")[0])
        if reader is not None:
            return reader(payload, receive_time_ns)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.topic),)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        time_ns = frame.receive_time_ns
        refusal = market.rest_refusal(answer.body)
        if refusal is not None:
            return (Notice(answer.symbol, time_ns, None, NoticeKind.INFORMATION, refusal),)
        of_futures = part_of(answer.symbol) is FUTURES_PART
        if answer.purpose is Purpose.INSTRUMENTS:
            read = futures.contract_events if of_futures else market.instrument_events
            return read(answer.body, time_ns)
        if not answer.symbol:
            raise DecodeError(self.name, "nothing says whose book the snapshot is", answer.body)
        book = futures.snapshot_event if of_futures else market.rest_snapshot_event
        return (book(answer.body, answer.symbol, time_ns),)


def _answer_notice(head: _Head, receive_time_ns: int) -> Notice | None:
    kind = None if head.topic is not None else _ANSWER_KINDS.get(head.type or "")
    if kind is None:
        return None
    text = head.type or ""
    if kind is NoticeKind.REJECTED:
        said = bytes(head.data).decode("utf-8", "backslashreplace").strip('"')
        text = said if head.code is None else f"{said} (code {head.code})"
    return Notice("", receive_time_ns, None, kind, text)


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _public_messages(topics: Sequence[str]) -> list[str]:
    symbols: dict[str, list[str]] = {}
    for topic in topics:
        channel, _, symbol = topic.partition(":")
        symbols.setdefault(channel, []).append(symbol)
    pieces = [
        f"{channel}:{','.join(piece)}"
        for channel, named in symbols.items()
        for piece in chunks(named, _SYMBOLS_PER_MESSAGE)
    ]
    return _subscribe_messages(pieces, private=False)


def _private_messages(topics: Sequence[str]) -> list[str]:
    return _subscribe_messages(topics, private=True)


def _subscribe_messages(topics: Sequence[str], *, private: bool) -> list[str]:
    return [
        json.dumps(
            {
                "id": f"subscribe-{number}",
                "type": "subscribe",
                "topic": topic,
                "privateChannel": private,
                "response": True,
            },
            separators=(",", ":"),
        )
        for number, topic in enumerate(topics, start=1)
    ]


_DEFAULT = (Channel.BOOK, Channel.TRADES, Channel.QUOTES)

SPOT = Kucoin(
    name="kucoin",
    traits=VenueTraits(
        channels=frozenset((*SPOT_TOPICS, *FUTURES_ACCOUNT_TOPICS)),
        default_channels=_DEFAULT,
        continuity=Continuity.ID_RANGE,
        snapshot_source=SnapshotSource.REST,
        rest_resync=True,
        bridge=BridgeRule(drop_below=1, joins_at=1),
        quote_shares_sequence=True,
        # Pairs that trade once an hour are listed beside those that trade each millisecond.
        stale_limits_s={**STALE_LIMITS_S, Channel.BOOK: 30.0, Channel.TRADES: 300.0},
        keepalive=Keepalive(interval_s=18.0, message=_PING),
        # 80 % of the 30 connects a minute and 100 messages in 10 s that are allowed.
        limits=ConnectionLimits(
            connects_max=24, connects_window_s=60.0, lifetime_s=86_400.0, message_interval_s=0.125
        ),
        detection_limits=(
            "The book of a spot pair is exact only between the outermost prices of the REST "
            "snapshot that began it, 100 levels a side: a level beyond them is unknown until it "
            "changes. The whole book is given to accounts alone.",
            "The exchange sends no checksum: a wrong level inside an unbroken sequence cannot be "
            "seen.",
            "Trades carry no contiguous number: a lost trade cannot be seen.",
        ),
        addresses=(
            "push-private.kucoin.com/",
            "ws-api.kucoin.com/",
            "ws-api-spot.kucoin.com/",
            "x-push-spot.kucoin.com/",
            "ws-api-futures.kucoin.com/",
            "api.kucoin.com/",
            "api-futures.kucoin.com/",
        ),
    ),
)

VENUES = (SPOT,)
