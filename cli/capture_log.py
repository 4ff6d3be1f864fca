"""Where a capture's words go: to a person on stderr, or to machines as JSON lines, or both.

With `--log-json` stderr has JSON lines and nothing else; with `--log-file` they go to the file, and
stderr is for a person as ever. Who reads either, and whether anyone does, is nothing to the capture
(`cli.queued_stderr`).
"""

from __future__ import annotations

import logging
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from cli.json_log import JsonLog, LogSink, Repeats
from cli.queued_stderr import QueuedStderr
from cli.report_text import counted, printable_lines
from cli.terminal import StatusLine, print_error, say, warn

if TYPE_CHECKING:
    from recorder.statistics import RecorderReport

log = logging.getLogger("tickreel.capture")

ERRORS_MAX = 100
"""A disk that is full for months is told of with other numbers every minute."""


class _ForPeople(logging.Handler):
    """Warnings and errors between the status lines."""

    def __init__(self, status: StatusLine) -> None:
        super().__init__(logging.WARNING)
        self._status = status
        self._repeats = Repeats()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line, unless it repeats what was told a moment ago."""
        repeated = self._repeats.told(record)
        if repeated is None:
            return
        self._status.clear()
        text = printable_lines(record.getMessage())
        if repeated:
            text += f" (and {counted(repeated, 'more')} before it)".replace("mores", "more")
        if record.levelno >= logging.ERROR:
            print_error(text)
        else:
            warn(text)


class _Errors(logging.Handler):
    """Remembers what was told as an error, of late."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: deque[str] = deque(maxlen=ERRORS_MAX)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember one."""
        self.texts.append(record.getMessage())


class CaptureLog:
    """What a capture says while it runs. `for_machines` tells that stderr has JSON lines alone."""

    def __init__(self, *, quiet: bool, log_json: bool, log_file: str | None) -> None:
        """Begin to tell.

        Raises:
            OSError: the file cannot be written.
        """
        self.for_machines = log_json and log_file is None
        self._sink: LogSink | None = None
        if log_json or log_file is not None:
            self._sink = LogSink(None if log_file is None else Path(log_file))
        self._stderr = QueuedStderr()
        self._stderr.take_place()
        self.status = StatusLine(quiet=quiet or self.for_machines)
        self._errors = _Errors()
        self._handlers: list[logging.Handler] = [self._errors]
        self._logger = logging.getLogger("tickreel")
        self._logger.propagate = False
        if self._sink is not None:
            self._handlers.append(JsonLog(self._sink))
            self._logger.setLevel(logging.INFO)
        if not self.for_machines:
            self._handlers.append(_ForPeople(self.status))
        for handler in self._handlers:
            self._logger.addHandler(handler)

    def say(self, text: str, event: str, **facts: object) -> None:
        """Tell what is no fault."""
        self.status.clear()
        if not self.status.quiet:
            say(printable_lines(text))
        log.info("%s", text, extra={"event": event, **facts})

    def warn(self, text: str, event: str) -> None:
        """Tell what the user should know, each time."""
        log.warning("%s", text, extra={"event": event, "each": True})

    def fail(self, text: str) -> None:
        """Tell what ended the capture, unless it was told."""
        if text not in self._errors.texts:
            log.error("%s", text, extra={"event": "failed"})

    def log_end(self, report: RecorderReport) -> None:
        """Tell machines what there is at the end; people are told on stdout."""
        log.info(
            "%d frames recorded, %d lost",
            report.frames,
            report.lost_frames,
            extra={
                "event": "ended",
                "frames": report.frames,
                "lost_frames": report.lost_frames,
                "segments": report.segments,
                "bytes_on_disk": report.bytes_on_disk,
            },
        )

    def close(self) -> None:
        """Tell no more."""
        self.status.clear()
        for handler in self._handlers:
            self._logger.removeHandler(handler)
        self._logger.setLevel(logging.NOTSET)
        if self._sink is not None:
            self._sink.end()
            self._sink = None
        self._stderr.leave()
