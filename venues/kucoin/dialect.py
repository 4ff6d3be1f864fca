"""KuCoin as the exchange speaks, for a server that stands in for it.

    {"id":"NSkIrWGB1s","type":"welcome"}                              once a client is connected
    {"id":"1","type":"ack"}                                           subscribed, unsubscribed
    {"id":"1","type":"error","code":404,"data":"topic /x is not found"}
    {"id":"1","type":"pong"}

A request names one topic of several symbols, `/market/level2:A,B`; a message is sent for one of
them, `/market/level2:A`, and that is the topic here. Of one's own futures all orders and all
positions are a topic each, which their messages name with a symbol. This dialect has no state: so
the token that `bullet-private` gives says itself when and with which keys it was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec

from venues.event import NO_ROUTES, Routes, Row
from venues.kucoin.access import given_token, token_valid
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import NS_PER_MS, decoded_or_none, leading_text

WEBSOCKET_PATH = "/endpoint"
PUBLIC_ACCESS_PATH = "/api/v1/bullet-public"
PRIVATE_ACCESS_PATH = "/api/v1/bullet-private"
SNAPSHOT_PATH = "/api/v1/market/orderbook/level2_100"
FUTURES_SNAPSHOT_PATH = "/api/v1/level2/snapshot"
_SNAPSHOT_PATHS = (
    SNAPSHOT_PATH,
    FUTURES_SNAPSHOT_PATH,
    "/api/v1/market/orderbook/level2_20",
    *(f"/api/v{version}/market/orderbook/level2" for version in (1, 2, 3)),
)

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9-]{0,39}")
_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "ping": RequestKind.PING,
}
_ACCOUNT_TOPICS = {
    "/contractMarket/tradeOrders": "/contractMarket/tradeOrders",
    "/contract/position": "/contract/positionAll",
}
"""By the channel that messages name: what is subscribed to, of all symbols."""

_PING_INTERVAL_MS, _PING_TIMEOUT_MS = 18_000, 10_000


class _Request(msgspec.Struct, gc=False):
    type: str
    id: str | int | None = None
    topic: str = ""


class _Topic(msgspec.Struct, gc=False):
    topic: str | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_TOPIC = msgspec.json.Decoder(_Topic)


def single_topics(topic: str) -> tuple[str, ...]:
    """Return the topic of each symbol that `/channel:A,B` names; of `/channel`, itself."""
    channel, separator, symbols = topic.partition(":")
    if channel in _ACCOUNT_TOPICS:
        return (_ACCOUNT_TOPICS[channel],)
    if not separator:
        return (topic,) if topic else ()
    return tuple(f"{channel}:{symbol}" for symbol in symbols.split(",") if symbol)


def read_topic(payload: bytes) -> str | None:
    """Return the topic that a message names; None where it names none."""
    topic = leading_text(payload, b'{"type":"message","topic":"')
    if topic is None:
        message = decoded_or_none(_TOPIC, payload)
        topic = None if message is None else message.topic
    if topic is None or not topic.startswith("/contract"):
        return topic
    return _ACCOUNT_TOPICS.get(topic.partition(":")[0], topic)


@dataclass(frozen=True, slots=True)
class KucoinDialect(Dialect):
    """The exchange's side."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        if request is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.type, RequestKind.UNREADABLE)
        return ClientRequest(kind, single_topics(request.topic), request.id, payload)

    def greeting(self) -> list[str]:
        """Return the welcome."""
        return ['{"id":"tickreel","type":"welcome"}']

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`, its id echoed as a text."""
        answer: dict[str, object] = {
            "id": "" if request.request_id is None else str(request.request_id)
        }
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "the request cannot be read"
        if refused is not None:
            answer |= {"type": "error", "code": 404, "data": refused}
        else:
            answer["type"] = "pong" if request.kind is RequestKind.PING else "ack"
        return [json.dumps(answer, separators=(",", ":"), ensure_ascii=False)]

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        return read_topic(payload)

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the one that an ACCESS answer names."""
        return path == WEBSOCKET_PATH

    def private_path(self, path: str) -> bool:
        """Return whether `path` may carry private channels: the one there is does."""
        return path == WEBSOCKET_PATH

    def handshake_valid(
        self, path_and_query: str, headers: Mapping[str, str], credentials: Credentials
    ) -> bool:
        """Return whether the address carries a token that these keys asked for."""
        token = parse_qs(urlsplit(path_and_query).query).get("token", [""])[-1]
        return token_valid(token, credentials, f"POST{PRIVATE_ACCESS_PATH}")

    def access_body(
        self, path_and_query: str, websocket_url: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """Return the answer that names the server and gives a token."""
        path = path_and_query.partition("?")[0]
        if path not in (PUBLIC_ACCESS_PATH, PRIVATE_ACCESS_PATH):
            return None
        parts = urlsplit(websocket_url)
        server = {
            "endpoint": f"{parts.scheme}://{parts.netloc}{WEBSOCKET_PATH}",
            "encrypt": parts.scheme == "wss",
            "protocol": "websocket",
            "pingInterval": _PING_INTERVAL_MS,
            "pingTimeout": _PING_TIMEOUT_MS,
        }
        token = given_token(headers) if path == PRIVATE_ACCESS_PATH else "bullet-public"
        return msgspec.json.encode(
            {"code": "200000", "data": {"token": token, "instanceServers": [server]}}
        )

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that a request for an order book asks about."""
        parts = urlsplit(path_and_query)
        if parts.path not in _SNAPSHOT_PATHS:
            return None
        symbol = parse_qs(parts.query).get("symbol", [""])[-1].upper()
        return symbol if _SYMBOL.fullmatch(symbol) else None

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the answer of the REST order book."""
        if "-" in symbol:
            times: dict[str, object] = {} if time_ms is None else {"time": time_ms}
            book = {**times, "sequence": str(sequence), "bids": bids, "asks": asks}
        else:
            times = {} if time_ms is None else {"ts": time_ms * NS_PER_MS}
            book = {**times, "sequence": sequence, "bids": bids, "asks": asks}
        return msgspec.json.encode({"code": "200000", "data": book})
