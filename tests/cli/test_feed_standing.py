"""A feed that is dead is told of, stream by stream, and is no fault of the capture."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from cli.child_process import child_command
from cli.feed_standing import feed_faults, silent_streams
from cli.running_status import RunningStatus, StreamStatus
from replay.market_scenario import ENDLESS
from replay.market_simulator import SimulationSettings
from replay.venue_server import VenueServer
from tests.cli.commands import Done, environment, run_async


@contextlib.asynccontextmanager
async def capturing(*asked: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *child_command("cli", "capture", *asked),
        env=environment(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def status_that_says(folder: Path, words: str, *more: str) -> Done:
    """Ask until it says so; the limit is the test runner's."""
    while True:
        told = await run_async("status", str(folder), *more)
        if words in told.out:
            return told


async def test_an_exchange_that_goes_away_is_seen_in_status_and_the_capture_stays_well(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    async with contextlib.AsyncExitStack() as exchange:
        server = VenueServer(SimulationSettings(scenario=ENDLESS), speed="8x")
        await exchange.enter_async_context(server)
        asked = ("reference", "BTCUSDT", "--url", server.url, "-o", str(folder))
        async with capturing(*asked):
            alive = await status_that_says(folder, "all is well", "--silence-limit", "1h")
            assert alive.code == 0
            assert "no connection" not in alive.out
            await exchange.aclose()
            told = await status_that_says(folder, "NOTHING COMES on 1 of 1 stream")
            assert told.code == 0
            assert "the capture itself is well, but" in told.out
            assert "  reference: no connection is open (" in told.out
            patient = await run_async("status", str(folder), "--silence-limit", "1h")
            assert patient.code == 0
            strict = patient
            while strict.code == 0:  # the status is taken once a second
                strict = await run_async("status", str(folder), "--silence-limit", "1ms", "--json")
            assert strict.code == 1
            assert strict.json["healthy"]
            assert len(strict.json["feed_faults"]) == 1


async def test_streams_of_one_venue_and_their_lines_are_told_apart(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as first, contextlib.AsyncExitStack() as second:
        urls = []
        for exchange in (first, second):
            server = VenueServer(SimulationSettings(scenario=ENDLESS), speed="8x")
            urls.append((await exchange.enter_async_context(server)).url)
        settings = tmp_path / "night.toml"
        settings.write_text(
            f'[[stream]]\nvenue = "reference"\nsymbols = ["BTCUSDT"]\nurl = "{urls[0]}"\n'
            f'[[stream]]\nvenue = "reference"\nsymbols = ["ETHUSDT"]\nurl = "{urls[1]}"\n'
            "lines = 2\n"
        )
        async with capturing(str(settings)):
            told = await status_that_says(tmp_path / "night", '"line": 2', "--json")
            assert [
                (one["stream"], one["number"], one["line"]) for one in told.json["streams"]
            ] == [
                ("reference", 1, 1),
                ("reference", 2, 1),
                ("reference", 2, 2),
            ]
            await second.aclose()
            told = await status_that_says(tmp_path / "night", "NOTHING COMES on 1 of 2 streams")
            assert "  reference #2: no connection is open (" in told.out
            assert "\nreference #2 line 2 " in told.out


def stream(
    name: str, state: str, age_s: float | None, *, number: int = 1, line: int = 1
) -> StreamStatus:
    return StreamStatus(
        stream=name,
        number=number,
        line=line,
        venue="reference",
        state=state,
        connection_id=1,
        subscribed=True,
        connects=1,
        disconnects=0,
        failed_attempts=0,
        frames=0,
        bytes=0,
        frames_per_s=0.0,
        last_frame_age_s=age_s,
        last_error="",
    )


def standing(*streams: StreamStatus, running_s: float, stopping: bool = False) -> RunningStatus:
    nothing = {
        "int": 0,
        "float": 0.0,
        "str": "",
        "bool": False,
        "list[str]": [],
        "int | None": None,
        "dict[str, CauseTally]": {},
        "EngineStanding | None": None,
    }
    members = {
        field.name: nothing[str(RunningStatus.__annotations__[field.name])]
        for field in msgspec.structs.fields(RunningStatus)
        if field.name not in ("streams", "running_s", "stopping")
    }
    return RunningStatus(
        **members,  # type: ignore[arg-type]
        streams=list(streams),
        running_s=running_s,
        stopping=stopping,
    )


def test_a_stream_that_is_connected_and_silent_is_told_of_after_a_minute() -> None:
    loud = stream("loud", "connected", 0.1)
    assert feed_faults(standing(loud, stream("new", "connected", None), running_s=59.0)) == []
    status = standing(loud, stream("mute", "connected", None), running_s=60.0)
    assert feed_faults(status) == ["mute: connected, but no frame came in 1 min 0 s"]
    status = standing(stream("quiet", "connected", 600.0), running_s=900.0)
    assert feed_faults(status) == ["quiet: connected, but the last frame came 10 min 0 s ago"]
    assert silent_streams(status, 601.0) == []
    assert silent_streams(status, 600.0) == ["quiet"]


def test_a_stream_lives_while_one_of_its_lines_does() -> None:
    lost, up = stream("a", "reconnecting", 99.0), stream("a", "connected", 0.5, line=2)
    assert feed_faults(standing(lost, up, running_s=100.0)) == []
    assert silent_streams(standing(lost, up, running_s=100.0), 10.0) == []
    both = standing(lost, stream("a", "reconnecting", 98.0, line=2), running_s=100.0)
    assert feed_faults(both) == [
        "a: no connection is open (reconnecting); the last frame came 1 min 38 s ago"
    ]


def test_a_dead_stream_is_told_of_beside_a_living_one_of_the_same_venue() -> None:
    up, dead = stream("a", "connected", 0.5), stream("a", "reconnecting", 99.0, number=2)
    status = standing(up, dead, running_s=100.0)
    assert feed_faults(status) == [
        "a #2: no connection is open (reconnecting); the last frame came 1 min 39 s ago"
    ]
    assert silent_streams(status, 10.0) == ["a #2"]


def test_a_capture_that_stops_has_no_dead_feed() -> None:
    ending = standing(stream("a", "closing", 0.1), running_s=9.0, stopping=True)
    assert feed_faults(ending) == []
