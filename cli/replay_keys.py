"""Keys while a recording plays in a terminal, as `ros2 bag play` has them.

    space        pause, go on            g    go to the next gap or loss
    right arrow  next frame (paused)     l    go to the next liquidation
    up, down     faster, slower          /    go to a time; Enter goes, Escape does not

A thread of its own reads the keys, so that none is waited for. The terminal hands them out one by
one while that goes on, and is as it was afterwards, however the playback ends. Ctrl-C is the
terminal's, as always.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from replay.landmark import Landmark
from replay.speed import RATE_MAX, RATE_MIN, speed_text
from replay.virtual_clock import VirtualClock
from replay.written_time import read_recording_time, utc_text

if TYPE_CHECKING:
    from cli.replay_playback import Playback

LOOK_S = 0.1
RIGHT, UP, DOWN = b"\x1b[C", b"\x1b[A", b"\x1b[B"
_APPLICATION = {b"\x1bOC": RIGHT, b"\x1bOA": UP, b"\x1bOB": DOWN}
ESCAPE, ENTERS, ERASERS = b"\x1b", (b"\r", b"\n"), (b"\x7f", b"\x08")
STEPS = (Fraction(1), Fraction(2), Fraction(5))
_TIME_CHARACTERS_MAX = 40


def next_rate(rate: Fraction, *, faster: bool) -> Fraction:
    """Return the next rate of the row ... 0.5, 1, 2, 5, 10, 20 ... above or below."""
    rates = sorted(step * Fraction(10) ** power for power in range(-6, 7) for step in STEPS)
    if faster:
        return min((each for each in rates if rate < each <= RATE_MAX), default=rate)
    return max((each for each in rates if RATE_MIN <= each < rate), default=rate)


class ReplayKeys:
    """Leads a playback by keys, from `__enter__` to `__exit__`.

    `prompt` is what has been typed after `/`, None while nothing is asked for.
    """

    def __init__(
        self, playback: Playback, clock: VirtualClock, first_ns: int, last_ns: int
    ) -> None:
        self.prompt: str | None = None
        self._playback = playback
        self._clock = clock
        self._first_ns = first_ns
        self._last_ns = last_ns
        self._file = sys.stdin.fileno()
        self._before: list[Any] = []
        self._ended = threading.Event()
        self._looking = False
        self._thread = threading.Thread(target=self._read, name="tickreel keys", daemon=True)

    def __enter__(self) -> ReplayKeys:
        self._before = termios.tcgetattr(self._file)
        tty.setcbreak(self._file)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

    @property
    def status(self) -> str:
        """What the keys have made of the playback, in a word; or what is being asked."""
        if self.prompt is not None:
            return f"go to: {self.prompt}_"
        speed = speed_text(self._clock.rate)
        pace = f"paused at {speed}" if self._clock.paused else speed
        said = [pace, self._playback.message, self._playback.books if self._clock.paused else ""]
        return "  ".join(each for each in said if each)

    def _read(self) -> None:
        while not self._ended.is_set():
            if not select.select([self._file], [], [], LOOK_S)[0]:
                continue
            typed = os.read(self._file, 64)
            if not typed:
                return
            for key in split_keys(typed):
                self.take(key)

    def take(self, key: bytes) -> None:
        """Do what a key says; one that says nothing does nothing."""
        self._looking = False
        if self.prompt is not None:
            self._type(key)
        elif key == b" ":
            if self._clock.paused:
                self._clock.resume()
            else:
                self._playback.pause()
            self._playback.message = ""
        elif key == RIGHT:
            self._playback.message = ""
            self._playback.player.step()
        elif key in (UP, DOWN):
            self._clock.set_rate(next_rate(self._clock.rate, faster=key == UP))
        elif key in (b"g", b"l"):
            self._looking = True
            landmark = Landmark.GAP if key == b"g" else Landmark.LIQUIDATION
            self._playback.go_to_landmark(landmark, lambda: not self._looking)
        elif key == b"/":
            self.prompt = ""

    def _type(self, key: bytes) -> None:
        assert self.prompt is not None
        if key in ENTERS:
            self._go(self.prompt)
            self.prompt = None
        elif key == ESCAPE:
            self.prompt = None
        elif key in ERASERS:
            self.prompt = self.prompt[:-1]
        elif len(key) == 1 and key.isascii() and key.decode().isprintable():
            self.prompt = (self.prompt + key.decode())[:_TIME_CHARACTERS_MAX]

    def _go(self, text: str) -> None:
        try:
            time_ns = read_recording_time(text).resolve(self._first_ns)
        except ValueError:
            self._playback.message = f"{text!r} is no time: write 02:14:00 or +90s, or a whole one"
            return
        if time_ns > self._last_ns:
            self._playback.message = f"what is played ends at {utc_text(self._last_ns)}"
            return
        self._playback.message = ""
        self._playback.go_to_time(time_ns)


def split_keys(typed: bytes) -> list[bytes]:
    """Return the keys in what a terminal sent: bytes, but for what begins with an escape."""
    keys: list[bytes] = []
    while typed:
        length = 3 if typed[:2] in (b"\x1b[", b"\x1bO") else 1
        key, typed = typed[:length], typed[length:]
        keys.append(_APPLICATION.get(key, key))
    return keys
