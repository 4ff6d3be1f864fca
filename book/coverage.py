"""How long a book was observed, how long it was proven, and when it was not.

Theory. Time runs from the first frame about a book to the last frame of all, in the engine's time,
which never runs back; it stands still while nobody was listening (after we closed the connection
ourselves). A *suspect
window* opens where a proven book loses its proof and closes on the snapshot that restores it. The
time before the first proof is observed, not proven, and is a window too. A window that is closed
by the frame that opened it (a new connection that begins with its snapshot) is none.
"""

from __future__ import annotations

import msgspec

from book.frame_time import FrameTime

NO_CHECKSUM, NO_FRAME_NUMBER = "no checksum", "no frame number"
UNPROVABLE = frozenset({NO_CHECKSUM, NO_FRAME_NUMBER})
"""Why a window opens where nothing is known to be lost, and nothing could show it."""


class SuspectWindow(msgspec.Struct):
    """A bounded time we cannot vouch for. `to_*` are None while it is open."""

    reason: str
    from_frame: int
    from_ns: int
    to_frame: int | None = None
    to_ns: int | None = None


class CoverageParts(msgspec.Struct, frozen=True, array_like=True):
    """A coverage, for a checkpoint; `open_kept` says that the open window is the last kept."""

    since_ns: int | None
    open: SuspectWindow | None
    open_kept: bool
    observed_ns: int
    proven_ns: int
    windows: list[SuspectWindow]
    windows_count: int


class Coverage:
    """Share of the observed time on a proven book."""

    __slots__ = (
        "_open",
        "_since_ns",
        "_time",
        "_windows_max",
        "observed_ns",
        "proven_ns",
        "windows",
        "windows_count",
    )

    def __init__(self, windows_max: int, time: FrameTime) -> None:
        self._time = time
        self._windows_max = windows_max
        self._since_ns: int | None = None
        self._open: SuspectWindow | None = None
        self.observed_ns = 0
        self.proven_ns = 0
        self.windows: list[SuspectWindow] = []
        self.windows_count = 0

    def observe(self, frame_number: int, reason: str) -> None:
        """Begin to observe, without proof yet; does nothing where observation is going on."""
        if self._since_ns is None:
            self._since_ns = self._time.now_ns
            self.doubt(frame_number, reason)

    def advance(self) -> None:
        """Let the time up to now pass."""
        if self._since_ns is None:
            return
        now_ns = self._time.now_ns
        passed_ns = now_ns - self._since_ns
        self.observed_ns += passed_ns
        if self._open is None:
            self.proven_ns += passed_ns
        self._since_ns = now_ns

    def doubt(self, frame_number: int, reason: str) -> None:
        """Open a suspect window, where none is open."""
        self.advance()
        if self._open is not None:
            return
        self._open = SuspectWindow(reason, frame_number, self._time.now_ns)
        self.windows_count += 1
        if len(self.windows) < self._windows_max:
            self.windows.append(self._open)

    def prove(self, frame_number: int) -> None:
        """Close the suspect window, if one is open."""
        self.advance()
        if self._open is not None:
            if self._open.from_frame == frame_number:
                self._retract(self._open)
            else:
                self._open.to_frame, self._open.to_ns = frame_number, self._time.now_ns
            self._open = None

    def _retract(self, window: SuspectWindow) -> None:
        self.windows_count -= 1
        if self.windows and self.windows[-1] is window:
            self.windows.pop()

    def rest(self, frame_number: int) -> None:
        """Stop observing: nobody listens from here on."""
        self.prove(frame_number)
        self._since_ns = None

    @property
    def share(self) -> float | None:
        """Proven time over observed time up to now, for people; None where no time passed."""
        self.advance()
        return self.proven_ns / self.observed_ns if self.observed_ns else None

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        return [self.observed_ns, self.proven_ns, self.windows_count, self.windows]

    def parts(self) -> CoverageParts:
        """Return it, up to now, for a checkpoint."""
        self.advance()
        kept = bool(self.windows) and self.windows[-1] is self._open
        return CoverageParts(
            self._since_ns,
            None if kept else self._open,
            kept,
            self.observed_ns,
            self.proven_ns,
            self.windows,
            self.windows_count,
        )

    def take_parts(self, parts: CoverageParts) -> None:
        """Be what a checkpoint says."""
        self._since_ns = parts.since_ns
        self.windows = list(parts.windows)
        self._open = self.windows[-1] if parts.open_kept and self.windows else parts.open
        self.observed_ns = parts.observed_ns
        self.proven_ns = parts.proven_ns
        self.windows_count = parts.windows_count
