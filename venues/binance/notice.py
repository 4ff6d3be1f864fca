"""What Binance says about the connection instead of the market.

{"result":null,"id":1}                                          a request was accepted
{"error":{"code":2,"msg":"Invalid request: …"},"id":1}          a request was refused
{"code":2,"msg":"Invalid request: …"}                           the same, as the docs show it
{"e":"serverShutdown","E":1778000000000}                        the connection will be cut
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from venues.event import Notice, NoticeKind

_MARKET_BEGINNINGS = (b'{"stream":"', b'{"e":"depth', b'{"e":"trade', b'{"e":"bookT', b'{"u":')
_SHUTDOWN = b"serverShutdown"


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


_ANSWER = msgspec.json.Decoder(_Answer)
_EVENT_HEAD = msgspec.json.Decoder(_EventHead)


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says about the connection; None for all else. Never raises."""
    if payload.startswith(_MARKET_BEGINNINGS) and _SHUTDOWN not in payload[:120]:
        return None
    try:
        return _notice(payload, receive_time_ns)
    except (ValueError, RecursionError):
        return None


def _notice(payload: bytes, receive_time_ns: int) -> Notice | None:
    name, wrapped = read_event_name(payload)
    if name == "serverShutdown":
        kind, text = NoticeKind.WILL_DISCONNECT, name
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

    An array (a stream of all symbols at once, which is never subscribed to) is named by its
    stream. The name is None where the message gives none.

    Raises:
        ValueError, RecursionError: the bytes are no JSON object.
    """
    head = _EVENT_HEAD.decode(payload)
    if head.stream is None or head.data is UNSET:
        return head.e, None
    wrapped = head.data
    if bytes(memoryview(wrapped)[:1]) == b"[":
        return head.stream, wrapped
    return _EVENT_HEAD.decode(wrapped).e, wrapped
