r"""What HTX says about a connection, in its three protocols, and what it wants answered.

    {"id":"1","subbed":"market.ATOM-USD.trade.detail","ts":1645289384874,"status":"ok"}
    {"status":"error","ts":1764300263709,"id":"2","err-code":"bad-request","err-msg":"invalid"}
    {"ping":1645289389619}                                          answered {"pong":1645289389619}
    {"id":"r","status":"ok","ts":1790134138994,"rep":"market.batjpy.mbp.150","data":{…}}

    {"op":"sub","cid":"1","topic":"public.BTC-USDT.liquidation_orders","ts":1489474081631,"err-code":0}
    {"op":"auth","type":"api","err-code":0,"ts":1489474081631,"data":{"user-id":"12345678"}}
    {"op":"ping","ts":"1492420473058"}                answered {"op":"pong","ts":"1492420473058"}
    {"op":"close","ts":1489474081631}                               it will hang up

    {"action":"req","code":200,"ch":"auth","data":{}}
    {"action":"sub","code":2001,"ch":"orders#x","message":"invalid.topic"}
    {"action":"ping","data":{"ts":1575537778295}}    answered {"action":"pong","data":{"ts":…}}

The first protocol is that of market data, the second that of swaps' notifications, the third that
of one's own spot account. All but the third come as gzip in binary messages; both are read.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from venues.compression import unpacked, unpacked_beginning
from venues.event import Notice, NoticeKind
from venues.wire import decoded_or_none

_SMALL_BYTES = 512
"""Answers are smaller, packed or not, but for those that bring a book."""
_PING_BYTES = 160
_HEAD_BYTES = 160


class Answer(msgspec.Struct, gc=False):
    """A message of any of the three protocols, but for what it brings."""

    id: str | int | None = None
    status: str | int | None = None
    subbed: str | None = None
    unsubbed: str | None = None
    rep: str | None = None
    ping: Any = None
    pong: Any = None
    ch: str | None = None
    op: str | None = None
    topic: str | None = None
    error_code: Any = field(name="err-code", default=None)
    error_message: str | None = field(name="err-msg", default=None)
    action: str | None = None
    code: int | None = None
    message: str | None = None


class _Ping(msgspec.Struct, gc=False):
    ping: int | None = None
    op: str | None = None
    ts: str | int | None = None
    action: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


ANSWER = msgspec.json.Decoder(Answer)
_PING = msgspec.json.Decoder(_Ping)


def reply_text(payload: bytes) -> str | None:
    """Return the pong to a ping of any protocol, None for all else. Never raises."""
    if len(payload) > _PING_BYTES:
        return None
    try:
        asked = _PING.decode(unpacked(payload))
        if asked.ping is not None:
            return f'{{"pong":{asked.ping}}}'
        if asked.op == "ping":
            return msgspec.json.encode({"op": "pong", "ts": asked.ts}).decode()
        if asked.action == "ping":
            return msgspec.json.encode({"action": "pong", "data": asked.data}).decode()
    except (ValueError, RecursionError):
        return None
    return None


def quick_notice(payload: bytes) -> Notice | None:
    """Return what a message says about the connection; None for market data. Never raises."""
    try:
        if len(payload) <= _SMALL_BYTES:
            content = unpacked(payload)
            if content.startswith(b'{"ch":"'):
                return None
            answer = decoded_or_none(ANSWER, content)
            return None if answer is None else answer_notice(answer, 0)
        if b'"rep":"' in unpacked_beginning(payload, _HEAD_BYTES):
            return Notice("", 0, None, NoticeKind.ACKNOWLEDGED, "snapshot")
    except ValueError:
        return None
    return None


def answer_notice(answer: Answer, receive_time_ns: int) -> Notice | None:
    """Return the notice that an answer is; None for what is none, or market data."""
    if answer.action is not None:
        said = _account_answer(answer)
    elif answer.op is not None:
        said = _notification_answer(answer)
    else:
        said = _market_answer(answer)
    return None if said is None else Notice("", receive_time_ns, None, *said)


_Said = tuple[NoticeKind, str] | None


def _market_answer(answer: Answer) -> _Said:
    if answer.ping is not None or answer.pong is not None:
        return NoticeKind.HEARTBEAT, "ping" if answer.pong is None else "pong"
    if answer.status == "error":
        return NoticeKind.REJECTED, _refusal(answer)
    topic = answer.subbed or answer.unsubbed or answer.rep
    return None if topic is None else (NoticeKind.ACKNOWLEDGED, topic)


def _notification_answer(answer: Answer) -> _Said:
    operation, refused = answer.op, answer.error_code not in (None, 0)
    if operation in ("ping", "pong"):
        return NoticeKind.HEARTBEAT, operation
    if operation == "close":
        return NoticeKind.WILL_DISCONNECT, _refusal(answer) or "close"
    if operation == "auth":
        if refused:
            return NoticeKind.LOGIN_REFUSED, _refusal(answer)
        return NoticeKind.LOGGED_IN, ""
    if operation == "error" or (refused and operation in ("sub", "unsub")):
        return NoticeKind.REJECTED, _refusal(answer)
    if operation in ("sub", "unsub"):
        return NoticeKind.ACKNOWLEDGED, answer.topic or ""
    return None


def _account_answer(answer: Answer) -> _Said:
    action, refused = answer.action, answer.code not in (None, 200)
    if action in ("ping", "pong"):
        return NoticeKind.HEARTBEAT, action
    text = f"{answer.message or ''} (code {answer.code})"
    if action == "req" and answer.ch == "auth":
        return (NoticeKind.LOGIN_REFUSED, text) if refused else (NoticeKind.LOGGED_IN, "")
    if action in ("sub", "unsub", "req"):
        if refused:
            return NoticeKind.REJECTED, text
        return NoticeKind.ACKNOWLEDGED, answer.ch or ""
    return None


def _refusal(answer: Answer) -> str:
    if answer.error_code is None:
        return answer.error_message or ""
    return f"{answer.error_message or ''} ({answer.error_code})"
