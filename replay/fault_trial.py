"""Does faults one at a time, and says what the engine made of each: mutation testing of a feed.

Theory. As many messages as asked for are chosen by the seed, half of them of books where there are
such; all kinds are tried on the same ones (a wrong checksum on those that have one). An engine
plays the recording once; at each chosen message its checkpoint is taken, and from that two engines
play the window behind (`replay.fault_survey`): one the frames as they are, one the frames with the
fault. What only the second one noticed is what caught the fault.

A bit turned over in a book message may leave it readable and another message: then its place in
the numbers is missing, as if it had been dropped, and that has to show.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from book.engine import Engine
from book.finding import Finding
from book.settings import EngineSettings
from replay.fault_draw import draw
from replay.fault_hiding import Harm, hiding_of
from replay.fault_injection import FaultInjector
from replay.fault_kind import Fault, FaultKind
from replay.fault_report import FaultReport, HiddenTally, Hiding, KindTally, Outcome, Trial
from replay.fault_settings import FaultSettings
from replay.fault_state import NO_STANDING, StreamKey, Witness
from replay.fault_survey import NOTHING, Content, Survey
from venues.channel import Channel
from venues.frame import RECORDER, Frame
from venues.registry import venue_named

FRAMES_MAX = 50_000
DOUBT = "doubt"

OnProgress = Callable[[int, int], None]
"""Called after each message that was tried: how many are done, of how many."""


@dataclass(frozen=True)
class TrialSettings:
    """What is tried.

    `runs` is how often, of each kind; `faults` has the seed and the lengths (its probabilities
    are not used); `frames_max` is how many frames, from the first, messages are chosen of.
    """

    kinds: Collection[FaultKind] = tuple(FaultKind)
    runs: int = 50
    faults: FaultSettings = field(default_factory=FaultSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    frames_max: int = FRAMES_MAX


def try_faults(
    frames: Iterable[Frame], settings: TrialSettings, *, on_progress: OnProgress | None = None
) -> FaultReport:
    """Do faults to `frames`, one at a time, and return what became of each."""
    held = list(islice(frames, settings.frames_max))
    survey = Survey(held)
    chosen: dict[int, list[FaultKind]] = defaultdict(list)
    for kind in settings.kinds:
        for position in _chosen(survey, kind, settings):
            chosen[position].append(kind)
    bench = _Bench(survey, settings)
    trials: list[Trial] = []
    for done, position in enumerate(sorted(chosen), 1):
        trials += bench.tried(position, chosen[position])
        if on_progress is not None:
            on_progress(done, len(chosen))
    return FaultReport(
        seed=settings.faults.seed,
        frames=len(held),
        kinds=[_tally(kind, trials) for kind in settings.kinds],
        hidden=_hidden(trials),
        trials=trials,
    )


def _chosen(survey: Survey, kind: FaultKind, settings: TrialSettings) -> list[int]:
    """Return the positions of the messages that a fault of `kind` is tried on."""
    books: list[int] = []
    others: list[int] = []
    for position, (frame, content) in enumerate(zip(survey.frames, survey.contents, strict=True)):
        if not frame.received or (kind is FaultKind.CHECKSUM and not content.hashed):
            continue
        of_book = any(channel is Channel.BOOK for _, _, channel in content.topics)
        (books if of_book else others).append(position)
    half = max((settings.runs + 1) // 2, settings.runs - len(others))
    first = _drawn(books, survey.frames, settings, half)
    return first + _drawn(others, survey.frames, settings, settings.runs - len(first))


def _drawn(
    positions: list[int], frames: Sequence[Frame], settings: TrialSettings, count: int
) -> list[int]:
    seed = settings.faults.seed

    def rank(position: int) -> int:
        return draw(seed, frames[position].frame_number, "trial", 1 << 64)

    return sorted(positions, key=rank)[:count]


class _Bench:
    """The engine that plays all, and the two that play a window."""

    def __init__(self, survey: Survey, settings: TrialSettings) -> None:
        self._survey = survey
        self._faults = settings.faults
        # What is kept for people would have to be carried into every trial.
        self._settings = msgspec.structs.replace(
            settings.engine, findings_kept_max=1, windows_kept_max=1
        )
        self._engine = Engine(self._settings)
        self._played = 0

    def tried(self, position: int, kinds: Sequence[FaultKind]) -> list[Trial]:
        """Try faults on the message at `position`, which is none before the last one tried."""
        for frame in self._survey.frames[self._played : position]:
            self._engine.apply(frame)
        self._played = position
        checkpoint = self._engine.checkpoint()
        window = range(position, self._survey.window_end(position))
        whole = self._played_on(checkpoint, self._frames(window))
        trials = []
        for kind in kinds:
            injector = self._injector(self._survey.frames[position].frame_number, kind)
            frames = [out for frame in self._frames(window) for out in injector.take(frame)]
            frames += injector.finish()
            if injector.done:
                faulty = self._played_on(checkpoint, frames)
                trials.append(self._judged(injector.done[0], window, frames, whole, faulty))
        return trials

    def _frames(self, window: range) -> Sequence[Frame]:
        return self._survey.frames[window.start : window.stop]

    def _injector(self, victim: int, kind: FaultKind) -> FaultInjector:
        waiting = [kind]

        def plan(frame_number: int) -> FaultKind | None:
            # Once: two frames may have one number, where several recordings are one.
            return waiting.pop() if waiting and frame_number == victim else None

        return FaultInjector(self._faults, plan, self._survey.reader)

    def _played_on(self, checkpoint: bytes, frames: Iterable[Frame]) -> Witness:
        engine = Engine.restored(checkpoint, self._settings)
        witness = Witness(engine)
        for frame in frames:
            engine.apply(frame)
        return witness

    def _judged(
        self, fault: Fault, window: range, frames: Sequence[Frame], whole: Witness, faulty: Witness
    ) -> Trial:
        victim = self._survey.frames[window.start]
        symbols = {symbol for _, symbol, _ in self._survey.contents[window.start].topics}
        caught_by = _caught_by(victim, symbols, whole, faulty)
        differences = set() if caught_by else whole.differences(faulty)
        hiding: Hiding | None = None
        if caught_by:
            outcome = Outcome.NOTICED
        elif differences or self._unchecked(fault, window, whole):
            harm = self._harm(fault.kind, window, frames, whole, faulty)
            hiding = _hiding(harm, differences, victim)
            outcome = Outcome.MISSED if hiding is None else Outcome.HIDDEN
        else:
            outcome = Outcome.HARMLESS
        return Trial(
            fault=fault,
            venue=victim.venue,
            outcome=outcome,
            caught_by=caught_by,
            differs=sorted(f"{symbol} {channel}" for _, symbol, channel in differences),
            hiding=hiding,
        )

    def _unchecked(self, fault: Fault, window: range, whole: Witness) -> bool:
        """Say whether a fault that harms no book was to be noticed all the same.

        A step of the clock harms all that is measured by it. A wrong checksum is to be noticed by
        a book that follows the feed.
        """
        if fault.kind is FaultKind.CHECKSUM:
            books = whole.standings()
            hashed = self._survey.contents[window.start].hashed
            return any(books.get(topic[:2], NO_STANDING).follows for topic in hashed)
        return fault.kind is FaultKind.CLOCK

    def _harm(
        self,
        kind: FaultKind,
        window: range,
        frames: Sequence[Frame],
        whole: Witness,
        faulty: Witness,
    ) -> Harm:
        number = self._survey.frames[window.start].frame_number
        said = NOTHING
        behind: list[Content] = []
        for frame in frames:
            content = self._survey.content_of(frame)
            if frame.received and frame.frame_number == number:
                said, behind = content, []
            else:
                behind.append(content)
        sent, *after = self._survey.contents[window.start : window.stop]
        return Harm(kind, sent, said, after, behind, whole, faulty)


def _hiding(harm: Harm, differences: set[StreamKey], victim: Frame) -> Hiding | None:
    if harm.kind is FaultKind.CLOCK:
        return Hiding.NO_STEADY_CLOCK if victim.monotonic_time_ns is None else None
    return hiding_of(harm, differences, venue_named(victim.venue).traits)


def _caught_by(frame: Frame, symbols: set[str], whole: Witness, faulty: Witness) -> list[str]:
    """Return what noticed a fault in `frame`: kinds of findings in order, and `doubt`."""
    known = Counter(_key(finding) for finding in whole.findings)
    caught: list[str] = []
    for finding in faulty.findings:
        key = _key(finding)
        if known[key]:
            known[key] -= 1
        elif _concerns(finding, frame, symbols):
            caught.append(finding.kind.value)
    before = whole.standings()
    if any(
        venue == frame.venue and book.doubted_against(before.get((venue, symbol), NO_STANDING))
        for (venue, symbol), book in faulty.standings().items()
    ):
        caught.append(DOUBT)
    return list(dict.fromkeys(caught))


def _key(finding: Finding) -> tuple[object, ...]:
    return (finding.kind, finding.venue, finding.symbol, finding.expected, finding.received)


def _concerns(finding: Finding, frame: Frame, symbols: set[str]) -> bool:
    if finding.venue == RECORDER or finding.connection_id == frame.connection_id:
        return True
    return finding.venue == frame.venue and finding.symbol in symbols


def _tally(kind: FaultKind, trials: Sequence[Trial]) -> KindTally:
    mine = [trial for trial in trials if trial.fault.kind is kind]
    outcomes = Counter(trial.outcome for trial in mine)
    caught = Counter(name for trial in mine for name in trial.caught_by)
    return KindTally(
        kind=kind,
        runs=len(mine),
        noticed=outcomes[Outcome.NOTICED],
        harmless=outcomes[Outcome.HARMLESS],
        hidden=outcomes[Outcome.HIDDEN],
        missed=outcomes[Outcome.MISSED],
        caught_by=dict(caught.most_common()),
    )


def _hidden(trials: Sequence[Trial]) -> list[HiddenTally]:
    times = Counter(
        (trial.venue, trial.fault.kind, trial.hiding)
        for trial in trials
        if trial.hiding is not None
    )
    return [
        HiddenTally(
            venue=venue,
            kind=kind,
            hiding=hiding,
            times=count,
            declared=list(venue_named(venue).traits.detection_limits),
        )
        for (venue, kind, hiding), count in sorted(times.items(), key=str)
        if hiding is not None
    ]
