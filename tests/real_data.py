"""Where the recordings are that exchanges really sent; tests that need them skip without."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REAL_DATA = Path(
    os.environ.get("TICKREEL_REAL_DATA", Path(__file__).parents[2] / "shared" / "real")
).resolve()

needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_dir(),
    reason=f"real recordings are not at {REAL_DATA}; set TICKREEL_REAL_DATA to where they are",
)
