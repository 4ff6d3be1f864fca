"""Coinbase Advanced Trade as the exchange speaks, for a server that stands in for it.

{"channel":"subscriptions","client_id":"","events":[{"subscriptions":{"level2":["BTC-USD"]}}]}
{"type":"error","message":"authentication failure"}

An answer here has no `sequence_num`, which a dialect without state cannot count. Heartbeats are
subscribed to like market data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec

from venues.coinbase.key_token import token_signed
from venues.errors import CredentialsError
from venues.event import NO_ROUTES, Routes
from venues.json_web_token import token_claims
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATHS = ("", "/")
"""Market data and accounts are at the same path of two hosts."""

_KINDS = {"subscribe": RequestKind.SUBSCRIBE, "unsubscribe": RequestKind.UNSUBSCRIBE}
_CHANNEL_OF_MESSAGES = {
    "l2_data": "level2",
    "market_trades": "market_trades",
    "ticker": "ticker",
    "ticker_batch": "ticker_batch",
    "candles": "candles",
}
_WHOLE_CHANNELS = frozenset(("heartbeats", "user", "status"))


class _Request(msgspec.Struct):
    type: str
    channel: str
    product_ids: list[str] = []
    jwt: str = ""


class _Named(msgspec.Struct):
    product_id: str = ""


class _Event(msgspec.Struct):
    product_id: str = ""
    trades: list[_Named] = []
    tickers: list[_Named] = []
    candles: list[_Named] = []


class _Message(msgspec.Struct):
    channel: str
    events: list[_Event] = []


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class AdvancedDialect(Dialect):
    """The exchange's side of Advanced Trade."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.type, RequestKind.UNREADABLE)
        names = [f"{request.channel}:{product}" for product in request.product_ids]
        return ClientRequest(kind, tuple(names or [request.channel]), None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the list of what is subscribed now, or what is wrong."""
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "the request cannot be read"
        if refused is not None:
            return [_text({"type": "error", "message": refused})]
        subscriptions: dict[str, list[str]] = {}
        for topic in request.topics:
            channel, _, product = topic.partition(":")
            subscriptions.setdefault(channel, []).append(product or channel)
        body: dict[str, object] = {"channel": "subscriptions", "client_id": ""}
        return [_text({**body, "events": [{"subscriptions": subscriptions}]})]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a request carries a token that these keys signed."""
        try:
            token = _REQUEST.decode(request.payload).jwt
            name = token_claims(token).get("sub", "")
            signed = token_signed("coinbase", token, credentials)
        except (ValueError, RecursionError, CredentialsError):
            return False
        return signed and same_text(str(name), credentials.key)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the channel and product that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return None
        if message.channel in _WHOLE_CHANNELS:
            return message.channel
        channel = _CHANNEL_OF_MESSAGES.get(message.channel)
        if channel is None or not message.events:
            return None
        event = message.events[0]
        for rows in (event.trades, event.tickers, event.candles):
            if rows:
                return f"{channel}:{rows[0].product_id}"
        return f"{channel}:{event.product_id}" if event.product_id else None

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the root."""
        return path in PATHS

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the root: the hosts are told apart by name alone."""
        return path in PATHS


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
