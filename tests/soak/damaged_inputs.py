"""Damaged inputs by the million: `python -m tests.soak.damaged_inputs --each 1000000`.

Journals, manifests, `recording.json`, settings files and WebSocket bytes, each damaged in the ways
that break parsers: read, or refused with one of our own errors, and never anything else; none takes
a second of the processor, and memory stays small. `--messages` damages the messages of every venue
too, so many of each.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri
from websockets.utils import accept_key

from recorder.connection import FrameConnection
from recorder.description import read_description
from recorder.journal_reader import JournalReader
from recorder.manifest import read_manifest
from recorder.recording_folder import RecordingFolder
from recorder.stream_settings import read_capture_settings
from tests.recorder.made_frames import made_frames, record, write_journal
from tests.recorder.wire import wire_frame
from tests.venues.sample_frames import ALL_NAMES
from tests.venues.test_fuzz import BATCH, DAMAGES, try_batch
from venues.errors import TickreelError
from venues.frame import FrameKind

TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 512
EACH_CONNECTION = 50

SETTINGS = b"""
[recording]
folder = "night"
rotate_bytes = 67108864
rotate_interval_s = 3600.0
keep = ["30d", "500GB"]

[engine]
tape_window_s = 30
cascade_notional = 200_000

[[stream]]
venue = "bybit-linear"
symbols = ["BTCUSDT", "ETHUSDT"]
channels = ["book", "trades"]
lines = 2
"""

Take = Callable[[bytes], None]
MEMORY = Path("/dev/shm")


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Lend a folder in memory, where there is any: a disk takes a millisecond for each file."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


class Damager:
    """Gives damaged inputs to whoever takes them, and watches the clock."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.faults = 0
        self.slowest_s = 0.0

    def run(self, name: str, wholes: Sequence[bytes], take: Take, count: int) -> None:
        """Damage `count` times, and say how it went."""
        begun_s, refused, slowest_s = time.monotonic(), 0, 0.0
        for _ in range(count):
            damage = self.chance.choice(DAMAGES)
            content = damage(self.chance, self.chance.choice(wholes), wholes)
            before_s = time.process_time()
            try:
                take(content)
            except TickreelError:
                refused += 1
            except Exception as fault:  # noqa: BLE001 - what is looked for, told of and counted
                self.faults += 1
                print(f"{name}: {fault!r} of {content[:100]!r}", flush=True)
            slowest_s = max(slowest_s, time.process_time() - before_s)
        self.slowest_s = max(self.slowest_s, slowest_s)
        print(
            f"{name}: {count:,} damaged, {refused:,} refused, {self.faults} faults so far, the "
            f"slowest {slowest_s * 1e3:.0f} ms, {time.monotonic() - begun_s:.0f} s",
            flush=True,
        )


def journal(place: Path) -> tuple[list[bytes], Take]:
    """Return whole journals, and what reads a damaged one."""
    path, wholes = place / "000001.zst", []
    for seed in range(4):
        write_journal(path, made_frames(12, seed=seed, payload_bytes=40), block=4)
        wholes.append(path.read_bytes())
        path.unlink()

    def take(content: bytes) -> None:
        path.write_bytes(content)
        with JournalReader(path, 0) as reader:
            for _ in reader.walk():
                pass

    return wholes, take


def folder_files(place: Path) -> dict[str, tuple[list[bytes], Take]]:
    """Return the same for the two files that say what a recording is."""
    folder = place / "night"
    record(folder, made_frames(40), rotate_every=10)
    manifest, description = folder / "manifest.jsonl", folder / "recording.json"
    whole = [manifest.read_bytes()], [description.read_bytes()]

    def take_manifest(content: bytes) -> None:
        manifest.write_bytes(content)
        read_manifest(manifest)

    def take_description(content: bytes) -> None:
        description.write_bytes(content)
        read_description(RecordingFolder(folder))

    return {
        "manifest": (whole[0], take_manifest),
        "recording.json": (whole[1], take_description),
    }


def settings_file(place: Path) -> tuple[list[bytes], Take]:
    """Return the same for the settings of a capture."""
    path = place / "night.toml"

    def take(content: bytes) -> None:
        path.write_bytes(content)
        read_capture_settings(path)

    return [SETTINGS], take


