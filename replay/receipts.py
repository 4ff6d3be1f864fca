"""What the live engine's state was, every so many frames, for a replay to reproduce.

Theory. The engine beside a capture writes a receipt after every `EVERY_FRAMES` frames, and one at
its end: the digest of its state, and the state itself as a checkpoint, so that a replay that comes
to another state can say where they part. Receipts are no part of the recording's frames: they come
later than those, from another process, and are lost at worst in a crash, with no frame.

A capture may be continued. Its engine then begins with nothing, so that each receipt says at which
frame its engine began; those of one beginning are a run, and each run is proved for itself.

A receipt that cannot be believed (its line is not what was written, or half of it) counts as not
there; one about a frame that the recording does not have is said to be so. The engine of a capture
that is killed lives a moment longer, and its last receipt may be about frames that never reached
the disk, whose numbers the capture that goes on gives to others. The engine never heard of a loss
that was only found afterwards (a crash), or of what was removed since: so where the recording tells
of one among a receipt's frames, that receipt can neither be reproduced nor be contradicted.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import zstandard

from book.checkpoint import settings_hash
from book.engine import Engine
from book.errors import CheckpointError
from book.settings import EngineSettings
from recorder.manifest import append_line
from recorder.recording_folder import RecordingFolder, make_folder, stays_inside, write_whole
from recorder.zstd_frame import CONTENT_BYTES_MAX, ZstdFrameError, decode
from replay.engine_settings import recorded_settings
from replay.engine_version import engine_version
from replay.recording import Recording
from replay.state_difference import StateDifference, plain_state, state_differences
from venues.errors import MALFORMED
from venues.frame import Frame, FrameKind
from venues.marker import CRASH, DROPPED, Lost, MarkerError, read_marker

LIST_NAME = "receipts.jsonl"
FOLDER_NAME = "receipts"
EVERY_FRAMES = 10_000
_LIST_BYTES_MAX = 256 << 20
_FOUND_AFTERWARDS = {CRASH: True, DROPPED: True, "damage": False}
"""Losses that a live engine is not told of, and whether they are in the order of things."""


class Receipt(msgspec.Struct, frozen=True):
    """The state of a live engine after a frame.

    Attributes:
        frame_number: the last frame that it had applied.
        frames: how many it had applied.
        first_frame_number: the first of them.
        state_digest: of its state then.
        engine_version: of the engine.
        settings_sha256: of what it was set to.
        checkpoint_sha256: of the file with its checkpoint; '' where there is none.
    """

    frame_number: int
    frames: int
    first_frame_number: int
    state_digest: str
    engine_version: str
    settings_sha256: str
    checkpoint_sha256: str

    @property
    def path(self) -> str:
        """Where its checkpoint lies below the recording's folder."""
        return f"{FOLDER_NAME}/{self.frame_number:012d}.zst"


class _Line(Receipt, frozen=True):
    line_sha256: str


class ReceiptWriter:
    """Writes the receipts of one engine. `due_frames` is the count at which the next is due."""

    def __init__(self, folder: RecordingFolder, every: int = EVERY_FRAMES) -> None:
        self._folder = folder
        self._every = every
        self._first_frame_number: int | None = None
        self._written_frames = 0
        self.due_frames = every

    def begin(self, first_frame_number: int) -> None:
        """Note which frame the engine began with; does nothing from the second call on."""
        if self._first_frame_number is None:
            self._first_frame_number = first_frame_number

    def write(self, engine: Engine) -> None:
        """Write a receipt of the engine as it is now, unless there is one already.

        Raises:
            OSError: the disk refused, or the recording is not there any more.
        """
        if not self._folder.description.exists():
            # Else a folder that was renamed would find its old place taken when it is put back.
            raise FileNotFoundError(errno.ENOENT, "the recording is gone", str(self._folder.path))
        self.due_frames = engine.frames - engine.frames % self._every + self._every
        if self._first_frame_number is None or engine.frames == self._written_frames:
            return
        self._written_frames = engine.frames
        content = engine.checkpoint()
        packed = zstandard.ZstdCompressor(write_checksum=True).compress(content)
        fits = len(content) <= CONTENT_BYTES_MAX
        receipt = Receipt(
            frame_number=engine.frame.frame_number,
            frames=engine.frames,
            first_frame_number=self._first_frame_number,
            state_digest=engine.state_digest(),
            engine_version=engine_version(),
            settings_sha256=settings_hash(engine.settings),
            checkpoint_sha256=hashlib.sha256(packed).hexdigest() if fits else "",
        )
        disk = self._folder.disk
        if fits:
            place = self._folder.path / receipt.path
            make_folder(place.parent, disk)
            write_whole(place, packed, disk)
        path = self._folder.path / LIST_NAME
        append_line(path, _line_text(receipt) + b"\n", _whole_bytes(path), disk)


