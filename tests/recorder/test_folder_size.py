"""Counting what a recording takes holds up nothing, however long it takes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from recorder.recording_folder import RecordingFolder
from tests.recorder.tiny_venue import capturing, count_up, tiny_exchange, tiny_stream, until


async def test_frames_are_written_while_tens_of_thousands_of_segments_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, counted = threading.Event(), threading.Event()
    segment_paths = RecordingFolder.segment_paths

    def count(self: RecordingFolder) -> list[str]:
        if threading.current_thread() is not threading.main_thread():
            counting.set()
            counted.wait(20.0)
        return segment_paths(self)

    async with tiny_exchange(count_up) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].messages > 100)
        monkeypatch.setattr(RecordingFolder, "segment_paths", count)
        await until(counting.is_set)
        stored = recorder.statistics().stored_frames
        try:
            await until(lambda: recorder.statistics().stored_frames > stored + 1000)
        finally:
            counted.set()
