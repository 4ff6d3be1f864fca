"""A playback that goes round begins each round with the books as they were where it begins."""

from __future__ import annotations

import pytest

from book.settings import EngineSettings
from cli.attached_engine import AttachedEngine
from cli.replay_playback import Playback
from cli.replay_range import Range
from replay.recording import Recording
from replay.seek import engine_before
from tests.replay.indexed_recording import rough_recording

ROUNDS = 3


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return rough_recording(tmp_path_factory.mktemp("rounds") / "night", 300)


def range_from(recording: Recording, from_ns: int | None) -> Range:
    first_ns, last_ns = recording.first_receive_time_ns, recording.last_receive_time_ns
    assert first_ns is not None
    assert last_ns is not None
    return Range(from_ns, None, first_ns if from_ns is None else from_ns, last_ns)


class BrokenOff(Playback):
    """A playback that the user breaks off when its last round is to begin."""

    def _round(self) -> None:
        begun.append(self._attached.engine.state_digest())
        if len(begun) == ROUNDS:
            raise KeyboardInterrupt
        super()._round()


begun: list[str] = []


@pytest.mark.parametrize("offset_ns", [None, 1_500_000_000])
def test_each_round_begins_with_the_same_books(recording: Recording, offset_ns: int | None) -> None:
    begun.clear()
    whole = range_from(recording, None)
    from_ns = None if offset_ns is None else whole.first_ns + offset_ns
    attached = AttachedEngine(None, None, lambda failure: None, EngineSettings())
    playback = BrokenOff(recording, attached, range_from(recording, from_ns), None)
    assert playback.run(loop=True)
    place = whole.first_ns if from_ns is None else from_ns
    sought = engine_before(recording, time_ns=place)
    assert begun == [sought.engine.state_digest()] * ROUNDS
    assert playback.frames == (300 - sought.next_frame_number) * (ROUNDS - 1)


def test_without_a_loop_there_is_one_round(recording: Recording) -> None:
    attached = AttachedEngine(None, None, lambda failure: None, EngineSettings())
    playback = Playback(recording, attached, range_from(recording, None), None)
    assert not playback.run(loop=False)
    assert attached.engine.state_digest() == engine_before(recording).engine.state_digest()


def test_a_playback_says_at_which_frame_of_all_it_is(recording: Recording) -> None:
    whole = range_from(recording, None)
    begun = range_from(recording, whole.first_ns + 1_500_000_000)
    before = engine_before(recording, time_ns=begun.first_ns).next_frame_number
    attached = AttachedEngine(None, None, lambda failure: None, EngineSettings())
    playback = Playback(recording, attached, begun, None, frames_in_all=recording.frame_count)
    assert playback.position_text == f"{before} of 300 frames"
    playback.run(loop=False)
    assert playback.position_text == "300 of 300 frames"


def test_where_the_frames_before_are_not_known_none_of_them_is_counted(
    recording: Recording,
) -> None:
    whole = range_from(recording, None)
    begun = range_from(recording, whole.first_ns + 1_500_000_000)
    attached = AttachedEngine(None, None, lambda failure: None, EngineSettings())
    playback = Playback(recording, attached, begun, None, cold=True, frames_in_all=300)
    playback.run(loop=False)
    assert playback.position_text == f"{playback.frames} frames"
    assert playback.frames < 300
