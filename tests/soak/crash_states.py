"""Power cuts by the ten thousand: `python -m tests.soak.crash_states --states 100000`.

Each state that a power cut could leave is recovered and compared with what was recorded; the seed
of one that breaks a promise is printed, and belongs into tests/recorder/test_crash_states.py.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.recorder.crash_session import PromiseBrokenError, check_session

STATES_A_SESSION = 60


def main() -> int:
    """Cut the power again and again; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=100_000)
    parser.add_argument("--first-seed", type=int, default=1_000_000)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    begun_s, states, different, broken = time.monotonic(), 0, 0, 0
    with tempfile.TemporaryDirectory() as place:
        seed = arguments.first_seed
        while states < arguments.states:
            folder = Path(place) / str(seed)
            folder.mkdir()
            try:
                different += check_session(folder, seed, STATES_A_SESSION)
            except PromiseBrokenError as fault:
                broken += 1
                print(fault, flush=True)
            shutil.rmtree(folder)
            states += STATES_A_SESSION
            seed += 1
    seconds = time.monotonic() - begun_s
    print(f"{states:,} states, {different:,} different, {broken} broken, {seconds:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
