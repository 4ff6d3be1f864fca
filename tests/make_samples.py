"""Make the recordings in `sample_data/` anew: `python -m tests.make_samples [calm] [rough]`.

With `--expected`, the recordings stay and only what is expected of them is written anew: for when
the engine's state, and so its digest, has changed on purpose.

Each is made the way that a user would: `tickreel serve --simulate` in one process, `tickreel
capture` in another. It takes as long as the market lasts, half a minute each.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.sample_expectation import expectation_text

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_data"
DURATIONS = {"calm": "25s", "rough": "27s"}
"""The markets last 24 s; a disconnect adds the time that the client takes to come back."""

PORT = 8765


def tickreel(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli", *arguments]


def make(name: str) -> None:
    folder = SAMPLES / name
    shutil.rmtree(folder, ignore_errors=True)
    exchange = subprocess.Popen(
        tickreel("serve", "--simulate", name, "--port", str(PORT)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert exchange.stdout is not None
        print(exchange.stdout.readline(), end="")
        asked = ["reference", "BTCUSDT", "ETHUSDT", "--url", f"ws://127.0.0.1:{PORT}"]
        ended = ["-o", str(folder), "--duration", DURATIONS[name]]
        subprocess.run(tickreel("capture", *asked, *ended), cwd=ROOT, check=True)
    finally:
        exchange.terminate()
        exchange.wait()
    for lock in folder.glob(".*lock"):
        lock.unlink()


if __name__ == "__main__":
    names = [name for name in sys.argv[1:] if name in DURATIONS] or list(DURATIONS)
    for sample in names:
        if "--expected" not in sys.argv:
            make(sample)
        (SAMPLES / f"{sample}.expected.json").write_text(expectation_text(SAMPLES / sample))
