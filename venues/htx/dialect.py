"""HTX as the exchange speaks, for a server that stands in for it: all three protocols of `answer`.

Which protocol a request is of shows in itself. Answers to the first two go out as gzip in binary
messages, those to the third as text. A topic is the exchange's own; that of the book which a client
asks for with `req` has that word before it, as no other message is sent for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import field

from venues.compression import packed, unpacked
from venues.event import NO_ROUTES, Routes, Row
from venues.htx.signing import signature, spot_parameters, swap_parameters
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

REQUESTED = "req:"
_BOOK_TOPIC = re.compile(r"req:market\.([a-zA-Z0-9-]+)\.mbp\.[0-9]+")
_PRIVATE_WORDS = frozenset(
    f"{word}{margin}" for word in ("orders", "positions", "accounts") for margin in ("", "_cross")
)


class _Parameters(msgspec.Struct, gc=False):
    key: str = field(name="accessKey")
    timestamp: str
    signature: str


class _Request(msgspec.Struct, gc=False):
    """A client's message in any of the three protocols."""

    id: str | int | None = None
    sub: str | None = None
    unsub: str | None = None
    req: str | None = None
    pong: int | None = None
    op: str | None = None
    cid: str | int | None = None
    topic: str | None = None
    key: str | None = field(name="AccessKeyId", default=None)
    timestamp: str | None = field(name="Timestamp", default=None)
    signature: str | None = field(name="Signature", default=None)
    action: str | None = None
    ch: str | None = None
    params: _Parameters | None = None


class _Message(msgspec.Struct, gc=False):
    ch: str | None = None
    rep: str | None = None
    op: str | None = None
    topic: str | None = None
    action: str | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)

_OPERATIONS = {
    "sub": RequestKind.SUBSCRIBE,
    "unsub": RequestKind.UNSUBSCRIBE,
    "auth": RequestKind.LOGIN,
    "ping": RequestKind.PING,
    "pong": RequestKind.PING,
}