class Heard:
    """A listener that keeps nothing."""

    def opened(self, at: tuple[int, int]) -> None: ...

    def message(self, kind: FrameKind, wall_ns: int, steady_ns: int, payload: bytes) -> None: ...

    def oversize(self, size: int | None, limit: str, at: tuple[int, int]) -> None: ...

    def closed(self, code: int | None, reason: str, *, by_us: bool) -> None: ...


class Nowhere(asyncio.Transport):
    """A transport with nobody at its other end."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False

    def write(self, data: Any) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.gone

    def abort(self) -> None:
        self.gone = True

    def close(self) -> None:
        self.gone = True


class Socket:
    """A connection after its handshake; a new one after each that came to an end, or a few."""

    def __init__(self) -> None:
        self._taken = EACH_CONNECTION
        self._connection: FrameConnection | None = None

    def take(self, content: bytes) -> None:
        """Receive bytes."""
        if self._connection is None or self._taken >= EACH_CONNECTION:
            self._taken, self._connection = 0, self._open()
        self._taken += 1
        self._connection.data_received(content)
        if self._connection.transport.is_closing() or self._connection.protocol.parser_exc:
            self._connection = None

    def _open(self) -> FrameConnection:
        protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=1 << 20)
        connection = FrameConnection(
            protocol,
            listener=Heard(),
            clock=lambda: (time.time_ns(), time.monotonic_ns()),
        )
        connection.connection_made(Nowhere())
        request = protocol.connect()
        protocol.send_request(request)
        accept = accept_key(request.headers["Sec-WebSocket-Key"])
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        connection.data_received(f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        assert protocol.state is OPEN
        return connection


def wire_bytes() -> list[bytes]:
    """Return frames of all kinds and lengths, in pieces and whole."""
    parts = [
        wire_frame(0x1, b'{"topic":"publicTrade.BTCUSDT","data":[{"p":"1","v":"2"}]}'),
        wire_frame(0x1, b"x" * 300),
        wire_frame(0x2, bytes(range(256)) * 4),
        wire_frame(0x1, b"one ", fin=False) + wire_frame(0x0, b"two ", fin=False),
        wire_frame(0x0, b"three"),
        wire_frame(0x9, b"ping") + wire_frame(0xA, b"pong"),
        wire_frame(0x8, b"\x03\xe8bye"),
    ]
    return [*parts, b"".join(parts), b"".join(parts[:3]) * 3]


async def sockets(damager: Damager, count: int) -> None:
    """Damage what a socket brings; now and then the loop gets a turn."""
    socket, wholes, done = Socket(), wire_bytes(), 0
    while done < count:
        turn = min(count - done, 100_000)
        damager.run("WebSocket bytes", wholes, socket.take, turn)
        await asyncio.sleep(0)
        done += turn


def messages(count: int, seed: int) -> None:
    """Damage messages of every venue; what is no finding ends the run with its traceback."""
    for name in ALL_NAMES:
        begun_s = time.monotonic()
        for batch in range(0, count, BATCH):
            try_batch(name, seed * 1_000_003 + batch, BATCH)
        print(f"{name}: {count:,} messages, {time.monotonic() - begun_s:.0f} s", flush=True)


def main() -> int:
    """Damage; 0 when nothing but readings and refusals came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=1_000_000, help="of each kind of input")
    parser.add_argument("--messages", type=int, default=0, help="of each venue")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    damager = Damager(options.seed)
    with folder_in_memory() as place:
        inputs = {
            "journal": journal(place),
            **folder_files(place),
            "settings": settings_file(place),
        }
        for name, (wholes, take) in inputs.items():
            damager.run(name, wholes, take, options.each)
        asyncio.run(sockets(damager, options.each))
        messages(options.messages, options.seed)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{damager.faults} faults, peak {peak_mb:.0f} MB, seed {options.seed}")
    fast = damager.slowest_s < TIME_LIMIT_S
    return 0 if not damager.faults and fast and peak_mb < MEMORY_LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
