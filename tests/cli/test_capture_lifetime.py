"""How a capture begins and ends: signals, kills, settings files, exchanges that are late."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cli.child_process import child_command
from replay.market_scenario import ENDLESS
from replay.market_simulator import SimulationSettings
from replay.recording import Recording
from replay.venue_server import VenueServer
from tests.cli.commands import LIMIT_S, environment, run, run_async
from venues.frame import FrameKind

CAPTURE = ("capture", "reference", "BTCUSDT")


@contextlib.asynccontextmanager
async def running(folder: Path, *more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A capture that goes on until something ends it."""
    async with VenueServer(SimulationSettings(), speed="8x") as server:
        process = await asyncio.create_subprocess_exec(
            *child_command("cli", "capture", "reference", "BTCUSDT", "--url", server.url,
                           "-o", str(folder), *more),
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        await until_recorded(folder)
        yield process


def journal_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("journal/*"))


async def until_recorded(folder: Path) -> None:
    for _ in range(400):
        if journal_bytes(folder) > 5_000:
            return
        await asyncio.sleep(0.05)
    pytest.fail("nothing was recorded within 20 s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_seals_the_recording_and_exits_zero(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "night"
    async with running(folder, "--json") as process:
        process.send_signal(number)
        out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert process.returncode == 0, err.decode()
    told = msgspec.json.decode(out)
    assert told["state_digest"] == run("replay", str(folder), "--json").json["state_digest"]
    assert list(folder.glob("journal/*")) == []
    last = list(Recording.open(folder))[-1]
    assert last.kind in (FrameKind.CLOSED, FrameKind.CLOCK)


async def ended_by(folder: Path, number: signal.Signals, after_s: float) -> None:
    """Tell a capture to stop some time after it began to record; it must leave all in order."""
    async with running(folder, "--no-engine") as process:
        await asyncio.sleep(after_s)
        process.send_signal(number)
        _, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert process.returncode == 0, err.decode()
    recording = Recording.open(folder)
    assert list(recording.verify()) == []
    assert [frame.frame_number for frame in recording] == list(range(recording.frame_count))


async def test_signals_at_any_moment_leave_a_whole_recording(tmp_path: Path) -> None:
    chance = random.Random(8)
    for number in (signal.SIGTERM, signal.SIGINT):
        folders = [tmp_path / f"{number.name}{turn}" for turn in range(4)]
        ends = (ended_by(folder, number, chance.uniform(0.0, 1.0)) for folder in folders)
        await asyncio.gather(*ends)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_while_the_capture_starts_is_not_forgotten(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder, begun = tmp_path / "night", tmp_path / "begun"
    (tmp_path / "agent.py").write_text(
        "import pathlib, time\n"
        f"pathlib.Path({str(begun)!r}).touch()\n"
        "time.sleep(1.0)\n"
        "class Agent:\n    def on_trade(self, trade, market): ...\n"
    )
    async with VenueServer(SimulationSettings(scenario=ENDLESS)) as server:
        process = await asyncio.create_subprocess_exec(
            *child_command("cli", "capture", "reference", "BTCUSDT", "--url", server.url,
                           "-o", str(folder), "--agent", f"{tmp_path}/agent.py:Agent"),
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(LIMIT_S):
            while not begun.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.01)
            process.send_signal(number)
            _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "exception" not in err.decode()
    assert run("info", str(folder), "--json").json["unsealed_journals"] == 0


async def test_a_kill_loses_only_what_the_recording_says(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    async with running(folder) as process:
        process.kill()
        await process.communicate()
    assert run("info", str(folder), "--json").json["unsealed_journals"] == 1
    before = run("replay", str(folder), "--json").json
    recovered = run("recover", str(folder), "--json")
    assert recovered.code in (0, 3)
    assert recovered.json["frames"] > 0
    after = run("replay", str(folder), "--json").json
    assert after["state_digest"] == before["state_digest"]
    assert after["findings"]["lost"] == 1
    assert run("recover", str(folder)).out.endswith(
        "nothing to recover; every frame is in a sealed segment\n"
    )
    audited = run("audit", str(folder), "--json")
    assert set(audited.json["faults"]) <= {"lost", "unresolved book"}


async def test_a_plain_capture_tells_how_it_goes_on_stderr_and_what_came_on_stdout(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    async with running(folder) as process:
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
    assert err.decode().startswith("capturing 1 symbol from reference (book 50, trades, liquid")
    (line,) = out.decode().splitlines()
    assert " 0 lost, " in line
    assert ", digest " in line


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "agent.py"
    path.write_text(
        "import time\n"
        "class Agent:\n"
        "    def on_book(self, change, market):\n"
        "        time.sleep(60)\n"
    )
    async with running(tmp_path / "night", "--agent", f"{path}:Agent") as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        async for line in process.stderr:
            if line.startswith(b"stopping: "):
                break
        process.send_signal(signal.SIGTERM)
        _, told = await process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert b"ended at once, before all was sealed" in told
    assert run("recover", str(tmp_path / "night")).code == 0
    assert run("audit", str(tmp_path / "night")).code in (0, 1)


async def test_a_terminal_that_is_closed_and_says_so_twice_is_obeyed_once(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    async with running(folder, "--no-engine") as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGHUP)
        async for line in process.stderr:
            if line.startswith(b"stopping: "):
                break
        process.send_signal(signal.SIGHUP)
        await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert process.returncode != 128 + signal.SIGHUP
    frames = list(Recording.open(folder))
    assert frames[-1].kind in (FrameKind.CLOSED, FrameKind.CLOCK)
    assert FrameKind.LOST not in {frame.kind for frame in frames}


NAMES_WITHOUT_AN_ANSWER = """
import pathlib, socket, sys, threading
import cli.capture
from cli.__main__ import main

def look_up(*given, **named):
    pathlib.Path(sys.argv[1]).touch()
    threading.Event().wait(600.0)

socket.getaddrinfo = look_up
cli.capture.loop_factory = lambda: None  # uvloop does not ask Python
main(sys.argv[2:])
"""


async def test_a_name_service_that_does_not_answer_does_not_hold_up_the_end(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", NAMES_WITHOUT_AN_ANSWER, str(asked)),
        *("capture", "reference", "BTCUSDT", "--url", "ws://nowhere.invalid", "--wait"),
        *("-o", str(tmp_path / "night"), "--no-engine"),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            while not asked.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            out, err = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    assert process.returncode == 0, err.decode()
    assert b"0 frames, 0 lost" in out


async def test_a_settings_file_asks_for_many_streams(tmp_path: Path) -> None:
    async with VenueServer(SimulationSettings(), speed="15x") as server:
        (tmp_path / "night.toml").write_text(
            "".join(
                f'[[stream]]\nvenue = "reference"\nsymbols = ["{symbol}"]\nurl = "{server.url}"\n'
                for symbol in ("BTCUSDT", "ETHUSDT")
            )
        )
        done = await run_async(
            "capture", str(tmp_path / "night.toml"), "--duration", "1s", "--json"
        )
    assert done.code == 0, done.err
    assert {book["symbol"] for book in done.json["books"]} == {"BTCUSDT", "ETHUSDT"}
    assert len(done.json["connections"]) == 2
    again = run("replay", str(tmp_path / "night"), "--json").json
    assert again["state_digest"] == done.json["state_digest"]


async def test_waiting_for_an_exchange_that_is_not_there_yet(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    arguments = (*CAPTURE, "--url", f"ws://127.0.0.1:{port}", "-o", str(tmp_path / "night"),
                 "--log-file", str(log))  # fmt: skip
    capturing = asyncio.create_task(run_async(*arguments, "--wait", "--duration", "6s", "--json"))
    while not log.exists() or "reconnecting" not in log.read_text():
        assert not capturing.done()
        await asyncio.sleep(0.05)
    async with VenueServer(SimulationSettings(), speed="15x", port=port):
        done = await capturing
    assert done.code == 0, done.err
    assert f"warning: reference: nothing answers at ws://127.0.0.1:{port}" in done.err
    assert done.json["books"][0]["symbol"] == "BTCUSDT"
    (connection,) = done.json["connections"]
    assert connection["failed_attempts"] >= 1
    assert connection["connects"] == 1
