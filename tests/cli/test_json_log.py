from __future__ import annotations

import json
import logging
import os
import threading
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.capture_log import CaptureLog
from cli.json_log import QUEUE_LINES_MAX, REPEATS_MAX, JsonLog, LogSink, Repeats, json_line


def record(
    text: str, *args: object, level: int = logging.WARNING, **facts: object
) -> logging.LogRecord:
    made = logging.LogRecord("tickreel.recorder", level, "", 0, text, args, None)
    vars(made).update(facts)
    return made


def test_a_line_has_the_time_the_event_and_the_facts() -> None:
    made = record(
        "%s: gone", "bybit", venue="bybit-linear", symbol="", connection=None, event="closed"
    )
    made.created = 1_700_000_000.25
    assert json.loads(json_line(made)) == {
        "time": "2023-11-14T22:13:20.250000Z",
        "level": "warning",
        "event": "closed",
        "exchange": "bybit-linear",
        "message": "bybit: gone",
    }


@given(st.text(), st.text())
def test_whatever_an_exchange_says_stays_in_its_line_and_shows_no_control_character(
    text: str, fact: str
) -> None:
    line = json_line(record("%s", text, reason=fact))
    assert line.isascii()
    assert not [c for c in line[:-1] if unicodedata.category(c)[0] == "C"]
    assert line.endswith("}\n")
    told = json.loads(line)
    assert told["message"] == text[:4000]
    assert told.get("reason", "") == fact


def test_a_fault_that_repeats_is_told_once_a_minute_with_how_often_it_came() -> None:
    now_s = 0.0
    repeats = Repeats(lambda: now_s)
    told = []
    for second in range(150):
        now_s = float(second)
        told.append(repeats.told(record("%s: refused %d", "bybit", second)))
    assert [(second, count) for second, count in enumerate(told) if count is not None] == [
        (0, 0),
        (60, 59),
        (120, 59),
    ]


def test_what_is_remembered_of_what_was_told_is_bounded() -> None:
    now_s = 0.0
    repeats = Repeats(lambda: now_s)
    for number in range(2 * REPEATS_MAX):
        name = f"{number:b}".replace("0", "a").replace("1", "b")
        for _ in range(2):
            repeats.told(record("%s: refused", name))
    assert len(repeats._told_s) <= REPEATS_MAX
    assert len(repeats._held) <= REPEATS_MAX
    told = CaptureLog(quiet=True, log_json=False, log_file=None)
    try:
        for number in range(1_000):
            logging.getLogger("tickreel.recorder").error("%d bytes are free", number)
        assert len(told._errors.texts) < 1_000
    finally:
        told.close()


def test_other_faults_and_changes_of_state_are_each_told() -> None:
    repeats = Repeats(lambda: 0.0)
    assert repeats.told(record("%s: refused", "bybit")) == 0
    assert repeats.told(record("%s: refused", "okx")) == 0
    assert repeats.told(record("%s: gone", "bybit")) == 0
    for _ in range(3):
        assert repeats.told(record("bybit: connected", level=logging.INFO)) == 0
        assert repeats.told(record("it has ended", level=logging.CRITICAL)) == 0


def test_a_log_that_was_moved_away_is_begun_anew_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = LogSink(path)
    log = JsonLog(sink)
    log.emit(record("one"))
    wait_for(path, 1)
    path.rename(tmp_path / "log.1")
    log.emit(record("two"))
    sink.end()
    assert json.loads((tmp_path / "log.1").read_text())["message"] == "one"
    assert json.loads(path.read_text())["message"] == "two"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_begun_anew_leaves_the_files_of_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, reopen = threading.Semaphore(0), LogSink._reopen_if_moved

    def look(self: LogSink) -> None:
        try:
            reopen(self)
        finally:
            tried.release()

    monkeypatch.setattr(LogSink, "_reopen_if_moved", look)
    place, journal = tmp_path / "logs", tmp_path / "journal"
    place.mkdir()
    sink = LogSink(place / "log")
    place.rename(tmp_path / "moved")
    sink.put("one\n")
    assert tried.acquire(timeout=4.0)
    # The system gives out the lowest number that is free, and so what the log had let go of.
    descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT)
    place.mkdir()
    sink.put("two\n")
    sink.end()
    os.write(descriptor, b"frames")
    os.close(descriptor)
    assert journal.read_bytes() == b"frames"
    assert (tmp_path / "moved" / "log").read_text() == "one\n"
    assert (place / "log").read_text() == "two\n"


def wait_for(path: Path, lines: int) -> None:
    patience = threading.Event()
    for _ in range(200):
        if path.read_text().count("\n") >= lines:
            return
        patience.wait(0.02)
    pytest.fail("the line was not written within 4 s")


def test_a_disk_that_stands_still_holds_nobody_up_and_what_is_dropped_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, moving = tmp_path / "log", threading.Event()
    sink = LogSink(path)
    write = LogSink._reopen_if_moved
    monkeypatch.setattr(LogSink, "_reopen_if_moved", lambda self: (moving.wait(), write(self)))
    log = JsonLog(sink)
    for number in range(QUEUE_LINES_MAX + 100):
        log.emit(record(f"line {number}", level=logging.INFO))
    assert sink.dropped >= 99
    moving.set()
    wait_for(path, QUEUE_LINES_MAX)
    log.emit(record("after"))
    sink.end()
    last = json.loads(path.read_text().splitlines()[-1])
    assert last["log_lines_dropped"] == sink.dropped
