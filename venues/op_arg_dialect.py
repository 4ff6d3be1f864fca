"""OKX, OKCoin and Bitget as the exchanges speak, for a server that stands in for them.

{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"}}     one for each arg
{"event":"error","code":"60018","msg":"Wrong URL or channel:…"}
{"event":"login","code":"0","msg":""}
pong
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.op_arg_objects import PING, PONG, Arg, TopicOf, login_signed, read_head
from venues.time_shift import shifted_epochs
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "login": RequestKind.LOGIN,
}
_PING = PING.encode()


class _Request(msgspec.Struct):
    op: str
    args: list[Arg] = []
    request_id: str | int | None = msgspec.field(name="id", default=None)


class _RawArgs(msgspec.Struct):
    args: list[dict[str, Any]] = []


_TIME_KEYS = frozenset(
    (
        "ts",
        "uTime",
        "cTime",
        "pTime",
        "fillTime",
        "fundingTime",
        "nextFundingTime",
        "prevFundingTime",
        "bidsTs",
        "asksTs",
    )
)
_REQUEST = msgspec.json.Decoder(_Request)
_RAW_ARGS = msgspec.json.Decoder(_RawArgs)


@dataclass(frozen=True, slots=True)
class RefusalCodes:
    """The exchange's codes of a refused login, an unknown stream, and an unreadable request."""

    login: str | int
    stream: str | int
    request: str | int


@dataclass(frozen=True, slots=True)
class ArgDialect(Dialect):
    """The exchange's side. `login_path` is what a login signs, `accepted` its code of success."""

    public_paths: tuple[str, ...]
    private_paths: tuple[str, ...]
    login_path: str
    accepted: str | int
    codes: RefusalCodes
    topic_of: TopicOf

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        if payload == _PING:
            return ClientRequest(RequestKind.PING, payload=payload)
        request = decoded_or_none(_REQUEST, payload)
        kind = RequestKind.UNREADABLE if request is None else _KINDS.get(request.op)
        if request is None or kind is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        topics = () if kind is RequestKind.LOGIN else tuple(map(self.topic_of, request.args))
        return ClientRequest(kind, topics, request.request_id, payload)

    def shifted(self, payload: bytes, shift_s: int) -> bytes | None:
        """Return the message with its times moved: epoch times in ms, mostly as texts."""
        return shifted_epochs(payload, _TIME_KEYS, shift_s)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the answers to `request`: one for each arg that is taken."""
        if request.kind is RequestKind.PING:
            return [PONG.decode()]
        if refused is not None or request.kind is RequestKind.UNREADABLE:
            said = refused or "the request cannot be read"
            return [_text({"event": "error", "code": self._code(request.kind), "msg": said})]
        if request.kind is RequestKind.LOGIN:
            return [_text({"event": "login", "code": self.accepted, "msg": ""})]
        asked = decoded_or_none(_RAW_ARGS, request.payload)
        args = [] if asked is None else asked.args
        return [_text({"event": request.kind.value, "arg": arg}) for arg in args]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys."""
        return login_signed(request.payload, credentials, self.login_path)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        try:
            head = read_head(payload)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return None
        if head.event is not None or head.arg is None or not head.has_data:
            return None
        return self.topic_of(head.arg)

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is one of the exchange's."""
        return path in self.public_paths or path in self.private_paths

    def private_path(self, path: str) -> bool:
        """Return whether `path` is one that wants a login."""
        return path in self.private_paths

    def _code(self, kind: RequestKind) -> str | int:
        if kind is RequestKind.LOGIN:
            return self.codes.login
        return self.codes.request if kind is RequestKind.UNREADABLE else self.codes.stream


def _text(answer: dict[str, Any]) -> str:
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
