"""Gate.io v4: spot and perpetual futures, each an instance of one class.

Every request carries the time at which it is made. Books need REST; the procedure is in `market`.
Futures settled in USDT and in BTC are at two endpoints, and so on two connections.

A request may name many symbols, and one that is listed no more refuses them all (`unknown currency
pair`; ccxt/ccxt, issue 25294): each symbol is asked for by a message of its own. How many there are
is not limited, says the exchange (gateio/gatews, issue 25).

Of futures, sizes may have decimals. They are shown to those alone who say so in the handshake and
in the request of a snapshot; others get whole numbers, cut off, so that a level of 0.8 contracts
would look deleted.

Channels of one's own account are subscribed to on a connection like any other; each subscription is
signed by itself, with hex HMAC-SHA512 over channel, event and time, which must not be older than a
minute. Those of futures also say whose account it is, and that is asked for first, over HTTP.

The books of the second version (`spot.obu`, `futures.obu`) are read and never asked for: no
recorded frame shows yet how one goes on.

Sources: Gate, "Spot WebSocket v4", "Futures WebSocket v4", "API v4".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote as percent_encoded

import msgspec

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.gateio import account, market, rest
from venues.gateio.dialect import (
    ACCOUNT_PATH,
    FUTURES_PATHS,
    SPOT_PATH,
    SPOT_SNAPSHOT_PATH,
    GateDialect,
    signature,
)
from venues.gateio.subscription import private_messages, public_message, with_time
from venues.gateio.traits import FUTURES_WORDS, SPOT_WORDS, gate_traits
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import required_keys
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
from venues.wire import decoded_or_none

_HTTP = FrameKind.HTTP
_SYMBOL = re.compile(r"[^\W_]+_[A-Z0-9]+")
_TOPICS_PER_CONNECTION = 300
_SNAPSHOT_LIMIT = 100
_MARKER_END = 128
"""Where channel and event have been named in every message seen."""

DECIMAL_SIZES = (("X-Gate-Size-Decimal", "1"),)

Reader = Callable[[bytes, int], Sequence[Event]]


class _Error(msgspec.Struct, gc=False):
    message: str = ""
    code: int = 0


class _Result(msgspec.Struct, gc=False):
    type: str = ""


class _Head(msgspec.Struct, gc=False):
    channel: str
    event: str = ""
    error: _Error | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")


_HEAD = msgspec.json.Decoder(_Head)
_RESULT = msgspec.json.Decoder(_Result)


@dataclass(frozen=True, slots=True)
class Gate(Venue):
    """One of Gate.io's venues. All that differs between them is data.

    `book_marker` and `trade_marker` are how their frequent messages begin; `words` the channels by
    which ours are asked for.
    """

    name: str
    traits: VenueTraits
    futures: bool
    words: Mapping[Channel, str]
    readers: Mapping[str, Reader]
    book_marker: bytes
    trade_marker: bytes
    book_events: Reader
    trade_events: Reader

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return GateDialect(self.futures)

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data (of futures, a kind of settlement each) and account.

        Those of one's own futures are the ones settled in USDT.
        """
        public, private, symbols, _ = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            by_path: dict[str, list[list[Topic]]] = {}
            for symbol in symbols:
                topics = [
                    Topic(Subscription(channel, symbol), f"{self.words[channel]}.{symbol}")
                    for channel in public
                ]
                by_path.setdefault(self._path(symbol), []).append(topics)
            for path, topics_by_symbol in by_path.items():
                stream = f"{self.name}/btc" if path == FUTURES_PATHS["USD"] else self.name
                line = self._line(stream, path, request, private=False)
                plans += plan_line(line, topics_by_symbol, _fits, self._public_messages)
        if private:
            own = [Topic(Subscription(channel, ""), self.words[channel]) for channel in private]
            line = self._line(f"{self.name}/private", self._path("_USDT"), request, private=True)
            plans += plan_line(line, [own], _fits, lambda words: private_messages(words, "", None))
        return plans

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        """Return, for one's own futures, the request that says whose the keys are.

        Raises:
            CredentialsError: key or secret is missing.
        """
        if not (plan.private and self.futures):
            return None
        keys = required_keys(self.name, credentials)
        time_s = time_ms // 1000
        nothing = hashlib.sha512(b"").hexdigest()
        text = f"GET\n{ACCOUNT_PATH}\n\n{nothing}\n{time_s}"
        headers = (
            ("KEY", keys.key),
            ("Timestamp", str(time_s)),
            ("SIGN", signature(keys.secret, text)),
        )
        return HttpRequest(plan.rest_url + ACCOUNT_PATH, "", Purpose.ACCESS, "GET", headers)

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return how a connection begins; its token are the signed subscriptions, a line each.

        Raises:
            CredentialsError: the plan is private and key or secret is missing.
            msgspec.MsgspecError: `access` does not say whose the keys are.
        """
        headers = DECIMAL_SIZES if self.futures else ()
        if not plan.private:
            return Login(plan.url, headers)
        keys = required_keys(self.name, credentials)
        user = str(rest.user_id(access)) if self.futures else ""
        words = [self.words[one.channel] for one in plan.subscriptions]
        signed = private_messages(words, user, (keys, time_ms // 1000))
        return Login(plan.url, headers, token="\n".join(signed))

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return the plan's messages with the time in them; of one's own account, signed ones."""
        if plan.private:
            return tuple(login.token.splitlines())
        return tuple(with_time(text, time_ms) for text in plan.subscribe_messages)

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        """Return the request for the best 100 levels a side, with the number of their state."""
        named, rest_of_query = percent_encoded(symbol, safe=""), f"limit={_SNAPSHOT_LIMIT}"
        if not self.futures:
            path = f"{SPOT_SNAPSHOT_PATH}?currency_pair={named}&{rest_of_query}&with_id=true"
            return HttpRequest(plan.rest_url + path, symbol)
        path = f"/api/v4/futures/{_settlement(symbol)}/order_book?contract={named}&{rest_of_query}"
        return HttpRequest(f"{plan.rest_url}{path}&with_id=true", symbol, headers=DECIMAL_SIZES)

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        requests: list[HttpRequest] = []
        for symbol in sorted({one.symbol for one in plan.subscriptions if one.symbol}):
            named = percent_encoded(symbol, safe="")
            path = f"/api/v4/spot/currency_pairs/{named}"
            if self.futures:
                path = f"/api/v4/futures/{_settlement(symbol)}/contracts/{named}"
            requests.append(HttpRequest(plan.rest_url + path, symbol, Purpose.INSTRUMENTS))
        return requests

    def heartbeat(self, time_ms: int) -> str | None:
        """Return a ping of the exchange's own, with the time in it."""
        return f'{{"time":{time_ms // 1000},"channel":"{self._prefix}.ping"}}'

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC_USDT`, at spot for a pair and at futures for a perpetual."""
        if pair.perpetual is not self.futures or (self.futures and pair.quote not in FUTURES_PATHS):
            return None
        return f"{pair.base}_{pair.quote}"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        if frame.kind is _HTTP:
            return self._http_events(frame)
        if payload.find(self.book_marker, 0, _MARKER_END) != -1:
            return self.book_events(payload, frame.receive_time_ns)
        if payload.find(self.trade_marker, 0, _MARKER_END) != -1:
            return self.trade_events(payload, frame.receive_time_ns)
        return self._other_events(payload, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.find(b'"event":"update"', 0, _MARKER_END) != -1 and b".system" not in payload:
            return None
        head = decoded_or_none(_HEAD, payload)
        return None if head is None else _answer_notice(head, 0)

    @property
    def _prefix(self) -> str:
        return "futures" if self.futures else "spot"

    def _path(self, symbol: str) -> str:
        if not self.futures:
            return SPOT_PATH
        return FUTURES_PATHS.get(symbol.rpartition("_")[2], FUTURES_PATHS["USDT"])

    def _other_events(self, payload: bytes, receive_time_ns: int) -> Sequence[Event]:
        head = _HEAD.decode(payload)
        notice = _answer_notice(head, receive_time_ns)
        if notice is not None:
            return (notice,)
        reader = self.readers.get(head.channel) if head.event == "update" else None
        if reader is not None:
            return reader(payload, receive_time_ns)
        if not head.channel:
            raise DecodeError(self.name, "it names no channel", payload)
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.channel),)

    def _http_events(self, frame: Frame) -> Sequence[Event]:
        answer = read_http_answer(self.name, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        time_ns, body = frame.receive_time_ns, answer.body
        refusal = rest.refusal(body)
        if refusal is not None:
            return (Notice(answer.symbol, time_ns, None, NoticeKind.INFORMATION, refusal),)
        if answer.purpose is Purpose.INSTRUMENTS:
            read = rest.contract_events if self.futures else rest.pair_events
            return read(body, time_ns)
        if not answer.symbol:
            raise DecodeError(self.name, "nothing says whose book the snapshot is", body)
        snapshot = rest.futures_snapshot_event if self.futures else rest.spot_snapshot_event
        return (snapshot(body, answer.symbol, time_ns),)

    def _line(self, stream: str, path: str, request: StreamRequest, *, private: bool) -> Line:
        host = "wss://fx-ws.gateio.ws" if self.futures else "wss://api.gateio.ws"
        own_paths = (SPOT_PATH, SPOT_PATH.rstrip("/"), *FUTURES_PATHS.values())
        return Line(
            stream=stream,
            url=websocket_url(host + path, request.url, own_paths),
            rest_url=rest_url("https://api.gateio.ws", request.url),
            depth=None,
            private=private,
        )

    def _public_messages(self, topics: Sequence[str]) -> list[str]:
        """Return a request for each channel of each symbol."""
        messages: list[str] = []
        for topic in topics:
            prefix, word, symbol = topic.split(".", 2)
            channel = f"{prefix}.{word}"
            every = ["100ms"] if channel == self.words[Channel.BOOK] else []
            messages.append(public_message(channel, [symbol, *every]))
        return messages


def _answer_notice(head: _Head, receive_time_ns: int) -> Notice | None:
    kind, text = NoticeKind.INFORMATION, head.channel
    if head.error is not None:
        kind, text = NoticeKind.REJECTED, f"{head.error.message} (code {head.error.code})"
    elif head.event in ("subscribe", "unsubscribe"):
        kind = NoticeKind.ACKNOWLEDGED
    elif head.channel.endswith(".pong"):
        kind = NoticeKind.HEARTBEAT
    elif head.channel.endswith(".system"):
        result = decoded_or_none(_RESULT, bytes(head.result))
        if result is not None and result.type == "upgrade":
            kind, text = NoticeKind.WILL_DISCONNECT, "upgrade"
    else:
        return None
    return Notice("", receive_time_ns, None, kind, text)


def _settlement(symbol: str) -> str:
    path = FUTURES_PATHS.get(symbol.rpartition("_")[2], FUTURES_PATHS["USDT"])
    return path.rpartition("/")[2]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


SPOT = Gate(
    name="gateio",
    traits=gate_traits(
        SPOT_WORDS,
        futures=False,
        addresses=("api.gateio.ws/ws/", "ws.gateio.ws/", "api.gateio.ws/api/v4/spot/"),
    ),
    futures=False,
    words=SPOT_WORDS,
    readers={
        "spot.order_book_update": market.spot_book_events,
        "spot.obu": market.second_book_events,
        "spot.trades": market.spot_trade_events,
        "spot.book_ticker": market.quote_events,
        "spot.tickers": market.spot_ticker_events,
        "spot.orders": account.spot_order_events,
        "spot.balances": account.spot_balance_events,
    },
    book_marker=b'"channel":"spot.order_book_update","event":"update"',
    trade_marker=b'"channel":"spot.trades","event":"update"',
    book_events=market.spot_book_events,
    trade_events=market.spot_trade_events,
)

FUTURES = Gate(
    name="gateio-futures",
    traits=gate_traits(
        FUTURES_WORDS,
        futures=True,
        addresses=("fx-ws.gateio.ws/", "api.gateio.ws/api/v4/futures/"),
    ),
    futures=True,
    words=FUTURES_WORDS,
    readers={
        "futures.order_book_update": market.futures_book_events,
        "futures.obu": market.second_book_events,
        "futures.trades": market.futures_trade_events,
        "futures.public_liquidates": market.liquidation_events,
        "futures.book_ticker": market.quote_events,
        "futures.tickers": market.futures_ticker_events,
        "futures.orders": account.futures_order_events,
        "futures.positions": account.position_events,
        "futures.balances": account.futures_balance_events,
    },
    book_marker=b'"channel":"futures.order_book_update","event":"update"',
    trade_marker=b'"channel":"futures.trades","event":"update"',
    book_events=market.futures_book_events,
    trade_events=market.futures_trade_events,
)

VENUES = (SPOT, FUTURES)