@dataclass(frozen=True, slots=True)
class HtxDialect(Dialect):
    """The exchange's side of spot or of swaps.

    `private_paths` are those at which a login counts; `signing_host` is the host that it signs.
    """

    paths: tuple[str, ...]
    private_paths: tuple[str, ...]
    signing_host: str

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        if request is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind, topic = _asked(request)
        request_id = request.id if request.cid is None else request.cid
        return ClientRequest(kind, () if topic is None else (topic,), request_id, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`, its id echoed; a pong is not answered."""
        asked = decoded_or_none(_REQUEST, request.payload) or _Request()
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "the request cannot be read"
        if asked.pong is not None or "pong" in (asked.op, asked.action):
            return []
        if asked.action is not None:
            return [_text(_account_answer(request, asked, refused))]
        if asked.op is not None:
            return [packed(_notification_answer(request, asked, refused))]
        return [packed(_market_answer(request, asked, refused))]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys, for any of the paths."""
        asked = decoded_or_none(_REQUEST, request.payload)
        if asked is None:
            return False
        if asked.params is not None:
            key, signed = asked.params.key, asked.params.signature
            parameters = spot_parameters(key, asked.params.timestamp)
        elif asked.key is not None and asked.timestamp is not None and asked.signature is not None:
            key, signed = asked.key, asked.signature
            parameters = swap_parameters(key, asked.timestamp)
        else:
            return False
        return same_text(key, credentials.key) and any(
            same_text(signed, signature(credentials.secret, self.signing_host, path, parameters))
            for path in self.private_paths
        )

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(unpacked(payload))
        except (ValueError, RecursionError):
            return None
        if message.rep is not None:
            return REQUESTED + message.rep
        if message.action is not None:
            return message.ch if message.action == "push" else None
        if message.op is None:
            return message.ch
        if message.op != "notify" or message.topic is None:
            return None
        word = message.topic.partition(".")[0]
        return f"{word}.*" if word in _PRIVATE_WORDS else message.topic

    def heartbeat(self, time_ms: int) -> str | bytes | None:
        """Return the ping of market data."""
        return packed(b'{"ping":%d}' % time_ms)

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is one of the market's."""
        return path in self.paths

    def private_path(self, path: str) -> bool:
        """Return whether `path` may carry private channels."""
        return path in self.private_paths

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return whose book a `req` asks for; books are not asked for by HTTP."""
        asked = _BOOK_TOPIC.fullmatch(path_and_query)
        return None if asked is None else asked[1]

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the book as an answer to `req` carries it."""
        book = {"seqNum": sequence, "bids": _levels(bids), "asks": _levels(asks)}
        times: dict[str, object] = {} if time_ms is None else {"ts": time_ms}
        return msgspec.json.encode({**times, "data": book})

    def snapshot_answer(self, request: ClientRequest, body: bytes) -> str | bytes:
        """Return the answer to `req`."""
        topic = request.topics[0].removeprefix(REQUESTED) if request.topics else ""
        head = {**_identified(request, "id"), "status": "ok", "rep": topic}
        return packed(msgspec.json.encode(head)[:-1] + b"," + body[1:])


def _asked(request: _Request) -> tuple[RequestKind, str | None]:
    if request.action is not None:
        if request.action == "req":
            login = request.ch == "auth" and request.params is not None
            return (RequestKind.LOGIN if login else RequestKind.UNREADABLE), None
        return _OPERATIONS.get(request.action, RequestKind.UNREADABLE), request.ch
    if request.op is not None:
        return _OPERATIONS.get(request.op, RequestKind.UNREADABLE), request.topic
    if request.pong is not None:
        return RequestKind.PING, None
    if request.sub is not None:
        return RequestKind.SUBSCRIBE, request.sub
    if request.unsub is not None:
        return RequestKind.UNSUBSCRIBE, request.unsub
    if request.req is not None:
        return RequestKind.SNAPSHOT, REQUESTED + request.req
    return RequestKind.UNREADABLE, None


def _levels(rows: Sequence[Row]) -> list[list[msgspec.Raw]]:
    return [[msgspec.Raw(price.encode()), msgspec.Raw(size.encode())] for price, size in rows]


def _identified(request: ClientRequest, name: str) -> dict[str, object]:
    return {} if request.request_id is None else {name: request.request_id}


def _text(content: bytes) -> str:
    return content.decode()


def _market_answer(request: ClientRequest, asked: _Request, refused: str | None) -> bytes:
    said = _identified(request, "id")
    if refused is not None:
        said |= {"status": "error", "err-code": "bad-request", "err-msg": refused}
    elif request.kind is RequestKind.UNSUBSCRIBE:
        said |= {"unsubbed": asked.unsub, "status": "ok"}
    else:
        said |= {"subbed": asked.sub, "status": "ok"}
    return msgspec.json.encode(said)


def _notification_answer(request: ClientRequest, asked: _Request, refused: str | None) -> bytes:
    if request.kind is RequestKind.PING:
        return b'{"op":"pong"}'
    said: dict[str, object] = {"op": asked.op, **_identified(request, "cid")}
    if request.kind is RequestKind.UNREADABLE:
        said["op"] = "error"
    if asked.topic is not None:
        said["topic"] = asked.topic
    said["err-code"] = 0 if refused is None else 2014
    if refused is not None:
        said["err-msg"] = refused
    return msgspec.json.encode(said)


def _account_answer(request: ClientRequest, asked: _Request, refused: str | None) -> bytes:
    if request.kind is RequestKind.PING:
        return b'{"action":"pong"}'
    unread = request.kind is RequestKind.UNREADABLE
    said: dict[str, object] = {
        "action": "sub" if unread else asked.action,
        "code": 200 if refused is None else 2001,
        "ch": asked.ch or "",
    }
    if refused is not None:
        said["message"] = refused
    else:
        said["data"] = {}
    return msgspec.json.encode(said)
