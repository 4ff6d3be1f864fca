"""Where something worth looking at comes next in a recording: a gap, a liquidation.

Theory. Frames are applied to a copy of the engine until it is told of one, so that whoever goes
there has the engine as of the frame that showed it. Where the recording is indexed, the counts in
the list of checkpoints say between which two of them that is, and what lies before is not applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from book.engine import Engine
from book.errors import CheckpointError
from book.finding import Finding, FindingKind
from replay.checkpoint_store import CheckpointEntry
from replay.frame_source import FrameSource
from replay.recording import Recording
from replay.seek import Sought, frames_from, store_of
from venues.event import Liquidation

LOSSES = frozenset({FindingKind.GAP, FindingKind.LOST})
_FRAMES_BETWEEN_LOOKS = 1_024


class Landmark(StrEnum):
    """What can be looked for."""

    GAP = "gap"
    LIQUIDATION = "liquidation"


class _Watch:
    """Told by an engine of what is looked for."""

    def __init__(self, engine: Engine, landmark: Landmark) -> None:
        self.met = False
        if landmark is Landmark.GAP:
            engine.on(Finding, self._take_finding)
        else:
            engine.on(Liquidation, self._take_liquidation)

    def _take_finding(self, finding: Finding, market: object) -> None:
        self.met = self.met or finding.kind in LOSSES

    def _take_liquidation(self, liquidation: Liquidation, market: object) -> None:
        self.met = True


def next_landmark(
    source: FrameSource,
    engine: Engine,
    next_frame_number: int,
    landmark: Landmark,
    *,
    skip_damaged: bool = False,
    given_up: Callable[[], bool] = lambda: False,
) -> Sought | None:
    """Return the engine after the next frame that shows one; None where none follows.

    `engine` is as before the frame `next_frame_number`, and is not changed. `given_up` is asked now
    and then whether to go on.

    Raises:
        TickreelError: frames cannot be read.
    """
    scan, entry = Engine.restored(engine.checkpoint(), engine.settings), None
    if isinstance(source, Recording):
        scan, entry = _nearer(source, scan, next_frame_number, landmark)
    following = next_frame_number if entry is None else entry.frame_number + 1
    watch = _Watch(scan, landmark)
    for applied, frame in enumerate(frames_from(source, following, skip_damaged), 1):
        scan.apply(frame)
        if watch.met:
            # Without its watch: whoever goes there subscribes to an engine of his own.
            settled = Engine.restored(scan.checkpoint(), scan.settings)
            return Sought(settled, frame.frame_number + 1, entry, applied, ())
        if applied % _FRAMES_BETWEEN_LOOKS == 0 and given_up():
            return None
    return None


def _nearer(
    recording: Recording, engine: Engine, next_frame_number: int, landmark: Landmark
) -> tuple[Engine, CheckpointEntry | None]:
    """Return the engine of the last checkpoint ahead that none lies before, if there is one."""
    store = store_of(recording, engine.settings)
    ahead = [e for e in store.listed().usable if e.frame_number >= next_frame_number]
    for entry in reversed(list(_without(ahead, _count(engine, landmark), landmark))):
        content = store.read(entry)
        if content is not None:
            try:
                return Engine.restored(content, engine.settings), entry
            except CheckpointError:
                continue
    return engine, None


def _without(
    entries: list[CheckpointEntry], count: int, landmark: Landmark
) -> Iterator[CheckpointEntry]:
    for entry in entries:
        if (entry.gaps if landmark is Landmark.GAP else entry.liquidations) > count:
            return
        yield entry


def _count(engine: Engine, landmark: Landmark) -> int:
    return gaps_of(engine) if landmark is Landmark.GAP else liquidations_of(engine)


def gaps_of(engine: Engine) -> int:
    """Return how many gaps and losses an engine has found."""
    return sum(engine.findings.counts[kind] for kind in LOSSES)


def liquidations_of(engine: Engine) -> int:
    """Return how many liquidations an engine has taken in."""
    return sum(market.counters.liquidations for market in engine.markets.values())
