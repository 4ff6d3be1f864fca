"""Hyperliquid as the exchange speaks, for a server that stands in for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from venues.event import NO_ROUTES, Routes
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

PATH = "/ws"
PRIVATE_TOPICS = ("orderUpdates", "clearinghouseState", "user")

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "ping": RequestKind.PING,
}


class _Wish(msgspec.Struct):
    type: str
    coin: str = ""
    user: str = ""


class _Request(msgspec.Struct):
    method: str
    subscription: _Wish | None = None


class _Coin(msgspec.Struct):
    coin: str = ""


class _Message(msgspec.Struct):
    channel: str
    data: _Coin | list[_Coin] | str | UnsetType = UNSET


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)
_PUBLIC_CHANNELS = ("l2Book", "bbo", "trades", "activeAssetCtx")


@dataclass(frozen=True, slots=True)
class HyperliquidDialect(Dialect):
    """The exchange's side. Topics are `l2Book:BTC`; those of an account its type alone."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        kind = _KINDS.get(request.method) if request is not None else None
        if request is None or kind is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        if kind is RequestKind.PING:
            return ClientRequest(kind, payload=payload)
        wish = request.subscription
        if wish is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        # Whoever knows an account's address may listen to it: no login comes first.
        topic = wish.type if wish.type in PRIVATE_TOPICS else f"{wish.type}:{wish.coin}"
        return ClientRequest(kind, (topic,), None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the request as the exchange repeats it, or its word of refusal."""
        if refused is not None or request.kind is RequestKind.UNREADABLE:
            body: dict[str, object] = {
                "channel": "error",
                "data": f"Invalid subscription {refused or 'it cannot be read'}",
            }
        elif request.kind is RequestKind.PING:
            body = {"channel": "pong"}
        else:
            said = msgspec.json.decode(request.payload)
            body = {"channel": "subscriptionResponse", "data": said}
        return [msgspec.json.encode(body).decode()]

    def handshake_valid(
        self, path_and_query: str, headers: Mapping[str, str], credentials: Credentials
    ) -> bool:
        """Return True: an account is named, not logged in to."""
        return True

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        message = decoded_or_none(_MESSAGE, payload)
        if message is None:
            return None
        if message.channel in PRIVATE_TOPICS:
            return message.channel
        if message.channel not in _PUBLIC_CHANNELS:
            return None
        data = message.data
        first = data[0] if isinstance(data, list) and data else data
        return f"{message.channel}:{first.coin}" if isinstance(first, _Coin) else None

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the one that the exchange has."""
        return path == PATH

    def private_path(self, path: str) -> bool:
        """Return True: one endpoint carries all."""
        return path == PATH
