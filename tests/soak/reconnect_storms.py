"""Outages by the thousand, on a fake clock: `python -m tests.soak.reconnect_storms --seeds 1000`.

64 connections to one host that is away for 60 s to an hour, under the strictest limit that any
exchange here has: no window is overrun, and all are back in time.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from recorder.reconnect import BACKOFF_LIMIT_S, BUDGET_SHARE
from tests.recorder.test_reconnect import Storm
from venues.traits import ConnectionLimits

CONNECTIONS = 64
SLACK_S = 5.0
LIMITS = ConnectionLimits(connects_max=300, connects_window_s=300.0)


def main() -> int:
    """Storm; 0 when every outage ended as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    options = parser.parse_args()
    begun_s, wrong, most, longest_s = time.monotonic(), 0, 0, 0.0
    for seed in range(options.seeds):
        outage_s = random.Random(seed).uniform(60.0, 3600.0)
        storm = Storm(CONNECTIONS, LIMITS, seed)
        storm.run(1000.0, 1000.0 + outage_s)
        attempts = storm.most_in(LIMITS.connects_window_s)
        back_s = max(storm.back_s.values()) - 1000.0 - outage_s
        most, longest_s = max(most, attempts), max(longest_s, back_s)
        overrun = attempts > LIMITS.connects_max * BUDGET_SHARE
        if len(storm.back_s) < CONNECTIONS or overrun or back_s > BACKOFF_LIMIT_S + SLACK_S:
            wrong += 1
            print(
                f"seed {seed}: {len(storm.back_s)} back after {back_s:.1f} s, {attempts} in 300 s"
            )
    print(
        f"{options.seeds:,} outages: {wrong} not as promised; at most {most} attempts in 300 s, "
        f"the last of 64 back after {longest_s:.1f} s at the latest, "
        f"{time.monotonic() - begun_s:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
