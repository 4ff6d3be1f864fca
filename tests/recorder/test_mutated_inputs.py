"""100,000 damaged inputs of each kind that a recorder reads: an answer to each, never a fault.

The parsers of what exchanges say have theirs in tests/venues/test_fuzz.py.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import zstandard
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from recorder.connection import FrameConnection
from recorder.description import new_description, read_description, write_description
from recorder.journal_reader import JournalReader
from recorder.manifest import append_entry, believable_entries, read_manifest
from recorder.planned_connection import plan_stream
from recorder.recording_folder import RecordingFolder
from recorder.stream_settings import read_capture_settings
from tests.damaged_bytes import DAMAGES
from tests.recorder.made_frames import made_frames, write_journal
from tests.recorder.test_journal import block_ends
from tests.recorder.test_manifest import entry
from tests.recorder.test_stream_settings import WHOLE
from tests.recorder.wire import WEBSOCKET_GUID, wire_frame
from venues.errors import TickreelError
from venues.frame import FrameKind
from venues.registry import venue_named

INPUTS = 100_000
HASH = b'"description_sha256"'
MEMORY_MAX = 512 * 2**20


@contextmanager
def bounded_memory() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY_MAX


def damaged(chance: random.Random, whole: bytes, all_of_it: list[bytes]) -> bytes:
    return chance.choice(DAMAGES)(chance, whole, all_of_it)


def each_damaged(path: Path, whole: list[bytes], seed: int, read: Callable[[], object]) -> None:
    """Read a file after each of many damages; nothing but our errors may come of it."""
    chance = random.Random(seed)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with bounded_memory():
        for _ in range(INPUTS):
            content = damaged(chance, chance.choice(whole), whole)
            # Written over, and not anew: a file that is emptied first costs a disk much more.
            os.pwrite(descriptor, content, 0)
            os.ftruncate(descriptor, len(content))
            with suppress(TickreelError):
                read()
    os.close(descriptor)


def repacked(chance: random.Random, blocks: list[bytes]) -> bytes:
    """Return a journal of which the content of one block is damaged, with checksums that fit."""
    contents = list(blocks)
    which = chance.randrange(len(contents))
    contents[which] = damaged(chance, contents[which], blocks)
    packer = zstandard.ZstdCompressor(level=1, write_checksum=True)
    return b"".join(packer.compress(content) for content in contents)


def test_damaged_journals_are_read_as_far_as_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    frames = made_frames(6, payload_bytes=20)
    write_journal(path, frames, block=2)
    whole, ends = path.read_bytes(), block_ends(path)
    unpack = zstandard.ZstdDecompressor().decompress
    blocks = [unpack(whole[a:b]) for a, b in pairwise(ends)]
    chance = random.Random(11)
    forged = [repacked(chance, blocks) for _ in range(INPUTS // 20)]
    turn = 0

    def read() -> None:
        nonlocal turn
        turn += 1
        with JournalReader(path, 0) as reader:
            blocks_read = [item for item in reader.walk() if isinstance(item, list)]
        numbers = [frame.frame_number for block in blocks_read for frame in block]
        assert numbers == sorted(set(numbers))

    each_damaged(path, [whole, *forged], 12, read)
    assert turn == INPUTS


def test_damaged_manifests_are_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    for number in range(1, 4):
        append_entry(path, entry(number))
    known = {entry(number) for number in range(1, 4)}

    def read() -> None:
        assert set(believable_entries(path)) <= known
        assert set(read_manifest(path).entries) <= known

    each_damaged(path, [path.read_bytes()], 13, read)


def test_damaged_descriptions_are_refused(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    described = new_description({"streams": [{"venue": "reference"}]}, "system")
    write_description(folder, described)

    def read() -> None:
        # Without its hash it is one of before there was any.
        assert read_description(folder) == described or HASH not in folder.description.read_bytes()

    each_damaged(folder.description, [folder.description.read_bytes()], 14, read)


def test_damaged_settings_are_answered_by_a_sentence_or_can_be_planned(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    private = b'[[stream]]\nvenue = "kraken"\nsymbols = ["BTC/USD"]\ndepth = 25\nlines = 2\n'
    public = b'[[stream]]\nvenue = "okx"\nsymbols = ["BTC-USDT"]\nurl = "ws://[::1]:8/x?y=z"\n'

    def read() -> None:
        for stream in read_capture_settings(path).stream:
            plan_stream(stream, venue_named)

    each_damaged(path, [WHOLE.encode(), private, public], 15, read)


class Wire(asyncio.Transport):
    """Where nothing arrives: it takes what is sent, and can be aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def write_eof(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return len(self.sent)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.ended

    def abort(self) -> None:
        self.ended = True

    close = abort


class Heard:
    """A listener that keeps what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.payload_bytes = 0

    def opened(self, at: tuple[int, int]) -> None:
        self.told.append("opened")

    def message(self, kind: FrameKind, wall_ns: int, steady_ns: int, payload: bytes) -> None:
        self.told.append("message")
        self.payload_bytes += len(payload)

    def oversize(self, size: int | None, limit: str, at: tuple[int, int]) -> None:
        self.told.append("oversize")

    def closed(self, code: int | None, reason: str, *, by_us: bool) -> None:
        self.told.append("closed")


def hear(content: bytes, cuts: list[int]) -> Heard:
    """Let a connection have bytes in pieces, right behind its handshake, and then lose it."""
    heard, wire = Heard(), Wire()
    protocol = ClientProtocol(parse_uri("ws://exchange.example/"), max_size=1_000)
    connection = FrameConnection(protocol, listener=heard, clock=lambda: (1, 1), ping_interval=None)
    connection.connection_made(wire)
    request = protocol.connect()
    accept = hashlib.sha1(request.headers["Sec-WebSocket-Key"].encode() + WEBSOCKET_GUID).digest()
    connection.request = request
    protocol.send_request(request)
    connection.data_received(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n"
    )
    for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        if not wire.ended:
            connection.data_received(content[begin:end])
    connection.connection_lost(None)
    return heard


async def test_damaged_frames_of_the_wire_end_a_connection_or_are_messages() -> None:
    texts = [b"hello", b"x" * 125, b"y" * 126, b"", bytes(range(256)), b"z" * 900]
    whole = [wire_frame(1 + number % 2, text) for number, text in enumerate(texts)]
    whole.append(wire_frame(1, b"two", fin=False) + wire_frame(9, b"?") + wire_frame(0, b" parts"))
    whole += [wire_frame(8, b"\x03\xe8bye"), wire_frame(10, b"pong"), wire_frame(9, b"p" * 125)]
    chance = random.Random(16)
    with bounded_memory():
        for number in range(INPUTS):
            content = b"".join(chance.choices(whole, k=chance.randint(1, 3)))
            content = damaged(chance, content, whole)
            cuts = sorted(chance.randrange(len(content) + 1) for _ in range(number % 3))
            heard = hear(content, cuts)
            assert heard.told[0] == "opened"
            assert heard.told[-1] == "closed"
            assert not {"opened", "closed"} & set(heard.told[1:-1])
            assert heard.told.count("oversize") <= 1
            assert heard.payload_bytes <= len(content)
            if number % 1_000 == 0:
                await asyncio.sleep(0)
