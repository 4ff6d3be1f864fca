"""A capture that runs in a process of its own until the test ends it, and what it can be asked."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.child_process import child_command
from replay.market_scenario import ENDLESS
from replay.market_simulator import SimulationSettings
from replay.venue_server import VenueServer
from tests.cli.commands import LIMIT_S, environment, run_async

PATIENCE_S = 20.0


@dataclass
class RunningCapture:
    """A capture of a fake exchange, with metrics and a log of JSON lines on stderr."""

    process: asyncio.subprocess.Process
    server: VenueServer
    folder: Path
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines()]

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Ask on the address of the metrics, while the event loop goes on."""
        await self.until(lambda: "metrics" in self.events())
        (line,) = [line for line in self.lines() if line["event"] == "metrics"]
        address = re.search(r"http://([^/]+)/", line["message"])
        assert address is not None
        return await asyncio.to_thread(_get, address[1], path, headers)

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(int(PATIENCE_S / 0.05)):
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                if holds():
                    return
            await asyncio.sleep(0.05)
        pytest.fail(f"it did not come to be: {self.log.read_text()[-3000:]}")

    async def until_recorded(self) -> None:
        await self.until(
            lambda: sum(p.stat().st_size for p in self.folder.glob("journal/*")) > 5_000
        )

    async def health(self) -> tuple[int, list[str]]:
        code, body = await self.get("/health")
        return code, json.loads(body)["faults"]

    async def until_unhealthy(self) -> list[str]:
        for _ in range(int(PATIENCE_S / 0.2)):
            code, faults = await self.health()
            if code == 503:
                return faults
            await asyncio.sleep(0.2)
        pytest.fail("health did not fail")

    async def end(self) -> int:
        self.process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        await asyncio.wait_for(self.process.wait(), LIMIT_S)
        assert self.process.returncode is not None
        return self.process.returncode

    async def recovered(self) -> bool:
        """Recover what it left, and say whether that could be done."""
        return (await run_async("recover", str(self.folder))).code in (0, 3)


def _get(address: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read().decode()


@contextlib.asynccontextmanager
async def running_capture(
    place: Path,
    *more: str,
    module: tuple[str, ...] = ("cli",),
    env: Mapping[str, str] | None = None,
    settings: str = "",
) -> AsyncIterator[RunningCapture]:
    folder, log = place / "night", place / "log.jsonl"
    async with VenueServer(SimulationSettings(scenario=ENDLESS), speed="8x") as server:
        file = place / "night.toml"
        file.write_text(
            f'{settings}\n[[stream]]\nvenue = "reference"\nsymbols = ["BTCUSDT"]\n'
            f'url = "{server.url}"\n'
        )
        process = await asyncio.create_subprocess_exec(
            *child_command(module[0], *module[1:], "capture", str(file), "--log-file", str(log),
                           "--metrics", "127.0.0.1:0", *more),
            env=environment(**(env or {})),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        capture = RunningCapture(process, server, folder, log)
        try:
            await capture.until_recorded()
            yield capture
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
