"""Print the state digest after a feed with every fault; run by `python -m` elsewhere."""

from __future__ import annotations

from book.engine import Engine
from replay.market_scenario import ROUGH
from tests.book.feed_frames import simulated_frames


def digest_of_feed() -> str:
    engine = Engine()
    for frame in simulated_frames(10_000, scenario=ROUGH):
        engine.apply(frame)
    return engine.state_digest()


if __name__ == "__main__":
    print(digest_of_feed())
