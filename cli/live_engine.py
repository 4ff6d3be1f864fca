"""The engine beside a capture, in a process of its own: `python -m cli.live_engine`.

Frames come on stdin and messages go to stdout, as `cli.engine_messages` says. An agent that
prints or reads must not disturb that: its stdout is our stderr, and its stdin is empty. The end of
stdin is the only signal to stop; those of the terminal are the capture's to understand.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from typing import BinaryIO

import msgspec

from cli.engine_messages import (
    LENGTH,
    AgentFailed,
    EngineEnded,
    EngineMessage,
    EngineReady,
    EngineRefused,
    EngineStart,
    EngineStatus,
    SnapshotWanted,
)
from venues.errors import TickreelError
from venues.frame import Frame

STATUS_INTERVAL_S = 0.5
_READ_BYTES = 1 << 20


def main() -> None:
    """Run until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    source, words = _take_stdio()
    start = msgspec.msgpack.decode(_read_message(source), type=EngineStart)
    LiveEngine(start, source, words).run()


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for ourselves and give the agent others."""
    source = os.fdopen(os.dup(0), "rb", buffering=_READ_BYTES)
    words = os.fdopen(os.dup(1), "wb", buffering=0)
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
