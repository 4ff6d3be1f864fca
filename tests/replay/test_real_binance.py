"""The real Binance recordings, imported and replayed, against a plain reading of the same lines."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice, pairwise
from pathlib import Path

import pytest

from book.engine import Engine
from replay.audit import audit
from replay.audit_report import AuditReport
from replay.import_recording import ImportReport, import_recording
from replay.player import Player
from replay.recording import Recording
from replay.virtual_clock import VirtualClock
from tests.real_data import REAL_DATA, needs_real_data
from tests.replay.clocks import SteppingClock
from tests.replay.plain_binance import PlainBook, read_plainly
from venues.frame import Frame, FrameKind
from venues.marker import read_http

pytestmark = needs_real_data

VENUES = {
    "binance-spot": "spot_btcusdt_20240808.gz",
    "binance-usdm": "usdm_btcusdt_20240808.gz",
    "binance-coinm": "coinm_btcusd_perp_20240808.gz",
}
every_venue = pytest.mark.parametrize("venue", VENUES)
SECOND_NS = 10**9


def source_file(venue: str) -> Path:
    return REAL_DATA / "binance" / VENUES[venue]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ImportReport]:
    folder = tmp_path_factory.mktemp("binance")
    return {
        venue: import_recording([source_file(venue)], "hftbacktest", venue, folder / venue)
        for venue in VENUES
    }


@pytest.fixture(scope="module")
def recordings(reports: dict[str, ImportReport]) -> dict[str, Recording]:
    return {venue: Recording.open(report.folder) for venue, report in reports.items()}


@pytest.fixture(scope="module")
def audits(recordings: dict[str, Recording]) -> dict[str, AuditReport]:
    return {venue: audit(recording) for venue, recording in recordings.items()}


@pytest.fixture(scope="module")
def plain() -> dict[str, PlainBook]:
    return {venue: read_plainly(source_file(venue)) for venue in VENUES}


def digest_of(frames: Iterable[Frame]) -> str:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine.state_digest()


@every_venue
def test_the_recording_is_the_lines_byte_for_byte(
    reports: dict[str, ImportReport], recordings: dict[str, Recording], venue: str
) -> None:
    with gzip.open(source_file(venue)) as file:
        for line, frame in zip(file, recordings[venue].frames(), strict=True):
            time_text, payload = line.rstrip(b"\n").split(b" ", 1)
            assert frame.receive_time_ns == int(time_text)
            told = read_http(frame)[1] if frame.kind is FrameKind.HTTP else frame.payload
            assert told == payload
    assert reports[venue].kinds[FrameKind.HTTP] == 1
    assert reports[venue].notes == ()


@every_venue
def test_the_audit_finds_what_a_plain_reading_finds(
    audits: dict[str, AuditReport], plain: dict[str, PlainBook], venue: str
) -> None:
    report, expected = audits[venue], plain[venue]
    (book,) = report.books
    assert report.frames == expected.lines
    assert (book.snapshots, book.deltas) == (1, expected.deltas)
    assert book.level_updates == expected.level_updates
    assert [book.best_bid, book.best_ask] == expected.best()
    assert (book.bid_levels, book.ask_levels) == (len(expected.bids), len(expected.asks))
    assert [row.rows for row in report.trades] == [expected.trades]
    assert [row.rows for row in report.quotes] == [expected.quotes]
    assert report.liquidations == []


@every_venue
def test_no_gap_no_crossed_book_no_failed_bridge_and_every_quote_matches(
    audits: dict[str, AuditReport], plain: dict[str, PlainBook], venue: str
) -> None:
    report, expected = audits[venue], plain[venue]
    (book,) = report.books
    assert expected.quote_checks > 500
    assert expected.contradicted == 0
    assert book.quote_checks == book.quote_matches == expected.quote_checks
    assert (book.gaps, book.crossed, book.bridges, book.bridges_failed) == (0, 0, 1, 0)
    assert all(later == earlier + 1 for earlier, later in pairwise(expected.trade_ids))
    assert report.trade_holes == []
    assert report.undecodable == 0
    assert report.faults == {}
    assert report.clean
    assert report.integrity is not None
    assert report.integrity.segments_whole == report.integrity.segments


@every_venue
def test_the_recorders_clock_was_behind_the_exchanges_and_that_is_told(
    audits: dict[str, AuditReport], venue: str
) -> None:
    offsets = {offset.channel: offset for offset in audits[venue].clock.offsets}
    book = offsets["book"]
    assert book.min_ns is not None
    assert book.max_ns is not None
    assert -1.28 * SECOND_NS < book.min_ns < book.max_ns < -1.21 * SECOND_NS
    assert any("clock was behind" in note for note in audits[venue].notes)


@pytest.mark.parametrize("speed", ["0.25x", "1x", "2/3x", "10x", "1000000x"])
def test_every_speed_gives_one_digest(
    recordings: dict[str, Recording], audits: dict[str, AuditReport], speed: str
) -> None:
    steady = SteppingClock()
    player = Player(recordings["binance-spot"], speed, clock=VirtualClock(steady=steady))
    assert digest_of(player) == audits["binance-spot"].state_digest
    recording = recordings["binance-spot"]
    assert player.speed is not None
    assert recording.first_receive_time_ns is not None
    assert recording.last_receive_time_ns is not None
    length_ns = recording.last_receive_time_ns - recording.first_receive_time_ns
    assert abs(steady.slept_ns - length_ns / player.speed) < 1


async def test_real_time_and_asynchronous_playback_give_the_digest_of_max(
    recordings: dict[str, Recording],
) -> None:
    recording = recordings["binance-spot"]
    first_ns = recording.first_receive_time_ns
    assert first_ns is not None
    to_ns = first_ns + 10 * SECOND_NS
    expected = digest_of(Player(recording, "max", to_ns=to_ns))
    assert digest_of(Player(recording, "20x", to_ns=to_ns)) == expected
    for speed in ("20x", "max"):
        engine = Engine()
        async for frame in Player(recording, speed, to_ns=to_ns):
            await engine.apply_async(frame)
        assert engine.state_digest() == expected


@pytest.mark.parametrize(
    ("hash_seed", "time_zone"), [("1", "Pacific/Kiritimati"), ("4294967295", "America/St_Johns")]
)
def test_another_hash_seed_and_time_zone_give_one_digest(
    recordings: dict[str, Recording],
    audits: dict[str, AuditReport],
    hash_seed: str,
    time_zone: str,
) -> None:
    script = (
        "import sys\n"
        "from replay.audit import audit\n"
        "from replay.recording import Recording\n"
        "print(audit(Recording.open(sys.argv[1])).state_digest)\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": time_zone}
    done = subprocess.run(
        [sys.executable, "-c", script, str(recordings["binance-spot"].path)],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == audits["binance-spot"].state_digest


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 1), (1_000, 1_001), (500, 40_000)])
def test_a_time_range_is_half_open_at_the_very_nanosecond(
    recordings: dict[str, Recording], first: int, last: int
) -> None:
    recording = recordings["binance-spot"]
    frames = list(recording.frames())
    from_ns, to_ns = frames[first].receive_time_ns, frames[last].receive_time_ns
    expected = [frame for frame in frames if from_ns <= frame.receive_time_ns < to_ns]
    assert list(Player(recording, from_ns=from_ns, to_ns=to_ns)) == expected
    beyond = [frame for frame in frames if from_ns + 1 <= frame.receive_time_ns < to_ns + 1]
    assert list(Player(recording, from_ns=from_ns + 1, to_ns=to_ns + 1)) == beyond


def test_two_recordings_play_as_one_in_time_order_and_change_nothing(
    recordings: dict[str, Recording], audits: dict[str, AuditReport]
) -> None:
    parts = [recordings["binance-spot"], recordings["binance-coinm"]]
    engine, last_ns = Engine(), 0
    for number, frame in enumerate(Player(parts)):
        assert frame.frame_number == number
        assert frame.receive_time_ns >= last_ns
        last_ns = frame.receive_time_ns
        engine.apply(frame)
    assert engine.frames == sum(part.frame_count for part in parts)
    for market in engine.markets.values():
        (alone,) = audits[market.venue].books
        assert market.book.best_bid is not None
        assert (market.book.best_bid.price_text, market.book.best_bid.size_text) == alone.best_bid
        assert market.counters.quote_matches == alone.quote_matches
    assert len(engine.connections) == 2


def test_a_file_a_day_is_one_recording_again(tmp_path: Path, plain: dict[str, PlainBook]) -> None:
    lines = gzip.decompress(source_file("binance-spot").read_bytes()).splitlines(keepends=True)
    days = [tmp_path / "today.gz", tmp_path / "yesterday"]
    days[0].write_bytes(gzip.compress(b"".join(lines[20_000:]), compresslevel=1))
    days[1].write_bytes(b"".join(lines[:20_000]))
    report = import_recording(days, "hftbacktest", "binance-spot", tmp_path / "recording")
    assert report.frames == len(lines)
    judged = audit(Recording.open(report.folder))
    assert judged.clean
    assert judged.connections == 1
    assert [judged.books[0].best_bid, judged.books[0].best_ask] == plain["binance-spot"].best()


def test_a_missing_line_is_noticed(tmp_path: Path) -> None:
    lines = gzip.decompress(source_file("binance-usdm").read_bytes()).splitlines(keepends=True)
    depth = [at for at, line in enumerate(lines) if b"@depth" in line]
    taken = depth[200]
    source = tmp_path / "lines"
    source.write_bytes(b"".join(islice(lines, 10_000)).replace(lines[taken], b""))
    import_recording([source], "hftbacktest", "binance-usdm", tmp_path / "recording")
    report = audit(Recording.open(tmp_path / "recording"))
    assert report.faults == {"gap": 1, "unresolved book": 1}
    (gap,) = [finding for finding in report.findings if finding.kind == "gap"]
    assert gap.frame == depth[201] - 1
