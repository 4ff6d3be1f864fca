"""The upload beside a capture, seen from the capture.

Theory: whatever a store does, the recording must not feel it, so the upload is a process of its
own that the capture never waits for. It reads only what is sealed. Where it dies it is begun again,
the more seldom the more often that happened; where it cannot be at all (another recording lies at
the address), that is said once, and the recording goes on. A stop gives it what is left of the
time; what it does not get done is in no danger: it is in the folder, and the ledger says how far.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from cli.child_process import child_command, child_environment
from recorder.own_thread import in_own_thread
from recorder.reconnect import Backoff
from recorder.recording_errors import DamagedManifestError
from recorder.recording_folder import RecordingFolder
from recorder.upload import UploadState, upload_state
from recorder.upload_rounds import UploadWord
from recorder.upload_store import checked_uri

WARNING_INTERVAL_S = 60.0
"""A store that fails is told of in so long at most once."""
_LINE_BYTES_MAX = 16 << 20
_EXIT_COULD_NOT_RUN = 2


class UploadProcess:
    """The upload's child process. `state` is the latest that it told, `fault` why it waits."""

    def __init__(
        self,
        folder: Path,
        uri: str,
        *,
        remove_local: bool = False,
        on_warning: Callable[[str], None],
    ) -> None:
        self._folder = RecordingFolder(folder)
        self._uri = checked_uri(uri)
        self._arguments = [str(folder), uri, *(["--remove-local"] if remove_local else [])]
        self._on_warning = on_warning
        self._process: asyncio.subprocess.Process | None = None
        self._living: asyncio.Task[None] | None = None
        self._ending = False
        self._warned_s = -WARNING_INTERVAL_S
        self._backoff = Backoff(random.Random())  # noqa: S311 - jitter, no secret
        self.state = UploadState()
        self.fault = ""

    def start(self) -> asyncio.Task[None]:
        """Begin to upload; the recording must be there. Returns at once, what goes on then."""
        self._living = asyncio.create_task(self._live(), name="tickreel-upload")
        return self._living

    async def finish(self, limit_s: float) -> UploadState:
        """Let it take what was sealed last, for so long, and return how far it came."""
        self._ending = True
        if self._living is not None:
            self._close_stdin()
            await asyncio.wait([self._living], timeout=limit_s)
            await self.kill()
            with contextlib.suppress(DamagedManifestError):  # of which the upload has said so
                # Not its last word, which it may not have come to say.
                self.state = await in_own_thread(lambda: upload_state(self._folder, self._uri))
        return self.state

    async def kill(self) -> None:
        """End it, whatever it does: nothing is lost by that but the file in work."""
        self._ending = True
        self.end_at_once()
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        if self._process is not None:
            await self._process.wait()

    def end_at_once(self) -> None:
        """End it without waiting for anything."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def _live(self) -> None:
        while True:
            begun_s = time.monotonic()
            try:
                code, last_words = await self._run()
            except OSError as fault:
                if self._ending:
                    return
                self._warn(f"the upload's process could not be begun ({fault.strerror}).")
                await asyncio.sleep(self._backoff.lost(0.0))
                continue
            if self._ending or code == _EXIT_COULD_NOT_RUN:
                if code == _EXIT_COULD_NOT_RUN:
                    self._on_warning(f"{last_words}\nThe recording goes on and is not uploaded.")
                return
            rest_s = self._backoff.lost(time.monotonic() - begun_s)
            self._warn(f"the upload's process ended with code {code}; it is begun again.")
            await asyncio.sleep(rest_s)

    async def _run(self) -> tuple[int, str]:
        """Run one process to its end; return its code and what it said on stderr at the end."""
        process = await asyncio.create_subprocess_exec(
            *child_command("cli.live_upload", *self._arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=child_environment(),
            limit=_LINE_BYTES_MAX,
            start_new_session=True,
        )
        self._process = process
        if self._ending:
            self._close_stdin()
        words = asyncio.create_task(_last_words(process))
        try:
            assert process.stdout is not None
            while (line := await process.stdout.readline()).endswith(b"\n"):
                self._heed(msgspec.json.decode(line, type=UploadWord))
            return await process.wait(), await words
        finally:
            words.cancel()

    def _heed(self, word: UploadWord) -> None:
        self.state = word.state
        self.fault = word.fault
        if word.alarm:
            self._on_warning(word.alarm)
        if word.fault:
            self._warn(f"{word.fault} Nothing is lost by that; it is tried again.")

    def _warn(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._warned_s >= WARNING_INTERVAL_S:
            self._warned_s = now_s
            self._on_warning(text)

    def _close_stdin(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    said = await process.stderr.read(1 << 16)
    while more := await process.stderr.read(1 << 16):
        said = (said + more)[-(1 << 16) :]
    return said.decode("utf-8", "backslashreplace").strip()
