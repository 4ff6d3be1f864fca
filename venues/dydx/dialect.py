"""dYdX as the exchange speaks, for a server that stands in for it.

Its answers carry numbers of the connection's count, which a server without state cannot give: it
counts from the recorded ones, and these answers are for what no recording answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

PATH = "/v4/ws"

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "ping": RequestKind.PING,
}


class _Request(msgspec.Struct):
    type: str
    channel: str = ""
    id: str = ""


class _Headed(msgspec.Struct):
    channel: str = ""
    id: str = ""


_REQUEST = msgspec.json.Decoder(_Request)
_HEADED = msgspec.json.Decoder(_Headed)


@dataclass(frozen=True, slots=True)
class DydxDialect(Dialect):
    """The exchange's side. Topics are `v4_orderbook:BTC-USD`; the markets' is `v4_markets`."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        kind = _KINDS.get(request.type) if request is not None else None
        if request is None or kind is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        topics = () if kind is RequestKind.PING else (_topic(request.channel, request.id),)
        return ClientRequest(kind, topics, None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return what refuses, or ends a subscription; the answer to one is its first content."""
        if refused is not None or request.kind is RequestKind.UNREADABLE:
            return [_text({"type": "error", "message": refused or "Invalid message"})]
        if request.kind is RequestKind.PING:
            return [_text({"type": "pong"})]
        if request.kind is RequestKind.SUBSCRIBE:
            return []
        return [
            _text({"type": "unsubscribed", "channel": channel, "id": symbol})
            for channel, _, symbol in (topic.partition(":") for topic in request.topics)
        ]

    def handshake_valid(
        self, path_and_query: str, headers: Mapping[str, str], credentials: Credentials
    ) -> bool:
        """Return True: a subaccount is named, not logged in to."""
        return True

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        message = decoded_or_none(_HEADED, payload)
        return _topic(message.channel, message.id) if message and message.channel else None

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the one that the exchange has."""
        return path == PATH

    def private_path(self, path: str) -> bool:
        """Return True: one endpoint carries all."""
        return path == PATH


def _topic(channel: str, symbol: str) -> str:
    if channel in ("v4_markets", "v4_subaccounts"):
        return channel
    return f"{channel}:{symbol}"


def _text(body: dict[str, str]) -> str:
    return msgspec.json.encode(body).decode()
