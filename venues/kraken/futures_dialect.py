"""Kraken Futures as the exchange speaks, for a server that stands in for it.

{"event":"info","version":1}
{"event":"subscribed","feed":"book","product_ids":["PI_XBTUSD"]}         one product each
{"event":"error","message":"Invalid product id"}
{"event":"challenge","message":"226aee50-88fc-4618-a42a-34f7709570b2"}
{"event":"subscribed","feed":"open_orders"}

A topic is the feed and the product: `book:PI_XBTUSD`; both snapshots and changes are sent for it.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass

import msgspec

from venues.errors import CredentialsError
from venues.event import NO_ROUTES, Routes
from venues.kraken.signature import signed_challenge, signing_key
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATH = "/ws/v1"

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "challenge": RequestKind.LOGIN,
}
_DONE = {RequestKind.SUBSCRIBE: "subscribed", RequestKind.UNSUBSCRIBE: "unsubscribed"}
_CHALLENGE = "226aee50-88fc-4618-a42a-34f7709570b2"
_SNAPSHOT = "_snapshot"


class _Request(msgspec.Struct):
    event: str
    feed: str = ""
    product_ids: list[str] = []
    api_key: str = ""
    original_challenge: str = ""
    signed_challenge: str = ""


class _Message(msgspec.Struct, gc=False):
    feed: str
    event: str | None = None
    product_id: str = ""


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class KrakenFuturesDialect(Dialect):
    """The exchange's side of the futures protocol."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.event, RequestKind.UNREADABLE)
        if kind is RequestKind.LOGIN:
            return ClientRequest(kind, payload=payload)
        if kind is RequestKind.UNREADABLE or not request.feed:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        products = [product.upper() for product in request.product_ids]
        topics = tuple(f"{request.feed}:{product}" for product in products) or (request.feed,)
        return ClientRequest(kind, topics, None, payload)

    def greeting(self) -> list[str]:
        """Return the version that a connection begins with."""
        return ['{"event":"info","version":1}']

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return an answer for each product; requests have no ids here."""
        if request.kind is RequestKind.LOGIN:
            if refused is None:
                return [_text({"event": "challenge", "message": _CHALLENGE})]
            return [_text({"event": "error", "message": f"Invalid api_key: {refused}"})]
        done = _DONE.get(request.kind)
        if done is None or refused is not None:
            return [_text({"event": "error", "message": refused or "Json Error"})]
        return [_text({"event": done, **_subject(topic)}) for topic in request.topics]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a challenge was asked for with this key, or signed with these."""
        try:
            said = _REQUEST.decode(request.payload)
            key = signing_key("", credentials)
        except (ValueError, RecursionError, CredentialsError):
            return False
        if not _same(said.api_key, credentials.key):
            return False
        signed = signed_challenge(key, said.original_challenge)
        return request.kind is RequestKind.LOGIN or _same(said.signed_challenge, signed)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the feed and product that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return None
        if message.event is not None or message.feed == "heartbeat":
            return None
        feed = message.feed.removesuffix(_SNAPSHOT)
        return f"{feed}:{message.product_id}" if message.product_id else feed

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the protocol's only one."""
        return path == PATH

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the only one: a challenge makes a connection private."""
        return path == PATH


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _subject(topic: str) -> dict[str, object]:
    feed, _, product = topic.partition(":")
    return {"feed": feed, "product_ids": [product]} if product else {"feed": feed}


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
