"""The `{"op": …, "args": […]}` protocol, which Bybit and the reference venue both speak.

What differs between them (which text is signed, how an answer is worded) is an argument or stays
with the venue.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence

import msgspec

from venues.errors import CredentialsError
from venues.event import Notice, NoticeKind
from venues.venue import ClientRequest, Credentials, RequestKind

PING = '{"op":"ping"}'

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "ping": RequestKind.PING,
    "auth": RequestKind.LOGIN,
}


class _Request(msgspec.Struct):
    op: str
    args: list[str | int] = []
    req_id: str | int | None = None


class OpAnswer(msgspec.Struct, gc=False):
    """A message that is no market data, in all the spellings that were seen of it."""

    op: str | None = None
    success: bool | None = None
    ret_msg: str = ""
    ret_message: str = msgspec.field(name="retMsg", default="")
    ret_code: int | None = msgspec.field(name="retCode", default=None)
    topic: str | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_ANSWER = msgspec.json.Decoder(OpAnswer)


def op_message(operation: str, args: Sequence[str | int], request_id: str | None = None) -> str:
    """Return the message that asks for `operation`."""
    body: dict[str, object] = {} if request_id is None else {"req_id": request_id}
    body |= {"op": operation, "args": list(args)}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def read_op_request(payload: bytes) -> ClientRequest:
    """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
    try:
        request = _REQUEST.decode(payload)
    except (ValueError, RecursionError):
        return ClientRequest(RequestKind.UNREADABLE, payload=payload)
    kind = _KINDS.get(request.op, RequestKind.UNREADABLE)
    subscribes = kind in (RequestKind.SUBSCRIBE, RequestKind.UNSUBSCRIBE)
    topics = tuple(str(topic) for topic in request.args) if subscribes else ()
    return ClientRequest(kind, topics, request.req_id, payload)


def signature(secret: str, text: str) -> str:
    """Return the hex HMAC-SHA256 of `text`."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def required_keys(venue: str, credentials: Credentials | None) -> Credentials:
    """Return keys that can be used.

    Raises:
        CredentialsError: there are none, or the key or the secret is empty.
    """
    if credentials is None or not credentials.key or not credentials.secret:
        raise CredentialsError(venue, "Both the key and the secret are needed.")
    return credentials


def read_login(payload: bytes) -> tuple[str, str, str] | None:
    """Return key, time and signature of a login message; None where it is not one."""
    try:
        request = _REQUEST.decode(payload)
    except (ValueError, RecursionError):
        return None
    if request.op != "auth" or len(request.args) != 3:
        return None
    key, time_ms, signed = (str(argument) for argument in request.args)
    return key, time_ms, signed


def same_text(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def login_signed(
    payload: bytes, credentials: Credentials, signed_text: Callable[[str], str]
) -> bool:
    """Return whether a login message was signed with these keys; `signed_text` is of its time."""
    login = read_login(payload)
    if login is None:
        return False
    key, time_text, signed = login
    expected = signature(credentials.secret, signed_text(time_text))
    return same_text(key, credentials.key) and same_text(signed, expected)


def answer_notice(payload: bytes, receive_time_ns: int, *, bare_is_login: bool) -> Notice | None:
    """Return the notice that an answer is; None for a message with a topic or without any sense.

    `bare_is_login` says that an answer without any `op` answers a login (else, any request).

    Raises:
        ValueError, RecursionError: the bytes are no such JSON object.
    """
    answer = _ANSWER.decode(payload)
    if answer.topic is not None:
        return None
    kind = _kind(answer, bare_is_login)
    if kind is None:
        return None
    text = answer.ret_msg or answer.ret_message
    if kind is NoticeKind.INFORMATION:
        text = f"{answer.op}: {text}" if text else f"{answer.op}"
    return Notice("", receive_time_ns, None, kind, text)


def _kind(answer: OpAnswer, bare_is_login: bool) -> NoticeKind | None:
    if answer.op in ("ping", "pong"):
        return NoticeKind.HEARTBEAT
    succeeded = answer.success if answer.success is not None else answer.ret_code == 0
    if answer.success is None and answer.ret_code is None:
        return NoticeKind.INFORMATION if answer.op else None
    answers_request = answer.op in ("subscribe", "unsubscribe") or (
        not answer.op and answer.success is not None
    )
    if answer.op == "auth" or (answers_request and bare_is_login and answer.op is None):
        return NoticeKind.LOGGED_IN if succeeded else NoticeKind.LOGIN_REFUSED
    if answers_request:
        return NoticeKind.ACKNOWLEDGED if succeeded else NoticeKind.REJECTED
    return NoticeKind.INFORMATION if answer.op else None
