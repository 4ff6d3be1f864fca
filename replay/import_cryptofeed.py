r"""Raw captures by cryptofeed: what was opened, sent, received and fetched, a line each.

    wss://ws.example.com <-> 1618678132.368463                       opened
    wss://ws.example.com <- 1618678132.83097: {"event":"subscribe"}  sent
    1618678132.831468: {"event":"systemStatus"}                      received
    1645289384.9: b'\x1f\x8b...'                                       received, binary
    https://api.example.com/book?pair=X -> 1618678133.1: {"id":1}    the body of an HTTP answer

Each line becomes one frame. Times are float seconds in decimal text and are read as decimals, so
that no digit is lost. A binary message is written as a Python bytes literal; it is read as a
literal and nothing else, and its exact bytes are kept.

A received line does not name its connection. It belongs to the connection that its file opened
last: cryptofeed writes one file a connection, and a new `<->` in it is a reconnect. The status of
an HTTP answer is not written either; 200 is what such a body came with. As in every recording, a
login is kept as a stand-in, what else was signed without its keys and signatures, and URLs without
the values of unknown parameters.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from recorder.key_fields import without_keys
from recorder.redaction import LOGIN_STANDIN, redacted_url
from replay.import_draft import Draft, ImportSource
from replay.import_errors import ImportFormatError
from replay.import_lines import (
    RECEIVE_TIME_NS_MAX,
    RECEIVE_TIME_NS_MIN,
    TIME_DIGITS_MAX,
    read_lines,
)
from venues.frame import FrameKind
from venues.marker import HttpResponse, Opened, http_payload, marker_payload
from venues.venue import Purpose, RequestKind, Venue

_EXPECTED = (
    "`url <-> seconds`, `url <- seconds: text`, `url -> seconds: body` or `seconds: text`, with "
    "seconds since 1970 to at most 9 places"
)
_ARROW = re.compile(rb"(\S+) (<->|<-|->) ([0-9.]+)(?:: (.*))?", re.DOTALL)
_BYTES_LITERAL = (b"b'", b'b"')
_SECOND_NS = 10**9


def read_drafts(source: ImportSource) -> Iterator[Draft]:
    """Yield a draft for each line.

    Raises:
        ImportFormatError: a line of none of the forms above.
        ImportSourceError: the file cannot be read.
    """
    file_number = source.file_number
    text = FrameKind.TEXT
    for number, line in read_lines(source.path):
        seconds, separator, payload = line.partition(b": ")
        receive_time_ns = _nanoseconds(seconds) if separator else None
        if receive_time_ns is None:
            yield _arrow(source, number, line)
        elif payload.startswith(_BYTES_LITERAL):
            message = _bytes_literal(payload)
            if message is None:
                expected = "a whole bytes literal, such as b'\\x1f'"
                raise ImportFormatError(source.path, number, expected, line)
            yield Draft(receive_time_ns, file_number, FrameKind.BINARY, message)
        else:
            yield Draft(receive_time_ns, file_number, text, payload)


def _nanoseconds(seconds: bytes) -> int | None:
    """Return the time that a decimal text of seconds says, exactly; None where it is none."""
    whole, point, places = seconds.partition(b".")
    if not whole.isdigit() or (point and not places.isdigit()):
        return None
    if len(whole) > TIME_DIGITS_MAX or len(places) > 9:
        return None
    time_ns = int(whole) * _SECOND_NS + int(places.ljust(9, b"0"))
    return time_ns if RECEIVE_TIME_NS_MIN <= time_ns <= RECEIVE_TIME_NS_MAX else None


def _bytes_literal(text: bytes) -> bytes | None:
    try:
        value = ast.literal_eval(text.decode("ascii"))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, bytes) else None


def _arrow(source: ImportSource, number: int, line: bytes) -> Draft:
    match = _ARROW.fullmatch(line)
    receive_time_ns = _nanoseconds(match[3]) if match is not None else None
    if match is None or receive_time_ns is None or (match[2] == b"<->") != (match[4] is None):
        raise ImportFormatError(source.path, number, _EXPECTED, line)
    url = match[1].decode("utf-8", "backslashreplace")
    kind, payload = _said(source.venue, url, match[2], match[4] or b"")
    return Draft(receive_time_ns, source.file_number, kind, payload)


def _said(venue: Venue, url: str, arrow: bytes, text: bytes) -> tuple[FrameKind, bytes]:
    if arrow == b"<->":
        opened = Opened(stream=venue.name, url=redacted_url(url))
        return FrameKind.OPENED, marker_payload(opened)
    if arrow == b"<-":
        login = venue.dialect.read_request(text).kind is RequestKind.LOGIN
        return FrameKind.SENT, LOGIN_STANDIN if login else without_keys(text)
    return FrameKind.HTTP, http_payload(_head(venue, url), text)


def _head(venue: Venue, url: str) -> HttpResponse:
    symbol = _snapshot_symbol(venue, url)
    return HttpResponse(
        method="GET",
        url=redacted_url(url),
        status=200,
        purpose=Purpose.SNAPSHOT if symbol else "unknown",
        symbol=symbol,
    )


def _snapshot_symbol(venue: Venue, url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    query = f"?{parts.query}" if parts.query else ""
    return venue.dialect.snapshot_symbol(parts.path + query) or ""
