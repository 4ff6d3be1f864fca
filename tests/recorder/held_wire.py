"""What makes two things happen at once: bytes held back until the test lets them go."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from recorder.connection import FrameConnection
from recorder.recorder import Recorder
from tests.recorder.test_succession import changes
from venues.frame import Frame


class Changes:
    """A sink that knows which changes of lines were recorded so far."""

    def __init__(self, recorder: Recorder) -> None:
        self.seen: list[str] = []
        recorder.add_sink(self)

    def accept(self, frames: Sequence[Frame]) -> None:
        self.seen += changes(list(frames))


class HeldWire:
    """Holds back all that comes on some connections, counted from 1, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *numbers: int) -> None:
        self._receive = FrameConnection.data_received
        self._numbers = set(numbers)
        self._held: list[tuple[FrameConnection, bytes]] = []
        self.connections: list[FrameConnection] = []
        monkeypatch.setattr(
            FrameConnection, "data_received", lambda connection, data: self._take(connection, data)
        )

    @property
    def holds(self) -> list[FrameConnection]:
        return list(dict.fromkeys(connection for connection, _ in self._held))

    @property
    def held(self) -> bytes:
        return b"".join(data for _, data in self._held)

    def let_go(self) -> None:
        self._numbers.clear()
        held, self._held = self._held, []
        for connection, data in held:
            self._receive(connection, data)

    def _take(self, connection: FrameConnection, data: bytes) -> None:
        if connection not in self.connections:
            self.connections.append(connection)
        if self.connections.index(connection) + 1 in self._numbers:
            self._held.append((connection, data))
        else:
            self._receive(connection, data)
