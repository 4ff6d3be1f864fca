"""Any frames that a recording can hold, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from venues.frame import Frame, FrameKind

_VENUES = ("binance-usdm", "bybit-linear", "recorder")
_INT64 = st.integers(-(2**63) + 1, 2**63 - 1)
# A segment's folder is named for a day, and the calendar that names it ends with the year 9999.
_DAYS = st.integers(-60_000_000_000_000_000 * 100, 2**63 - 1)


@st.composite
def any_frames(draw: st.DrawFn) -> list[Frame]:
    """Frames of every kind with any payload, any times, and venues in any order."""
    count = draw(st.integers(1, 12))
    return [
        Frame(
            frame_number=number,
            connection_id=draw(st.integers(0, 2**31 - 1)),
            venue=draw(st.sampled_from(_VENUES)),
            kind=draw(st.sampled_from(list(FrameKind))),
            receive_time_ns=draw(_DAYS),
            monotonic_time_ns=draw(st.none() | _INT64),
            payload=draw(st.binary(max_size=300)),
        )
        for number in range(count)
    ]
