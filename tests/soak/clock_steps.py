"""A wall clock that is set, again and again: `python -m tests.soak.clock_steps --steps 200`.

Captures in processes of their own, under libfaketime, whose clock is set by an hour, a millisecond
and what lies between, forward and back: order is kept, the step is recorded, no watchdog fires.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from traceback import format_exception

from tests.cli.test_clock_steps import faketime, stepped

AT_ONCE = 4
SIZES_S = (3600.0, 60.0, 1.0, 0.001)


async def all_steps(place: Path, steps: int, seed: int) -> int:
    """Set so many clocks; return how many captures were not as promised."""
    chance, wrong = random.Random(seed), 0
    for first in range(0, steps, AT_ONCE):
        sizes_s = [chance.choice(SIZES_S) * chance.choice((1, -1)) for _ in range(AT_ONCE)]
        done = await asyncio.gather(
            *(stepped(place / str(first + n), each) for n, each in enumerate(sizes_s)),
            return_exceptions=True,
        )
        for size_s, fault in zip(sizes_s, done, strict=True):
            if fault is not None:
                wrong += 1
                print(f"a step of {size_s:+} s:", *format_exception(fault), flush=True)
    return wrong


def main() -> int:
    """Set clocks; 0 when every capture was as promised, 2 where libfaketime is not installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if next(faketime(), None) is None:
        print("libfaketime is not installed (Debian: libfaketime)")
        return 2
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        wrong = asyncio.run(all_steps(Path(place), options.steps, options.seed))
    print(f"{options.steps} steps: {wrong} not as promised, {time.monotonic() - begun_s:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
