"""The commands that make recordings of recordings, and that say what is in them."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import msgspec
import pytest

from cli.__main__ import main
from replay.recording import Recording
from replay.state_trace import read_trace
from tests.cli.commands import Done
from tests.recorder.made_frames import record
from venues.frame import FrameKind
from venues.marker import Lost, marker_payload

SAMPLES = Path(__file__).parents[2] / "sample_data"
ROUGH = str(SAMPLES / "rough")


def run(*arguments: str) -> Done:
    """Run a command in this process: what it does is the same, and it starts at once."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(arguments)
    code = ended.value.code
    assert isinstance(code, int)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reels") / "rough.reel"
    done = run("pack", ROUGH, str(path), "--json")
    assert done.code == 0, done.err
    assert done.json["frames"] == 3138
    return path


def test_every_reading_command_reads_a_reel(reel: Path, tmp_path: Path) -> None:
    digests = {run("replay", "--digest", str(place)).out for place in (reel, ROUGH)}
    assert len(digests) == 1
    assert run("info", str(reel), "--json").json["frames"] == 3138
    packed, plain = (run("audit", str(place), "--json") for place in (reel, ROUGH))
    assert (packed.code, packed.json) == (plain.code, plain.json)
    for arguments in ("scan-secrets {}", "cat {}", "diff {} {}", "faults {} --runs 1",
                      "export {} -o {out}/tables --format parquet", "pack {} {out}/again.reel",
                      "shrink {} -o {out}/least --while true"):  # fmt: skip
        done = run(*arguments.replace("{out}", str(tmp_path)).replace("{}", str(reel)).split())
        assert done.code == 0, done.err
    twice = run("replay", str(reel), str(reel))
    assert twice.code == 2
    assert "rough.reel is given twice" in twice.err
    assert run("unpack", str(reel), str(tmp_path / "again")).code == 0
    assert run("diff", str(tmp_path / "again"), ROUGH).code == 0