def _whole_bytes(path: Path) -> int:
    """Return where the last whole line ends: what follows was cut short by a crash."""
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def read_receipts(folder: RecordingFolder) -> list[Receipt]:
    """Return the receipts that can be believed, in the order of their frames."""
    path = folder.path / LIST_NAME
    try:
        if path.is_symlink() or path.stat().st_size > _LIST_BYTES_MAX:
            return []
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError:
        return []
    parsed = (_parsed(line) for line in lines)
    return sorted(
        (receipt for receipt in parsed if receipt is not None),
        key=lambda receipt: receipt.frame_number,
    )


def _parsed(line: bytes) -> Receipt | None:
    try:
        found = msgspec.json.decode(line, type=_Line)
    except MALFORMED:
        return None
    plain = Receipt(*(getattr(found, name) for name in Receipt.__struct_fields__))
    return plain if _line_text(plain) == line else None


def _line_text(receipt: Receipt) -> bytes:
    body = msgspec.json.encode(receipt)[:-1]
    own = hashlib.sha256(body).hexdigest().encode()
    return body + b',"line_sha256":"' + own + b'"}'


@dataclass(slots=True)
class Proof:
    """What came of a proof.

    Attributes:
        receipts: how many there are.
        reproduced: how many were, up to the first that was not.
        beyond: how many are about frames that the recording does not have.
        excused: how many of those, as the recording tells of the crash that kept frames from the
            disk, or of their removal.
        other_engine: how many were written by an engine of another version.
        differs: the first that was not reproduced, None where all were.
        found_digest: what came in its place.
        differences: what parts the two states; empty where the live engine's is not there.
        why_unknown: why it is not, '' where it is.
        frames: how many frames the receipts that were reproduced are about.
        unproved: how many there are besides: after the last receipt, or in no run.
    """

    receipts: int = 0
    reproduced: int = 0
    beyond: int = 0
    excused: int = 0
    other_engine: int = 0
    differs: Receipt | None = None
    found_digest: str = ""
    differences: list[StateDifference] = field(default_factory=list)
    why_unknown: str = ""
    frames: int = 0
    unproved: int = 0

    @property
    def holds(self) -> bool:
        """Whether there was something to prove, and all of it was."""
        return self.reproduced > 0 and self.reproduced + self.excused == self.receipts


