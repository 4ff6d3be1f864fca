"""All findings are counted and chained; the first of each kind are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from book.finding import Finding, FindingKind, FindingLog

findings = st.lists(
    st.builds(
        Finding,
        st.sampled_from((FindingKind.GAP, FindingKind.LATE, FindingKind.STALE)),
        st.just("v"),
        st.sampled_from(("A", "B")),
        st.integers(0, 99),
        st.just(1),
        st.integers(0, 99),
        st.text(max_size=5),
    ),
    max_size=20,
)


def _log(found: list[Finding], kept_max: int) -> FindingLog:
    log = FindingLog(kept_max)
    for each in found:
        log.add(each)
    return log


@given(found=findings, kept_max=st.integers(0, 4))
def test_the_first_of_each_kind_are_kept_and_all_are_counted(
    found: list[Finding], kept_max: int
) -> None:
    log = _log(found, kept_max)
    for kind in FindingKind:
        alike = [each for each in found if each.kind is kind]
        assert log.counts[kind] == len(alike)
        assert [each for each in log if each.kind is kind] == alike[:kept_max]
    assert len(log) == len(found)


@given(found=findings, other=findings)
def test_two_logs_have_one_chain_only_where_they_have_the_same_findings(
    found: list[Finding], other: list[Finding]
) -> None:
    # Even of findings that are not kept.
    assert (_log(found, 0).chain == _log(other, 0).chain) == (found == other)
