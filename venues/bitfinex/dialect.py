"""Bitfinex v2 as the exchange speaks, for a server that stands in for it.

The channel id of an answer made here is made of the topic, so that two differ. Recorded messages
mean their topic by the id that the recorded answer gave, so that one has to be sent with them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import msgspec

from venues.bitfinex.subscription import EVENT_MESSAGE, EventMessage, topic_of
from venues.event import NO_ROUTES, Routes
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

PATH = "/ws/2"
ACCOUNT_TOPIC = "account"

_GREETING = {"event": "info", "version": 2, "serverId": "tickreel", "platform": {"status": 1}}
_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "conf": RequestKind.SETTING,
    "ping": RequestKind.PING,
}
_TAKEN = {"status": "OK", "userId": 1}
_LOGIN_FAILED = 10100
_SUBSCRIPTION_FAILED = 10300
_UNKNOWN_EVENT = 10000


class _Login(msgspec.Struct):
    event: str
    key: str = msgspec.field(name="apiKey")
    signature: str = msgspec.field(name="authSig")
    payload: str = msgspec.field(name="authPayload")
    nonce: str | int = msgspec.field(name="authNonce", default="")


_LOGIN = msgspec.json.Decoder(_Login)


def login_message(keys: Credentials, nonce: str) -> str:
    """Return the message that logs in; `nonce` has to grow from login to login."""
    payload = f"AUTH{nonce}"
    signed = _signature(keys.secret, payload)
    names = {"apiKey": keys.key, "authSig": signed, "authPayload": payload, "authNonce": nonce}
    return _text({"event": "auth", **names, "filter": ["trading", "wallet"]})


def _signature(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha384).hexdigest()


@dataclass(frozen=True, slots=True)
class BitfinexDialect(Dialect):
    """The exchange's side."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        login = decoded_or_none(_LOGIN, payload)
        if login is not None and login.event == "auth":
            return ClientRequest(RequestKind.LOGIN, (ACCOUNT_TOPIC,), None, payload)
        message = decoded_or_none(EVENT_MESSAGE, payload)
        kind = None if message is None else _KINDS.get(message.event)
        if message is None or kind is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        topics: tuple[str, ...] = ()
        if kind is RequestKind.SUBSCRIBE:
            if not message.channel:
                return ClientRequest(RequestKind.UNREADABLE, payload=payload)
            topics = (topic_of(message),)
        elif message.channel_id is not None:
            topics = (str(message.channel_id),)
        return ClientRequest(kind, topics, message.request_id, payload)

    def greeting(self) -> list[str]:
        """Return the version, which is said first."""
        return [_text(_GREETING)]

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`."""
        message = decoded_or_none(EVENT_MESSAGE, request.payload)
        if message is None or request.kind is RequestKind.UNREADABLE:
            text = refused or "event: invalid"
            return [_text({"event": "error", "msg": text, "code": _UNKNOWN_EVENT})]
        if request.kind is RequestKind.PING:
            return [_text({"event": "pong", **_cid(request)})]
        if request.kind is RequestKind.LOGIN:
            failed = {"status": "FAILED", "code": _LOGIN_FAILED, "msg": refused}
            return [_text({"event": "auth", "chanId": 0, **(failed if refused else _TAKEN)})]
        if request.kind is RequestKind.SETTING:
            return [_text({"event": "conf", "status": "OK", "flags": message.flags})]
        if refused is not None:
            error = {"event": "error", "msg": refused, "code": _SUBSCRIPTION_FAILED}
            return [_text({**error, **_channel(message)})]
        if request.kind is RequestKind.UNSUBSCRIBE:
            gone = {"event": "unsubscribed", "status": "OK", "chanId": message.channel_id}
            return [_text(gone)]
        return [_text(_subscribed(request, message))]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys."""
        login = decoded_or_none(_LOGIN, request.payload)
        if login is None or login.payload != f"AUTH{login.nonce}":
            return False
        signed = _signature(credentials.secret, login.payload)
        return same_text(login.key, credentials.key) and same_text(login.signature, signed)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic of a message by its channel id; a heartbeat has none."""
        channel_id, _, content = payload[1:32].partition(b",")
        if not payload.startswith(b"[") or content.startswith(b'"hb"'):
            return None
        if channel_id == b"0":
            return ACCOUNT_TOPIC
        route = routes.get(channel_id.decode("ascii", "replace"))
        return None if route is None else route.topic

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is that of version 2."""
        return path == PATH

    def private_path(self, path: str) -> bool:
        """Return True: logins are taken at the one path there is."""
        return path == PATH


def _subscribed(request: ClientRequest, message: EventMessage) -> dict[str, object]:
    channel_id = crc32("".join(request.topics).encode())
    body = {"event": "subscribed", "channel": message.channel, "chanId": channel_id}
    return {**body, **{key: value for key, value in _channel(message).items() if key != "channel"}}


def _channel(message: EventMessage) -> dict[str, object]:
    if message.channel == "status":
        return {"channel": "status", "key": message.key}
    about: dict[str, object] = {"channel": message.channel, "symbol": message.symbol}
    if message.channel == "book":
        about |= {
            "prec": message.precision,
            "freq": message.frequency,
            "len": str(message.length),
        }
    return {**about, "pair": message.symbol[1:]}


def _cid(request: ClientRequest) -> dict[str, object]:
    return {} if request.request_id is None else {"cid": request.request_id}


def _text(body: Mapping[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
