"""Gemini, the API at ws.gemini.com.

Procedure of the exchange:

1. Connect with `snapshot=-1`, else no book is ever sent whole. The first depth message of each
   subscription then is the whole book; it comes before the answer to the subscription.
2. Each later one goes on from the last: its `U` is the `u` before it. One whose `U` is not tells of
   a loss: subscribe anew, which brings the whole book again.
3. Only one depth stream of a symbol may be asked for: two of them cannot be told apart.
4. One bad name refuses a whole subscription: each symbol is asked for by a message of its own.
5. One's own account is at the same address, and the handshake carries the signature. The key must
   be one of an account, with nonces by time.

The messages, and the rules by which they are read, are in `streams_market`. Source: Gemini,
WebSocket API 0.10.7, its AsyncAPI specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.event import NO_ROUTES, Event, Notice, Routes
from venues.frame import Frame, FrameKind
from venues.gemini import streams_market as market
from venues.gemini.streams_dialect import BOOK_STREAM, PATHS, StreamsDialect, signed_headers
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
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

_NAME = "gemini"
_STREAMS = {
    Channel.BOOK: BOOK_STREAM,
    Channel.TRADES: "trade",
    Channel.QUOTES: "bookTicker",
}
_PRIVATE_STREAMS = {
    Channel.ORDER: "orders@account",
    Channel.POSITION: "positions@account",
    Channel.WALLET: "balances@account",
}
REST_URL = "https://api.gemini.com"
_SYMBOL = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_STREAMS_PER_CONNECTION = 200
_MARKET_BEGINNINGS = (b'{"e":"depthUpdate"', b'{"E":', b'{"u":')
_HTTP = FrameKind.HTTP


@dataclass(frozen=True, slots=True)
class Streams(Venue):
    """Gemini, as it speaks today."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return _NAME

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return StreamsDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, and one for one's own account, as asked for."""
        public, private, symbols, _ = checked_request(self, request, _SYMBOL, str.lower)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [_topics(public, symbol) for symbol in symbols]
            plans += plan_line(_line(request), topics, _fits, _subscribe_messages)
        if private:
            topics = [
                [Topic(Subscription(channel, ""), _PRIVATE_STREAMS[channel]) for channel in private]
            ]
            plans += plan_line(_line(request, private=True), topics, _fits, _subscribe_messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the address, and the signed headers of a private plan (step 5).

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        return Login(plan.url, signed_headers(required_keys(_NAME, credentials), time_ms))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book (step 2)."""
        stream = f"{symbol}@{BOOK_STREAM}"
        return [
            _message("unsubscribe", [stream], f"fresh-{symbol}-off"),
            _message("subscribe", [stream], f"fresh-{symbol}-on"),
        ]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [details_request(plan, symbol) for symbol in symbols]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `btcusd`, or `btcusdcperp` for a perpetual."""
        return f"{pair.base}{pair.quote}{'perp' if pair.perpetual else ''}".lower()

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
        return market.instrument_events(answer.body, frame.receive_time_ns, answer.symbol)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_MARKET_BEGINNINGS):
            return None
        try:
            return market.read_notice(payload)
        except (ValueError, RecursionError):
            return None


def details_request(plan: ConnectionPlan, symbol: str) -> HttpRequest:
    """Return the request for a symbol's steps."""
    url = f"{plan.rest_url}/v1/symbols/details/{symbol.lower()}"
    return HttpRequest(url, symbol, Purpose.INSTRUMENTS)


def _line(request: StreamRequest, *, private: bool = False) -> Line:
    # Step 1.
    own_url = "wss://ws.gemini.com" if private else "wss://ws.gemini.com?snapshot=-1"
    return Line(
        stream=f"{_NAME}/private" if private else _NAME,
        url=websocket_url(own_url, request.url, PATHS),
        rest_url=rest_url(REST_URL, request.url),
        depth=None,
        private=private,
    )


def _topics(channels: Sequence[Channel], symbol: str) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), f"{symbol}@{_STREAMS[channel]}")
        for channel in channels
    ]


def _fits(streams: Sequence[str]) -> bool:
    return len(streams) <= _STREAMS_PER_CONNECTION


def _subscribe_messages(streams: Sequence[str]) -> list[str]:
    """Return a message for each symbol (step 4)."""
    of_symbols: dict[str, list[str]] = {}
    for stream in streams:
        of_symbols.setdefault(stream.partition("@")[0], []).append(stream)
    return [
        _message("subscribe", names, number)
        for number, names in enumerate(of_symbols.values(), start=1)
    ]


def _message(method: str, streams: Sequence[str], request_id: int | str) -> str:
    body = {"id": request_id, "method": method, "params": list(streams)}
    return json.dumps(body, separators=(",", ":"))


_DETECTION_LIMITS = (
    "There is no checksum: a wrong level inside an unbroken chain cannot be seen.",
    "A book whose first message is not marked by equal ids, as all were that were seen, never "
    "begins.",
    "Trades carry no contiguous number: a lost trade cannot be seen.",
)

STREAMS = Streams(
    VenueTraits(
        channels=frozenset((*_STREAMS, *_PRIVATE_STREAMS)),
        default_channels=(Channel.BOOK, Channel.TRADES),
        continuity=Continuity.CHAIN,
        snapshot_source=SnapshotSource.IN_BAND,
        # Books were seen silent for 28 s.
        stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 600.0},
        keepalive=Keepalive(
            message=f'{{"id":"{market.PING_ID}","method":"ping"}}', silence_limit_s=60.0
        ),
        # 80 % of the 300 connects in 5 minutes that are allowed.
        limits=ConnectionLimits(connects_max=240, connects_window_s=300.0),
        detection_limits=_DETECTION_LIMITS,
        addresses=("ws.gemini.com", "wsapi.fast.gemini.com"),
    )
)
