"""What Binance says about the connection instead of the market.

{"result":null,"id":1}                                          a request was accepted
{"error":{"code":2,"msg":"Invalid request: …"},"id":1}          a request was refused
{"code":2,"msg":"Invalid request: …"}                           the same, as the docs show it
{"id":1,"status":200,"result":{"subscriptionId":0}}             spot's account is subscribed to
{"id":1,"status":400,"error":{"code":-1022,"msg":"Signature …"}}  it is refused
{"e":"serverShutdown","E":1778000000000}                        the connection will be cut
{"e":"listenKeyExpired","E":1778000000000,"listenKey":"…"}      no more of the account will come
{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1778000000000}}  the same, at spot
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from venues.event import Notice, NoticeKind

_MARKET_BEGINNINGS = (b'{"stream":"', b'{"e":"depth', b'{"e":"trade', b'{"e":"bookT', b'{"u":')
_ANNOUNCED_WITHIN_BYTES = 160
_ENDS = frozenset(("serverShutdown", "listenKeyExpired", "eventStreamTerminated"))
"""Events after which a new connection is needed."""


class _Refusal(msgspec.Struct, gc=False):
    code: int | str = ""
    msg: str = ""


class _Answer(msgspec.Struct, gc=False):
    result: Raw | UnsetType = UNSET
    error: _Refusal | None = None
    code: int | None = None
    msg: str = ""
    id: int | str | None = None
    e: str = ""


class _EventHead(msgspec.Struct, gc=False):
    e: str | None = None
    stream: str | None = None
    data: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET


_ANSWER = msgspec.json.Decoder(_Answer)
_EVENT_HEAD = msgspec.json.Decoder(_EventHead)


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says about the connection; None for all else. Never raises."""
    if payload.startswith(_MARKET_BEGINNINGS):
        head = payload[:_ANNOUNCED_WITHIN_BYTES]
        if b"serverShutdown" not in head and b"listenKeyExpired" not in head:
            return None
    try:
        return _notice(payload, receive_time_ns)
    except (ValueError, RecursionError):
        return None


def _notice(payload: bytes, receive_time_ns: int) -> Notice | None:
    name, wrapped = read_event_name(payload)
    if name in _ENDS:
        kind, text = NoticeKind.WILL_DISCONNECT, str(name)
    elif name is not None or wrapped is not None:
        return None
    else:
        answer = _ANSWER.decode(payload)
        if answer.error is not None:
            kind, text = NoticeKind.REJECTED, f"{answer.error.msg} (code {answer.error.code})"
        elif answer.code is not None and answer.msg:
            kind, text = NoticeKind.REJECTED, f"{answer.msg} (code {answer.code})"
        elif answer.result is not UNSET:
            kind, text = NoticeKind.ACKNOWLEDGED, f"request {answer.id}"
        else:
            return None
    return Notice("", receive_time_ns, None, kind, text)


def read_event_name(payload: bytes) -> tuple[str | None, Raw | None]:
    """Return the name that a message gives itself, and the message within a wrapped one.

    Market data are wrapped with the name of their stream, what is of a spot account with the
    number of its subscription. An array (a stream of all symbols at once, which is never subscribed
    to) is named by its stream. The name is None where the message gives none.

    Raises:
        ValueError, RecursionError: the bytes are no JSON object.
    """
    head = _EVENT_HEAD.decode(payload)
    if head.event is not UNSET:
        return _EVENT_HEAD.decode(head.event).e, head.event
    if head.stream is None or head.data is UNSET:
        return head.e, None
    wrapped = head.data
    if bytes(memoryview(wrapped)[:1]) == b"[":
        return head.stream, wrapped
    return _EVENT_HEAD.decode(wrapped).e, wrapped
