"""Power cuts: what was synced is there, what is there was recorded, and it can be gone on with.

The soak (tests/soak) tries a hundred thousand states.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.crash_session import PromiseBrokenError, check_session
from tests.recorder.crash_states import RecordedDisk

ORPHANED = 2_000_046
"""A journal whose beginning had failed came back behind one that had gone on."""

SESSIONS = 47
STATES = 40  # of each: 2,000 in all

FOUND_BEFORE = (
    12,  # a journal whose last sync had failed was sealed, and came back after the power cut
    75,  # the same, with damage
    297,  # a line of the manifest whose sync had failed came back without its segment
)


@pytest.mark.parametrize("seed", [*FOUND_BEFORE, *range(1000, 1000 + SESSIONS)])
def test_a_power_cut_takes_nothing_that_was_synced_and_adds_nothing(
    tmp_path: Path, seed: int
) -> None:
    assert check_session(tmp_path, seed, STATES) > STATES / 4


def test_a_journal_that_never_came_to_be_is_no_loss_of_less_than_nothing(tmp_path: Path) -> None:
    assert check_session(tmp_path, ORPHANED, 60) > 15


class NoFileSynced(RecordedDisk):
    """Says that files are synced, and does not."""

    def sync(self, descriptor: int) -> None:
        return


class NoFolderSynced(RecordedDisk):
    """Says that folders are synced, and does not."""

    def sync_folder(self, path: Path) -> None:
        return


class SyncedAfterFailing(RecordedDisk):
    """Says that a sync succeeded where it failed."""

    def sync(self, descriptor: int) -> None:
        try:
            super().sync(descriptor)
        except OSError:
            return


@pytest.mark.parametrize("disk", [NoFileSynced, NoFolderSynced, SyncedAfterFailing])
def test_a_disk_that_lies_is_found_out(tmp_path: Path, disk: type[RecordedDisk]) -> None:
    """What is checked here can fail: each kind of sync is needed."""

    def lived() -> None:
        for seed in range(20):
            (tmp_path / str(seed)).mkdir()
            check_session(tmp_path / str(seed), seed, STATES, disk)

    with pytest.raises(PromiseBrokenError):
        lived()