def test_a_damaged_reel_is_refused_in_a_sentence(reel: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.reel"
    content = bytearray(reel.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    for arguments in (["replay", str(damaged)], ["unpack", str(damaged), str(tmp_path / "x")]):
        done = run(*arguments)
        assert done.code == 2
        assert "damaged.reel: " in done.err
        assert "Traceback" not in done.err
    assert not (tmp_path / "x").exists()


def test_filtered_split_merged_compacted(reel: Path, tmp_path: Path) -> None:
    place = tmp_path / "btc.reel"
    done = run("filter", str(reel), "-o", str(place), "--symbols", "BTCUSDT", "--json")
    assert done.code == 0, done.err
    assert 0 < done.json["frames"] == Recording.open(place).frame_count < 3138
    again = run("filter", str(reel), "-o", str(place), "--symbols", "BTCUSDT")
    assert again.code == 2
    assert "--force" in again.err
    absent = run("filter", str(reel), "-o", str(tmp_path / "n"), "--symbols", "NOPE")
    assert absent.code == 2
    assert "BTCUSDT, ETHUSDT" in absent.err
    assert not (tmp_path / "n").exists()
    parts = run("split", str(reel), "-o", str(tmp_path / "parts"), "--every", "10s", "--json")
    paths = [part["path"] for part in parts.json["parts"]]
    assert len(paths) == 3
    assert run("merge", *paths, "-o", str(tmp_path / "whole")).code == 0
    dense = run("compact", str(tmp_path / "whole"), "-o", str(tmp_path / "dense"), "--json").json
    assert dense["bytes_on_disk"] < dense["bytes_on_disk_before"]
    assert run("diff", str(tmp_path / "dense"), ROUGH, "--json").json["different"] is False


def test_an_audit_calls_a_book_that_began_before_a_cut_unverifiable_and_says_why(
    tmp_path: Path,
) -> None:
    calm = str(SAMPLES / "calm")
    split = run("split", calm, "-o", str(tmp_path / "parts"), "--every", "10s")
    assert "an audit calls it unverifiable if none comes" in split.err
    run("filter", calm, "-o", str(tmp_path / "filtered"), "--from", "+10s")
    first, second = (str(tmp_path / "parts" / name) for name in ("part-0001", "part-0002"))
    assert run("audit", first).code == 0
    for cut in (second, str(tmp_path / "filtered")):
        audited = run("audit", cut)
        assert audited.code == 1
        assert "reference BTCUSDT  unverifiable  " in audited.out
        assert "reference BTCUSDT began before the cut, and no snapshot of it came" in audited.out
        assert "note: this is a part of another recording" in audited.out
        assert audited.out.splitlines()[-1] == "2 faults: 2 unverifiable book"
        assert [book["cut"] for book in run("audit", cut, "--json").json["books"]] == [True, True]


def test_parts_that_are_played_beside_each_other_are_told_of_merge(tmp_path: Path) -> None:
    run("split", str(SAMPLES / "calm"), "-o", str(tmp_path), "--every", "10s")
    first, second = str(tmp_path / "part-0001"), str(tmp_path / "part-0002")
    assert "`tickreel merge` makes the whole" in run("replay", first, second).err
    assert run("replay", first).err == ""
    assert run("replay", first, ROUGH).err == ""


def test_a_book_that_is_told_again_after_a_cut_is_proven_from_there(tmp_path: Path) -> None:
    run("filter", ROUGH, "-o", str(tmp_path / "late"), "--from", "+17s")
    audited = run("audit", str(tmp_path / "late"), "--json").json
    assert [book["cut"] for book in audited["books"]] == [False, False]
    assert all(book["proven_ns"] for book in audited["books"])


def test_parts_that_are_made_anew_replace_all_those_of_before(reel: Path, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    split = ("split", str(reel), "-o", str(parts), "--every")
    assert run(*split, "10s").code == 0
    assert run(*split, "20s").code == 2
    assert len(list(parts.iterdir())) == 3
    assert run(*split, "20s", "--force").code == 0
    assert run("merge", *map(str, parts.iterdir()), "-o", str(tmp_path / "whole")).code == 0
    assert run("diff", str(tmp_path / "whole"), ROUGH, "--json").json["different"] is False


def test_a_difference_ends_with_1_and_is_shown(reel: Path, tmp_path: Path) -> None:
    run("filter", str(reel), "-o", str(tmp_path / "short"), "--to", "+20s")
    done = run("diff", str(reel), str(tmp_path / "short"))
    assert done.code == 1
    assert "0 only in" in done.out
    assert "state at the end:" in done.out
    frames = run("diff", str(reel), str(tmp_path / "short"), "--frames-only", "--json").json
    assert frames["state"] is None
    assert frames["frames"]["only_in_first"] == 3138 - frames["frames"]["same"]


def test_an_engine_is_held_against_an_earlier_one(reel: Path, tmp_path: Path) -> None:
    stored = tmp_path / "then.json"
    missing = run("diff", "--engine", str(reel), "--expected", str(stored))
    assert missing.code == 2
    assert "--write" in missing.err
    assert run("diff", "--engine", str(reel), "--expected", str(stored), "--write").code == 0
    assert run("diff", "--engine", str(reel), "--expected", str(stored)).code == 0
    assert read_trace(stored).frames == 3138
    changed = (
        stored.read_text()
        .replace('"Trade": 1028', '"Trade": 1027')
        .replace('"Trade":1028', '"Trade":1027')
    )
    digest = read_trace(stored).digest
    stored.write_text(changed.replace(digest, "0" * 64))
    done = run("diff", "--engine", str(reel), "--expected", str(stored))
    assert done.code == 1
    assert "events: 1,027 Trade expected, 1,028 came" in done.out
    held = stored.read_bytes()
    refused = run("diff", "--engine", str(reel), "--expected", str(stored), "--write")
    assert refused.code == 2
    assert "--force replaces it" in refused.err
    assert stored.read_bytes() == held
    arguments = ("--expected", str(stored), "--write", "--force")
    assert run("diff", "--engine", str(reel), *arguments).code == 0
    assert read_trace(stored).digest == digest
    stored.write_text("{}")
    assert run("diff", "--engine", str(reel), "--expected", str(stored)).code == 2


def test_frames_and_events_as_lines(reel: Path) -> None:
    frames = list(Recording.open(reel))[:20]
    limit = ("--limit", "20")
    lines = run("cat", str(reel), "--json", *limit).out.splitlines()
    assert [json.loads(line)["payload"].encode() for line in lines] == [f.payload for f in frames]
    rows = list(csv.DictReader(io.StringIO(run("cat", str(reel), "--format", "csv", *limit).out)))
    assert [row["payload"].encode() for row in rows] == [f.payload for f in frames]
    assert [int(row["receive_time_ns"]) for row in rows] == [f.receive_time_ns for f in frames]
    text = run("cat", str(reel), *limit).out.splitlines()
    assert all(f.payload.decode()[:60] in line for f, line in zip(frames, text, strict=True))
    events = run("cat", str(reel), "--events", "--json", "--channels", "liquidations").out
    found = [json.loads(line) for line in events.splitlines()]
    assert sum(each["event"] == "Liquidation" for each in found) == 32
    every = run("cat", str(reel), "--events").out.splitlines()
    assert run("cat", str(reel), "--events", "--limit", "7").out.splitlines() == every[:7]
    wrong = run("cat", str(reel), "--channels", "trade")
    assert wrong.code == 2
    assert "trades" in wrong.err


def test_exports_say_how_many_rows_there_are(reel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("export", str(reel), "-o", str(out), "--format", "tardis", "--tables", "trades",
               "--symbols", "BTCUSDT", "--json")  # fmt: skip
    assert done.json["rows"] == {"reference_trades_2026-11-22_BTCUSDT.csv.gz": 566}
    wrong = run("export", str(reel), "-o", str(tmp_path / "x"), "--format", "parquet",
                "--tables", "trade")  # fmt: skip
    assert wrong.code == 2
    assert "did you mean 'trades'?" in wrong.err
    absent = run("export", str(reel), "-o", str(tmp_path / "x"), "--format", "tardis",
                 "--symbols", "BTCUSD")  # fmt: skip
    assert absent.code == 2
    assert "did you mean 'BTCUSDT'?" in absent.err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("format_name", ["parquet", "tardis", "hftbacktest"])
def test_an_export_replaces_an_export_and_nothing_else(
    reel: Path, tmp_path: Path, format_name: str
) -> None:
    out = tmp_path / "out"
    export = ("export", str(reel), "-o", str(out), "--format", format_name)
    assert run(*export).code == 0
    made = {each.name: each.read_bytes() for each in out.iterdir()}
    refused = run(*export, "--symbols", "BTCUSDT")
    assert refused.code == 2
    assert "--force to replace it" in refused.err
    assert {each.name: each.read_bytes() for each in out.iterdir()} == made
    assert run(*export, "--symbols", "BTCUSDT", "--force").code == 0
    assert {each.name: each.read_bytes() for each in out.iterdir()} != made
    (out / "notes.txt").write_text("mine")
    assert run(*export, "--force").code == 2
    assert (out / "notes.txt").read_text() == "mine"


def test_what_is_printed_of_a_symbol_that_is_not_there_says_so(reel: Path) -> None:
    absent = run("cat", str(reel), "--symbols", "BTCUSD")
    assert absent.code == 2
    assert "did you mean 'BTCUSDT'?" in absent.err


def test_a_bug_is_shrunk_with_a_command(reel: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.reel"
    # Segments of zstd hide what they hold, so the command unpacks: one page of payloads a venue.
    shows = tmp_path / "shows.sh"
    shows.write_text('test "$(wc -c < "$1/manifest.jsonl")" -gt 600\n')
    command = f"sh {shlex.quote(str(shows))} {{}}"
    done = run("shrink", str(reel), "-o", str(small), "--while", command, "--json")
    assert done.code == 0, done.err
    assert done.json["least"] is True
    assert Recording.open(small).frame_count <= 3
    never = run("shrink", str(reel), "-o", str(tmp_path / "n.reel"), "--while", "false")
    assert never.code == 2
    assert "does not show it" in never.err
    missing = run("shrink", str(reel), "-o", str(tmp_path / "n.reel"), "--while", "no-such-thing")
    assert missing.code == 2
    assert "it ended with 127: " in missing.err
    assert "no-such-thing" in missing.err
    assert not (tmp_path / "n.reel").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("cat nowhere", "nowhere: no such folder"),
        ("cat {reel} --events --format csv", "`tickreel export` writes one of each kind"),
        ("filter {reel} -o {new} --from +90", "write a number and its unit"),
        ("filter {reel} -o {new} --from +9h", "no frame of the recording is what was asked for"),
        ("filter {reel} -o {new} --from +9s --to +8s", "nothing between --from and --to"),
        ("filter {reel} -o {new} --streams okx", "there is no frame of okx"),
        ("filter {reel} -o {old}", "--force to replace it"),
        ("merge {reel} -o {new}", "give two recordings at least"),
        ("merge {reel} {reel} -o {new}", "given twice"),
        ("merge {reel} {rough} -o {new}", "it is the same recording as"),
        ("replay {rough} {reel} --digest", "it is the same recording as"),
        ("merge {reel} {calm} -o {old}", "--force to replace it"),
        ("split {reel} -o {new}", "--every DURATION or --by-venue"),
        ("split {reel} -o {new} --every 1ms", "more than 10,000 parts"),
        ("compact {reel} -o {new} --level 3", "is not in the range"),
        ("compact {reel} -o {old}", "--force to replace it"),
        ("pack {rough} {old}", "--force to replace it"),
        ("unpack {rough} {new}", "is a folder, so it is not a recording that `tickreel pack` made"),
        ("unpack {reel} {mine} --force", "even --force does not replace that"),
        ("index {reel}", "has no room for checkpoints"),
        ("index nowhere", "nowhere: no such folder"),
        ("export {reel} -o {new} --format csv", "'parquet', 'tardis', 'hftbacktest'"),
        ("export {reel} -o {mine} --format parquet --force", "even --force does not replace that"),
        ("import {rough} -o {new}", "cannot be read"),
        ("import {reel} -o {new}", "it cannot be told what wrote it"),
        ("diff {reel}", "give two recordings, or --engine and one"),
        ("diff {reel} nowhere", "nowhere: no such folder"),
        ("diff {reel} {rough} --write", "go with --engine"),
        ("shrink {reel} -o {old} --while true", "--force to replace it"),
        ("replay {reel} --prove", "has no receipts"),
        ("index {reel}", "Unpack it first: `tickreel unpack`"),
        ("recover {reel}", "`tickreel unpack` makes a folder of a .reel file"),
        ("status {reel}", "`tickreel unpack` makes a folder of a .reel file"),
        ("upload {reel} file:///nowhere", "`tickreel unpack` makes a folder of a .reel file"),
        ("replay {reel} --from +1s --start-offset 1s", "give one of them"),
        ("replay {reel} --to +1s --duration 1s", "give one of them"),
        ("replay {reel} --symbols BTCUSD", "did you mean 'BTCUSDT'?"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_touched(
    reel: Path, tmp_path: Path, arguments: str, sentence: str
) -> None:
    old, mine = tmp_path / "old.reel", tmp_path / "mine"
    old.write_bytes(b"the one before")
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    places = {"reel": reel, "rough": ROUGH, "old": old, "mine": mine, "new": tmp_path / "new"}
    places["calm"] = SAMPLES / "calm"
    done = run(*(word.format(**places) for word in arguments.split()))
    assert done.code == 2
    assert sentence in re.sub(r"\s+", " ", done.err)
    assert "Traceback" not in done.err
    assert old.read_bytes() == b"the one before"
    assert (mine / "notes.txt").read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine", "old.reel"]


@pytest.mark.parametrize(
    "arguments",
    [
        "filter {night} -o {night} --to +1s",
        "compact {night} -o {night}",
        "merge {night} {rough} -o {night}",
        "export {night} -o {night} --format parquet",
        "shrink {night} -o {night} --while true",
        "pack {night} {night}",
        "split {night} -o {folder} --by-venue",
    ],
)
def test_no_command_puts_its_result_in_the_place_of_what_it_was_made_from(
    tmp_path: Path, arguments: str
) -> None:
    night = tmp_path / "part-0001"
    shutil.copytree(ROUGH, night)
    before = {path: path.read_bytes() for path in night.rglob("*") if path.is_file()}
    places = {"night": night, "rough": ROUGH, "folder": tmp_path}
    done = run(*(word.format(**places) for word in arguments.split()), "--force")
    assert done.code == 2
    assert "is what the result is made from" in re.sub(r"\s+", " ", done.err)
    assert {path: path.read_bytes() for path in night.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["part-0001"]


def test_signals_are_not_written_over_a_file_that_is_there(reel: Path, tmp_path: Path) -> None:
    agent, signals = tmp_path / "agent.py", tmp_path / "signals.jsonl"
    agent.write_text("class Agent:\n    def on_trade(self, trade, market):\n        return 1\n")
    replay = ("replay", str(reel), "--agent", f"{agent}:Agent", "--signals", str(signals))
    assert run(*replay).code == 0
    written = signals.read_bytes()
    assert written.count(b"\n") > 1_000
    refused = run(*replay, "--to", "+1s")
    assert refused.code == 2
    assert "--force to replace it" in refused.err
    assert signals.read_bytes() == written
    assert run(*replay, "--to", "+1s", "--force").code == 0
    assert 0 < len(signals.read_bytes()) < len(written)


def test_a_result_that_does_not_come_leaves_none_of_the_folders_made_for_it(
    reel: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    place = str(mine / "results" / "night")
    failed = run("filter", str(reel), "-o", place, "--symbols", "DOGEUSDT")
    assert failed.code == 2
    assert "nothing was written" in failed.err
    assert list(mine.iterdir()) == []
    assert run("filter", str(reel), "-o", place, "--symbols", "BTCUSDT").code == 0
    assert [each.name for each in (mine / "results").iterdir()] == ["night"]


def test_no_choice_of_kinds_makes_a_recording_look_whole(tmp_path: Path) -> None:
    """A connection broke and a second of frames was lost, of which trades alone say nothing."""
    frames = list(Recording.open(ROUGH))
    lost = Lost(7, 700, frames[900].receive_time_ns, frames[907].receive_time_ns, "backpressure")
    frames[900] = msgspec.structs.replace(
        frames[900], kind=FrameKind.LOST, payload=marker_payload(lost)
    )
    record(tmp_path / "lossy", frames)
    done = run(
        *("filter", str(tmp_path / "lossy"), "-o", str(tmp_path / "texts")),
        *("--kinds", "text", "--channels", "trades"),
    )
    assert done.code == 0, done.err
    faults = run("audit", str(tmp_path / "texts"), "--json").json["faults"]
    assert (faults["lost"], faults["disconnected"]) == (1, 1)
    none = run("filter", str(tmp_path / "lossy"), "-o", str(tmp_path / "no"), "--kinds", "binary")
    assert "no frame of the recording is what was asked for" in none.err


def test_two_recordings_that_heard_the_same_are_not_counted_twice_without_a_word(
    tmp_path: Path,
) -> None:
    paths = [str(tmp_path / name) for name in ("one", "other", "eth")]
    for path, symbols in zip(paths, ("BTCUSDT", "BTCUSDT", "ETHUSDT"), strict=True):
        assert run("filter", ROUGH, "-o", path, "--symbols", symbols).code == 0
    together = "heard reference of BTCUSDT at the same time"
    for command in ("replay {0} {1} --digest", "merge {0} {1} -o {0}-and-other"):
        done = run(*command.format(*paths).split())
        assert done.code == 0
        assert together in re.sub(r"\s+", " ", done.err)
    for channel in ("book", "trades"):
        done = run("filter", ROUGH, "-o", str(tmp_path / channel), "--channels", channel)
        assert done.code == 0
        paths.append(str(tmp_path / channel))
    for pair in ("{0} {2}", "{3} {4}"):
        apart = run(*f"replay {pair} --digest".format(*paths).split())
        assert apart.code == 0
        assert "at the same time" not in apart.err
