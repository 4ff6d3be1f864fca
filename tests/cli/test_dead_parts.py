"""No part of a capture dies silently: each is ended in turn, in the real process."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.cli.commands import run
from tests.cli.faulty_capture import AFTER_S
from tests.cli.running_capture import RunningCapture, running_capture

LIMIT_S = 5.0
FAST_ROTATION = "[recording]\nrotate_interval_s = 1.5\n"


def faulty(fault: str) -> tuple[str, str]:
    return "tests.cli.faulty_capture", fault


FATAL = {
    "writer raises": "out of ink",
    "tick raises": "out of time",
    "tick cancelled": "tickreel-tick ended by itself (it was cancelled)",
    "stream cancelled": "tickreel-reference ended by itself (it was cancelled)",
}


async def test_a_capture_without_a_part_that_it_cannot_do_without_ends_with_an_error(
    tmp_path: Path,
) -> None:
    await asyncio.gather(*(ends(tmp_path / fault, fault, said) for fault, said in FATAL.items()))


async def ends(place: Path, fault: str, said: str) -> None:
    made(place)
    async with running_capture(place, "--no-engine", module=faulty(fault)) as capture:
        assert await capture.ended() == 2
    lines = capture.lines()
    assert any(line["level"] == "critical" and said in str(line) for line in lines)
    begun_s = told_at_s(capture, "capturing")
    last_s = told_at_s(capture, "part ended", "stream ended")
    assert last_s - begun_s <= AFTER_S + LIMIT_S
    assert await capture.recovered()


async def test_a_disk_that_refuses_the_last_frames_is_a_loss_and_no_failure_of_the_capture(
    tmp_path: Path,
) -> None:
    place = made(tmp_path / "full")
    async with running_capture(place, "--no-engine", module=faulty("full disk")) as capture:
        await capture.until(lambda: any(line["event"] == "disk fault" for line in capture.lines()))
        assert await capture.end() == 3
    assert "No space left on device" in capture.lines()[-1]["message"]


def told_at_s(capture: RunningCapture, *events: str) -> float:
    (time_text, *_) = [
        line["time"]
        for line in reversed(capture.lines())
        if line["event"] in events and line["level"] in ("critical", "info")
    ]
    return time.mktime(time.strptime(time_text[:19], "%Y-%m-%dT%H:%M:%S")) + float(time_text[19:-1])


async def test_a_capture_goes_on_without_a_part_that_it_can_do_without_and_says_so(
    tmp_path: Path,
) -> None:
    await asyncio.gather(
        without_engine(tmp_path), without_sealing(tmp_path), without_operations(tmp_path)
    )
    await asyncio.gather(
        without_beside(tmp_path, "ring", "--ring", "15m"),
        without_beside(
            tmp_path, "upload", "--no-engine", "--upload", (tmp_path / "there").as_uri()
        ),
    )


async def without_beside(place: Path, part: str, *options: str) -> None:
    module = faulty(f"{part} cancelled")
    async with running_capture(made(place / part), *options, module=module) as capture:
        (fault,) = await capture.until_unhealthy()
        assert fault.startswith(f"tickreel-{part} ended by itself")
        assert await capture.end() == 1


async def without_engine(place: Path) -> None:
    async with running_capture(made(place / "engine"), module=faulty("engine killed")) as capture:
        (fault,) = await capture.until_unhealthy()
        assert "the engine's process ended by itself" in fault
        recorded = capture.server.sent[0].frames
        await capture.until(lambda: capture.server.sent[0].frames > recorded + 50)
        assert await capture.end() == 1
    assert run("info", str(capture.folder), "--json").json["frames"] > recorded


async def without_sealing(place: Path) -> None:
    async with running_capture(
        made(place / "sealing"),
        "--no-engine",
        module=faulty("sealing killed"),
        settings=FAST_ROTATION,
    ) as capture:
        (fault, *_) = await capture.until_unhealthy()
        assert "sealing ended with code -9" in fault
        assert await capture.end() == 2
    assert list(capture.folder.glob("journal/*.zst")) == []


async def without_operations(place: Path) -> None:
    async with running_capture(
        made(place / "operations"), "--no-engine", module=faulty("operations cancelled")
    ) as capture:
        (fault,) = await capture.until_unhealthy()
        assert "was not looked at" in fault
        await capture.end()


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder
