"""Kill -9, again and again: what a capture had for 100 ms is in its recording."""

from __future__ import annotations

import asyncio
import random
import subprocess
from pathlib import Path

from cli.child_process import child_command
from replay.market_scenario import ENDLESS
from replay.market_simulator import SimulationSettings
from replay.recording import Recording
from replay.sent_ledger import SentLedger
from replay.venue_server import VenueServer
from tests.cli.commands import LIMIT_S, environment, run

KILLS = 20
KEPT_AFTER_S = 0.1
SENT_BEFORE = 50


async def killed(server: VenueServer, folder: Path, chance: random.Random) -> int:
    """Kill a capture while it receives; return how much was sent to it 100 ms before that."""
    sessions = len(server.sent)
    process = await asyncio.create_subprocess_exec(
        *child_command(
            "cli", "capture", "reference", "BTCUSDT", "--url", server.url, "-o", str(folder)
        ),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        while len(server.sent) == sessions or server.sent[-1].frames < SENT_BEFORE:
            assert process.returncode is None
            await asyncio.sleep(0.01)
    await asyncio.sleep(chance.uniform(0.0, 0.2))
    kept_at_least = server.sent[-1].frames
    await asyncio.sleep(KEPT_AFTER_S)
    process.kill()
    await process.communicate()
    return kept_at_least


def kept(folder: Path) -> dict[int, list[bytes]]:
    """Return what was received, by connection."""
    payloads: dict[int, list[bytes]] = {}
    for frame in Recording.open(folder):
        if frame.received:
            payloads.setdefault(frame.connection_id, []).append(frame.payload)
    return payloads


async def test_twenty_kills_lose_nothing_older_than_100_ms(tmp_path: Path) -> None:
    folder, chance = tmp_path / "night", random.Random(20)
    least: list[int] = []
    ledgers: list[SentLedger] = []
    async with VenueServer(
        SimulationSettings(scenario=ENDLESS), speed="10x", ledger_frames_max=1_000_000
    ) as server:
        for _ in range(KILLS):
            least.append(await killed(server, folder, chance))
            ledgers.append(server.sent[-1])
    before = kept(folder)
    assert run("recover", str(folder)).code in (0, 3)
    assert kept(folder) == before
    assert len(before) == KILLS
    for payloads, ledger, at_least in zip(before.values(), ledgers, least, strict=True):
        assert payloads == [message.payload for message in ledger.kept][: len(payloads)]
        assert len(payloads) >= at_least
    audited = run("audit", str(folder), "--json")
    assert audited.json["faults"] == {"lost": KILLS}
    assert audited.json["lost"] == {"frames": 0, "bytes": 0, "unknown": KILLS}
