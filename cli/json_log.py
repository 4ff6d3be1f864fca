"""The log as JSON lines, one object a line, for machines.

Theory. A record becomes one line of ASCII: `time` (UTC), `level`, `event` (what kind of thing
happened), `message` (the sentence for people) and whatever facts its author gave it as `extra`:
`exchange`, `stream`, `symbol`, `connection`, `latency_s`, ... A fact that is None or '' is left
out. Nothing from outside can break out of its line, or reach a terminal as a control character:
all that is not printable ASCII is escaped.

What repeats is told once a minute (`Repeats`): a fault that comes a thousand times a second must
not fill a disk with its log. The line that follows says how many there were meanwhile. Changes of
a connection's state are not faults, and each is told.

Lines are written by a thread of their own, from a bounded queue: a disk that stands still, or a
reader that does not read, must not hold up the sockets. Past the bound lines are dropped, and it is
told how many.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path

from replay.written_time import utc_text

REPEAT_INTERVAL_S = 60.0
REPEATS_MAX = 10_000
QUEUE_LINES_MAX = 10_000
END_LIMIT_S = 1.0
TEXT_CHARACTERS_MAX = 4_000
FILE_MODE = 0o600
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FOR_REPEATS = ("each", "repeats")
"""What an author says of repeating: tell it each time; what makes it the same."""
_NUMBER = re.compile(r"\d+")
_NAMES = {"venue": "exchange"}


class Repeats:
    """Which of the records that repeat are told, and how many were not."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._told_s: dict[Hashable, float] = {}
        self._held: dict[Hashable, int] = {}

    def told(self, record: logging.LogRecord) -> int | None:
        """Return how many like `record` were held back before it; None where it is held back."""
        key = repeat_key(record)
        if key is None:
            return 0
        now_s = self._clock_s()
        last_s = self._told_s.get(key)
        if last_s is not None and now_s - last_s < REPEAT_INTERVAL_S:
            self._held[key] = self._held.get(key, 0) + 1
            return None
        if len(self._told_s) >= REPEATS_MAX:
            self._told_s.clear()
            self._held.clear()
        self._told_s[key] = now_s
        return self._held.pop(key, 0)


def repeat_key(record: logging.LogRecord) -> Hashable | None:
    """Return what makes two records the same fault; None where each is to be told.

    Two warnings are the same where they differ in nothing but numbers.
    """
    if getattr(record, "each", False):
        return None
    given: Hashable | None = getattr(record, "repeats", None)
    if given is not None:
        return given
    if record.levelno < logging.WARNING or record.levelno >= logging.CRITICAL:
        return None
    return (record.name, record.msg, _NUMBER.sub("#", str(record.args)))


def json_line(record: logging.LogRecord, repeated: int = 0) -> str:
    """Return a record as one line, its end included."""
    facts: dict[str, object] = {
        "time": utc_text(int(record.created * 1e6) * 1000, 6),
        "level": record.levelname.lower(),
        "event": getattr(record, "event", "log"),
    }
    for name, value in vars(record).items():
        if name in _STANDARD or name in ("event", *_FOR_REPEATS) or value is None or value == "":
            continue
        facts[_NAMES.get(name, name)] = value
    if repeated:
        facts["repeated"] = repeated
    facts["message"] = record.getMessage()[:TEXT_CHARACTERS_MAX]
    if record.exc_info and record.exc_info[1] is not None:
        facts["exception"] = repr(record.exc_info[1])[:TEXT_CHARACTERS_MAX]
    # DEL is the one control character that JSON lets through as it is.
    return json.dumps(facts, default=str).replace("\x7f", "\\u007f") + "\n"


class LogSink:
    """A thread that writes lines to stderr or a file. `dropped` counts those it had no room for."""

    def __init__(self, path: Path | None, encoding: str = "ascii") -> None:
        """Open the file, if one is given; a file that was moved away is opened anew.

        Raises:
            OSError: it cannot be written.
        """
        self.dropped = 0
        self._path = path
        self._encoding = encoding
        self._descriptor = 2 if path is None else _open(path)
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUE_LINES_MAX)
        self._thread = threading.Thread(target=self._run, name="tickreel-log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Take a line. Never blocks."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def end(self) -> None:
        """Write what waits, as far as that takes no longer than `END_LIMIT_S`."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=END_LIMIT_S)
        self._thread.join(END_LIMIT_S)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError):  # what cannot be begun anew goes on where it is
                self._reopen_if_moved()
            with contextlib.suppress(OSError):  # there is nobody left to tell
                _write(self._descriptor, line.encode(self._encoding, "backslashreplace"))

    def _reopen_if_moved(self) -> None:
        if self._path is None:
            return
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self._descriptor), self._path.stat()):
                return
        # Never let go before there is another: the number would be the next file's, a journal's.
        moved, self._descriptor = self._descriptor, _open(self._path)
        os.close(moved)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)


def _write(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class JsonLog(logging.Handler):
    """Writes every record at INFO and above as a line."""

    def __init__(self, sink: LogSink) -> None:
        super().__init__(logging.INFO)
        self._sink = sink
        self._repeats = Repeats()
        self._told_dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, unless it repeats what was told a moment ago."""
        if record.name.endswith(".wire") and record.levelno < logging.WARNING:
            return  # the WebSocket library's own
        repeated = self._repeats.told(record)
        if repeated is None:
            return
        if self._sink.dropped > self._told_dropped:
            record.log_lines_dropped = self._sink.dropped
            self._told_dropped = self._sink.dropped
        self._sink.put(json_line(record, repeated))
