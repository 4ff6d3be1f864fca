from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.options import read_names
from cli.report_text import (
    aligned,
    byte_text,
    clock_text,
    counted,
    day_time_text,
    digest_text,
    folded,
    printable,
    span_text,
)
from replay.written_time import NS_PER_S, read_duration_ns, read_recording_time, utc_text

FIRST_NS = 1_795_305_600_000_000_000 + 22 * 3600 * NS_PER_S
"""Ten in the evening, UTC, of 2026-11-22."""


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("90s", 90 * NS_PER_S),
        ("8h", 8 * 3600 * NS_PER_S),
        ("1h30m", 5400 * NS_PER_S),
        ("1h 30m", 5400 * NS_PER_S),
        ("15min", 900 * NS_PER_S),
        ("2d", 172_800 * NS_PER_S),
        ("250ms", 250_000_000),
        ("0.1s", 100_000_000),
    ],
)
def test_a_duration_is_read_exactly(text: str, duration_ns: int) -> None:
    assert read_duration_ns(text) == duration_ns


@pytest.mark.parametrize("text", ["", "8", "h", "8x", "-8s", "8h!", "1e3s", "٣s", "8 h m"])
def test_what_is_no_duration_is_told_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s, 15m, 8h"):
        read_duration_ns(text)


def test_a_duration_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no time at all"):
        read_duration_ns("0s")


def test_a_time_of_day_is_the_first_one_after_the_recordings_start() -> None:
    assert utc_text(read_recording_time("23:15:00").resolve(FIRST_NS)) == "2026-11-22T23:15:00.000Z"
    assert utc_text(read_recording_time("02:14").resolve(FIRST_NS)) == "2026-11-23T02:14:00.000Z"


def test_a_time_of_day_in_the_recordings_first_second_is_its_start() -> None:
    first_ns = FIRST_NS + 400_000_000
    assert read_recording_time("22:00:00").resolve(first_ns) == FIRST_NS


def test_an_offset_counts_from_the_recordings_start() -> None:
    assert read_recording_time("+90s").resolve(FIRST_NS) == FIRST_NS + 90 * NS_PER_S


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T22:00:00Z",
        "2026-11-22t22:00:00z",
        "2026-11-22 22:00",
        "2026-11-23T00:00:00+02:00",
        "2026-11-22T22:00:00.000000000Z",
    ],
)
def test_rfc_3339_is_read_whatever_its_offset(text: str) -> None:
    assert read_recording_time(text).resolve(0) == FIRST_NS


def test_a_date_alone_is_its_midnight_and_no_offset_is_the_start() -> None:
    assert utc_text(read_recording_time("2026-11-22").resolve(0), 0) == "2026-11-22T00:00:00Z"
    assert read_recording_time("+0s").resolve(FIRST_NS) == FIRST_NS


@given(st.integers(min_value=0, max_value=4_102_444_800_000_000_000))
def test_every_nanosecond_survives_being_written_and_read(time_ns: int) -> None:
    assert read_recording_time(utc_text(time_ns, digits=9)).resolve(0) == time_ns


@pytest.mark.parametrize("text", ["", "noon", "25:00:00", "2026-13-01T00:00:00Z", "+", "12:61"])
def test_what_is_no_time_is_told_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="2026-11-22T02:14:00Z"):
        read_recording_time(text)


def test_names_are_parted_by_commas_and_kept_once_in_order() -> None:
    assert read_names("trades, book,trades") == ("trades", "book")
    with pytest.raises(ValueError, match="at least one name"):
        read_names(" , ")


def test_an_escape_sequence_of_a_feed_never_reaches_the_terminal() -> None:
    assert printable("BTC\x1b[2JUSDT\u202e\n") == "BTC\\x1b[2JUSDT\\u202e\\n"
    assert printable("ok \ud800") == "ok \\ud800"
    assert printable("Grüße, 取引") == "Grüße, 取引"


@given(st.text())
def test_printable_text_has_nothing_a_terminal_obeys(text: str) -> None:
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in printable(text))


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1234, "1.2 kB"),
        (41_300_000, "41.3 MB"),
        (999_600, "1 MB"),
        (413_000_000, "413 MB"),
        (3_400_000_000, "3.4 GB"),
    ],
)
def test_a_size_has_the_unit_that_suits_it(size_bytes: int, text: str) -> None:
    assert byte_text(size_bytes) == text


def test_times_and_counts_are_written_for_people() -> None:
    assert clock_text(761.9) == "00:12:41"
    assert span_text(0.118) == "118 ms"
    assert span_text(41.24) == "41.2 s"
    assert span_text(28_980) == "8 h 3 min"
    assert day_time_text(FIRST_NS + 118_999_999) == "22:00:00.118"
    assert counted(1, "gap") == "1 gap"
    assert counted(1200, "gap") == "1,200 gaps"
    assert counted(2, "crossed") == "2 crossed"
    assert digest_text("7f3a" + "0" * 58 + "c1") == "7f3a…c1"


def test_columns_are_aligned_without_trailing_blanks() -> None:
    assert aligned([("a", "1", ""), ("bcd", "20", "x")], right=[1]) == ["a     1", "bcd  20  x"]


def test_columns_that_do_not_fit_follow_in_a_table_of_their_own() -> None:
    rows = [("NAME", "ONE", "TWO"), ("bybit", "1", "200"), ("okx", "10", "2")]
    assert aligned(rows, right=[1, 2], width=15, keys=1) == [
        "NAME   ONE  TWO",
        "bybit    1  200",
        "okx     10    2",
    ]
    assert aligned(rows, right=[1, 2], width=14, keys=1) == [
        *("NAME   ONE", "bybit    1", "okx     10", ""),
        *("NAME   TWO", "bybit  200", "okx      2"),
    ]


def test_a_column_that_is_too_wide_by_itself_is_there_all_the_same() -> None:
    rows = [("NAME", "SAID"), ("bybit", "maintenance until noon")]
    assert aligned(rows, width=10, keys=1) == ["NAME   SAID", "bybit  maintenance until noon"]


def test_a_sentence_is_cut_between_words_and_its_lines_set_in() -> None:
    line = "  gap at 02:14: messages are missing"
    assert folded(line, None, 6) == [line]
    assert folded(line, 26, 6) == ["  gap at 02:14: messages", "      are missing"]


@given(st.lists(st.text("abc-", min_size=1), min_size=1), st.integers(1, 90), st.integers(0, 9))
def test_no_word_is_lost_or_cut_where_a_sentence_is(
    words: list[str], width: int, indent: int
) -> None:
    assert " ".join(folded(" ".join(words), width, indent)).split() == words
