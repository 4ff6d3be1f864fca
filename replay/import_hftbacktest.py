"""Recordings by the collector of hftbacktest: `<receive time, ns since 1970> <message>` a line.

Its collector writes a file a symbol and day. Into the same lines go the REST snapshots of the book
that it fetched, bare, where they arrived, and they do not say whose book they are:

    1723161253937085768 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate",...}}
    1723161254206652067 {"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],...]}

Each line becomes one frame. The one question is which lines came by HTTP, and of what symbol; only
the venue can say, so it is asked: a message that was sent for no topic, and that the venue reads
as a snapshot when it is told to be an HTTP body, was one. Its symbol is that of the messages around
it. A line that nobody understands is kept as it is; what it means is for the engine to find.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from replay.import_draft import Draft, ImportSource
from replay.import_errors import ImportFormatError
from replay.import_lines import (
    RECEIVE_TIME_NS_MAX,
    RECEIVE_TIME_NS_MIN,
    TIME_DIGITS_MAX,
    read_lines,
)
from venues.errors import UNDECODABLE
from venues.event import BookSnapshot, Event
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, http_payload
from venues.venue import Purpose, Venue

_EXPECTED = "a receive time in ns since 1970 (19 digits), a space and a message"
_NEIGHBOURS = 512
"""How many messages before (at the beginning of a file, around) a snapshot may tell its symbol."""

_BEGINNING_BYTES = 10
"""Messages of a stream begin alike, and no REST body begins as they do."""

_Line = tuple[int, bytes]


def read_drafts(source: ImportSource) -> Iterator[Draft]:
    """Yield a draft for each line.

    Raises:
        ImportFormatError: a line that does not begin with a time.
        ImportSourceError: the file cannot be read.
    """
    venue, file_number = source.venue, source.file_number
    lines = _split(source)
    ahead = list(islice(lines, _NEIGHBOURS))
    neighbours = deque((payload for _, payload in ahead), maxlen=_NEIGHBOURS)
    beginnings: set[bytes] = set()
    text = FrameKind.TEXT
    for receive_time_ns, payload in chain(ahead, lines):
        beginning = payload[:_BEGINNING_BYTES]
        if beginning not in beginnings:
            if venue.dialect.topic(payload) is None and _states_book(venue, payload):
                yield _snapshot(source, receive_time_ns, payload, neighbours)
                continue
            if venue.dialect.topic(payload) is not None:
                beginnings.add(beginning)
        neighbours.append(payload)
        yield Draft(receive_time_ns, file_number, text, payload)


def _split(source: ImportSource) -> Iterator[_Line]:
    path = source.path
    for number, line in read_lines(path):
        digits, _, payload = line.partition(b" ")
        if not payload or not digits.isdigit() or len(digits) > TIME_DIGITS_MAX:
            raise ImportFormatError(path, number, _EXPECTED, line)
        receive_time_ns = int(digits)
        if not RECEIVE_TIME_NS_MIN <= receive_time_ns <= RECEIVE_TIME_NS_MAX:
            raise ImportFormatError(path, number, _EXPECTED, line)
        yield receive_time_ns, payload


def _states_book(venue: Venue, payload: bytes) -> bool:
    """Return whether the venue reads `payload`, as the body of some symbol's answer, as a book."""
    body = http_payload(_head("X"), payload)
    events = _decoded(venue, Frame(0, 1, venue.name, FrameKind.HTTP, 0, None, body))
    return any(isinstance(event, BookSnapshot) for event in events)


def _snapshot(
    source: ImportSource, receive_time_ns: int, body: bytes, neighbours: Iterable[bytes]
) -> Draft:
    symbols = _symbols(source.venue, neighbours)
    symbol = symbols.pop() if len(symbols) == 1 else ""
    if not symbol:
        source.note(
            f"{source.path}: the book snapshot received at {receive_time_ns} does not say of which "
            "symbol it is, and neither do the messages around it; it is kept without a symbol."
        )
    payload = http_payload(_head(symbol), body)
    return Draft(receive_time_ns, source.file_number, FrameKind.HTTP, payload)


def _symbols(venue: Venue, payloads: Iterable[bytes]) -> set[str]:
    found: set[str] = set()
    for payload in payloads:
        if venue.dialect.topic(payload) is not None:
            frame = Frame(0, 1, venue.name, FrameKind.TEXT, 0, None, payload)
            found.update(event.symbol for event in _decoded(venue, frame) if event.symbol)
    return found


def _decoded(venue: Venue, frame: Frame) -> Iterable[Event]:
    try:
        return venue.decode(frame)
    except UNDECODABLE:
        return ()


def _head(symbol: str) -> HttpResponse:
    return HttpResponse(method="GET", url="", status=200, purpose=Purpose.SNAPSHOT, symbol=symbol)
