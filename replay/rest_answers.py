"""What a recorded exchange answers to a request, above all to one for a snapshot of a book.

Theory. A client that asks has been sent the recording up to some frame, its position. Three
answers are possible, and tried in this order:

1. The answer that the exchange really gave, where the recording has one to the same request within
   `NEAR_NS` of the position and it was not given before: byte for byte, and it joins the deltas
   as it did then, whether they have been sent already or are still to come.
2. The book as the recording has it at the position, put together by the engine from the frames up
   to it, provided that the engine vouches for it.
3. Whatever answer is nearest: the client may be able to join it, and will ask again if not.

None of them invents anything: a book that the recording cannot vouch for is not served. A book may
be asked for by HTTP or, where the exchange answers that, on the socket: then the messages of the
request's topic are the recorded answers, given as they were recorded (with the number of the
request that they answered). Of other HTTP requests (instruments), the nearest answer is given; one
for a list of instruments that nobody made is answered with those of the recording.

Frames are read only when somebody asks, and only as far as `NEAR_NS` beyond the position, so that
a venue without requests costs nothing; and where a recording has checkpoints, the first question
far into it is answered from the nearest of them (see `seek`).
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qs, parse_qsl, urlsplit

from book.engine import Engine
from recorder.redaction import redacted_url
from replay.frame_source import FrameSource
from replay.recording import Recording
from replay.seek import engine_before, frames_from
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import MarkerError, read_http
from venues.stated_book import StatedBook
from venues.traits import SnapshotSource
from venues.venue import ClientRequest, Purpose, Venue

NEAR_NS = 10_000_000_000
AHEAD_FRAMES_MAX = 50_000
JUMP_FRAMES = 20_000
"""From so far on, the engine is taken from a checkpoint where the recording has one."""

LISTED_FRAMES_MAX = 2_000
HTTP_OK = 200


@dataclass
class _Answer:
    receive_time_ns: int
    asked: object
    body: bytes
    message: str | bytes | None = None
    given: bool = False
    instruments: bool = False


class RestAnswers:
    """The answers of one venue to one client. Safe to be asked from several threads."""

    def __init__(self, source: FrameSource, venue: Venue) -> None:
        self._source = source
        self._venue = venue
        self._frames = source.frames(streams={venue.name})
        self._engine = Engine()
        self._ahead: deque[Frame] = deque()
        self._answers: list[_Answer] = []
        self._time_ns: int | None = None
        self._ended = False
        self._lock = threading.Lock()
        self._by_message = venue.traits.snapshot_source is SnapshotSource.REQUESTED

    def body(self, path_and_query: str, position: int) -> bytes | None:
        """Return the body to answer with when frame number `position` was sent last; None if none.

        Raises:
            ReplayError: the recording cannot be read.
        """
        symbol = self._venue.dialect.snapshot_symbol(path_and_query)
        with self._lock:
            self._catch_up(position)
            known = self._known(_asked_http(path_and_query, symbol))
            recorded = self._fitting(known, for_book=symbol is not None)
            if recorded is not None:
                return recorded.body
            book = None if symbol is None else self._book(symbol, path_and_query)
            if book is not None or known:
                return book or known[0].body
            listed = [each.body for each in self._answers if each.instruments]
            return self._venue.dialect.instruments_body(path_and_query, listed)

    def message(self, request: ClientRequest, position: int) -> str | bytes | None:
        """Return the message that answers a SNAPSHOT request at `position`; None if none.

        Raises:
            ReplayError: the recording cannot be read.
        """
        dialect = self._venue.dialect
        topic = request.topics[0] if request.topics else ""
        with self._lock:
            self._catch_up(position)
            known = self._known(topic)
            recorded = self._fitting(known, for_book=True)
            if recorded is not None:
                return recorded.message
            symbol = dialect.snapshot_symbol(topic)
            book = None if symbol is None else self._book(symbol, topic)
            if book is not None:
                return dialect.snapshot_answer(request, book)
            return known[0].message if known else None

    def opening(self, topic: str, position: int) -> bytes | None:
        """Return the in-band snapshot of a topic's book at `position`; None if none can be had.

        Raises:
            ReplayError: the recording cannot be read.
        """
        with self._lock:
            self._catch_up(position)
            return self._venue.dialect.book_message(topic, self._stated)

    def _stated(self, symbol: str) -> StatedBook | None:
        market = self._engine.markets.get((self._venue.name, symbol))
        book = None if market is None else market.book
        sequence = None if book is None or not book.following else book.sequence
        if book is None or sequence is None:
            return None
        bids, asks = book.bids.top(LEVELS_MAX), book.asks.top(LEVELS_MAX)
        return StatedBook(bids, asks, sequence, (self._time_ns or 0) // 1_000_000)

    def _known(self, asked: object) -> list[_Answer]:
        """Return the recorded answers to a request, the nearest first."""
        time_ns = self._time_ns or 0
        known = [answer for answer in self._answers if answer.asked == asked]
        return sorted(known, key=lambda answer: abs(answer.receive_time_ns - time_ns))

    def _fitting(self, known: list[_Answer], *, for_book: bool) -> _Answer | None:
        """Take the nearest answer; of a book, one that is near and was not given before."""
        if not for_book:
            return known[0] if known else None
        time_ns = self._time_ns or 0
        for answer in known:
            if not answer.given and abs(answer.receive_time_ns - time_ns) <= NEAR_NS:
                answer.given = True
                return answer
        return None

    def _catch_up(self, position: int) -> None:
        """Apply the frames up to `position`, and look ahead from there."""
        far = self._time_ns is None and position >= JUMP_FRAMES
        if far and isinstance(self._source, Recording):
            self._jump(self._source, position)
        if self._time_ns is None:
            self._read()
            self._time_ns = self._ahead[0].receive_time_ns if self._ahead else 0
        while True:
            while self._ahead and self._ahead[0].frame_number <= position:
                frame = self._ahead.popleft()
                self._engine.apply(frame)
                self._time_ns = frame.receive_time_ns
            horizon_ns = self._time_ns + NEAR_NS
            near = not self._ahead or self._ahead[-1].receive_time_ns <= horizon_ns
            if self._ended or not near or len(self._ahead) >= AHEAD_FRAMES_MAX:
                return
            self._read()

    def _jump(self, recording: Recording, position: int) -> None:
        """Take the engine from the nearest checkpoint, and only what was answered near by.

        What is listed once, at the beginning of a recording, is taken too.
        """
        for frame in islice(self._frames, LISTED_FRAMES_MAX):
            self._note(frame, only_listed=True)
        sought = engine_before(recording, frame_number=position + 1)
        self._engine, now_ns = sought.engine, sought.engine.now_ns
        self._time_ns = now_ns
        streams = {self._venue.name}
        for frame in recording.frames(from_ns=now_ns - NEAR_NS, to_ns=now_ns + 1, streams=streams):
            if frame.frame_number <= position:
                self._note(frame)
        following = frames_from(recording, position + 1)
        self._frames = (frame for frame in following if frame.venue in (RECORDER, *streams))

    def _note(self, frame: Frame, *, only_listed: bool = False) -> None:
        if frame.kind is FrameKind.HTTP:
            self._note_http(frame, only_listed=only_listed)
        elif self._by_message and frame.received and not only_listed:
            self._note_message(frame)

    def _read(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            self._ended = True
            return
        self._ahead.append(frame)
        self._note(frame)

    def _note_http(self, frame: Frame, *, only_listed: bool) -> None:
        try:
            head, body = read_http(frame)
        except MarkerError:
            return
        if head.status not in (HTTP_OK, None) or head.error:
            return
        parts = urlsplit(head.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        symbol: str | None = None
        instruments = head.purpose == Purpose.INSTRUMENTS
        if only_listed and not instruments:
            return
        if not instruments:
            symbol = head.symbol or self._venue.dialect.snapshot_symbol(path)
        asked = _asked_http(path, symbol)
        self._keep(_Answer(frame.receive_time_ns, asked, body, instruments=instruments))

    def _note_message(self, frame: Frame) -> None:
        topic = self._venue.dialect.topic(frame.payload)
        if topic is not None and self._venue.dialect.snapshot_symbol(topic) is not None:
            text = frame.kind is FrameKind.TEXT
            message = frame.payload.decode("utf-8", "replace") if text else frame.payload
            self._keep(_Answer(frame.receive_time_ns, topic, frame.payload, message))

    def _keep(self, answer: _Answer) -> None:
        self._forget(answer.asked)
        self._answers.append(answer)

    def _forget(self, asked: object) -> None:
        """Drop answers too old to be given first, but for the last one of each request."""
        oldest_ns = (self._time_ns or 0) - NEAR_NS
        self._answers = [
            each
            for each in self._answers
            if each.asked != asked or each.receive_time_ns >= oldest_ns
        ]

    def _book(self, symbol: str, path_and_query: str) -> bytes | None:
        stated = self._stated(symbol)
        if stated is None:
            return None
        levels = _limit(path_and_query)
        sides = stated.bids[:levels], stated.asks[:levels]
        dialect = self._venue.dialect
        return dialect.snapshot_body(symbol, *sides, stated.sequence, stated.time_ms)


def _asked_http(path_and_query: str, symbol: str | None) -> object:
    """Return what two HTTP requests have in common that want the same.

    A recorded address shows only the values that are known to be harmless.
    """
    if symbol is not None:
        return "book", symbol.upper()
    parts = urlsplit(redacted_url(path_and_query))
    return parts.path, sorted(parse_qsl(parts.query))


LEVELS_MAX = 5_000


def _limit(path_and_query: str) -> int:
    """Return how many levels of a side are asked for, where the request says so."""
    written = parse_qs(urlsplit(path_and_query).query).get("limit", [""])[-1]
    if written.isascii() and written.isdigit() and 0 < int(written[:9]) <= LEVELS_MAX:
        return int(written)
    return LEVELS_MAX
