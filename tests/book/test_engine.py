"""The engine over whole feeds: what proves a book, what makes it suspect, what brings it back."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.errors import NoMarketError
from book.finding import FindingKind
from book.market import Market
from book.settings import EngineSettings
from tests.book.made_events import SECOND_NS
from tests.book.reference_feed import KEY, VENUE, ReferenceFeed
from venues.channel import Channel
from venues.frame import RECORDER, Frame
from venues.marker import CRASH, Lost
from venues.venue import SnapshotRequest


def _engine(*frames: Frame) -> Engine:
    engine = Engine()
    _apply(engine, frames)
    return engine


def _apply(engine: Engine, frames: Iterable[Frame]) -> None:
    for frame in frames:
        engine.apply(frame)


def _market(engine: Engine) -> Market:
    return engine.markets[KEY]


def _kinds(engine: Engine) -> list[FindingKind]:
    return [each.kind for each in engine.findings]


def _holds_the_truth(engine: Engine, feed: ReferenceFeed) -> bool:
    book = _market(engine).book
    return book.proven and (list(book.bids), list(book.asks)) == feed.truth.rows()


def test_a_snapshot_and_its_deltas_verify_by_number_and_checksum() -> None:
    feed = ReferenceFeed()
    engine = _engine(
        feed.opened(Channel.BOOK),
        feed.snapshot(),
        feed.delta([("99", "0"), ("99.5", "1")]),
        feed.delta([], [("101", "0.5")]),
    )
    assert _holds_the_truth(engine, feed)
    assert len(engine.findings) == 0
    assert engine.take_snapshot_requests() == []
    counters = _market(engine).counters
    assert (counters.snapshots, counters.deltas, counters.level_updates) == (1, 2, 3)
    assert (counters.checksums_verified, counters.checksums_failed) == (3, 0)
    assert _market(engine).coverage.share == 1


def test_a_wrong_checksum_makes_it_suspect_and_a_fresh_snapshot_mends_it() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot(), feed.delta([("99", "2")], right=False))
    book = _market(engine).book
    states = [book.state]
    assert engine.take_snapshot_requests() == [SnapshotRequest(VENUE, 1, "BTCUSDT")]
    # Asked for once, not on every frame.
    _apply(engine, [feed.delta([("99", "3")])])
    assert engine.take_snapshot_requests() == []
    states.append(book.state)
    _apply(engine, [feed.snapshot()])
    states.append(book.state)
    assert states == [BookState.SUSPECT, BookState.SUSPECT, BookState.PROVEN]
    assert _holds_the_truth(engine, feed)
    assert _kinds(engine) == [FindingKind.CHECKSUM_FAILED]
    (window,) = book.coverage.windows
    assert (window.reason, window.from_frame, window.to_frame) == ("checksum failed", 1, 3)


def test_a_gap_is_mended_by_a_rest_snapshot_and_the_deltas_held_since() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot())
    feed.delta([("97", "1")])
    _apply(engine, [feed.delta([("96", "1")])])
    assert _kinds(engine) == [FindingKind.GAP]
    assert engine.findings.kept[0].missing == 1
    body = feed.rest_body()
    _apply(engine, [feed.delta([("95", "1")]), feed.rest(body=body)])
    assert _holds_the_truth(engine, feed)
    assert _market(engine).counters.bridges == 1
    assert len(engine.findings) == 1


def test_an_unanswered_wish_is_made_again_after_a_while() -> None:
    feed = ReferenceFeed(step_ns=SECOND_NS)
    engine = _engine(feed.snapshot(), feed.delta(right=False))
    asked = [len(engine.take_snapshot_requests())]
    for _ in range(25):
        _apply(engine, [feed.delta()])
        asked.append(len(engine.take_snapshot_requests()))
    assert sum(asked) == 3
    assert asked[0] == 1


def test_wishes_that_nobody_takes_do_not_pile_up() -> None:
    feed = ReferenceFeed(step_ns=60 * SECOND_NS)
    engine = _engine(feed.snapshot(), feed.delta(right=False))
    _apply(engine, (feed.delta() for _ in range(50)))
    assert len(engine.take_snapshot_requests()) == 1


def test_a_wish_that_a_snapshot_met_meanwhile_is_no_longer_made() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot(), feed.delta(right=False), feed.snapshot())
    assert engine.take_snapshot_requests() == []


def test_a_failed_fetch_is_told_and_left_to_whoever_fetches_to_repeat() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot(), feed.delta(right=False))
    assert len(engine.take_snapshot_requests()) == 1
    _apply(engine, [feed.rest(429), feed.rest(None)])
    assert engine.take_snapshot_requests() == []
    assert _kinds(engine)[1:] == [FindingKind.SNAPSHOT_FAILED] * 2
    assert "HTTP 429" in engine.findings.kept[1].text
    assert "timed out" in engine.findings.kept[2].text


def test_an_answer_that_cannot_be_read_is_a_finding_and_leaves_the_book_suspect() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot(), feed.delta(right=False), feed.rest(body=b"<html>"))
    assert _kinds(engine) == [FindingKind.CHECKSUM_FAILED, FindingKind.UNDECODABLE]
    assert engine.undecodable == 1
    assert not _market(engine).book.proven


def test_a_disconnect_makes_the_book_suspect_and_nobody_is_asked_on_a_dead_connection() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.opened(Channel.BOOK), feed.snapshot(), feed.closed())
    assert _kinds(engine) == [FindingKind.DISCONNECTED]
    assert _market(engine).book.state is BookState.SUSPECT
    assert engine.take_snapshot_requests() == []
    feed.connection_id = 2
    _apply(engine, [feed.opened(Channel.BOOK), feed.snapshot(), feed.delta([("97", "1")])])
    assert _holds_the_truth(engine, feed)
    assert len(engine.connections) == 2


def test_a_new_connection_that_begins_with_a_delta_asks_for_its_snapshot() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot(), feed.closed())
    feed.connection_id = 2
    _apply(engine, [feed.delta([("97", "1")])])
    assert engine.take_snapshot_requests() == [SnapshotRequest(VENUE, 2, "BTCUSDT")]


def test_closing_it_ourselves_is_no_fault_and_stops_the_clock() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.opened(Channel.BOOK, Channel.TRADES), feed.snapshot())
    _apply(engine, [feed.delta(), feed.closed(stopped=True)])
    book = _market(engine).book
    states = [book.state]
    feed.time_ns += 3_600 * SECOND_NS
    _apply(engine, [feed.clock()])
    assert len(engine.findings) == 0
    assert _market(engine).coverage.share == 1
    feed.connection_id = 2
    _apply(engine, [feed.opened(Channel.BOOK), feed.snapshot()])
    states.append(book.state)
    assert states == [BookState.ENDED, BookState.PROVEN]
    assert engine.take_snapshot_requests() == []
    assert len(engine.findings) == 0


def test_a_loss_after_we_closed_it_ourselves_befalls_nothing() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot(), feed.closed(stopped=True), feed.lost(3, RECORDER))
    assert _market(engine).book.state is BookState.ENDED
    assert _market(engine).coverage.windows_count == 0
    assert engine.take_snapshot_requests() == []


def test_channels_of_another_connection_are_still_watched_after_we_close_one() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.opened(Channel.BOOK), feed.snapshot())
    feed.connection_id = 2
    _apply(engine, [feed.opened(Channel.TRADES), feed.trade()])
    feed.connection_id = 1
    _apply(engine, [feed.closed(stopped=True)])
    feed.connection_id = 3
    _apply(engine, [feed.snapshot()])
    feed.time_ns += 3_600 * SECOND_NS
    _apply(engine, [feed.clock()])
    assert _kinds(engine) == [FindingKind.STALE] * 2


@pytest.mark.parametrize(("frames", "said"), [(7, "7 frames"), (None, "an unknown number")])
def test_a_loss_makes_the_books_of_its_connection_suspect(frames: int | None, said: str) -> None:
    feed, other = ReferenceFeed(), ReferenceFeed("ETHUSDT", connection_id=2)
    engine = _engine(feed.snapshot(), other.snapshot(), feed.lost(frames))
    assert _kinds(engine) == [FindingKind.LOST]
    assert said in engine.findings.kept[0].text
    assert _market(engine).book.state is BookState.SUSPECT
    assert engine.markets[VENUE, "ETHUSDT"].book.proven
    (window,) = _market(engine).coverage.windows
    assert window.reason == "lost: backpressure"
    assert [each.symbol for each in engine.take_snapshot_requests()] == ["BTCUSDT"]
    ledger = engine.connections
    assert (ledger.lost_frames, ledger.lost_unknown) == (frames or 0, int(frames is None))


def test_a_loss_of_the_recorders_own_befalls_all_books_but_wishes_for_none_without_one() -> None:
    feed, other = ReferenceFeed(), ReferenceFeed("ETHUSDT", connection_id=2)
    trades_alone = ReferenceFeed("XRPUSDT", connection_id=3)
    engine = _engine(feed.snapshot(), other.snapshot(), trades_alone.trade())
    _apply(engine, [feed.lost(1, RECORDER)])
    wished = sorted(each.symbol for each in engine.take_snapshot_requests())
    assert wished == ["BTCUSDT", "ETHUSDT"]
    assert engine.markets[VENUE, "XRPUSDT"].book.coverage.windows_count == 0


def test_a_clock_step_is_a_finding_and_a_reading_is_none() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.clock(), feed.clock(-1_500_000_000), feed.clock(2_000))
    assert _kinds(engine) == [FindingKind.CLOCK_STEP] * 2
    assert "-1.500000 s" in engine.findings.kept[0].text


def test_a_wall_clock_that_runs_back_is_told_once_a_step_and_now_stands_still() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot())
    now_ns = engine.now_ns
    feed.time_ns -= 3_600 * SECOND_NS
    _apply(engine, (feed.delta() for _ in range(20)))
    assert _kinds(engine) == [FindingKind.TIME_BACKWARDS]
    assert engine.now_ns == now_ns
    assert _holds_the_truth(engine, feed)


def test_a_silence_is_told_at_the_first_frame_after_it_and_ends_with_the_next_message() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.opened(Channel.BOOK, Channel.TRADES), feed.snapshot())
    feed.time_ns += 6 * SECOND_NS
    _apply(engine, [feed.clock(), feed.clock(), feed.delta()])
    assert _kinds(engine) == [FindingKind.STALE]
    feed.time_ns += 6 * SECOND_NS
    _apply(engine, [feed.clock()])
    stale = [each.text for each in engine.findings]
    assert stale == [
        "reference book silent for more than 5 s",
        "reference book silent for more than 5 s",
        "reference trades silent for more than 10 s",
    ]
    assert _market(engine).counters.stale == 3


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (
            {"success": False, "op": "subscribe", "ret_msg": "no such topic"},
            FindingKind.REJECTED,
        ),
        ({"success": False, "ret_msg": "bad signature"}, FindingKind.LOGIN_REFUSED),
    ],
)
def test_what_the_exchange_refuses_is_told_in_its_own_words(
    message: dict[str, object], kind: FindingKind
) -> None:
    engine = _engine(ReferenceFeed().json(message))
    assert _kinds(engine) == [kind]
    assert str(message["ret_msg"]) in engine.findings.kept[0].text


def test_an_unknown_venue_is_told_once() -> None:
    feed = ReferenceFeed()
    engine = _engine(*(feed.text(b"{}", "nowhere") for _ in range(5)))
    assert _kinds(engine) == [FindingKind.UNKNOWN_VENUE]
    assert engine.frames == 5


def test_all_of_a_frame_is_applied_although_one_of_its_events_cannot_be() -> None:
    feed = ReferenceFeed()
    rows = [{"T": 1, "p": price, "v": "1", "S": "Buy", "i": price} for price in ("1", "x", "3")]
    engine = _engine(feed.json({"topic": "publicTrade.BTCUSDT", "data": rows}))
    assert _kinds(engine) == [FindingKind.BAD_NUMBER]
    assert _market(engine).tape.trades == 2


def test_symbols_without_end_are_refused_beyond_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("book.market_limits.MARKETS_MAX", 3)
    feeds = [ReferenceFeed(f"S{number}") for number in range(6)]
    engine = _engine(*(feed.trade() for feed in feeds))
    assert len(engine.markets) == 3
    assert _kinds(engine) == [FindingKind.MARKET_REFUSED] * 3
    engine = _engine(
        ReferenceFeed("X" * 5_000).trade(), ReferenceFeed("X" * 5_000).opened(Channel.BOOK)
    )
    assert engine.markets == {}
    assert _kinds(engine) == [FindingKind.MARKET_REFUSED] * 2
    assert len(engine.findings.kept[0].symbol) <= 500


def test_the_ledger_of_connections_is_bounded_and_forgets_no_count() -> None:
    engine, feed = Engine(), ReferenceFeed()
    most = engine.connections.RECORDS_MAX
    for number in range(1, most + 11):
        feed.connection_id = number
        _apply(engine, [feed.opened(Channel.BOOK), feed.closed(stopped=True)])
    assert len(engine.connections) == most + 10
    assert len(engine.connections.records) == most
    assert min(engine.connections.records) == 11


def test_deltas_that_wait_for_a_snapshot_are_bounded() -> None:
    feed = ReferenceFeed()
    engine = Engine(EngineSettings(deltas_held_max=5))
    _apply(engine, (feed.delta([("99", str(size))]) for size in range(1, 20)))
    body = feed.rest_body()
    _apply(engine, [feed.delta([("99", "7")]), feed.rest(body=body), feed.delta([("98", "9")])])
    assert _holds_the_truth(engine, feed)
    counters = _market(engine).counters
    checks = counters.checksums_verified, counters.checksums_failed
    assert checks == (2, 0)
    assert counters.checksums_unverifiable == counters.deltas - 2


def test_a_crash_ends_the_listening_and_leaves_the_book_as_it_last_was() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.snapshot(), feed.delta())
    lost = Lost(None, None, feed.time_ns, feed.time_ns, CRASH)
    _apply(engine, [feed.marker(lost, venue=RECORDER)])
    assert _market(engine).book.state is BookState.ENDED
    assert _kinds(engine) == [FindingKind.LOST]
    assert engine.take_snapshot_requests() == []


def test_a_market_that_did_not_come_is_told_of_those_that_did() -> None:
    feed = ReferenceFeed()
    engine = _engine(feed.opened(Channel.BOOK), feed.snapshot())
    with pytest.raises(KeyError) as missing:
        engine.markets[VENUE, "BTCUSD"]
    assert str(missing.value).startswith(
        "nothing of reference BTCUSD came in the frames applied so far "
        "(did you mean 'reference BTCUSDT'?). What came: reference BTCUSDT."
    )
    with pytest.raises(NoMarketError, match="No frame was about any market"):
        Engine().markets[VENUE, "BTCUSDT"]
    assert engine.markets.get((VENUE, "BTCUSD")) is None
