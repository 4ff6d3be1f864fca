"""10,000 damaged inputs of each kind that a recorder reads: an answer to each, never a fault.

The parsers of what exchanges say have theirs in tests/venues/test_fuzz.py; `make soak-change` tries
100,000 of each kind, and the soak a million.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard

from recorder.journal_reader import JournalReader
from recorder.planned_connection import plan_stream
from recorder.stream_settings import read_capture_settings
from tests.recorder.made_frames import made_frames, write_journal
from tests.recorder.test_journal import block_ends
from tests.recorder.test_stream_settings import WHOLE
from tests.soak.damaged_inputs import Damager, folder_files, folder_in_memory, journal, sockets
from tests.venues.test_fuzz import DAMAGES
from venues.registry import venue_named

INPUTS = 10_000
FORGED = 5_000


@pytest.fixture
def place() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder


def test_damaged_journals_are_read_or_refused(place: Path) -> None:
    damager = Damager(11)
    damager.run("journal", *journal(place), INPUTS)
    assert damager.faults == 0


def forged(chance: random.Random, blocks: list[bytes]) -> bytes:
    """Return a journal in which the content of one block is damaged, with checksums that fit."""
    which = chance.randrange(len(blocks))
    altered = chance.choice(DAMAGES)(chance, blocks[which], blocks)
    packer = zstandard.ZstdCompressor(level=1, write_checksum=True)
    contents = [*blocks[:which], altered, *blocks[which + 1 :]]
    return b"".join(packer.compress(content) for content in contents)


def test_forged_journals_never_double_a_frame(place: Path) -> None:
    path, chance = place / "000001.zst", random.Random(12)
    write_journal(path, made_frames(6, payload_bytes=20), block=2)
    whole, ends = path.read_bytes(), block_ends(path)
    unpack = zstandard.ZstdDecompressor().decompress
    blocks = [unpack(whole[begin:end]) for begin, end in pairwise(ends)]
    read = 0
    for _ in range(FORGED):
        path.write_bytes(forged(chance, blocks))
        with JournalReader(path, 0) as reader:
            frames = [frame for item in reader.walk() if isinstance(item, list) for frame in item]
        numbers = [frame.frame_number for frame in frames]
        assert numbers == sorted(set(numbers))
        read += bool(numbers)
    assert 0 < read < FORGED


@pytest.mark.parametrize("name", ["manifest", "recording.json"])
def test_damaged_files_of_a_recording_are_read_or_refused(place: Path, name: str) -> None:
    damager = Damager(13)
    damager.run(name, *folder_files(place)[name], INPUTS)
    assert damager.faults == 0


def test_damaged_settings_can_be_planned_or_are_refused(place: Path) -> None:
    path, damager = place / "night.toml", Damager(14)

    def take(content: bytes) -> None:
        path.write_bytes(content)
        for stream in read_capture_settings(path).stream:
            plan_stream(stream, venue_named)

    wholes = [
        WHOLE.encode(),
        b'[[stream]]\nvenue = "kraken"\nsymbols = ["BTC/USD"]\ndepth = 25\nlines = 2\n',
        b'[[stream]]\nvenue = "okx"\nsymbols = ["BTC-USDT"]\nurl = "ws://[::1]:8/x?y=z"\n',
    ]
    damager.run("settings", wholes, take, INPUTS)
    assert damager.faults == 0


async def test_damaged_bytes_of_a_socket_are_messages_or_end_it() -> None:
    damager = Damager(15)
    await sockets(damager, INPUTS)
    assert damager.faults == 0
