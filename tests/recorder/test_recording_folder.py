"""Names that come from outside never lead out of a recording, and no two lead to one place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recorder.recording import RecordingWriter
from recorder.recording_errors import FrameFieldError, SealingError, VenueNameError
from recorder.recording_folder import (
    RecordingFolder,
    is_venue_name,
    parse_segment_path,
    segment_path,
    stays_inside,
)
from recorder.sealing import seal
from replay.errors import DamagedSegmentError
from replay.recording import Recording
from tests.recorder.made_frames import made_frames, record
from tests.recorder.test_sealing import leave_a_closed_journal

NAMES = st.one_of(st.text(max_size=70), st.from_regex(r"[a-z0-9._/\\-]{0,66}", fullmatch=True))
TIMES_NS = st.integers(-(2**63) + 1, 2**63 - 1)
NUMBERS = st.integers(1, 999_999_999_999)


@settings(max_examples=2_000)
@given(NAMES, TIMES_NS, NUMBERS)
@example("../../etc", 0, 1)
@example("/etc/passwd", 0, 1)
@example("a\0b", 0, 1)
@example("..", 0, 1)
@example("con", 0, 1)
@example("BTC", 0, 1)
@example("é", 0, 1)
@example("e\u0301", 0, 1)
@example("x" * 300, 0, 1)
@example("a\n", 0, 1)
def test_any_name_is_a_place_of_its_own_or_refused(name: str, time_ns: int, number: int) -> None:
    root = Path("/recordings/night")
    try:
        path = segment_path(name, time_ns, number)
    except VenueNameError:
        assert not is_venue_name(name)
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert parse_segment_path(path) == (name, number)
    assert (root / path).parts[:3] == root.parts
    assert not {"..", "."} & set(Path(path).parts)
    assert len(Path(path).parts) == 4


@settings(max_examples=2_000)
@given(NAMES)
def test_any_path_is_a_segments_own_or_refused(path: str) -> None:
    parsed = parse_segment_path(path)
    assert parsed is None or path.startswith(f"frames/venue={parsed[0]}/date=")


@pytest.mark.parametrize("name", ["../x", "a/b", "", "BTC", "x" * 65, "a\0", "ü"])
def test_a_frame_of_a_venue_that_is_no_name_is_never_written(tmp_path: Path, name: str) -> None:
    writer = RecordingWriter.create(tmp_path / "night", asked_for={})
    with pytest.raises(FrameFieldError):
        writer.write(made_frames(1, venues=(name,)))
    writer.close()
    assert list((tmp_path / "night").glob("frames/*")) == []


def test_a_symbolic_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "night", tmp_path / "elsewhere"
    elsewhere.mkdir()
    frames = made_frames(10)
    leave_a_closed_journal(folder, frames)
    (folder / "frames" / "venue=binance-usdm").symlink_to(elsewhere)
    with pytest.raises(SealingError, match="a symbolic link leads out"):
        seal(RecordingFolder(folder), 1)
    assert list(elsewhere.rglob("*.parquet*")) == []
    (folder / "frames" / "venue=binance-usdm").unlink()
    seal(RecordingFolder(folder), 1)
    (place,) = folder.glob("frames/*")
    place.rename(elsewhere / "venue")
    place.symlink_to(elsewhere / "venue")
    with pytest.raises(DamagedSegmentError, match="a symbolic link leads out"):
        list(Recording.open(folder))


def test_a_recording_may_itself_be_reached_by_a_link(tmp_path: Path) -> None:
    frames = made_frames(10)
    record(tmp_path / "night", frames)
    (tmp_path / "link").symlink_to(tmp_path / "night")
    assert list(Recording.open(tmp_path / "link")) == frames
    assert stays_inside(tmp_path / "link", "frames")
    writer = RecordingWriter.create(tmp_path / "link", asked_for={})
    writer.write(made_frames(5, first=10))
    writer.close()
    assert len(list(Recording.open(tmp_path / "night"))) == 15
