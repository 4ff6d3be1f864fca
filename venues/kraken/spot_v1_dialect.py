"""Kraken spot v1 as the exchange speaks, for a server that stands in for it.

{"connectionID":8628615390848610000,"event":"systemStatus","status":"online","version":"1.9.2"}
{"channelID":992,"channelName":"book-1000","event":"subscriptionStatus","pair":"XMR/USD",
 "status":"subscribed","subscription":{"depth":1000,"name":"book"}}
{"errorMessage":"Currency pair not supported XX/YY","event":"subscriptionStatus","pair":"XX/YY",
 "status":"error","subscription":{"name":"trade"}}
{"event":"error","errorMessage":"Malformed request"}
{"event":"pong","reqid":42}          {"event":"heartbeat"}, every second without other messages

A topic is the name of the channel as messages carry it, and the pair: `book-1000:XMR/USD`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from venues.errors import UNDECODABLE
from venues.event import NO_ROUTES, Routes
from venues.kraken.spot_rest import TOKEN_PATH
from venues.kraken.spot_v1_market import DEPTH_DEFAULT, channel_and_pair
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATH = "/"

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "ping": RequestKind.PING,
}
_STATUS = {RequestKind.SUBSCRIBE: "subscribed", RequestKind.UNSUBSCRIBE: "unsubscribed"}


TOKEN = "a-token-of-the-fake-exchange"  # noqa: S105  (nobody's)


class _Wish(msgspec.Struct):
    name: str
    token: str = ""
    depth: int | None = None
    interval: int | None = None


class _Request(msgspec.Struct):
    event: str
    pair: list[str] = []
    subscription: _Wish | None = None
    reqid: int | None = None


_REQUEST = msgspec.json.Decoder(_Request)


def token_body(path_and_query: str) -> bytes | None:
    """Return what answers a request for a token; None for any other request."""
    if path_and_query.partition("?")[0] != TOKEN_PATH:
        return None
    return msgspec.json.encode({"error": [], "result": {"token": TOKEN, "expires": 900}})


@dataclass(frozen=True, slots=True)
class KrakenV1Dialect(Dialect):
    """The exchange's side of the older spot protocol."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.event, RequestKind.UNREADABLE)
        if kind is RequestKind.PING:
            return ClientRequest(kind, (), request.reqid, payload)
        if kind is RequestKind.UNREADABLE or request.subscription is None:
            return ClientRequest(RequestKind.UNREADABLE, (), request.reqid, payload)
        name = _channel_name(request.subscription)
        topics = tuple(f"{name}:{pair}" for pair in request.pair) or (name,)
        return ClientRequest(kind, topics, request.reqid, payload)

    def greeting(self) -> list[str]:
        """Return the status that a connection begins with."""
        return ['{"connectionID":1,"event":"systemStatus","status":"online","version":"1.9.2"}']

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return an answer for each pair, its `reqid` echoed where it has one."""
        reqid: dict[str, object] = (
            {} if request.request_id is None else {"reqid": request.request_id}
        )
        if request.kind is RequestKind.PING:
            return [_text({"event": "pong", **reqid})]
        status = _STATUS.get(request.kind)
        if status is None or not request.topics:
            return [
                _text({"event": "error", "errorMessage": refused or "Malformed request", **reqid})
            ]
        return [_text({**_status(topic, status, refused), **reqid}) for topic in request.topics]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a private subscription carries the token that was given."""
        try:
            wish = _REQUEST.decode(request.payload).subscription
        except (ValueError, RecursionError):
            return False
        return wish is not None and wish.token == TOKEN

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the channel and pair that a recorded message was sent for."""
        if payload[:1] != b"[":
            return None
        try:
            name, pair = channel_and_pair(payload)
        except UNDECODABLE:
            return None
        return f"{name}:{pair}" if pair else name

    def heartbeat(self, time_ms: int) -> str | bytes | None:
        """Return the exchange's sign of life."""
        return '{"event":"heartbeat"}'

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the root: the protocol has no other."""
        return path in ("", PATH)

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the root: private channels differ by host alone."""
        return self.serves_path(path)

    def access_body(
        self, path_and_query: str, websocket_url: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """Return the answer to a request for a token."""
        return token_body(path_and_query)


def _channel_name(wish: _Wish) -> str:
    if wish.name == "book":
        return f"book-{wish.depth or DEPTH_DEFAULT}"
    return f"ohlc-{wish.interval or 1}" if wish.name == "ohlc" else wish.name


def _status(topic: str, status: str, refused: str | None) -> dict[str, object]:
    name, _, pair = topic.partition(":")
    kind, _, detail = name.partition("-")
    subscription: dict[str, object] = {"name": kind}
    if detail.isdecimal():
        subscription = {"depth" if kind == "book" else "interval": int(detail), "name": kind}
    about = {"pair": pair} if pair else {}
    if refused is not None:
        failed = {"errorMessage": refused, "event": "subscriptionStatus", **about}
        return {**failed, "status": "error", "subscription": subscription}
    return {
        "channelName": name,
        "event": "subscriptionStatus",
        **about,
        "status": status,
        "subscription": subscription,
    }


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
