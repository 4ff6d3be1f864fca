"""The `{"op": …, "args": [{…}]}` protocol, which OKX, OKCoin and Bitget speak.

    {"op":"subscribe","args":[{"channel":"books","instId":"BTC-USDT"}]}
    {"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"}}         one for each arg
    {"event":"error","code":"60018","msg":"Wrong URL or channel:…"}
    {"op":"login","args":[{"apiKey":"…","passphrase":"…","timestamp":"…","sign":"…"}]}
    {"event":"login","code":"0","msg":""}
    {"event":"notice","code":"64008","msg":"The connection will soon be closed…"}
    ping                                     text and no JSON; the answer is pong

What differs between them (the names in an arg, the text that is signed, codes) is an argument or
stays with the venue. The books of all of them are hashed in the same way: `BOOK_CHECKSUM`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from venues.connection_plan import chunks
from venues.errors import CredentialsError, DecodeError
from venues.event import Event, Notice, NoticeKind
from venues.op_args import same_text
from venues.traits import ChecksumLayout, ChecksumRule
from venues.venue import Credentials
from venues.wire import NS_PER_MS, decoded_or_none

PING = "ping"
PONG = b"pong"

BOOK_CHECKSUM = ChecksumRule(ChecksumLayout.INTERLEAVED, levels=25, signed=True, separator=":")

SignedCrc32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""A CRC32 as these exchanges write it. 0 stands for none."""

_WILL_CLOSE = "64008"
"""OKX's code of the notice that comes 60 s before a connection is closed for an upgrade."""

_TIME_DIGITS_MAX = 13


class Arg(msgspec.Struct, frozen=True, gc=False):
    """What names a stream, in all the spellings: each exchange fills some of the fields."""

    channel: str = ""
    instrument_id: str = field(name="instId", default="")
    instrument_type: str = field(name="instType", default="")
    topic: str = ""
    symbol: str = ""

    @property
    def stream(self) -> str:
        """What it calls the stream; '' where it names none."""
        return self.topic or self.channel


TopicOf = Callable[[Arg], str]
"""How an exchange's arg becomes a topic; the same for a request and for what is sent for it."""

Reader = Callable[[bytes, int], Sequence[Event]]
"""What reads a stream's messages: payload and receive time, to events."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How an exchange words things; `login_codes` are the error codes that speak of a login."""

    topic_of: TopicOf
    login_codes: frozenset[str]


class Head(msgspec.Struct, gc=False):
    """What a message says of itself, whichever kind it is."""

    event: str | None = None
    arg: Arg | None = None
    action: str | None = None
    code: str | int | None = None
    message: str | None = field(name="msg", default=None)
    channel: str | None = None
    data: msgspec.Raw = msgspec.Raw()

    @property
    def has_data(self) -> bool:
        """Whether it carries data, of whatever kind."""
        return memoryview(self.data).nbytes > 0


class _LoginArg(msgspec.Struct):
    key: str = field(name="apiKey")
    passphrase: str
    time: str | int = field(name="timestamp")
    signature: str = field(name="sign")


class _LoginRequest(msgspec.Struct):
    op: str
    args: list[_LoginArg]


_HEAD = msgspec.json.Decoder(Head)
_LOGIN = msgspec.json.Decoder(_LoginRequest)


def op_message(operation: str, args: Sequence[Mapping[str, Any]]) -> str:
    """Return the message that asks for `operation`."""
    return msgspec.json.encode({"op": operation, "args": args}).decode()


def subscribe_messages(
    topics: Sequence[str], arg_of: Callable[[str], Mapping[str, Any]], args_per_message: int
) -> list[str]:
    """Return the messages that ask for `topics`, each once."""
    every = list(dict.fromkeys(topics))
    return [
        op_message("subscribe", [arg_of(topic) for topic in piece])
        for piece in chunks(every, args_per_message)
    ]


def resubscribe_messages(arg: Mapping[str, Any]) -> list[str]:
    """Return a withdrawal of a stream and a new subscription, which begins with a snapshot."""
    return [op_message("unsubscribe", [arg]), op_message("subscribe", [arg])]


def signature(secret: str, time_text: str, path: str) -> str:
    """Return the base64 HMAC-SHA256 that a login carries; `path` is the exchange's own."""
    signed = f"{time_text}GET{path}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()


