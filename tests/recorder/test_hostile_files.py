"""Files that ask for more than they are: a typed error, in bounded memory and time.

Each is read in a process of its own that may have 512 MiB of address space beyond what it takes to
start, and few seconds of processor time: one that asks for more is killed by the kernel, and fails.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import zstandard

from recorder.manifest import read_manifest, rewrite_manifest
from tests.recorder.made_frames import made_frames, record
from tests.recorder.test_segment import VENUE, hostile_table, parquet

ROOT = Path(__file__).parents[2]
MAGIC = b"\x28\xb5\x2f\xfd"

READ = textwrap.dedent(
    """
    import resource, sys
    from pathlib import Path

    import pyarrow.parquet
    import recorder.recovery, recorder.segment_file
    from recorder.recording_folder import RecordingFolder
    from replay.recording import Recording
    from venues.errors import TickreelError
    from venues.frame import FrameKind

    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + (512 << 20), taken + (512 << 20)))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + 2 * len(sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for folder in sys.argv[1:]:
        said = []
        try:
            recording = Recording.open(folder)
            kinds = [frame.kind for frame in recording.frames(skip_damaged=True)]
            said += ["lost" if FrameKind.LOST in kinds else "whole", str(len(kinds))]
            list(recording.frames())
        except TickreelError as error:
            said.append(type(error).__name__)
        print(*said)
    """
)


def read(*folders: Path) -> list[str]:
    """Return a line for each: what can be read around the damage, and the error of who does not."""
    done = subprocess.run(
        [sys.executable, "-c", READ, *map(str, folders)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()


def forged(content_bytes: int) -> bytes:
    """A zstd frame that claims so many bytes: single segment, size in 8 bytes, with a checksum."""
    return MAGIC + bytes([0xE4]) + content_bytes.to_bytes(8, "little") + b"\x01\x00\x00" + bytes(4)


def bomb() -> bytes:
    compressor = zstandard.ZstdCompressor(write_checksum=True, write_content_size=True)
    return compressor.compress(bytes(256 << 20))


def nested() -> bytes:
    """A whole block that closes a journal, and goes on a million levels deep."""
    block = b"\x94\xa6closed\xc4\x0812345678\x01" + b"\x91" * 1_000_000
    return zstandard.ZstdCompressor(write_checksum=True).compress(block)


def wide_window() -> bytes:
    """A frame that wants a window of 2 GiB."""
    return MAGIC + bytes([0x84, (31 - 10) << 3]) + (100).to_bytes(4, "little") + bytes(100)


def test_a_journal_that_claims_too_much_costs_nothing(tmp_path: Path) -> None:
    contents = {
        "1 TiB": forged(1 << 40),
        "16 EiB": forged((1 << 64) - 1),
        "again and again": forged(1 << 40) * 20_000,
        "256 MiB of zeros": bomb(),
        "window": wide_window(),
        "nested": nested(),
        "magic numbers": (MAGIC + bytes(20)) * 100_000,
    }
    for name, content in contents.items():
        record(tmp_path / name, made_frames(10))
        (tmp_path / name / "journal" / "000002.zst").write_bytes(content)
    said = read(*(tmp_path / name for name in contents))
    assert said == ["lost 11 DamagedJournalError"] * len(contents)


def test_files_of_garbage_are_errors(tmp_path: Path) -> None:
    garbage = (
        *(b"[" * 1_000_000, b'{"path":"' + b"a" * 10_000_000, b"\n" * 1_000_000),
        b'{"a":' + b"[" * 1_000_000,
    )
    expected: dict[Path, str] = {}
    for name, said in (
        ("removals.jsonl", "whole 10"),
        ("receipts.jsonl", "whole 10"),
        ("uploads.jsonl", "whole 10"),
        ("manifest.jsonl", "DamagedManifestError"),
        ("recording.json", "DamagedDescriptionError"),
    ):
        for number, content in enumerate(garbage):
            folder = tmp_path / f"{name}{number}"
            record(folder, made_frames(10))
            (folder / name).write_bytes(content + b"\n")
            expected[folder] = said
    assert read(*expected) == list(expected.values())


def test_a_parquet_bomb_is_stepped_over(tmp_path: Path) -> None:
    """The manifest vouches for it: its hashes are right, as whoever made the recording made it."""
    tables: dict[str, tuple[pa.Table, Any]] = {
        "rows": (hostile_table(200_000, b""), False),
        "bytes": (hostile_table(120, bytes(1 << 20)), False),
        "dictionary": (hostile_table(16_000, bytes(8_000)), ["payload"]),
        "something else": (pa.table({"a": [1]}), False),
    }
    for name, (table, dictionary) in tables.items():
        record(tmp_path / name, made_frames(10, venues=(VENUE,)))
        (path,) = (tmp_path / name).glob("frames/*/*/*.parquet")
        parquet(path, table, use_dictionary=dictionary)
        vouch_for(tmp_path / name, path.read_bytes())
    said = read(*(tmp_path / name for name in tables))
    assert said == ["lost 1 DamagedSegmentError"] * len(tables)


def vouch_for(folder: Path, content: bytes) -> None:
    (entry,) = read_manifest(folder / "manifest.jsonl").entries
    footer_bytes = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - footer_bytes : -8]
    forged_entry = msgspec.structs.replace(
        entry,
        footer_bytes=footer_bytes,
        footer_sha256=hashlib.sha256(footer).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
        file_bytes=len(content),
    )
    rewrite_manifest(folder / "manifest.jsonl", [forged_entry])
