"""The reference venue: the protocol that the fake exchange speaks and every sample is made with.

One endpoint, `/realtime`, for market data and, after a login, one's own account. Every claim that
a feed can make is in it (a counter, a checksum, a REST snapshot), so that each can be tested.
The messages, and the rules by which they are read, are in `market`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote as percent_encoded

from venues.account_rows import ACCOUNT_READERS
from venues.address import rest_url, websocket_url
from venues.bybit.dialect import SNAPSHOT_PATH, read_topic
from venues.bybit.market import rest_refusal
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import PING, answer_notice, op_message, required_keys, signature
from venues.pair import Pair
from venues.reference import market
from venues.reference.dialect import PATH, ReferenceDialect, signed_text
from venues.stream_request import checked_request
from venues.traits import (
    BridgeRule,
    ChecksumLayout,
    ChecksumRule,
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
    StreamRequest,
    Venue,
)

DEFAULT_HOST = "127.0.0.1:8765"
"""Where the fake exchange is by default: nobody else speaks this protocol."""

DEPTHS = (1, 25, 50, 200, 500)

_BOOK_BEGINNING = b'{"topic":"orderbook.'
_TRADE_BEGINNING = b'{"topic":"publicTrade.'
_MARKET_BEGINNING = b'{"topic":"'
_TOPICS = {
    Channel.BOOK: "orderbook.{depth}",
    Channel.TRADES: "publicTrade",
    Channel.LIQUIDATIONS: "allLiquidation",
}
_PUBLIC_READERS = {
    "orderbook": market.book_events,
    "publicTrade": market.trade_events,
    "allLiquidation": market.liquidation_events,
}
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_-]*")
_HTTP = FrameKind.HTTP
_TOPICS_PER_CONNECTION = 1000

_PRIVATE = (Channel.ORDER, Channel.POSITION, Channel.WALLET)
_PUBLIC = (Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS)

_TRAITS = VenueTraits(
    channels=frozenset((*_PUBLIC, *_PRIVATE)),
    default_channels=_PUBLIC,
    continuity=Continuity.COUNTER,
    snapshot_source=SnapshotSource.IN_BAND,
    rest_resync=True,
    bridge=BridgeRule(drop_below=1, joins_at=1),
    checksum=ChecksumRule(ChecksumLayout.INTERLEAVED, levels=25, signed=False, separator="|"),
    depths=DEPTHS,
    depth=50,
    depth_keeper=DepthKeeper.VENUE,
    keepalive=Keepalive(message=PING),
    detection_limits=(
        "Below the 25th level of a side no checksum looks.",
        "Trades and liquidations carry no contiguous number: a lost one cannot be seen.",
    ),
)


@dataclass(frozen=True, slots=True)
class Reference(Venue):
    """The reference venue."""

    name: str = "reference"
    traits: VenueTraits = _TRAITS

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return ReferenceDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return a connection for market data and one for one's own account, as asked for."""
        public, private, symbols, depth = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            line = _line(self.name, request, depth, private=False)
            topics = [_topics(public, symbol, depth) for symbol in symbols]
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        if private:
            line = _line(f"{self.name}/private", request, None, private=True)
            topics = [[Topic(Subscription(channel, ""), channel.value) for channel in private]]
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        return plans

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        if plan.depth is None:
            return []
        topic = _topic(Channel.BOOK, symbol, plan.depth)
        return [op_message("unsubscribe", [topic]), op_message("subscribe", [topic])]

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login message of a private plan.

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(self.name, credentials)
        signed = signature(keys.secret, signed_text(str(time_ms)))
        return Login(plan.url, message=op_message("auth", [keys.key, time_ms, signed]))

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        """Return the request for a book as deep as the one subscribed to."""
        query = f"symbol={percent_encoded(symbol, safe='')}&limit={plan.depth or _TRAITS.depth}"
        return HttpRequest(f"{plan.rest_url}{SNAPSHOT_PATH}?{query}", symbol)

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTCUSDT`: the protocol does not tell spot from perpetuals."""
        return pair.base + pair.quote

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        if payload.startswith(_BOOK_BEGINNING):
            return market.book_events(payload, frame.receive_time_ns)
        if payload.startswith(_TRADE_BEGINNING):
            return market.trade_events(payload, frame.receive_time_ns)
        if frame.kind is _HTTP:
            return self._http_events(frame)
        return self._other_events(payload, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_MARKET_BEGINNING):
            return None
        try:
            return answer_notice(payload, 0, bare_is_login=True)
        except (ValueError, RecursionError):
            return None

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        notice = answer_notice(payload, receive_time_ns, bare_is_login=True)
        if notice is not None:
            return (notice,)
        topic = read_topic(payload)
        if topic is None:
            raise DecodeError(self.name, "it has neither a topic nor an operation", payload)
        word = topic.partition(".")[0]
        if word in _PUBLIC_READERS:
            return _PUBLIC_READERS[word](payload, receive_time_ns)
        if word in ACCOUNT_READERS:
            return ACCOUNT_READERS[word](payload, receive_time_ns, "")
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, topic),)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        time_ns = frame.receive_time_ns
        refusal = rest_refusal(answer.body)
        if refusal is not None:
            return (Notice(answer.symbol, time_ns, None, NoticeKind.INFORMATION, refusal),)
        return (market.rest_snapshot_event(answer.body, answer.symbol, time_ns),)


def _line(stream: str, request: StreamRequest, depth: int | None, *, private: bool) -> Line:
    return Line(
        stream=stream,
        url=websocket_url(f"ws://{DEFAULT_HOST}{PATH}", request.url, (PATH,)),
        rest_url=rest_url(f"http://{DEFAULT_HOST}", request.url),
        depth=depth,
        private=private,
    )


def _topic(channel: Channel, symbol: str, depth: int | None) -> str:
    return f"{_TOPICS[channel].format(depth=depth)}.{symbol}"


def _topics(channels: Sequence[Channel], symbol: str, depth: int | None) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), _topic(channel, symbol, depth)) for channel in channels
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    return [op_message("subscribe", topics)]


VENUES = (Reference(),)
