"""A name service that does not answer: what waits for it holds up nothing else."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from recorder.recorder_settings import RecorderSettings
from tests.recorder.tiny_venue import tiny_recorder, tiny_stream, until


async def test_lookups_that_do_not_end_do_not_keep_a_recording_from_being_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, asked = threading.Event(), []

    def look_up(host: str, *given: object, **named: object) -> list[object]:
        asked.append(host)
        released.wait(60.0)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    threads = min(32, (os.cpu_count() or 1) + 4)  # those of the loop
    streams = [tiny_stream(f"ws://nowhere-{n}.invalid", symbol=f"S{n}") for n in range(threads)]
    recorder = tiny_recorder(tmp_path, *streams, settings=RecorderSettings(give_up_at_start=False))
    try:
        await recorder.start()
        await until(lambda: len(asked) == threads)
        began_s = time.monotonic()
        await recorder.stop()
        assert time.monotonic() - began_s < 5.0
    finally:
        released.set()
    assert recorder.report is not None
    assert list((tmp_path / "journal").glob("*")) == []
