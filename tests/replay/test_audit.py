from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest

from book.engine import Engine
from replay.audit import AuditSettings, audit
from replay.audit_report import AuditReport
from replay.frame_source import FrameList
from tests.replay.session_script import MS_NS, SECOND_NS, START_NS, SessionScript, clean_session

REQUIRED = {
    *("frames", "connections", "books", "trades", "liquidations", "quotes"),
    *("undecodable", "state_digest"),
}
REQUIRED_OF_BOOKS = {
    *("venue", "symbol", "snapshots", "deltas", "level_updates", "gaps", "checksums_verified"),
    *("checksums_failed", "checksums_unverifiable", "crossed", "quote_checks", "quote_matches"),
    *("best_bid", "best_ask", "bid_levels", "ask_levels"),
}


def audited(script: SessionScript) -> AuditReport:
    return audit(FrameList(script.frames))


def test_a_clean_session_is_clean() -> None:
    script = clean_session()
    script.closed()
    report = audited(script)
    assert report.clean
    assert report.faults == {}
    assert report.frames == len(script.frames)
    assert report.frames_by_kind == {"opened": 1, "text": 81, "closed": 1}
    (book,) = report.books
    assert (book.checksums_verified, book.checksums_failed, book.gaps) == (41, 0, 0)
    assert (book.best_bid, book.best_ask) == (("100.0", "1"), ("100.5", "3"))
    assert (book.bid_levels, book.ask_levels) == (2, 2)
    assert book.state == "ended"
    assert [(row.symbol, row.rows) for row in report.trades] == [("BTCUSDT", 40)]


def test_the_json_has_what_was_promised() -> None:
    report = json.loads(audited(clean_session()).to_json())
    assert report.keys() >= REQUIRED
    assert report["books"][0].keys() >= REQUIRED_OF_BOOKS
    assert report["books"][0]["best_bid"] == ["100.0", "1"]
    assert report["trades"] == [{"venue": "reference", "symbol": "BTCUSDT", "rows": 40}]
    assert report["connections"] == 1


def test_an_audit_adds_nothing_to_the_state_and_says_the_same_twice() -> None:
    script = clean_session()
    engine = Engine()
    for frame in script.frames:
        engine.apply(frame)
    first, second = audited(script), audited(script)
    assert first.state_digest == engine.state_digest()
    assert first.to_json() == second.to_json()


def test_a_connection_is_told_with_its_times_and_its_end() -> None:
    script = clean_session()
    script.closed()
    (epoch,) = audited(script).epochs
    assert (epoch.connection_id, epoch.venue, epoch.stream) == (1, "reference", "reference")
    assert (epoch.opened_ns, epoch.closed_ns) == (START_NS, script.frames[-1].receive_time_ns)
    assert (epoch.code, epoch.reason, epoch.by_us) == (1000, "done", True)
    assert epoch.frames == len(script.frames)


def gap(script: SessionScript) -> None:
    script.sequence += 3
    script.delta("99.0", "1")


def bad_checksum(script: SessionScript) -> None:
    script.delta("99.0", "1", spoil=True)


def not_json(script: SessionScript) -> None:
    script.text(b'{"topic":"orderbook.50.BTCUSDT","type')


def not_a_number(script: SessionScript) -> None:
    script.trade("100,5", "0.1")


def crossed(script: SessionScript) -> None:
    script.delta("100.9", "1")


def lost(script: SessionScript) -> None:
    script.lost(7)


def refused(script: SessionScript) -> None:
    script.text({"success": False, "op": "subscribe", "ret_msg": "no such topic"})


def clock_step(script: SessionScript) -> None:
    script.clock(step_ns=-3 * SECOND_NS)


def cut_off(script: SessionScript) -> None:
    script.closed(by_us=False)
    script.opened()


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (gap, "gap"),
        (bad_checksum, "checksum failed"),
        (not_json, "undecodable"),
        (not_a_number, "bad number"),
        (crossed, "crossed"),
        (lost, "lost"),
        (refused, "rejected"),
        (clock_step, "clock step"),
        (cut_off, "disconnected"),
    ],
)
def test_a_fault_makes_the_recording_unclean_and_is_shown_with_its_frame(
    spoil: Callable[[SessionScript], None], fault: str
) -> None:
    script = clean_session()
    at = len(script.frames)
    spoil(script)
    script.snapshot({"100.0": "1"}, {"100.5": "3"})
    report = audited(script)
    assert not report.clean
    assert report.faults[fault] == 1
    shown = [finding for finding in report.findings if finding.kind == fault]
    assert [finding.frame for finding in shown] == [at]
    assert shown[0].fault
    assert shown[0].time_ns == script.frames[at].receive_time_ns


def test_a_gap_says_how_much_is_missing_and_when_the_book_was_in_doubt() -> None:
    script = clean_session()
    gap(script)
    doubted_ns = script.frames[-1].receive_time_ns
    script.wait(SECOND_NS)
    script.snapshot({"100.0": "1"}, {"100.5": "3"})
    (book,) = audited(script).books
    assert (book.gaps, book.missing_updates, book.state) == (1, 3, "proven")
    window = book.suspect_windows[-1]
    assert (window.from_ns, window.to_ns) == (doubted_ns, script.frames[-1].receive_time_ns)
    assert book.coverage is not None
    assert 0 < book.coverage < 1


