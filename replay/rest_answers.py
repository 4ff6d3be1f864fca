"""What a recorded exchange answers to a request for a snapshot of a book.

Theory. A client that asks has been sent the recording up to some frame, its position. Three
answers are possible, and tried in this order:

1. The answer that the exchange really gave, where the recording has one to the same request within
   `NEAR_NS` of the position and it was not given before: byte for byte, and it joins the deltas
   as it did then, whether they have been sent already or are still to come.
2. The book as the recording has it at the position, put together by the engine from the frames up
   to it, provided that the engine vouches for it.
3. Whatever answer is nearest: the client may be able to join it, and will ask again if not.

None of them invents anything: a book that the recording cannot vouch for is not served.

Frames are read only when somebody asks, and only as far as `NEAR_NS` beyond the position, so that
a venue without requests costs nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlsplit

from book.engine import Engine
from replay.frame_source import FrameSource
from venues.frame import Frame, FrameKind
from venues.marker import MarkerError, read_http
from venues.venue import Venue

NEAR_NS = 10_000_000_000
AHEAD_FRAMES_MAX = 50_000
HTTP_OK = 200


@dataclass
class _Answer:
    frame_number: int
    receive_time_ns: int
    asked: object
    body: bytes
    given: bool = False


class RestAnswers:
    """The answers of one venue to one client. Safe to be asked from several threads."""

    def __init__(self, source: FrameSource, venue: Venue) -> None:
        self._venue = venue
        self._frames = source.frames(streams={venue.name})
        self._engine = Engine()
        self._ahead: deque[Frame] = deque()
        self._answers: list[_Answer] = []
        self._time_ns: int | None = None
        self._ended = False
        self._lock = threading.Lock()

    def body(self, path_and_query: str, position: int) -> bytes | None:
        """Return the body to answer with when frame number `position` was sent last; None if none.

        Raises:
            ReplayError: the recording cannot be read.
        """
        asked = self._asked(path_and_query)
        with self._lock:
            self._catch_up(position)
            time_ns = self._time_ns or 0
            known = [answer for answer in self._answers if answer.asked == asked]
            known.sort(key=lambda answer: abs(answer.receive_time_ns - time_ns))
            for answer in known:
                if not answer.given and abs(answer.receive_time_ns - time_ns) <= NEAR_NS:
                    answer.given = True
                    return answer.body
            symbol = self._venue.dialect.snapshot_symbol(path_and_query)
            book = None if symbol is None else self._book(symbol, path_and_query)
            return book or (known[0].body if known else None)

    def _asked(self, path_and_query: str, symbol: str = "") -> object:
        """Return what two requests have in common that want the same."""
        symbol = self._venue.dialect.snapshot_symbol(path_and_query) or symbol
        parts = urlsplit(path_and_query)
        return symbol or (parts.path, sorted(parse_qsl(parts.query)))

    def _catch_up(self, position: int) -> None:
        """Apply the frames up to `position`, and look ahead from there."""
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

    def _read(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            self._ended = True
            return
        self._ahead.append(frame)
        if frame.kind is FrameKind.HTTP:
            self._note(frame)

    def _note(self, frame: Frame) -> None:
        try:
            head, body = read_http(frame)
        except MarkerError:
            return
        if head.status in (HTTP_OK, None) and not head.error:
            parts = urlsplit(head.url)
            asked = self._asked(f"{parts.path}?{parts.query}", head.symbol)
            self._forget(asked)
            self._answers.append(_Answer(frame.frame_number, frame.receive_time_ns, asked, body))

    def _forget(self, asked: object) -> None:
        """Drop answers too old to be given first, but for the last one of each request."""
        oldest_ns = (self._time_ns or 0) - NEAR_NS
        self._answers = [
            each
            for each in self._answers
            if each.asked != asked or each.receive_time_ns >= oldest_ns
        ]

    def _book(self, symbol: str, path_and_query: str) -> bytes | None:
        market = self._engine.markets.get((self._venue.name, symbol))
        if market is None or not market.book.following or market.book.sequence is None:
            return None
        levels = _limit(path_and_query)
        return self._venue.dialect.snapshot_body(
            symbol,
            market.book.bids.top(levels),
            market.book.asks.top(levels),
            market.book.sequence,
            (self._time_ns or 0) // 1_000_000,
        )


LEVELS_MAX = 5_000


def _limit(path_and_query: str) -> int:
    """Return how many levels of a side are asked for, where the request says so."""
    written = parse_qs(urlsplit(path_and_query).query).get("limit", [""])[-1]
    if written.isascii() and written.isdigit() and 0 < int(written[:9]) <= LEVELS_MAX:
        return int(written)
    return LEVELS_MAX
