"""Fifty markets with every fault: each has one state, at every speed. The soak tries a thousand."""

from __future__ import annotations

from pathlib import Path

from replay.market_scenario import ROUGH
from replay.recording import Recording
from tests.book.feed_frames import simulated_frames
from tests.recorder.made_frames import record
from tests.soak.replay_seeds import SPEEDS, digest

SEEDS = 50
FRAMES = 400


def test_fifty_markets_have_one_state_each_at_every_speed(tmp_path: Path) -> None:
    states: set[str] = set()
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        record(folder, simulated_frames(FRAMES, seed, ROUGH))
        recording = Recording.open(folder)
        found = {digest(recording, speed) for speed in SPEEDS}
        assert len(found) == 1, f"seed {seed}"
        states |= found
    assert len(states) == SEEDS
