"""Coinbase Exchange as the exchange speaks, for a server that stands in for it.

{"type":"subscriptions","channels":[{"name":"level2","product_ids":["BTC-USD"]}]}
{"type":"error","message":"Failed to subscribe","reason":"BTC-XYZ is not a valid product"}
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATHS = ("", "/")

_KINDS = {"subscribe": RequestKind.SUBSCRIBE, "unsubscribe": RequestKind.UNSUBSCRIBE}
_CHANNEL_OF_TYPES = {
    "l2update": "level2",
    "snapshot": "level2",
    "match": "matches",
    "last_match": "matches",
    "ticker": "ticker",
    "heartbeat": "heartbeat",
    "received": "user",
    "open": "user",
    "done": "user",
    "change": "user",
    "activate": "user",
}
_SAME = {"level2_batch": "level2"}
"""Two channels of the same messages, at different speeds."""


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class _Request(msgspec.Struct):
    type: str
    channels: list[str | _Channel]
    product_ids: list[str] = []
    key: str = ""
    passphrase: str = ""
    timestamp: str = ""
    signature: str = ""


class _Message(msgspec.Struct):
    type: str
    product_id: str
    user_id: str = ""
    profile_id: str = ""


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


def signature(secret: str, time_text: str) -> str:
    """Return the signature of a subscription to one's own account, in base64.

    Raises:
        ValueError: the secret is no base64.
    """
    try:
        key = base64.b64decode(secret, validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is no base64") from error
    text = f"{time_text}GET/users/self/verify"
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class ExchangeDialect(Dialect):
    """The exchange's side of Coinbase Exchange."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.type, RequestKind.UNREADABLE)
        topics: list[str] = []
        for channel in request.channels:
            named = _Channel(channel, request.product_ids) if isinstance(channel, str) else channel
            name = _SAME.get(named.name, named.name)
            topics += [f"{name}:{product}" for product in named.product_ids]
        return ClientRequest(kind, tuple(topics), None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the list of what is subscribed now, or what is wrong."""
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "the request cannot be read"
        if refused is not None:
            return [_text({"type": "error", "message": "Failed to subscribe", "reason": refused})]
        products: dict[str, list[str]] = {}
        for topic in request.topics:
            channel, _, product = topic.partition(":")
            products.setdefault(channel, []).append(product)
        channels = [{"name": name, "product_ids": names} for name, names in products.items()]
        return [_text({"type": "subscriptions", "channels": channels})]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a subscription was signed with these keys."""
        try:
            asked = _REQUEST.decode(request.payload)
            expected = signature(credentials.secret, asked.timestamp)
        except (ValueError, RecursionError):
            return False
        return (
            same_text(asked.signature, expected)
            and same_text(asked.key, credentials.key)
            and same_text(asked.passphrase, credentials.passphrase)
        )

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the channel and product that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return None
        channel = _CHANNEL_OF_TYPES.get(message.type)
        if channel == "matches" and (message.user_id or message.profile_id):
            channel = "user"
        return None if channel is None else f"{channel}:{message.product_id}"

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the root."""
        return path in PATHS

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the root: a signed subscription opens the private channel."""
        return path in PATHS


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
