"""Reading the frame of an HTTP answer: a body that is of use, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from venues.errors import DecodeError
from venues.event import Event, Notice, NoticeKind
from venues.frame import Frame
from venues.marker import MarkerError, read_http
from venues.venue import Purpose

_READ = frozenset({Purpose.SNAPSHOT, Purpose.INSTRUMENTS})
_OK = 200
_EXCERPT_BYTES = 200


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A body that was asked for. `symbol` is '' where the request does not say whose."""

    symbol: str
    body: bytes
    purpose: Purpose


def read_http_answer(venue: str, frame: Frame) -> HttpAnswer | Sequence[Event]:
    """Return the answer about a book or instruments, or the events of any other HTTP frame.

    A refused or unanswered request gives a notice; one that was for something else, nothing.

    Raises:
        DecodeError: the frame is no HTTP frame.
    """
    try:
        head, body = read_http(frame)
    except MarkerError as error:
        raise DecodeError(venue, str(error), frame.payload) from error
    if head.purpose not in _READ:
        return ()
    purpose = Purpose(head.purpose)
    symbol = head.symbol or _symbol_of(head.url)
    if head.error or (head.status is not None and head.status != _OK):
        said = head.error or body[:_EXCERPT_BYTES].decode("utf-8", "backslashreplace")
        text = f"no {purpose.rpartition(' ')[2]} (HTTP {head.status or 'not answered'}): {said}"
        return (Notice(symbol, frame.receive_time_ns, None, NoticeKind.INFORMATION, text),)
    return HttpAnswer(symbol, body, purpose)


def _symbol_of(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("symbol", [""])[-1]