@dataclass(slots=True)
class _Playback:
    """Plays a recording into engines, and notes what of it the live ones had and it has not."""

    settings: EngineSettings
    absent: list[tuple[int, int, bool]] = field(default_factory=list)

    def states(
        self, recording: Recording, receipts: list[Receipt], *, skip_damaged: bool
    ) -> Iterator[tuple[Engine, int]]:
        """Yield the engine, and the frame's number, after each frame that a receipt is about."""
        wanted = {receipt.frame_number for receipt in receipts}
        beginnings = {receipt.first_frame_number for receipt in receipts}
        engine = Engine(self.settings)
        last = max(wanted, default=-1)
        for batch in recording.frame_batches(skip_damaged=skip_damaged):
            for frame in batch:
                number = frame.frame_number
                if number > last:
                    return
                if number in beginnings:
                    engine = Engine(self.settings)
                if frame.kind is FrameKind.LOST:
                    self._note(frame)
                engine.apply(frame)
                if number in wanted:
                    yield engine, number

    def _note(self, frame: Frame) -> None:
        try:
            lost = read_marker(frame, Lost)
        except MarkerError:
            return
        if lost.cause in _FOUND_AFTERWARDS:
            until = frame.frame_number + max(1, lost.frames or 1)
            self.absent.append((frame.frame_number, until, _FOUND_AFTERWARDS[lost.cause]))

    def lacks(self, receipt: Receipt) -> bool:
        """Return whether frames that `receipt` is about are not in what was played so far."""
        return bool(self._absent_of(receipt))

    def excuses(self, receipt: Receipt) -> bool:
        """Return whether what is absent of them is so for a reason that is no damage."""
        reasons = self._absent_of(receipt)
        return bool(reasons) and all(reasons)

    def _absent_of(self, receipt: Receipt) -> list[bool]:
        return [
            excused
            for first, until, excused in self.absent
            if first <= receipt.frame_number and receipt.first_frame_number < until
        ]


def prove(
    recording: Recording,
    *,
    skip_damaged: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Proof:
    """Replay a recording and hold the engine against each receipt, up to the first that differs.

    `on_progress` is told the frame number at each receipt.

    Raises:
        TickreelError: frames cannot be read.
    """
    settings = recorded_settings(recording)
    folder = RecordingFolder(recording.path)
    receipts = read_receipts(folder)
    proof = Proof(receipts=len(receipts))
    version = engine_version()
    proof.other_engine = sum(each.engine_version != version for each in receipts)
    proved: dict[int, int] = {}
    proof.unproved = recording.frame_count
    about: dict[int, list[Receipt]] = {}
    for each in receipts:
        about.setdefault(each.frame_number, []).append(each)
    playback = _Playback(settings)
    for engine, number in playback.states(recording, receipts, skip_damaged=skip_damaged):
        for receipt in about[number]:
            if playback.lacks(receipt):
                continue
            digest = engine.state_digest()
            if digest != receipt.state_digest:
                proof.differs, proof.found_digest = receipt, digest
                _tell_apart(proof, folder, receipt, engine)
                return proof
            proof.reproduced += 1
            proved[receipt.first_frame_number] = engine.frames
        proof.frames = sum(proved.values())
        proof.unproved = max(0, recording.frame_count - proof.frames)
        if on_progress is not None:
            on_progress(number)
    proof.beyond = proof.receipts - proof.reproduced
    proof.excused = sum(playback.excuses(receipt) for receipt in receipts)
    return proof


def _tell_apart(proof: Proof, folder: RecordingFolder, receipt: Receipt, engine: Engine) -> None:
    try:
        live = Engine.restored(_checkpoint(folder, receipt), engine.settings)
    except (OSError, CheckpointError, ZstdFrameError) as error:
        proof.why_unknown = str(error)
        return
    expected, found = plain_state(live.state()), plain_state(engine.state())
    proof.differences = state_differences(expected, found)


def _checkpoint(folder: RecordingFolder, receipt: Receipt) -> bytes:
    if not receipt.checkpoint_sha256:
        raise CheckpointError("it was larger than the format allows")
    if not stays_inside(folder.path, receipt.path):
        raise CheckpointError("a symbolic link leads out of the recording")
    try:
        packed = (folder.path / receipt.path).read_bytes()
    except FileNotFoundError:
        raise CheckpointError(
            "the live state is not there, as a .reel file has its digests alone"
        ) from None
    if hashlib.sha256(packed).hexdigest() != receipt.checkpoint_sha256:
        raise CheckpointError("its bytes are not those that were written")
    return decode(memoryview(packed))
