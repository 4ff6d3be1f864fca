"""Gate.io v4 as the exchange speaks, for a server that stands in for it.

    {"time":1619093532,"channel":"spot.trades","event":"subscribe","result":{"status":"success"}}
    {"time":1785548245,"channel":"futures.trades","event":"subscribe",
     "error":{"code":2,"message":"unknown currency pair X_USDT"},"result":{"status":"fail"}}
    {"time":1756700469,"channel":"futures.pong","event":"","result":null}

A topic is the channel and what its messages are about: `spot.trades.BTC_USDT`. Channels of one's
own account are topics by themselves: their payload names whose account and which markets.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import field

from venues.event import NO_ROUTES, Routes, Row
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

SPOT_PATH = "/ws/v4/"
FUTURES_PATHS: Mapping[str, str] = {"USDT": "/v4/ws/usdt", "USD": "/v4/ws/btc"}
SPOT_SNAPSHOT_PATH = "/api/v4/spot/order_book"
ACCOUNT_PATH = "/api/v4/account/detail"
PRIVATE_CHANNELS = frozenset(
    {
        *("spot.orders", "spot.balances"),
        *("futures.orders", "futures.positions", "futures.balances"),
    }
)

_FUTURES_SNAPSHOT_PATH = re.compile(r"/api/v4/futures/(?:usdt|btc)/order_book")
_SYMBOL = re.compile(r"[^\W_]+_[A-Z0-9]+")
_KINDS = {"subscribe": RequestKind.SUBSCRIBE, "unsubscribe": RequestKind.UNSUBSCRIBE}


class _Auth(msgspec.Struct, gc=False):
    key: str = field(name="KEY")
    sign: str = field(name="SIGN")


class _Request(msgspec.Struct, gc=False):
    channel: str
    time: int = 0
    event: str = ""
    payload: list[str] = []
    auth: _Auth | None = None
    id: int | None = None


class _About(msgspec.Struct, gc=False):
    """What a message is about, in the spellings of all channels."""

    book: str | None = field(name="s", default=None)
    pair: str | None = field(name="currency_pair", default=None)
    contract: str | None = None
    candle: str | None = field(name="n", default=None)

    @property
    def name(self) -> str | None:
        """The symbol, or the stream's name."""
        return self.book or self.pair or self.contract or self.candle


class _Message(msgspec.Struct, gc=False):
    channel: str
    event: str
    result: _About | list[_About] | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


def signature(secret: str, text: str) -> str:
    """Return the hex HMAC-SHA512 of `text`."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def signed_text(channel: str, event: str, time_s: int) -> str:
    """Return the text that the subscription of a private channel signs."""
    return f"channel={channel}&event={event}&time={time_s}"


def message_text(body: Mapping[str, object]) -> str:
    """Return the text of a message."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class GateDialect(Dialect):
    """The exchange's side of spot or of futures."""

    futures: bool

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        if request is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        if request.channel in ("spot.ping", "futures.ping"):
            return ClientRequest(RequestKind.PING, (), request.id, payload)
        kind = _KINDS.get(request.event, RequestKind.UNREADABLE)
        return ClientRequest(kind, _topics(request), request.id, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`; it names the channel and no more."""
        asked = decoded_or_none(_REQUEST, request.payload)
        channel = "" if asked is None else asked.channel
        time_s = 0 if asked is None else asked.time
        if request.kind is RequestKind.PING and refused is None:
            pong = channel.replace("ping", "pong")
            return [message_text({"time": time_s, "channel": pong, "event": "", "result": None})]
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "the request cannot be read"
        body: dict[str, object] = {
            "time": time_s,
            "channel": channel,
            "event": "" if asked is None else asked.event,
        }
        if refused is not None:
            body["error"] = {"code": 2, "message": refused}
        body["result"] = {"status": "success" if refused is None else "fail"}
        return [message_text(body)]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a subscription of a private channel was signed with these keys."""
        asked = decoded_or_none(_REQUEST, request.payload)
        if asked is None or asked.auth is None:
            return False
        text = signed_text(asked.channel, asked.event, asked.time)
        expected = signature(credentials.secret, text)
        return same_text(asked.auth.key, credentials.key) and same_text(asked.auth.sign, expected)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        message = decoded_or_none(_MESSAGE, payload)
        if message is None or message.event not in ("update", "all"):
            return None
        if message.channel in PRIVATE_CHANNELS:
            return message.channel
        about = message.result
        if isinstance(about, list):
            about = about[0] if about else None
        return None if about is None or about.name is None else f"{message.channel}.{about.name}"

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is one of the market's."""
        if self.futures:
            return path in FUTURES_PATHS.values()
        return path.rstrip("/") == SPOT_PATH.rstrip("/")

    def private_path(self, path: str) -> bool:
        """Return whether `path` may carry private channels: all do, by signed subscriptions."""
        return self.serves_path(path)

    def access_body(
        self, path_and_query: str, websocket_url: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """Return whose the keys are, which subscriptions of one's own futures have to say."""
        asked = path_and_query.partition("?")[0] == ACCOUNT_PATH
        return b'{"user_id":20011}' if asked and self.futures else None

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that a request for an order book asks about."""
        parts = urlsplit(path_and_query)
        query = parse_qs(parts.query)
        if self.futures:
            fits = _FUTURES_SNAPSHOT_PATH.fullmatch(parts.path) is not None
        else:
            fits = parts.path == SPOT_SNAPSHOT_PATH
        symbol = query.get("contract" if self.futures else "currency_pair", [""])[-1]
        return symbol if fits and _SYMBOL.fullmatch(symbol) else None

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the answer of the REST order book."""
        book: dict[str, object] = {"id": sequence}
        if time_ms is not None:
            seconds = msgspec.Raw(f"{time_ms // 1000}.{time_ms % 1000:03}".encode())
            book["update"] = seconds if self.futures else time_ms
        book["asks"] = self._levels(asks)
        book["bids"] = self._levels(bids)
        return msgspec.json.encode(book)

    def _levels(self, rows: Sequence[Row]) -> Sequence[object]:
        if not self.futures:
            return rows
        return [{"s": size, "p": price} for price, size in rows]


def _topics(request: _Request) -> tuple[str, ...]:
    channel, payload = request.channel, request.payload
    if channel in PRIVATE_CHANNELS:
        return (channel,)
    if channel.endswith(".candlesticks"):
        return (f"{channel}.{'_'.join(payload)}",)
    if channel.endswith((".order_book_update", ".order_book")):
        payload = payload[:1]
    return tuple(f"{channel}.{word}" for word in payload)
