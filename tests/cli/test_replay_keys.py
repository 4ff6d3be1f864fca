"""Keys while a recording plays, typed at a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from book.engine import Engine
from book.finding import FindingKind
from cli.replay_keys import DOWN, RIGHT, UP, next_rate, split_keys
from cli.report_text import digest_text
from replay.checkpoint_index import write_index
from replay.landmark import Landmark, next_landmark
from replay.recording import Recording
from replay.seek import engine_before
from tests.replay.indexed_recording import rough_recording

ROOT = Path(__file__).parents[2]
LIMIT_S = 30.0
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A replay at a pseudo-terminal: what is typed, and all that was shown."""

    def __init__(self, file: int, process: subprocess.Popen[bytes]) -> None:
        self._file = file
        self.process = process
        self.shown = ""

    def type(self, keys: bytes) -> None:
        os.write(self._file, keys)

    def wait_for(self, pattern: str) -> str:
        """Wait until something is shown after what was waited for last; return it."""
        until_s = time.monotonic() + LIMIT_S
        while time.monotonic() < until_s:
            found = re.search(pattern, self.shown)
            if found:
                self.shown = self.shown[found.end() :]
                return found[0]
            if not self._read():
                break
        raise AssertionError(f"{pattern!r} was not shown: {self.shown[-2000:]!r}")

    def _read(self) -> bool:
        if select.select([self._file], [], [], 0.2)[0]:
            try:
                data = os.read(self._file, 65_536)
            except OSError:
                return False
            self.shown += CONTROL.sub("", data.decode())
        return True

    def stop(self) -> str:
        """Break the replay off, and return the digest that it prints."""
        self.process.send_signal(signal.SIGINT)
        digest = self.wait_for(r"digest [0-9a-f]+…[0-9a-f]+")
        self.wait_for("stopped")
        assert self.process.wait(LIMIT_S) == 130
        return digest.removeprefix("digest ")


@contextmanager
def replaying(folder: Path, *options: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 160))
    command = [sys.executable, "-m", "cli", "replay", str(folder), *options]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    before = termios.tcgetattr(theirs)
    try:
        yield Terminal(ours, process)
        assert termios.tcgetattr(theirs)[3] == before[3], "the terminal is as it was"
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = rough_recording(tmp_path_factory.mktemp("keys") / "rough")
    write_index(recording, every=100)
    return recording


def best(engine: Engine) -> str:
    book = next(iter(engine.markets.values())).book
    assert book.best_bid is not None
    assert book.best_ask is not None
    return f"{book.best_bid.price_text} / {book.best_ask.price_text}"


def test_a_paused_replay_goes_to_a_time_shows_the_book_and_steps_frame_by_frame(
    recording: Recording,
) -> None:
    first_ns = recording.first_receive_time_ns
    assert first_ns is not None
    there = engine_before(recording, time_ns=first_ns + 2 * 10**9)
    with replaying(recording.path, "--speed", "1x", "--start-paused") as terminal:
        terminal.wait_for("paused")
        terminal.type(b"/+3x\x7f\x7f2s\r")
        terminal.wait_for(best(there.engine))
        for more in (1, 2):
            terminal.type(b"\x1b[C")
            terminal.wait_for(rf"\b{there.next_frame_number + more} of 1,000 frames ")
        digest = terminal.stop()
    after = engine_before(recording, frame_number=there.next_frame_number + 2)
    assert digest == digest_text(after.engine.state_digest())


def test_a_paused_replay_shows_the_book_of_the_frame_that_was_stepped_to(
    recording: Recording,
) -> None:
    begun = engine_before(recording, frame_number=100)
    steps = next(
        count
        for count in range(1, 200)
        if best(engine_before(recording, frame_number=100 + count).engine) != best(begun.engine)
    )
    after = engine_before(recording, frame_number=100 + steps)
    time_ns = str(next(f for f in recording.frames() if f.frame_number == 100).receive_time_ns)
    with replaying(recording.path, "--speed", "1x", "--start-paused") as terminal:
        terminal.wait_for("paused")
        terminal.type(f"/{time_ns}\r".encode())
        terminal.wait_for(best(begun.engine))
        terminal.type(b"\x1b[C" * steps)
        terminal.wait_for(best(after.engine))
        assert terminal.stop() == digest_text(after.engine.state_digest())


