"""Upbit as the exchange speaks, for a server that stands in for it.

{"status":"UP"}
{"error":{"name":"WRONG_FORMAT","message":"Format 이 맞지 않습니다."}}

A subscription has no answer but its data; all that is sent is binary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.json_web_token import hs512_signed, token_claims
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATH = "/websocket/v1"
PRIVATE_PATH = "/websocket/v1/private"
PING = "PING"


class _Field(msgspec.Struct):
    """One part of a request: a ticket, a type with its codes, or a format."""

    ticket: str = ""
    type: str = ""
    codes: list[str] = []
    format: str = ""


class _Message(msgspec.Struct):
    short_type: str = msgspec.field(name="ty", default="")
    long_type: str = msgspec.field(name="type", default="")
    short_code: str = msgspec.field(name="cd", default="")
    long_code: str = msgspec.field(name="code", default="")


_REQUEST = msgspec.json.Decoder(list[_Field])
_MESSAGE = msgspec.json.Decoder(_Message)
_WHOLE_TYPES = frozenset(("myOrder", "myAsset"))


def topic_of(word: str, code: str) -> str:
    """Return the topic of a type and a code, whose depth (`KRW-BTC.15`) no message repeats."""
    return word if word in _WHOLE_TYPES else f"{word}:{code.partition('.')[0]}"


@dataclass(frozen=True, slots=True)
class UpbitDialect(Dialect):
    """The exchange's side."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        if payload == PING.encode():
            return ClientRequest(RequestKind.PING, payload=payload)
        try:
            fields = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        topics = [
            topic_of(one.type, code) for one in fields if one.type for code in one.codes or [""]
        ]
        kind = RequestKind.SUBSCRIBE if topics else RequestKind.UNREADABLE
        return ClientRequest(kind, tuple(dict.fromkeys(topics)), None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return a heartbeat or a refusal; what is accepted is answered by data."""
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "Format 이 맞지 않습니다."
        if refused is not None:
            return [_bytes({"error": {"name": "WRONG_FORMAT", "message": refused}})]
        return [_bytes({"status": "UP"})] if request.kind is RequestKind.PING else []

    def handshake_valid(
        self, path_and_query: str, headers: Mapping[str, str], credentials: Credentials
    ) -> bool:
        """Return whether the handshake's token was signed with these keys."""
        token = headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = token_claims(token)
        except (ValueError, RecursionError):
            return False
        named = same_text(str(claims.get("access_key", "")), credentials.key)
        return named and hs512_signed(token, credentials.secret)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the type and code that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return None
        word = message.short_type or message.long_type
        return topic_of(word, message.short_code or message.long_code) if word else None

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is one of the two endpoints."""
        return path in (PATH, PRIVATE_PATH)

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the private one."""
        return path == PRIVATE_PATH


def _bytes(body: dict[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