def login_message(venue: str, credentials: Credentials | None, time_text: str, path: str) -> str:
    """Return the login.

    Raises:
        CredentialsError: the key, the secret or the passphrase is missing.
    """
    if credentials is None or not (
        credentials.key and credentials.secret and credentials.passphrase
    ):
        raise CredentialsError(venue, "The key, the secret and the passphrase are all needed.")
    arg = {
        "apiKey": credentials.key,
        "passphrase": credentials.passphrase,
        "timestamp": time_text,
        "sign": signature(credentials.secret, time_text, path),
    }
    return op_message("login", [arg])


def login_signed(payload: bytes, credentials: Credentials, path: str) -> bool:
    """Return whether a login message was signed with these keys. Never raises."""
    request = decoded_or_none(_LOGIN, payload)
    if request is None or request.op != "login" or len(request.args) != 1:
        return False
    arg = request.args[0]
    expected = signature(credentials.secret, str(arg.time), path)
    return (
        same_text(arg.key, credentials.key)
        and same_text(arg.passphrase, credentials.passphrase)
        and same_text(arg.signature, expected)
    )


def read_head(payload: bytes) -> Head:
    """Return what a message says of itself.

    Raises:
        msgspec.MsgspecError, ValueError, RecursionError: it is no such JSON object.
    """
    return _HEAD.decode(payload)


def _head_notice(head: Head, receive_time_ns: int, speech: Speech) -> Notice | None:
    if head.event is None:
        return None
    kind = _kind(head, speech.login_codes)
    topic = speech.topic_of(head.arg) if head.arg is not None else head.channel or ""
    said = head.message or (topic if kind is not NoticeKind.LOGGED_IN else "")
    if kind is NoticeKind.INFORMATION:
        said = f"{head.event}: {said}" if said else head.event
    if head.code not in (None, "", "0", 0):
        said = f"{said} (code {head.code})"
    return Notice("", receive_time_ns, None, kind, said)


def _kind(head: Head, login_codes: Collection[str]) -> NoticeKind:
    event, code = head.event, str(head.code)
    if event in ("subscribe", "unsubscribe"):
        return NoticeKind.ACKNOWLEDGED
    if event == "error":
        return NoticeKind.LOGIN_REFUSED if code in login_codes else NoticeKind.REJECTED
    if event == "login":
        accepted = head.code in (None, "", "0", 0)
        return NoticeKind.LOGGED_IN if accepted else NoticeKind.LOGIN_REFUSED
    if event == "channel-conn-count-error":
        return NoticeKind.REJECTED
    if event == "notice" and code == _WILL_CLOSE:
        return NoticeKind.WILL_DISCONNECT
    return NoticeKind.INFORMATION


def _pong_notice(receive_time_ns: int) -> Notice:
    return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT, "pong")


def routed_events(
    venue: str,
    payload: bytes,
    receive_time_ns: int,
    speech: Speech,
    reader_of: Callable[[Arg], Reader | None],
) -> Sequence[Event]:
    """Return the events of any message, read as what it says it is.

    A stream for which there is no reader gives a notice with its name.

    Raises:
        UNDECODABLE: it is none of the exchange's messages.
    """
    if payload == PONG:
        return (_pong_notice(receive_time_ns),)
    head = _HEAD.decode(payload)
    notice = _head_notice(head, receive_time_ns, speech)
    if notice is not None:
        return (notice,)
    arg = head.arg
    if arg is None or not arg.stream or not head.has_data:
        raise DecodeError(venue, "it has neither an event nor a stream's data", payload)
    reader = reader_of(arg)
    if reader is None:
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, arg.stream),)
    return reader(payload, receive_time_ns)


def read_notice(payload: bytes, speech: Speech) -> Notice | None:
    """Return what a message says of the connection; None for market data. Never raises."""
    if payload == PONG:
        return _pong_notice(0)
    if b'"event"' not in payload:
        return None
    head = decoded_or_none(_HEAD, payload)
    return None if head is None else _head_notice(head, 0, speech)


def text_time_ns(text: str) -> int | None:
    """Return the time that a text of ms since 1970 says; None for an empty one.

    Raises:
        ValueError: it is neither.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _TIME_DIGITS_MAX:
        raise ValueError(f"{text[:48]!r} is not a time in ms")
    return _bounded(int(text) * NS_PER_MS, text)


def _bounded(time_ns: int, text: str) -> int:
    if time_ns >= 1 << 63:
        raise ValueError(f"{text!r} does not fit 64-bit nanoseconds")
    return time_ns
