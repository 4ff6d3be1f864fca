"""Observed time, proven time and suspect windows against a walk over single nanoseconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from book.coverage import Coverage
from book.frame_time import FrameTime

STEPS = ("observe", "doubt", "prove", "rest", "look", "new connection")

steps = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(STEPS)),
    max_size=30,
)


@given(steps=steps)
def test_every_instant_is_proven_or_in_a_window_or_not_observed(
    steps: list[tuple[int, str]],
) -> None:
    time = FrameTime()
    coverage = Coverage(100, time)
    observing = suspect = False
    observed_ns = proven_ns = windows = 0
    for number, (passed_ns, step) in enumerate(steps):
        time.now_ns += passed_ns
        if observing:
            observed_ns += passed_ns
            proven_ns += 0 if suspect else passed_ns
        if step == "observe":
            windows += not observing and not suspect
            suspect = suspect or not observing
            observing = True
            coverage.observe(number, "begun")
        elif step == "doubt" and observing:
            windows += not suspect
            suspect = True
            coverage.doubt(number, "doubt")
        elif step == "prove" and observing:
            suspect = False
            coverage.prove(number)
        elif step == "rest":
            observing = suspect = False
            coverage.rest(number)
        elif step == "look":
            coverage.advance()
        elif step == "new connection":
            # Doubt, and the snapshot that ends it, in one frame.
            coverage.observe(number, "begun")
            observing = True
            coverage.doubt(number, "doubt")
            suspect = False
            coverage.prove(number)
    coverage.advance()
    assert (coverage.observed_ns, coverage.proven_ns) == (observed_ns, proven_ns)
    assert coverage.windows_count == windows == len(coverage.windows)
    assert all(each.from_frame != each.to_frame for each in coverage.windows)
    assert sum(each.to_ns is None for each in coverage.windows) == suspect
    ends = [
        (each.from_ns, each.to_ns if each.to_ns is not None else time.now_ns)
        for each in coverage.windows
    ]
    assert observed_ns - proven_ns == sum(to_ns - from_ns for from_ns, to_ns in ends)


def test_no_time_gives_no_share() -> None:
    coverage = Coverage(1, FrameTime())
    assert coverage.share is None
    coverage.observe(0, "begun")
    assert coverage.share is None


def test_windows_beyond_the_kept_ones_are_counted() -> None:
    time = FrameTime()
    coverage = Coverage(2, time)
    coverage.observe(0, "begun")
    for number in range(1, 11, 2):
        coverage.prove(number)
        coverage.doubt(number + 1, "again")
    assert len(coverage.windows) == 2
    assert coverage.windows_count == 6
