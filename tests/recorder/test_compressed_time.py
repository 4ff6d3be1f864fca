"""A quarter of an hour's frames as fast as they go: all of them kept, and none altered.

The soak (tests/soak) takes a day's, and watches memory.
"""

from __future__ import annotations

from pathlib import Path

from tests.soak.compressed_time import fed, wrong

FRAMES = 450_000
"""500 a second."""


def test_every_frame_of_a_quarter_of_an_hour_is_read_back(tmp_path: Path) -> None:
    growth, _ = fed(tmp_path / "night", FRAMES)
    assert wrong(tmp_path / "night", FRAMES) == 0
    assert len({look.files for look in growth.looks}) == 1
    assert len({look.threads for look in growth.looks}) == 1
