"""The garbage collector, set for frames by the million.

Events and levels hold no cycles, yet each collection walks over all the levels of all books. So
what is loaded at the start is left out for good, and the young are looked at less often. Measured
on a Binance recording: a tenth more frames a second, 15 MB more memory.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 50_000
YOUNG_ROUNDS = 20
OLD_ROUNDS = 100


def calm_collector() -> None:
    """Set the collector for the rest of this process; call it when all is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
