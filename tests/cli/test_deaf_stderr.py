"""A capture whose stderr nobody reads: it may stall, or be gone, and nothing follows from that."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from cli.child_process import child_command
from replay.market_scenario import ENDLESS
from replay.market_simulator import SimulationSettings
from replay.recording import Recording
from replay.venue_server import VenueServer
from tests.cli.commands import LIMIT_S, environment
from tests.cli.test_capture_lifetime import until_recorded
from venues.frame import FrameKind


@contextlib.contextmanager
def full_pipe() -> Iterator[int]:
    """A pipe into which not a byte more goes."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"\n")
    os.set_blocking(writer, True)
    try:
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


@contextlib.contextmanager
def broken_pipe() -> Iterator[int]:
    """A pipe at whose other end is nobody."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


@contextlib.asynccontextmanager
async def capturing(
    folder: Path, url: str, stderr: int, *more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *child_command("cli", "capture", "reference", "BTCUSDT", "--url", url,
                       "-o", str(folder), *more),
        env=environment(), stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip
    try:
        await until_recorded(folder)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def market() -> VenueServer:
    return VenueServer(SimulationSettings(scenario=ENDLESS), speed="8x")


Pipe = Callable[[], contextlib.AbstractContextManager[int]]
PIPES = pytest.mark.parametrize("pipe", [full_pipe, broken_pipe], ids=["full", "broken"])


def check_ended_in_good_order(folder: Path) -> None:
    """Look at what was recorded alone: on a busy machine sealing it may be left to the next one."""
    frames = list(Recording.open(folder))
    assert frames[-1].kind in (FrameKind.CLOSED, FrameKind.CLOCK)
    assert FrameKind.LOST not in {frame.kind for frame in frames}


@PIPES
async def test_a_capture_to_which_nobody_listens_records_and_heeds_a_signal(
    tmp_path: Path, pipe: Pipe
) -> None:
    folder = tmp_path / "night"
    async with market() as server:
        with pipe() as stderr:
            async with capturing(folder, server.url, stderr, "--no-engine") as process:
                process.send_signal(signal.SIGTERM)
                out, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert b" 0 lost, " in out
    check_ended_in_good_order(folder)


@PIPES
async def test_a_capture_to_which_nobody_listens_outlives_what_it_warns_of(
    tmp_path: Path, pipe: Pipe
) -> None:
    folder, log = tmp_path / "night", tmp_path / "log"
    async with contextlib.AsyncExitStack() as exchange:
        server = await exchange.enter_async_context(market())
        with pipe() as stderr:
            more = ("--no-engine", "--log-file", str(log))
            async with capturing(folder, server.url, stderr, *more) as process:
                await exchange.aclose()
                async with asyncio.timeout(LIMIT_S):
                    while "nothing answers at" not in log.read_text():  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                process.send_signal(signal.SIGTERM)
                out, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert b" 0 lost, " in out
    check_ended_in_good_order(folder)
