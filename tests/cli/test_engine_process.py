from __future__ import annotations

import asyncio
from pathlib import Path

from cli.engine_messages import EngineStart
from cli.engine_process import EngineProcess
from venues.frame import Frame, FrameKind
from venues.venue import SnapshotRequest


def frame(number: int, payload: bytes) -> Frame:
    return Frame(number, 1, "reference", FrameKind.TEXT, 10**18 + number, number, payload)


def delta(sequence: int) -> bytes:
    return (
        b'{"topic":"orderbook.50.BTCUSDT","type":"delta","data":{"seq":%d,"bids":[["1.0","2.0"]],'
        b'"asks":[]}}' % sequence
    )


class Heard:
    """What an engine's process told."""

    def __init__(self) -> None:
        self.wanted: list[SnapshotRequest] = []
        self.warnings: list[str] = []

    def engine(
        self,
        agent: str | None = None,
        signals_file: str | None = None,
        backlog_bytes_max: int = 1 << 27,
    ) -> EngineProcess:
        return EngineProcess(
            EngineStart(agent, signals_file),
            on_snapshot_wanted=self.wanted.append,
            on_warning=self.warnings.append,
            backlog_bytes_max=backlog_bytes_max,
        )


async def test_an_engine_that_falls_behind_is_detached_and_told_of(tmp_path: Path) -> None:
    path = tmp_path / "agent.py"
    path.write_text(
        "import time\nclass Agent:\n    def on_finding(self, finding, market):\n"
        "        time.sleep(60)\n"
    )
    heard = Heard()
    engine = heard.engine(f"{path}:Agent", backlog_bytes_max=1_000_000)
    await engine.start()
    for number in range(400):
        engine.accept([frame(number, b"x" * 10_000)])
    assert not engine.attached
    assert engine.backlog_bytes == 0
    (warning,) = heard.warnings
    assert "of frames behind and was detached" in warning
    engine.accept([frame(400, b"")])
    assert await engine.finish() is None


async def test_the_engine_asks_for_a_snapshot_where_it_has_none() -> None:
    heard = Heard()
    engine = heard.engine()
    await engine.start()
    engine.accept([frame(0, delta(5)), frame(1, delta(6))])
    ended = await engine.finish()
    assert ended is not None
    assert ended.summary.frames == 2
    assert [request.symbol for request in heard.wanted] == ["BTCUSDT"]
    assert heard.warnings == []


async def test_an_engine_that_is_killed_is_told_of_once() -> None:
    heard = Heard()
    engine = heard.engine()
    await engine.start()
    assert engine._process is not None
    engine._process.kill()
    for number in range(100):
        engine.accept([frame(number, b"{}")])
        await asyncio.sleep(0.01)
        if not engine.attached:
            break
    (warning,) = heard.warnings
    assert "the engine's process ended by itself" in warning
    assert await engine.finish() is None


async def test_an_engine_goes_on_where_its_agents_signals_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "agent.py"
    path.write_text("class Agent:\n    def on_finding(self, told, market):\n        return 'so'\n")
    heard = Heard()
    engine = heard.engine(f"{path}:Agent", "/dev/full")
    await engine.start()
    for number in range(3):
        engine.accept([frame(number, b"no JSON")])
    ended = await engine.finish(60.0)
    assert ended is not None
    assert ended.summary.frames == 3
    assert engine.agent_detached
    (warning,) = heard.warnings
    assert "a signal cannot be written: [Errno 28]" in warning
