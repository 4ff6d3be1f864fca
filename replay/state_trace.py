"""What an engine made of its frames, kept so that a later run can be held against it.

Theory. A digest says that two states differ, and no more. A trace says where they parted. It has,
of one run over some frames:

- a *mark* a frame, four bytes: half of it over the events that the frame gave, half over what the
  frame left of the markets they were about (counters, state and top of the book). The first mark
  that differs is the frame at which two runs parted, unless nothing of it shows there;
- a *digest* of the whole state every 2^k frames, at most `DIGESTS_MAX` of them, for what marks do
  not show;
- the events by kind, and the whole state at the end with its digest.

A mark is for finding the place, never for proving that there is none: two runs are equal if the
digests at their ends are. A trace lies beside its recording as `NAME.expected.json`.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections import Counter
from pathlib import Path

import msgspec

from book import state_digest
from book.engine import Engine
from book.finding import Finding
from book.liquidation_monitor import Cascade
from book.settings import EngineSettings
from book.staleness import Stale
from recorder.description import tool_version
from replay.errors import ReplayError
from replay.frame_source import FrameSource
from replay.output_place import output_file
from replay.state_difference import plain_state
from venues import event as venue_events
from venues.errors import MALFORMED, undecodable_reason
from venues.frame import Frame

FORMAT_NAME = "tickreel expected state"
FORMAT_VERSION = 1
DIGESTS_MAX = 64
MARK_BYTES = 4
MARKS_MAX = 1_000_000
"""Beyond so many frames there are digests alone."""

_KINDS: tuple[type, ...] = (
    *(venue_events.BookSnapshot, venue_events.BookDelta, venue_events.Trade),
    *(venue_events.Quote, venue_events.Ticker, venue_events.Liquidation, venue_events.Instrument),
    *(venue_events.GameResult, Cascade, Stale, Finding),
)
_encode = msgspec.json.Encoder(order="sorted", decimal_format="string").encode


class TraceFileError(ReplayError):
    """A file of an expected state that cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}. Write it anew (--write, or --reel-mode=rewrite).")


class StateTrace(msgspec.Struct, frozen=True):
    """One run; see the module's theory.

    Attributes:
        state_version: what the state holds; digests of two versions do not compare.
        tool_version: the tickreel that made it.
        frames: how many frames were applied.
        events: how many events of each kind there were.
        digest: of the state at the end.
        digest_every: frames between two digests, a power of two.
        digests: the first 16 digits of the digest after every so many frames.
        marks: the marks, as base64; '' where there were too many frames.
        state: the whole state at the end.
    """

    state_version: int
    tool_version: str
    frames: int
    events: dict[str, int]
    digest: str
    digest_every: int
    digests: list[str]
    marks: str
    state: object
    format: str = FORMAT_NAME
    format_version: int = FORMAT_VERSION

    def mark_bytes(self) -> bytes:
        """Return the marks, `MARK_BYTES` a frame; empty where there are none."""
        try:
            return base64.b64decode(self.marks, validate=True)
        except (binascii.Error, ValueError):
            return b""


class TracedEngine(Engine):
    """An engine that keeps a trace of what it does. Its state is that of any other engine."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        super().__init__(settings)
        self.events: Counter[str] = Counter()
        self._marks = bytearray()
        self._digests: list[str] = []
        self._digest_every = 1
        self._events_crc = 0
        self._touched: dict[int, object] = {}
        for kind in _KINDS:
            self.on(kind, self._note)

    def _note(self, event: object, market: object) -> None:
        self.events[type(event).__name__] += 1
        self._events_crc = zlib.crc32(_encode(event), self._events_crc)
        if market is not None:
            self._touched[id(market)] = market

    def _step(self, frame: Frame) -> None:
        self._events_crc = 0
        self._touched.clear()
        super()._step(frame)
        if self.frames <= MARKS_MAX:
            state_crc = self.undecodable
            for market in self._touched.values():
                state_crc = zlib.crc32(_encode(_top(market)), state_crc)
            self._marks += (self._events_crc & 0xFFFF).to_bytes(2, "little")
            self._marks += (state_crc & 0xFFFF).to_bytes(2, "little")
        if self.frames % self._digest_every == 0:
            self._digests.append(self.state_digest()[:16])
            if len(self._digests) > DIGESTS_MAX:
                self._digest_every *= 2
                self._digests = self._digests[1::2]

    def trace(self) -> StateTrace:
        """Return what it did so far."""
        kept = bytes(self._marks) if self.frames <= MARKS_MAX else b""
        return StateTrace(
            state_version=state_digest.VERSION,
            tool_version=tool_version(),
            frames=self.frames,
            events=dict(sorted(self.events.items())),
            digest=self.state_digest(),
            digest_every=self._digest_every,
            digests=list(self._digests),
            marks=base64.b64encode(kept).decode("ascii"),
            state=plain_state(self.state()),
        )


def _top(market: object) -> list[object]:
    book = market.book  # type: ignore[attr-defined]
    return [market.counters, book.state, book.sequence, book.best_bid, book.best_ask]  # type: ignore[attr-defined]


def traced(
    source: FrameSource, settings: EngineSettings, *, skip_damaged: bool = False
) -> StateTrace:
    """Play all of a source into an engine of its own, and return the trace.

    Raises:
        ReplayError: the source cannot be read.
    """
    engine = TracedEngine(settings)
    for frame in source.frames(skip_damaged=skip_damaged):
        engine.apply(frame)
    return engine.trace()


def trace_path(recording: Path) -> Path:
    """Return where the expected state of a recording lies: beside it, as `NAME.expected.json`."""
    name = recording.name.removesuffix(".reel")
    return recording.with_name(f"{name}.expected.json")


def write_trace(path: Path, trace: StateTrace) -> None:
    """Write a trace: a line a part, so that a diff of the file is one of the state."""
    fields = msgspec.structs.asdict(trace)
    head = ("format", "format_version")
    order = [*head, *(name for name in fields if name not in head)]
    lines = [
        f"{_encode(name).decode()}: {_encode(fields[name]).decode()}"
        for name in order
        if name != "state"
    ]
    state = trace.state
    if isinstance(state, dict):
        parts = [f"{_encode(k).decode()}: {_encode(v).decode()}" for k, v in state.items()]
        lines.append('"state": {\n' + ",\n".join(parts) + "\n}")
    else:
        lines.append(f'"state": {_encode(state).decode()}')
    content = "{\n" + ",\n".join(lines) + "\n}\n"
    with output_file(path, force=True) as place:
        place.write_text(content, encoding="utf-8")


def read_trace(path: Path) -> StateTrace:
    """Read a trace.

    Raises:
        TraceFileError: it is none, is damaged, or was made by a later tickreel.
        OSError: it cannot be read.
    """
    try:
        trace = msgspec.json.decode(path.read_bytes(), type=StateTrace)
    except MALFORMED as error:
        raise TraceFileError(path, f"is no expected state ({undecodable_reason(error)})") from error
    if trace.format != FORMAT_NAME:
        raise TraceFileError(path, "is no expected state of tickreel's")
    if trace.format_version > FORMAT_VERSION:
        raise TraceFileError(path, f"has format version {trace.format_version}, which is newer")
    return trace
