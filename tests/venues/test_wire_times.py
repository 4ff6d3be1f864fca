"""Times as exchanges write them, read exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.wire import iso_time_ns, seconds_ns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2261, 1, 1), timezones=ZONES)


def nanoseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1) * 1000


@given(TIMES)
def test_an_iso_time_is_read_to_the_microsecond(time: datetime) -> None:
    assert iso_time_ns(time.isoformat()) == nanoseconds(time)
    in_utc = time.astimezone(UTC)
    assert iso_time_ns(f"{in_utc:%Y-%m-%dT%H:%M:%S.%f}Z") == nanoseconds(time)


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2021-07-22T22:36:07.865Z", 1_626_993_367_865_000_000),
        ("2021-07-22t22:36:07.865000001z", 1_626_993_367_865_000_001),
        ("2021-07-23 00:36:07.5+02:00", 1_626_993_367_500_000_000),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
    ],
)
def test_every_spelling_of_an_iso_time_is_read(text: str, time_ns: int) -> None:
    assert iso_time_ns(text) == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "2021-07-22",
        "2021-07-22T22:36:07",
        "2021-07-22T22:36:07.865",
        "2021-07-22T22:36:07.Z",
        "2021-07-22T22:36:07,865Z",
        "2021-07-22T22:36:07.1234567890Z",
        "2021-07-22T22:36:07.1٣Z",
        "2021-07-22T22:36:07.1_1Z",
        "2021-07-22T22:36:07.5Z ",
        "2021-07-22T22:36:07.5+0200",
        "2021-W29-4T22:36:07Z",
        "2021-13-22T22:36:07Z",
        "1969-12-31T23:59:59.9Z",
        "2262-04-11T23:47:16.854775808Z",
    ],
)
def test_what_is_no_iso_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|month"):
        iso_time_ns(text)


@given(st.integers(0, 2**63 - 1))
def test_a_time_in_seconds_is_read_to_the_nanosecond(time_ns: int) -> None:
    whole, fraction = divmod(time_ns, 1_000_000_000)
    assert seconds_ns(f"{whole}.{fraction:09}") == time_ns
    assert seconds_ns(f"{whole}") == whole * 1_000_000_000


@pytest.mark.parametrize(
    "text", ["", ".", "1.", ".5", "-1", "1e5", "1.1234567890", "99999999999", "1.5 ", "1_0", "٣.5"]
)
def test_what_is_no_time_in_seconds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        seconds_ns(text)
