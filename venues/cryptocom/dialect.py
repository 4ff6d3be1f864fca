"""Crypto.com as the exchange speaks, for a server that stands in for it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.op_args import same_text, signature
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

MARKET_PATH = "/exchange/v1/market"
USER_PATH = "/exchange/v1/user"
LOGIN_METHOD = "public/auth"
HEARTBEAT_METHOD = "public/heartbeat"
HEARTBEAT_ANSWER = "public/respond-heartbeat"

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    LOGIN_METHOD: RequestKind.LOGIN,
    HEARTBEAT_ANSWER: RequestKind.PING,
}


class _Params(msgspec.Struct):
    channels: list[str] = []


class _Request(msgspec.Struct):
    method: str
    id: int | str | None = None
    params: _Params = msgspec.field(default_factory=_Params)
    api_key: str = ""
    sig: str = ""
    nonce: int = 0


class _Result(msgspec.Struct):
    subscription: str = ""


class _Message(msgspec.Struct):
    result: _Result | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


def signed_text(request_id: int | str | None, key: str, nonce_ms: int) -> str:
    """Return what a login signs: method, id, key, no parameters, and the time."""
    return f"{LOGIN_METHOD}{request_id}{key}{nonce_ms}"


@dataclass(frozen=True, slots=True)
class CryptocomDialect(Dialect):
    """The exchange's side. A topic is what the exchange calls a channel: `book.BTC_USDT.50`."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        kind = _KINDS.get(request.method) if request is not None else None
        if request is None or kind is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        return ClientRequest(kind, tuple(request.params.channels), request.id, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`; an answered heartbeat gets none."""
        if request.kind is RequestKind.PING:
            return []
        method = {RequestKind.LOGIN: LOGIN_METHOD, RequestKind.UNREADABLE: ""}.get(
            request.kind, request.kind.value
        )
        body: dict[str, object] = {"id": request.request_id, "method": method, "code": 0}
        if refused is not None or request.kind is RequestKind.UNREADABLE:
            body |= {"code": 40003, "message": refused or "INVALID_REQUEST"}
        return [msgspec.json.encode(body).decode()]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys."""
        login = decoded_or_none(_REQUEST, request.payload)
        if login is None:
            return False
        expected = signature(credentials.secret, signed_text(login.id, login.api_key, login.nonce))
        return same_text(login.api_key, credentials.key) and same_text(login.sig, expected)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        message = decoded_or_none(_MESSAGE, payload)
        return message.result.subscription or None if message and message.result else None

    def heartbeat(self, time_ms: int) -> str | bytes | None:
        """Return what clients have to answer within 5 s."""
        return msgspec.json.encode({"id": time_ms, "method": HEARTBEAT_METHOD, "code": 0}).decode()

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is one of the exchange's two."""
        return path in (MARKET_PATH, USER_PATH)

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the one for one's own account."""
        return path == USER_PATH
