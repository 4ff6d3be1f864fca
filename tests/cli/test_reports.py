"""What the commands print: results on stdout, everything else on stderr, one object with --json."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.child_process import child_command
from replay.recording import Recording
from replay.written_time import utc_text
from tests.book.feed_frames import START_NS, simulated_frames
from tests.cli.commands import environment, on_a_terminal, run, serving
from tests.real_data import REAL_DATA, needs_real_data
from tests.recorder.made_frames import record
from venues.frame import Frame, FrameKind
from venues.marker import Lost, marker_payload
from venues.registry import venue_names

SAMPLES = Path(__file__).parents[2] / "sample_data"

AUDIT_KEYS = {
    "frames", "connections", "books", "trades", "liquidations", "quotes", "undecodable",
    "state_digest",
}  # fmt: skip
BOOK_KEYS = {
    "venue", "symbol", "snapshots", "deltas", "level_updates", "gaps", "checksums_verified",
    "checksums_failed", "checksums_unverifiable", "crossed", "quote_checks", "quote_matches",
    "best_bid", "best_ask", "bid_levels", "ask_levels",
}  # fmt: skip


def test_every_speed_gives_one_digest_and_one_result(captured: Path) -> None:
    results = [
        run("replay", str(captured), "--speed", speed, "--json").json
        for speed in ("max", "4x", "7/2x")
    ]
    for result in results:
        assert result.pop("seconds") > 0
        assert result.pop("frames_per_second") > 0
    assert results[0] == results[1] == results[2]


def test_a_replay_ends_with_a_table_of_books(captured: Path) -> None:
    done = run("replay", str(captured))
    assert done.code == 0
    assert done.err == ""
    head, book, totals, *_ = done.out.splitlines()
    assert head.split()[:4] == ["VENUE", "SYMBOL", "BID", "ASK"]
    assert book.startswith("reference  BTCUSDT  ")
    frames = Recording.open(captured).frame_count
    assert totals.startswith(f"{frames:,} frames in ")


def test_a_range_plays_what_lies_in_it(captured: Path) -> None:
    times = [frame.receive_time_ns for frame in Recording.open(captured)]
    first_ns, middle_ns = times[0], times[len(times) // 2]
    offset = f"+{(middle_ns - first_ns) // 1_000_000}ms"
    cut_ns = first_ns + (middle_ns - first_ns) // 1_000_000 * 1_000_000
    after = run("replay", str(captured), "--from", offset, "--json").json["frames"]
    assert after == sum(time_ns >= cut_ns for time_ns in times)
    before = run("replay", str(captured), "--to", utc_text(cut_ns, 9), "--json").json["frames"]
    assert before == sum(time_ns < cut_ns for time_ns in times)


def test_two_recordings_are_merged_by_their_times(captured: Path) -> None:
    other = Path(__file__).parents[2] / "sample_data" / "calm"
    frames = sum(Recording.open(each).frame_count for each in (captured, other))
    assert run("replay", str(captured), str(other), "--json").json["frames"] == frames


def test_a_copy_of_a_recording_is_not_merged_with_it(captured: Path, recording: Path) -> None:
    done = run("replay", str(captured), str(recording), "--json")
    assert done.code == 2
    assert "every trade in it would count twice" in done.err


def test_only_the_streams_asked_for_are_played(captured: Path) -> None:
    all_of_it = run("replay", str(captured), "--json").json
    result = run("replay", str(captured), "--streams", "reference", "--json").json
    assert result["state_digest"] == all_of_it["state_digest"]
    done = run("replay", str(captured), "--streams", "bybit-linear", "--json")
    assert (done.code, done.out) == (2, "")
    assert "no frame of bybit-linear" in done.err


def test_an_audit_prints_one_object_with_all_that_was_agreed(captured: Path) -> None:
    done = run("audit", str(captured), "--json")
    assert done.err == ""
    assert set(done.json) >= AUDIT_KEYS
    (book,) = done.json["books"]
    assert set(book) >= BOOK_KEYS
    assert done.code == (0 if done.json["clean"] else 1)
    assert [type(text) for text in book["best_bid"]] == [str, str]
    assert done.json["state_digest"] == run("replay", str(captured), "--digest").out.strip()


def test_a_clean_recording_is_called_so_and_a_flipped_byte_is_found(recording: Path) -> None:
    done = run("audit", str(recording))
    assert done.code == 0, done.out
    assert done.out.splitlines()[-1].startswith("no faults; digest ")
    with (recording / "manifest.jsonl").open("r+b") as manifest:
        manifest.write(b" ")
    assert run("audit", str(recording)).code == 2


def test_what_an_audit_counts_of_a_book_is_in_its_summary_too() -> None:
    lines = run("audit", str(SAMPLES / "rough")).out.splitlines()
    books = [line for line in lines if line.startswith("reference ")]
    assert [line.split("  ")[-1] for line in books] == [
        "1 gap, 1 duplicate",
        "1 failed checksum, 1 crossed book",
    ]
    assert lines[-2:] == [
        "noticed, and no fault: 1 duplicate, 2 stale",
        "5 faults: 1 checksum failed, 1 crossed, 1 disconnected, 1 gap, 1 undecodable",
    ]


@pytest.mark.parametrize(
    "arguments", [("audit", "rough"), ("replay", "calm", "rough"), ("venues",), ("venues", "htx")]
)
def test_on_a_terminal_of_eighty_columns_no_line_is_broken_and_no_word_lost(
    arguments: tuple[str, ...],
) -> None:
    paths = [str(SAMPLES / each) if (SAMPLES / each).is_dir() else each for each in arguments]
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", on_a_terminal(*paths, out=True, columns=80))
    assert max(map(len, shown.splitlines())) <= 80
    told = run(*paths).out.replace(" ", "\n").split()
    varying = re.compile(r"[\d,.]+|\(?[\d,]+$|m?s$")  # how long it took, and in what
    missing = {word for word in told if word not in shown.split() and not varying.match(word)}
    assert not missing


def test_received_is_kept_and_lost(tmp_path: Path) -> None:
    frames = [*simulated_frames(40), *simulated_frames(10, seed=2)]
    loss = marker_payload(Lost(7, 900, START_NS, START_NS, "backpressure"))
    lost = Frame(0, 1, "reference", FrameKind.LOST, START_NS, None, loss)
    frames.insert(20, lost)
    numbered = [msgspec.structs.replace(f, frame_number=n) for n, f in enumerate(frames)]
    record(tmp_path / "night", numbered)
    balance = "7 frames of 57 received, 50 kept"
    scanned = run("info", str(tmp_path / "night"), "--scan")
    assert f"lost         {balance}; of unknown size: 0" in scanned.out
    told = run("info", str(tmp_path / "night"), "--scan", "--json").json
    assert (told["received"], told["kept"], told["lost"]) == (57, 50, 7)
    assert f"lost: {balance}\n" in run("audit", str(tmp_path / "night")).out


def test_info_says_what_a_recording_holds_and_what_was_lost(captured: Path) -> None:
    told = run("info", str(captured), "--json", "--scan").json
    frames = list(Recording.open(captured))
    assert told["frames"] == len(frames) == sum(told["kinds"].values())
    assert told["first"] == utc_text(frames[0].receive_time_ns, 9)
    assert told["payload_bytes"] == sum(len(frame.payload) for frame in frames)
    assert told["lost"] == 0
    assert told["unsealed_journals"] == 0
    assert not told["being_written"]
    lines = run("info", str(captured)).out.splitlines()
    assert lines[0] == str(captured)
    assert re.search(r"^  begun for +reference BTCUSDT ", "\n".join(lines), re.MULTILINE)


def test_a_recording_that_is_being_made_can_be_asked_about(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    with serving("--simulate", "calm", "--speed", "10x") as url:
        capture = subprocess.Popen(
            child_command("cli", "capture", "reference", "BTCUSDT", "--url", url, "-o",
                          str(folder), "--no-engine"),
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert capture.stderr is not None
        capture.stderr.readline()
        told: dict[str, Any] = {"frames": 0}
        while told["frames"] < 50:
            done = run("info", str(folder), "--json")
            told = done.json if done.code == 0 else told
        assert told["being_written"]
        assert told["seconds"] > 0
        assert run("replay", str(folder), "--json").json["frames"] >= 50
        capture.terminate()
        capture.communicate()
    assert capture.returncode == 0


def test_venues_say_what_each_can_prove() -> None:
    told = run("venues", "--json").json["venues"]
    assert told[0]["venue"] == "reference"
    assert [each["venue"] for each in told] == venue_names()
    by_name = {venue["venue"]: venue for venue in told}
    assert by_name["reference"]["checksum_levels"] == 25
    assert by_name["binance-usdm"]["snapshot_source"] == "REST"
    assert all(set(each["stale_limits_s"]) <= set(each["channels"]) for each in told)
    page = run("venues", "bybit-linear").out
    assert "serve --shift-time  moves its times\n" in page
    assert "cannot move them\n" in run("venues", "bitfinex").out
    assert "what this feed cannot reveal:" in page
    assert run("venues", "bybit-linear", "--json").json == by_name["bybit-linear"]


def test_serve_announces_its_address_as_an_object_too() -> None:
    serve = subprocess.Popen(
        child_command("cli", "serve", "--simulate", "calm", "--json"),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert serve.stdout is not None
    announced = ""
    while not announced.endswith("}\n") or announced.count("{") != announced.count("}"):
        announced += serve.stdout.readline()
    serve.terminate()
    out, err = serve.communicate()
    assert out == ""
    assert err.startswith("stopped; 0 messages sent")
    told = msgspec.json.decode(announced)
    assert told["endpoints"] == [{"venue": "reference", "url": told["url"] + "/realtime"}]


def test_an_agents_prints_do_not_spoil_the_one_object(captured: Path, tmp_path: Path) -> None:
    path = tmp_path / "agent.py"
    path.write_text(
        "class Agent:\n    def on_trade(self, trade, market):\n        print('a trade')\n"
    )
    done = run("replay", str(captured), "--agent", f"{path}:Agent", "--json")
    assert done.json["agent_failures"] == 0
    assert "a trade" in done.err


def test_an_import_says_what_it_made(tmp_path: Path) -> None:
    lines = b'1700000000000000000 {"u":1}\n1700000001000000000 {"u":2}\n'
    (tmp_path / "day.gz").write_bytes(gzip.compress(lines))
    arguments = ("import", "day.gz", "--format", "hftbacktest", "--venue", "binance-usdm", "-o")
    done = run(*arguments, "day", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith("day: 2 frames of binance-usdm, 2023-11-14T22:13:20.000Z and 1.0 s")
    assert run(*arguments, "again", "--json", cwd=tmp_path).json["kinds"] == {"text": 2}
    assert run(*arguments, "day", cwd=tmp_path).code == 2


@needs_real_data
def test_a_real_recording_is_imported_replayed_and_clean(tmp_path: Path) -> None:
    folder = str(tmp_path / "usdm")
    source = str(REAL_DATA / "binance" / "usdm_btcusdt_20240808.gz")
    run("import", source, "--format", "hftbacktest", "--venue", "binance-usdm", "-o", folder)
    audited = run("audit", folder, "--json")
    assert audited.code == 0
    (book,) = audited.json["books"]
    assert audited.json["frames"] == 93_954
    assert book["level_updates"] == 443_521
    assert (book["gaps"], book["crossed"], book["bridges_failed"]) == (0, 0, 0)
    assert book["quote_checks"] == book["quote_matches"] > 0
    assert run("replay", folder, "--digest").out.strip() == audited.json["state_digest"]


# Terminals.


def test_errors_are_red_on_a_terminal_unless_colours_are_not_wanted() -> None:
    assert "\x1b[31m" in on_a_terminal("info", "nowhere")
    plain = on_a_terminal("info", "nowhere", env={"NO_COLOR": "1"})
    assert plain.startswith("error: nowhere: no such folder")
    assert "\x1b" not in plain


def test_a_replay_shows_its_progress_on_a_terminal_alone(captured: Path) -> None:
    arguments = ("replay", str(captured), "--speed", "1x")
    assert "%" in on_a_terminal(*arguments)
    assert run(*arguments).err == ""
    assert on_a_terminal(*arguments, "--json") == ""


def test_a_capture_shows_a_status_line_on_a_terminal(tmp_path: Path) -> None:
    with serving("--simulate", "calm", "--speed", "10x") as url:
        shown = on_a_terminal(
            "capture", "reference", "BTCUSDT", "--url", url, "-o", str(tmp_path / "night"),
            "--duration", "2s", columns=200,
        )  # fmt: skip
    pattern = r"00:00:01  [\d,]+ frames/s  lag [\d.]+ ms  queue [\d.]+ k?B  disk [\d.]+ [kM]?B"
    assert re.search(pattern, shown), shown
    assert "books 1 proven  gaps 0  reconnects 0" in shown


@pytest.mark.parametrize("command", [[], ["replay"], ["capture"]])
def test_help_is_help(command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: tickreel")
