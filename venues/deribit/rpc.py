"""The JSON-RPC that Deribit speaks: requests, answers, notifications.

    {"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["book.…"]}}
    {"jsonrpc":"2.0","id":1,"result":["book.BTC-PERPETUAL.100ms"],"usIn":…,"testnet":false}
    {"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests","data":null}}
    {"jsonrpc":"2.0","method":"subscription","params":{"channel":"…","data":…}}
    {"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}
    {"jsonrpc":"2.0","id":8212,"result":{"version":"1.2.26"},…}       the answer to public/test

What an answer is for is told by its result: the channels of a subscription, `ok` for the heartbeat,
a version for a test, an access token for a login. Of an error only the id tells: ours are these.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from venues.event import Notice, NoticeKind

HEARTBEAT_ID, TEST_ID, LOGIN_ID, RESUBSCRIBE_ID = 8000, 8212, 9929, 7000
"""Ids of our own requests; subscriptions count from 1."""


_NO_RESULT = msgspec.Raw(b"")


class _Error(msgspec.Struct, gc=False):
    code: int
    message: str = ""
    data: Any = None


class _Params(msgspec.Struct, gc=False):
    channel: str | None = None
    type: str | None = None


class Message(msgspec.Struct, gc=False):
    """Any message of the exchange, its data left aside."""

    id: int | str | None = None
    method: str | None = None
    params: _Params | None = None
    result: msgspec.Raw = _NO_RESULT
    error: _Error | None = None


MESSAGE = msgspec.json.Decoder(Message)
_ANY = msgspec.json.Decoder(Any, float_hook=str)


def has_result(message: Message) -> bool:
    """Return whether a message answers a request with a result."""
    return message.result is not _NO_RESULT


def rpc_message(request_id: int, method: str, params: dict[str, object]) -> str:
    """Return a request."""
    body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    return json.dumps(body, separators=(",", ":"))


def subscribe_message(request_id: int, channels: Sequence[str], *, private: bool) -> str:
    """Return the request for `channels`."""
    scope = "private" if private else "public"
    return rpc_message(request_id, f"{scope}/subscribe", {"channels": list(channels)})


def answer_notice(message: Message, receive_time_ns: int) -> Notice | None:
    """Return what a message says about the connection; None for one that does not.

    Raises:
        msgspec.MsgspecError: its result cannot be read.
    """
    if message.method == "heartbeat":
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    if message.error is not None:
        login = message.id == LOGIN_ID
        kind = NoticeKind.LOGIN_REFUSED if login else NoticeKind.REJECTED
        error = message.error
        return Notice("", receive_time_ns, None, kind, f"{error.message} (code {error.code})")
    if not has_result(message) or message.method is not None:
        return None
    kind, text = _result(_ANY.decode(message.result), message.id)
    return Notice("", receive_time_ns, None, kind, text)


def _result(result: object, request_id: int | str | None) -> tuple[NoticeKind, str]:
    if isinstance(result, list):
        # It leaves out the channels that it does not know, and says no more.
        if not result and request_id not in (None, RESUBSCRIBE_ID):
            return NoticeKind.REJECTED, "none of the channels is known"
        return NoticeKind.ACKNOWLEDGED, ", ".join(map(str, result[:3]))
    if result == "ok":
        return NoticeKind.ACKNOWLEDGED, "ok"
    if isinstance(result, dict):
        if "access_token" in result:
            return NoticeKind.LOGGED_IN, str(result.get("scope", ""))[:200]
        if "version" in result:
            return NoticeKind.HEARTBEAT, ""
    return NoticeKind.INFORMATION, f"the answer to request {str(request_id)[:40]}"