def test_a_book_that_ends_in_doubt_or_never_came_is_a_fault() -> None:
    doubtful = clean_session()
    gap(doubtful)
    assert audited(doubtful).faults["unresolved book"] == 1
    silent = SessionScript()
    silent.opened()
    silent.clock()
    assert audited(silent).faults == {"unresolved book": 1}


def test_losses_are_summed_and_an_unknown_size_is_no_zero() -> None:
    script = clean_session()
    script.lost(7)
    script.lost(None, cause="crash")
    script.snapshot({"100.0": "1"}, {"100.5": "3"})
    report = audited(script)
    assert (report.lost.frames, report.lost.unknown) == (7, 1)
    assert report.faults["lost"] == 2


def test_a_quiet_symbol_is_clean_and_its_silence_a_note() -> None:
    script = SessionScript()
    script.opened()
    script.snapshot({"100.0": "1"}, {"100.5": "3"})
    for number in range(40):
        script.wait(8 * SECOND_NS)
        script.delta("99.0", str(number + 1))
    report = audited(script)
    assert report.clean
    assert {silence.channel: silence.dead for silence in report.silences} == {
        "book": False,
        "trades": False,
    }
    assert report.finding_counts["stale"] > 1
    assert any("fell silent" in note for note in report.notes)


def test_a_channel_that_died_is_a_fault_though_the_connection_lives() -> None:
    script = clean_session()
    for _ in range(60):
        script.wait(SECOND_NS)
        script.trade("100.5", "0.1")
    report = audited(script)
    assert report.faults == {"dead channel": 1}
    dead = [silence for silence in report.silences if silence.dead]
    assert [(silence.symbol, silence.channel) for silence in dead] == [("BTCUSDT", "book")]
    assert dead[0].longest_ns > 60 * SECOND_NS


def test_a_silence_after_we_closed_is_none() -> None:
    script = clean_session()
    script.closed()
    for _ in range(100):
        script.wait(SECOND_NS)
        script.clock()
    assert audited(script).clean


def test_a_clock_behind_the_exchange_is_told_and_never_clamped() -> None:
    script = SessionScript()
    script.opened()
    script.snapshot({"100.0": "1"}, {"100.5": "3"})
    for _ in range(10):
        script.trade("100.5", "1", exchange_ms=script.now_ns // MS_NS + 1_250)
    report = audited(script)
    assert report.clean
    offsets = {offset.channel: offset for offset in report.clock.offsets}
    assert offsets["trades"].max_ns == offsets["trades"].min_ns == -1_250 * MS_NS
    assert offsets["trades"].count == 10
    assert offsets["book"].min_ns == 0
    assert report.notes == [
        "reference: receive times are before exchange times by up to 1.25 s: "
        "the recorder's clock was behind the exchange's."
    ]


def test_receive_times_out_of_order_by_little_are_a_note_and_by_much_a_fault() -> None:
    little = clean_session()
    little.wait(-60 * MS_NS)
    little.trade("100.5", "1")
    report = audited(little)
    assert report.clean
    assert (report.clock.backwards, report.clock.largest_backwards_ns) == (1, 10 * MS_NS)
    much = clean_session()
    much.wait(-3_600 * SECOND_NS)
    much.trade("100.5", "1")
    assert audited(much).faults == {"clock set back": 1}


def test_an_unknown_venue_is_a_fault_and_its_frames_are_counted() -> None:
    script = SessionScript(venue="nowhere")
    script.text({"a": 1})
    report = audited(script)
    assert report.faults == {"unknown venue": 1}
    assert report.frames == 1


def test_an_empty_recording_is_clean_and_says_nothing_it_does_not_know() -> None:
    report = audit(FrameList([]))
    assert report.clean
    assert report.first_receive_time_ns is None
    assert report.books == []


def test_a_part_can_be_audited() -> None:
    script = clean_session()
    end_ns = script.frames[11].receive_time_ns
    report = audit(FrameList(script.frames), AuditSettings(to_ns=end_ns))
    assert report.frames == 11
    assert audit(FrameList(script.frames), AuditSettings(streams={"bybit-spot"})).frames == 0


def test_the_report_can_be_read_back_from_its_json() -> None:
    script = clean_session()
    gap(script)
    report = audited(script)
    assert msgspec.json.decode(report.to_json(), type=AuditReport) == report


def test_messages_of_which_none_is_understood_are_not_clean() -> None:
    script = SessionScript()
    for number in range(7):
        script.text({"topic": "kline.1.BTCUSDT", "data": [number]})
    report = audited(script)
    assert report.faults == {"nothing understood": 1}, "one venue"
    assert [(venue.known, venue.unknown) for venue in report.recognised] == [(0, 7)]


def test_messages_beside_those_understood_are_a_note() -> None:
    script = clean_session()
    script.text({"topic": "kline.1.BTCUSDT", "data": []})
    report = audited(script)
    assert report.clean
    assert [(venue.known, venue.unknown) for venue in report.recognised] == [(81, 1)]
    assert any("of no kind known to tickreel" in note for note in report.notes)


def test_acknowledgements_heartbeats_and_held_deltas_are_no_unknown_messages() -> None:
    script = SessionScript()
    script.opened()
    script.text({"success": True, "op": "subscribe", "ret_msg": ""})
    script.text({"op": "pong"})
    script.delta("99.0", "1")
    assert [(venue.known, venue.unknown) for venue in audited(script).recognised] == [(1, 0)]
