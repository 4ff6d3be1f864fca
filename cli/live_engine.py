"""The engine beside a capture, in a process of its own: `python -m cli.live_engine`.

Frames come on stdin and messages go to stdout, as `cli.engine_messages` says. An agent that
prints or reads must not disturb that: its stdout is our stderr, and its stdin is empty. The end of
stdin is the only signal to stop; those of the terminal are the capture's to understand.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import BinaryIO

import msgspec

from book.agent import AgentFailure
from book.finding import Finding, FindingKind
from book.liquidation_monitor import Cascade
from cli.attached_engine import AttachedEngine, failure_text
from cli.collector import calm_collector
from cli.engine_messages import (
    LENGTH,
    AgentFailed,
    EngineEnded,
    EngineMessage,
    EngineReady,
    EngineRefused,
    EngineStart,
    EngineStatus,
    FindingTold,
    SnapshotWanted,
    read_start,
)
from cli.engine_summary import summarise
from cli.latency_gauge import LatencyGauge
from cli.receipt_keeper import ReceiptKeeper
from cli.report_text import system_text
from cli.stop_signals import stop_signals
from venues.errors import TickreelError
from venues.frame import Frame

STATUS_INTERVAL_S = 0.5
TOLD_MAX = 100
"""Of how many kinds and markets a status tells the findings; all are counted."""
_READ_BYTES = 1 << 20


def main() -> None:
    """Run until stdin ends."""
    for number in stop_signals():
        signal.signal(number, signal.SIG_IGN)  # they are the capture's to heed
    source, words = _take_stdio()
    message = _read_message(source)
    if message:  # else the capture was over before it had begun
        LiveEngine(read_start(message), source, words).run()


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for ourselves and give the agent others."""
    source = os.fdopen(os.dup(0), "rb", buffering=_READ_BYTES)
    words = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return source, words


def _read_message(source: BinaryIO) -> bytes:
    """Return the next message, b"" at the end; one that was cut is the end too."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return b""
    (size_bytes,) = LENGTH.unpack(head)
    message = source.read(size_bytes)
    return message if len(message) == size_bytes else b""


class LiveEngine:
    """The child's side: applies what comes, and says what the capture must know."""

    def __init__(self, start: EngineStart, source: BinaryIO, words: BinaryIO) -> None:
        self._source = source
        self._words = words
        self._decoder = msgspec.msgpack.Decoder(list[Frame])
        self._encoder = msgspec.json.Encoder()
        self._status_due_s = 0.0
        self._start = start
        self._receipts = ReceiptKeeper(start.recording)
        self._latency: LatencyGauge | None = None
        self._told: dict[tuple[FindingKind, str, str], FindingTold] = {}
        self._cascades = 0
        self._cascade_time_ns: int | None = None

    def run(self) -> None:
        """Load the agent, apply all frames until stdin ends, and say the last word."""
        try:
            attached = AttachedEngine(
                self._start.agent_reference,
                self._start.signals_file,
                self._tell_failure,
                self._start.settings,
                append_signals=True,
            )
        except TickreelError as error:
            self._tell(EngineRefused(str(error)))
            return
        except OSError as error:
            self._tell(EngineRefused(system_text(error)))
            return
        self._latency = LatencyGauge(attached.engine)
        attached.engine.on(Finding, self._take_finding)
        attached.engine.on(Cascade, self._take_cascade)
        calm_collector()
        self._tell(EngineReady())
        if attached.asynchronous:
            asyncio.run(self._follow_async(attached))
        else:
            self._follow(attached)
        attached.show_signals(last=True)
        self._receipts.keep(attached.engine)
        self._tell(EngineEnded(summarise(attached.engine), attached.signals.count))

    def _follow(self, attached: AttachedEngine) -> None:
        engine, apply = attached.engine, attached.engine.apply
        while message := _read_message(self._source):
            frames = self._decoder.decode(message)
            self._receipts.begin(frames)
            for frame in frames:
                apply(frame)
                if engine.frames >= self._receipts.due_frames:
                    self._receipts.keep(engine)
            self._after_batch(attached)

    async def _follow_async(self, attached: AttachedEngine) -> None:
        engine, apply = attached.engine, attached.engine.apply_async
        while message := await asyncio.to_thread(_read_message, self._source):
            frames = self._decoder.decode(message)
            self._receipts.begin(frames)
            for frame in frames:
                await apply(frame)
                if engine.frames >= self._receipts.due_frames:
                    self._receipts.keep(engine)
            self._after_batch(attached)

    def _after_batch(self, attached: AttachedEngine) -> None:
        engine = attached.engine
        for wanted in engine.take_snapshot_requests():
            self._tell(SnapshotWanted(wanted.venue, wanted.connection_id, wanted.symbol))
        now_s = time.monotonic()
        if now_s < self._status_due_s:
            return
        self._status_due_s = now_s + STATUS_INTERVAL_S
        attached.show_signals()
        books = [market.book for market in engine.markets.values() if market.counters.snapshots]
        self._tell(
            EngineStatus(
                frames=engine.frames,
                books=len(books),
                proven=sum(book.proven for book in books),
                gaps=engine.findings.counts[FindingKind.GAP],
                findings=dict(engine.findings.counts),
                told=list(self._told.values()),
                latency=[] if self._latency is None else self._latency.counts(),
                cascades=self._cascades,
                cascade_time_ns=self._cascade_time_ns,
            )
        )
        self._told.clear()

    def _take_finding(self, finding: Finding, market: object) -> None:
        key = (finding.kind, finding.venue, finding.symbol)
        before = self._told.get(key)
        if before is not None:
            self._told[key] = FindingTold(before.finding, before.count + 1)
        elif len(self._told) < TOLD_MAX:
            self._told[key] = FindingTold(finding, 1)

    def _take_cascade(self, cascade: Cascade, market: object) -> None:
        self._cascades += 1
        self._cascade_time_ns = cascade.receive_time_ns

    def _tell_failure(self, failure: AgentFailure) -> None:
        self._tell(AgentFailed(failure_text(failure), failure.detached))

    def _tell(self, message: EngineMessage) -> None:
        # Where the capture is gone, the end of stdin says so too, and ends this process.
        with contextlib.suppress(BrokenPipeError):
            self._words.write(self._encoder.encode(message) + b"\n")
            self._words.flush()


if __name__ == "__main__":
    main()
