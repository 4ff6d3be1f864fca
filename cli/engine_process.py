"""The engine beside a capture, seen from the capture.

Theory: the engine runs in a child process, so that neither a slow or raising agent, nor hostile
JSON, nor the engine's own work can hold up the recording. The capture never waits for it: each
batch of frames is handed to the child's pipe and forgotten.

- starting -> running: the child said that it is ready. Where it refuses (an agent that cannot be
  loaded), that is said before anything is recorded.
- running -> detached: more than `BACKLOG_BYTES_MAX` wait in front of the child, or it died. The
  engine's work ends there, with a warning; the recording goes on as if there had been none.
- running -> ended: `finish` closed its stdin; it applied what was left and told its digest. Where
  that takes longer than `FINISH_LIMIT_S`, it was behind, and its digest is unknown, never guessed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence

import msgspec

from cli.child_process import child_command, child_environment
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
    packed_start,
)
from cli.errors import CommandError
from cli.report_text import byte_text, count_text
from venues.frame import Frame
from venues.venue import SnapshotRequest

BACKLOG_BYTES_MAX = 128 * 1024 * 1024
READY_LIMIT_S = 60.0
FINISH_LIMIT_S = 5.0
_INSTEAD = "; `tickreel replay DIR --digest` gives its digest."
_LINE_BYTES_MAX = 64 * 1024 * 1024


class EngineProcess:
    """The engine's child process; a sink of the recorder.

    `on_snapshot_wanted` is called with each snapshot that the engine wants, `on_warning` with each
    sentence that the user should read. `status` is the latest that the engine told, `fault` why it
    was detached or had no last word, '' while it was not.
    """

    def __init__(
        self,
        start: EngineStart,
        *,
        on_snapshot_wanted: Callable[[SnapshotRequest], None],
        on_warning: Callable[[str], None],
        backlog_bytes_max: int = BACKLOG_BYTES_MAX,
    ) -> None:
        self._start = start
        self._on_snapshot_wanted = on_snapshot_wanted
        self._on_warning = on_warning
        self._backlog_bytes_max = backlog_bytes_max
        self._encoder = msgspec.msgpack.Encoder()
        self._frames = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._stdin: asyncio.StreamWriter | None = None
        self.status: EngineStatus | None = None
        self.ended: EngineEnded | None = None
        self.agent_failures = 0
        self.agent_detached = False
        self.fault = ""
        self._on_status: Callable[[EngineStatus], None] | None = None

    @property
    def frames(self) -> int:
        """How many frames were handed to the engine."""
        return self._frames

    def on_status(self, callback: Callable[[EngineStatus], None]) -> None:
        """Call `callback` with each status that the engine tells."""
        self._on_status = callback

    @property
    def attached(self) -> bool:
        """Whether frames still reach the engine."""
        return self._stdin is not None

    @property
    def backlog_bytes(self) -> int:
        """How much waits in front of the engine."""
        return 0 if self._stdin is None else self._stdin.transport.get_write_buffer_size()

    async def start(self) -> None:
        """Start the child and wait until it is ready.

        Raises:
            CommandError: it refuses, or does not come up.
        """
        self._process = await asyncio.create_subprocess_exec(
            *child_command("cli.live_engine"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=child_environment(),
            limit=_LINE_BYTES_MAX,
        )
        self._stdin = self._process.stdin
        self._send(packed_start(self._start))
        try:
            first = await asyncio.wait_for(self._read_message(), READY_LIMIT_S)
        except TimeoutError:
            await self.kill()
            raise CommandError(
                f"the engine was not ready within {READY_LIMIT_S:.0f} s. "
                "Where the agent loads much, let it do so in its own thread; "
                "or record without the engine: --no-engine."
            ) from None
        if isinstance(first, EngineRefused):
            await self.kill()
            raise CommandError(first.text)
        if not isinstance(first, EngineReady):
            await self.kill()
            raise CommandError(
                "the engine ended before it was ready; its last words are above. "
                "Record without it: --no-engine."
            )
        self._reading = asyncio.create_task(self._read_messages())

    def accept(self, frames: Sequence[Frame]) -> None:
        """Hand a batch to the engine; never blocks, never fails."""
        if self._stdin is None or self._stdin.is_closing():
            return  # where the child is gone, `_read_messages` is about to say so
        self._send(self._encoder.encode(frames))
        self._frames += len(frames)
        backlog_bytes = self.backlog_bytes
        if backlog_bytes > self._backlog_bytes_max:
            self._detach(
                f"the engine is {byte_text(backlog_bytes)} of frames behind and was detached at "
                f"its frame {count_text(self._frames)}; the recording goes on. "
                "`tickreel replay` gives what the engine would have said."
            )

    async def finish(self, limit_s: float = FINISH_LIMIT_S) -> EngineEnded | None:
        """Let the engine apply what is left and return its last word; None if there is none.

        `fault` says then why there is none.
        """
        if self._process is None or self._reading is None:
            return None
        if self._stdin is not None:
            self._stdin.close()
            self._stdin = None
            try:
                await asyncio.wait_for(asyncio.shield(self._reading), limit_s)
            except TimeoutError:
                self._failed(
                    "the engine was behind and did not come to an end within "
                    f"{limit_s:.1f} s{_INSTEAD}"
                )
            else:
                if self.ended is None:
                    self._failed(f"{self._ended_by_itself()}{_INSTEAD}")
        await self.kill()
        return self.ended

    async def kill(self) -> None:
        """End the child, whatever it does, and wait until it is gone."""
        self._stdin = None
        self.end_at_once()
        if self._process is not None:
            await self._process.wait()
        if self._reading is not None:
            await self._reading

    def end_at_once(self) -> None:
        """End the child, whatever it does, without waiting for anything."""
        if self._process is not None and self._process.returncode is None:
            # Not `Process.kill`, which may itself take in the exit status that asyncio waits for.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    def _send(self, message: bytes) -> None:
        assert self._stdin is not None
        self._stdin.write(LENGTH.pack(len(message)) + message)

    def _detach(self, warning: str) -> None:
        assert self._stdin is not None
        if not self._stdin.is_closing():
            self._stdin.transport.abort()
        self._stdin = None
        self.end_at_once()
        self._failed(warning)

    def _failed(self, warning: str) -> None:
        self.fault = warning
        self._on_warning(warning)

    async def _read_messages(self) -> None:
        while (message := await self._read_message()) is not None:
            self._heed(message)
        if self._stdin is not None and self.ended is None:
            self._detach(f"{self._ended_by_itself()}; the recording goes on without it.")

    def _ended_by_itself(self) -> str:
        return f"the engine's process ended by itself after {count_text(self._frames)} frames"

    async def _read_message(self) -> EngineMessage | None:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        return msgspec.json.decode(line, type=EngineMessage) if line.endswith(b"\n") else None

    def _heed(self, message: EngineMessage) -> None:
        if isinstance(message, EngineStatus):
            self.status = message
            if self._on_status is not None:
                self._on_status(message)
        elif isinstance(message, EngineEnded):
            self.ended = message
        elif isinstance(message, SnapshotWanted):
            self._on_snapshot_wanted(
                SnapshotRequest(message.venue, message.connection_id, message.symbol)
            )
        elif isinstance(message, AgentFailed):
            self.agent_failures += 1
            self.agent_detached = self.agent_detached or message.detached
            self._on_warning(message.text)
