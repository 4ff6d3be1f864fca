"""Mutation testing of a feed: every fault is noticed, harmless, or such that nothing shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from book.checked_book import CheckedBook
from book.finding import FindingKind
from book.sequence import IN_ORDER, JUDGES, Judgement
from book.venue_book import VenueBook
from replay.fault_kind import FaultKind
from replay.fault_report import FaultReport, Hiding, Outcome
from replay.fault_settings import FaultSettings
from replay.fault_trial import TrialSettings, try_faults
from replay.recording import Recording
from tests.book.feed_frames import BINANCE_FILES, binance_frames
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from venues.event import BookDelta
from venues.frame import Frame
from venues.registry import venue_named
from venues.traits import LossDetection

SAMPLES = Path(__file__).parents[2] / "sample_data"

FEEDS = {
    "kraken-v1": ("KRAKEN.ws.50.0",),
    "okx": ("OKX.ws.1.0",),
    "deribit": ("DERIBIT.ws.1.0",),
    "kucoin": ("KUCOIN.ws.1.0", "KUCOIN.http.0.0"),
    "bitfinex": ("BITFINEX.ws.11.0",),
    "bitstamp": ("BITSTAMP.ws.1.0",),
    "gateio": ("GATEIO.ws.1.0", "GATEIO.http.0.0"),
    "htx-swap": ("HUOBI_SWAP.ws.1.0",),
    "kraken-futures": ("KRAKEN_FUTURES.ws.1.0",),
}
FEED_FRAMES_MAX = 400

CAUGHT_BY = {
    FaultKind.DROP: {FindingKind.GAP},
    FaultKind.DUPLICATE: {FindingKind.DUPLICATE},
    FaultKind.REORDER: {FindingKind.GAP},
    FaultKind.DELAY: {FindingKind.GAP},
    FaultKind.CORRUPT: {FindingKind.UNDECODABLE, FindingKind.GAP, FindingKind.CHECKSUM_FAILED},
    FaultKind.TRUNCATE: {FindingKind.UNDECODABLE},
    FaultKind.CUT: {FindingKind.DISCONNECTED},
    FaultKind.STALL: {FindingKind.STALE},
    FaultKind.SLOW: {FindingKind.LOST},
    FaultKind.CHECKSUM: {FindingKind.CHECKSUM_FAILED},
    FaultKind.CLOCK: {FindingKind.CLOCK_STEP},
}


def sample(name: str) -> list[Frame]:
    return list(Recording.open(SAMPLES / name).frames())


def tried(frames: Sequence[Frame], runs: int, seed: int = 1, **more: object) -> FaultReport:
    faults = FaultSettings(seed=seed)
    return try_faults(frames, TrialSettings(runs=runs, faults=faults, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["calm", "rough"])
def test_every_kind_of_fault_is_noticed_by_what_is_there_to_notice_it(name: str) -> None:
    report = tried(sample(name), 14)
    assert report.missed == []
    for tally in report.kinds:
        assert tally.runs == 14
        assert CAUGHT_BY[tally.kind] <= tally.caught_by.keys(), tally.kind
        outcomes = (tally.noticed, tally.harmless, tally.hidden, tally.missed)
        assert sum(outcomes) == tally.runs


def test_what_no_message_shows_is_hidden_and_the_venue_says_so() -> None:
    report = tried(sample("calm"), 10, kinds=[FaultKind.DROP])
    of_trades = [trial for trial in report.trials if trial.outcome is Outcome.HIDDEN]
    assert of_trades
    assert {trial.hiding for trial in of_trades} == {Hiding.UNNUMBERED_ROWS}
    assert all(trial.differs for trial in of_trades)
    (hidden,) = report.hidden
    assert hidden.times == len(of_trades)
    assert any("a lost one cannot be seen" in sentence for sentence in hidden.declared)


def test_the_same_seed_does_the_same_faults_and_another_one_others() -> None:
    frames = sample("calm")[:1_000]
    one, same, other = tried(frames, 5), tried(frames, 5), tried(frames, 5, seed=2)
    assert one == same
    assert {trial.fault for trial in one.trials} != {trial.fault for trial in other.trials}


@needs_real_data
@pytest.mark.parametrize("venue", FEEDS)
def test_no_fault_in_a_recorded_feed_goes_unnoticed_that_could_be_noticed(venue: str) -> None:
    report = tried(feed_frames(venue, *FEEDS[venue])[:FEED_FRAMES_MAX], 3)
    assert report.missed == []
    traits = venue_named(venue).traits
    by_kind = {tally.kind: tally for tally in report.kinds}
    assert by_kind[FaultKind.CUT].noticed == 3
    assert by_kind[FaultKind.SLOW].noticed == 3
    assert by_kind[FaultKind.TRUNCATE].noticed == 3
    if traits.loss_detection is LossDetection.EVERY_MESSAGE:
        assert not any(tally.hiding is Hiding.UNNUMBERED_BOOK for tally in report.hidden)


@needs_real_data
@pytest.mark.parametrize("venue", BINANCE_FILES)
def test_nor_in_what_binance_sent(venue: str) -> None:
    report = tried(binance_frames(venue)[:1_500], 4)
    assert report.missed == []
    by_kind = {tally.kind: tally for tally in report.kinds}
    assert FindingKind.GAP in by_kind[FaultKind.DROP].caught_by
    assert by_kind[FaultKind.CHECKSUM].runs == 0


# An engine that notices less must not pass.


def blind_judge(last: int, delta: BookDelta) -> Judgement:
    del last, delta
    return IN_ORDER


def test_an_engine_blind_to_numbers_and_checksums_misses_lost_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(book: CheckedBook, checksum: int | None, frame: Frame) -> None:
        del book, checksum, frame

    monkeypatch.setattr(VenueBook, "_verify", never)
    # Each book takes its judge from this table when it is made.
    for continuity in list(JUDGES):
        monkeypatch.setitem(JUDGES, continuity, blind_judge)
    report = tried(sample("calm"), 12, kinds=[FaultKind.DROP, FaultKind.CHECKSUM])
    drop, checksum = report.kinds
    assert drop.missed > 0
    assert FindingKind.GAP not in drop.caught_by
    assert checksum.missed == checksum.runs == 12


def test_an_engine_blind_to_time_misses_steps_of_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from book.engine import Engine

    def nothing(engine: Engine, *of_frame: object) -> None:
        del engine, of_frame

    monkeypatch.setattr(Engine, "_clock", nothing)
    monkeypatch.setattr(Engine, "_time_backwards", nothing)
    report = tried(sample("calm"), 6, kinds=[FaultKind.CLOCK])
    assert report.kinds[0].missed > 0
