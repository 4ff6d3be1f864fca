"""The end of a ring's watch, whatever comes in that moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli.ring_watch import RingWatch
from recorder.ring import NS_PER_S
from tests.recorder.tiny_venue import tiny_recorder, tiny_stream, until


@pytest.mark.parametrize("turns", range(6))
async def test_a_trigger_just_before_the_end_does_not_keep_the_watch_from_ending(
    tmp_path: Path, turns: int
) -> None:
    (tmp_path / "night").mkdir()
    recorder = tiny_recorder(tmp_path / "night", tiny_stream("ws://127.0.0.1:9"))
    warnings: list[str] = []
    watch = RingWatch(recorder, 600 * NS_PER_S, ("gap",), warnings.append)
    watch.start()
    await until(lambda: bool(warnings))  # it says that there is no engine, and then waits
    await asyncio.sleep(0.05)
    watch._trigger(1, "gap")
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(5.0):
        await watch.finish()
