"""Networks that go away without a word: `python -m tests.soak.cut_links --cuts 20`.

The test of `tests/recorder/test_network_namespace.py`, with a link to a namespace of its own each
time: switched off, and swallowed by a blackhole route, in turn.
"""

from __future__ import annotations

import argparse
import sys

import pytest

TEST = "tests/recorder/test_network_namespace.py"


class Outcomes:
    """A plugin that counts how tests ended."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once; a fixture counts where it did not come about."""
        self.passed += report.passed and report.when == "call"
        self.failed += report.failed
        self.skipped += report.skipped


def main() -> int:
    """Cut; 0 when each cut was found and told, 2 where no namespace can be made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=20)
    options = parser.parse_args()
    outcomes = Outcomes()
    while outcomes.passed + outcomes.failed < options.cuts and not outcomes.skipped:
        pytest.main(["-q", "-p", "no:xdist", TEST], plugins=[outcomes])
    print(f"{outcomes.passed + outcomes.failed} cuts: {outcomes.failed} not found or not told")
    if outcomes.skipped:
        return 2
    return 1 if outcomes.failed else 0


if __name__ == "__main__":
    sys.exit(main())
