"""A real recording that is short: the first lines of a file that Binance's feed was kept in."""

from __future__ import annotations

import gzip
from itertools import islice
from pathlib import Path

from replay.import_recording import import_recording
from replay.recording import Recording
from tests.real_data import REAL_DATA


def short_real(folder: Path, lines: int = 6_000) -> Recording:
    """Import the first lines of the USD-M file: a book by REST, its deltas, trades and quotes."""
    with gzip.open(REAL_DATA / "binance" / "usdm_btcusdt_20240808.gz") as file:
        content = b"".join(islice(file, lines))
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "usdm.gz"
    source.write_bytes(gzip.compress(content, 1))
    report = import_recording([source], "hftbacktest", "binance-usdm", folder / "short")
    return Recording.open(report.folder)