def test_a_playback_that_is_paused_on_its_way_shows_its_book_and_no_longer_once_it_goes_on(
    recording: Recording,
) -> None:
    with replaying(recording.path, "--speed", "0.001x", "--from", "+2s") as terminal:
        terminal.wait_for(r"0\.001x")
        terminal.type(b" ")
        terminal.wait_for(r"paused at 0\.001x +BTCUSDT [\d.]+ / [\d.]+")
        terminal.type(b" ")
        terminal.wait_for(r"0\.001x")
        terminal.stop()


def test_a_time_behind_the_end_is_told_and_the_playback_stays(recording: Recording) -> None:
    with replaying(recording.path, "--speed", "1x", "--start-paused") as terminal:
        terminal.wait_for("paused")
        terminal.type(b"/+10h\r")
        terminal.wait_for("what is played ends at")
        assert terminal.process.poll() is None
        terminal.stop()


@pytest.mark.parametrize(("key", "landmark"), [(b"g", Landmark.GAP), (b"l", Landmark.LIQUIDATION)])
def test_a_key_goes_to_the_next_gap_and_one_to_the_next_liquidation(
    recording: Recording, key: bytes, landmark: Landmark
) -> None:
    begun = engine_before(recording, frame_number=1)
    expected = next_landmark(recording, begun.engine, 1, landmark)
    assert expected is not None
    with replaying(recording.path, "--speed", "1x", "--start-paused") as terminal:
        terminal.wait_for("paused")
        terminal.type(key)
        terminal.wait_for(f"after {landmark} at frame {expected.next_frame_number - 1:,}")
        digest = terminal.stop()
    assert digest == digest_text(expected.engine.state_digest())
    if landmark is Landmark.GAP:
        assert expected.engine.findings.counts[FindingKind.GAP] == 1


def test_speed_pause_and_what_cannot_be_read_are_shown(recording: Recording) -> None:
    with replaying(recording.path, "--speed", "0.001x") as terminal:
        terminal.wait_for(r"0\.001x")
        terminal.type(UP)
        terminal.wait_for(r"0\.002x")
        terminal.type(DOWN + DOWN)
        terminal.wait_for(r"0\.0005x")
        terminal.type(b" ")
        terminal.wait_for(r"paused at 0\.0005x")
        terminal.type(UP)
        terminal.wait_for(r"paused at 0\.001x")
        terminal.type(DOWN)
        terminal.wait_for(r"paused at 0\.0005x")
        terminal.type(b" ")
        terminal.wait_for(r" {2,}0\.0005x")
        terminal.type(b"/noon\r")
        terminal.wait_for("'noon' is no time")
        terminal.type(b"/+1\x1b")
        terminal.wait_for(r"0\.0005x")
        terminal.stop()


def test_without_a_terminal_nothing_can_be_started_paused(recording: Recording) -> None:
    command = [sys.executable, "-m", "cli", "replay", str(recording.path), "--speed", "1x", "-p"]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_the_next_landmark_is_found_alike_with_and_without_an_index(
    recording: Recording, tmp_path: Path
) -> None:
    plain = rough_recording(tmp_path / "plain")
    for landmark in Landmark:
        number, found = 0, []
        while True:
            begun = engine_before(plain, frame_number=number).engine
            slow = next_landmark(plain, begun, number, landmark)
            fast = next_landmark(recording, begun, number, landmark)
            assert (slow is None) == (fast is None)
            if slow is None or fast is None:
                break
            assert slow.next_frame_number == fast.next_frame_number
            assert slow.engine.state_digest() == fast.engine.state_digest()
            number = slow.next_frame_number
            found.append(number)
        assert found


def test_rates_go_up_and_down_a_row_and_stay_at_its_ends() -> None:
    assert next_rate(Fraction(1), faster=True) == 2
    assert next_rate(Fraction(2), faster=True) == 5
    assert next_rate(Fraction(1), faster=False) == Fraction(1, 2)
    assert next_rate(Fraction(3), faster=False) == 2
    assert next_rate(Fraction(1_000_000), faster=True) == 1_000_000
    assert next_rate(Fraction(1, 1_000_000), faster=False) == Fraction(1, 1_000_000)


def test_keys_are_told_apart_however_they_arrive() -> None:
    assert split_keys(b" \x1b[C\x1bOAg") == [b" ", RIGHT, UP, b"g"]
    assert split_keys(b"\x1b") == [b"\x1b"]
