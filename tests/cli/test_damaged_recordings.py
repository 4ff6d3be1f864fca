"""A recording that has lost a segment: what can still be done with it, and what tells of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay.recording import Recording
from tests.cli.commands import serving
from tests.cli.test_recording_tools import run
from tests.replay.exchange_client import ALL_TOPICS, client, received
from tests.replay.indexed_recording import rough_recording

FRAMES = 1_000


@pytest.fixture
def damaged(tmp_path: Path) -> Recording:
    """Four segments of 250 frames, the second of which is not there any more."""
    recording = rough_recording(tmp_path / "night", FRAMES)
    (recording.path / recording.segments[1].path).unlink()
    return Recording.open(recording.path)


@pytest.mark.parametrize(
    "command",
    [
        "filter {} -o {out} --channels trades",
        "split {} -o {out} --every 1h",
        "merge {} {} -o {out}",
        "compact {} -o {out}",
        "diff {} {}",
        "faults {} --runs 1",
        "index {}",
        "shrink {} -o {out} --while true",
        "export {} -o {out} --format parquet",
    ],
)
def test_a_command_that_meets_damage_names_what_goes_on_without_it(
    damaged: Recording, tmp_path: Path, command: str
) -> None:
    other = rough_recording(tmp_path / "other", 8).path
    words = command.replace("{}", str(damaged.path), 1).replace("{}", str(other))
    refused = run(*words.replace("{out}", str(tmp_path / "out")).split())
    said = " ".join(refused.err.split())
    assert refused.code == 2
    assert "the file is missing" in said
    assert "filter, split, merge and serve take --skip-damaged" in said
    assert "`tickreel compact --skip-damaged` makes a recording of the rest" in said
    assert not (tmp_path / "out").exists()


def test_a_recording_made_of_a_damaged_one_tells_of_what_is_lost(
    damaged: Recording, tmp_path: Path
) -> None:
    night, out = str(damaged.path), tmp_path / "out"
    for words in (
        ("filter", night, "--channels", "trades"),
        ("filter", night, "--kinds", "text"),
        ("compact", night),
    ):
        done = run(*words, "-o", str(out), "--skip-damaged", "--force")
        assert done.code == 0, done.err
        assert run("info", str(out), "--scan", "--json").json["lost"] == 250
        assert "250 frames lost: damage" in run("audit", str(out)).out


def test_a_compact_recording_of_the_rest_is_whole_and_plays_as_the_damaged_one(
    damaged: Recording, tmp_path: Path
) -> None:
    night, rest = str(damaged.path), tmp_path / "rest"
    run("compact", night, "-o", str(rest), "--skip-damaged")
    assert list(Recording.open(rest).verify()) == []
    around = run("replay", night, "--skip-damaged", "--digest")
    assert run("replay", str(rest), "--digest").out == around.out
    assert run("index", str(rest), "--every", "100").code == 0
    assert run("pack", str(rest), str(tmp_path / "rest.reel")).code == 0


def test_parts_of_a_damaged_recording_are_merged_with_the_loss_in_its_place(
    damaged: Recording, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", ("--every", "1s", "--skip-damaged")
    assert run("split", str(damaged.path), "-o", str(tmp_path / "parts"), *cut).code == 0
    parts = [str(part) for part in sorted((tmp_path / "parts").iterdir())]
    assert len(parts) > 1
    assert run("merge", *parts, "-o", str(whole)).code == 0
    around = [frame.payload for frame in damaged.frames(skip_damaged=True)]
    assert [frame.payload for frame in Recording.open(whole).frames()] == around


def test_a_part_that_is_damaged_where_it_begins_keeps_what_follows(
    damaged: Recording, tmp_path: Path
) -> None:
    parts = tmp_path / "parts"
    run("split", str(damaged.path), "-o", str(parts), "--every", "1s", "--skip-damaged")
    first, second = Recording.open(parts / "part-0001"), Recording.open(parts / "part-0002")
    (second.path / second.segments[0].path).unlink()
    both, whole = [str(first.path), str(second.path)], tmp_path / "whole"
    assert run("merge", *both, "-o", str(whole), "--skip-damaged").code == 0
    merged = Recording.open(whole)
    assert merged.frame_count == first.frame_count + 1
    assert f"{second.frame_count} frames lost: damage" in run("audit", str(whole)).out


async def test_a_damaged_recording_is_served_without_what_is_gone(damaged: Recording) -> None:
    with serving(str(damaged.path), "--speed", "max", "--skip-damaged") as url:
        async with client(url, ALL_TOPICS) as connection:
            sent = [each for each in await received(connection) if b'"topic"' in each]
    readable = [f.payload for f in damaged.frames(skip_damaged=True) if b'"topic"' in f.payload]
    assert sent == readable


def test_info_counts_what_is_there_and_names_what_is_missing(damaged: Recording) -> None:
    night, gone = str(damaged.path), damaged.segments[1]
    facts = run("info", night, "--json").json
    played = run("replay", night, "--skip-damaged", "--json").json
    assert facts["frames"] == played["frames"] == FRAMES - 250 + 1, "one tells of the loss"
    assert facts["missing_frames"] == 250
    assert facts["missing_segments"] == [gone.path]
    there = [path.stat().st_size for path in damaged.path.glob("frames/*/*/*.parquet")]
    assert (facts["segments"], facts["bytes_on_disk"]) == (len(there), sum(there))
    said = run("info", night).out
    assert f"1 segment with 250 frames not on the disk: {gone.path}" in said


def test_recover_names_a_segment_that_is_missing_and_what_to_do(damaged: Recording) -> None:
    done = run("recover", str(damaged.path))
    assert done.code == 3
    gone = damaged.segments[1].path
    assert f"not put right: {gone}: the file is missing, with 250 frames" in done.out
    assert "`tickreel compact --skip-damaged` makes a recording of the rest" in done.out


def test_an_upload_says_which_segment_it_could_not_bring(
    damaged: Recording, tmp_path: Path
) -> None:
    done = run("upload", str(damaged.path), (tmp_path / "there").as_uri())
    assert done.code == 3
    segments = len(damaged.segments)
    assert f"{segments - 1} of {segments} segments uploaded and proved" in done.out
    assert f"{damaged.segments[1].path} is missing, here and in the store" in done.err
