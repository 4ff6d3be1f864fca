"""Bitfinex v2 as the exchange speaks, for a server that stands in for it.

The channel id of an answer made here is made of the topic, so that two differ. Recorded messages
mean their topic by the id that the recorded answer gave, so that one has to be sent with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from venues.bitfinex.subscription import EVENT_MESSAGE, EventMessage, topic_of
from venues.event import NO_ROUTES, Routes
from venues.venue import ClientRequest, Dialect, RequestKind
from venues.wire import decoded_or_none

PUBLIC_PATH = "/ws/2"

_GREETING = {"event": "info", "version": 2, "serverId": "tickreel", "platform": {"status": 1}}
_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "conf": RequestKind.SETTING,
    "ping": RequestKind.PING,
}
_SUBSCRIPTION_FAILED = 10300
_UNKNOWN_EVENT = 10000


@dataclass(frozen=True, slots=True)
class BitfinexDialect(Dialect):
    """The exchange's side."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
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
        if request.kind is RequestKind.SETTING:
            return [_text({"event": "conf", "status": "OK", "flags": message.flags})]
        if refused is not None:
            error = {"event": "error", "msg": refused, "code": _SUBSCRIPTION_FAILED}
            return [_text({**error, **_channel(message)})]
        if request.kind is RequestKind.UNSUBSCRIBE:
            gone = {"event": "unsubscribed", "status": "OK", "chanId": message.channel_id}
            return [_text(gone)]
        return [_text(_subscribed(request, message))]

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic of a message by its channel id; a heartbeat has none."""
        channel_id, _, content = payload[1:32].partition(b",")
        if not payload.startswith(b"[") or content.startswith(b'"hb"'):
            return None
        route = routes.get(channel_id.decode("ascii", "replace"))
        return None if route is None else route.topic

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is that of version 2."""
        return path == PUBLIC_PATH


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
