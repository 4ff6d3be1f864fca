"""Uploading a recording: sealed segments, then the manifest that lists them, to one store.

Theory. An upload goes in rounds; each takes what is sealed and not yet known to be in the store:

1. The store's recording.json must be this recording's, or not there. What the ledger has of the
   store and the store has no longer (a bucket that was emptied, a rule that lets objects expire) is
   taken back, before the first round.
2. Each segment, in the order of the manifest: sent, unless the store has it already (as after a
   kill between the upload and its line in the ledger); read back whole; compared with the hash
   that the manifest has had since it was sealed; only then written into the ledger, and synced.
3. The manifest, as far as its segments are there; read back and written down likewise. So whoever
   fetches the manifest first and then what it lists has a whole recording at any time.
4. Only where that was asked for: segments that are written down *and* listed by the manifest in the
   store are removed here, each looked for in the store once more before.

A kill at any step repeats at most the file in work. What is sent twice is the same bytes under the
same name, so that doing it twice does no harm. A local segment whose bytes are not those that were
sealed is never sent nor removed; it is named, and the others go on. So is one that is neither here
nor in the store, and was not removed on purpose: one that was removed because a store held it is
missing where no store does any more.

Nothing here retries or waits (that is `recorder.upload_rounds`), and nothing here is called by the
recorder: an upload reads what is sealed, from another process, and takes no lock that a writer or
a sealing waits for.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import IO

import msgspec

from recorder.description import RecordingDescription, read_description
from recorder.manifest import ManifestEntry, read_manifest
from recorder.recording_errors import FolderInUseError
from recorder.recording_folder import FolderLock, RecordingFolder
from recorder.removals import REMOVALS_NAME, UPLOADED, read_removals, remove_numbers
from recorder.upload_errors import OtherRecordingError, StoreFaultError, UploadInUseError
from recorder.upload_ledger import UploadLedger, read_uploads
from recorder.upload_store import Content, UploadStore
from venues.errors import MALFORMED

LOCK_NAME = ".upload-lock"
MANIFEST_EVERY_SEGMENTS = 16
"""In a long round the manifest is uploaded after so many segments, for who fetches meanwhile."""
DESCRIPTION_NAME = "recording.json"
MANIFEST_NAME = "manifest.jsonl"


class UploadState(msgspec.Struct, frozen=True):
    """How far an upload is.

    Attributes:
        segments: how many are listed and were not removed here before they were in the store.
        confirmed: how many of them the store was seen to hold.
        waiting_bytes: of the segments that lie here and that it was not.
        removed: how many were removed here by this upload.
        damaged: paths of local segments that are not what was sealed: never sent, never removed.
        missing: paths of segments that are neither here nor in the store.
    """

    segments: int = 0
    confirmed: int = 0
    waiting_bytes: int = 0
    removed: int = 0
    damaged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the store holds all that is sealed."""
        return self.confirmed == self.segments


def _nothing(_: UploadState) -> None:
    return


class Uploader:
    """Brings one recording to one store; holds the recording's upload lock until `close`."""

    def __init__(
        self,
        folder: RecordingFolder,
        store: UploadStore,
        *,
        remove_local: bool = False,
        on_progress: Callable[[UploadState], None] = _nothing,
    ) -> None:
        """Take the lock.

        Raises:
            UploadInUseError: another upload has it.
            NotARecordingError, NewerFormatError, DamagedDescriptionError: there is nothing to
                upload.
        """
        self._folder = folder
        self._store = store
        self._remove_local = remove_local
        self._on_progress = on_progress
        self._description: RecordingDescription = read_description(folder)
        try:
            self._lock = FolderLock(folder.path / LOCK_NAME)
        except FolderInUseError:
            raise UploadInUseError(folder.path) from None
        self._ledger = UploadLedger(folder.path, store.uri)
        self._damaged: set[str] = set()
        self._missing: set[str] = set()
        self._met = False
        self._removed = 0

    def close(self) -> None:
        """Let another upload go on."""
        self._lock.release()

    def state(self) -> UploadState:
        """Return how far it is, as of now."""
        return self._state(self._entries())

    def round(self) -> UploadState:
        """Upload what is sealed now; return how far it is then.

        Raises:
            StoreFaultError: the store failed; what was confirmed before it stays so.
            OtherRecordingError: another recording lies there.
            DamagedManifestError: the local manifest cannot be believed.
        """
        self._meet()
        entries = self._entries()
        sent = 0
        for entry in entries:
            if self._confirmed(entry) or self._never_comes(entry.path):
                continue
            self._upload_segment(entry)
            sent += 1
            if sent % MANIFEST_EVERY_SEGMENTS == 0:
                self._upload_manifest()
                self._on_progress(self._state(entries))
        self._upload_manifest()
        entries = self._entries()
        if self._remove_local:
            self._remove_confirmed(entries)
        return self._state(entries)

    # The steps, by their numbers above.

    def _meet(self) -> None:
        """1. See to it that this recording, and no other, lies at the address."""
        if self._met:
            return
        content = self._folder.description.read_bytes()
        there = self._store.read_small(DESCRIPTION_NAME)
        if there is not None and there != content:
            with suppress(*MALFORMED):
                other = msgspec.json.decode(there, type=RecordingDescription)
                if other.recording_id != self._description.recording_id:
                    raise OtherRecordingError(
                        self._store.uri, other.recording_id, self._description.recording_id
                    )
        for path in self._ledger.other_sizes(self._store.sizes_bytes()):
            self._ledger.withdraw(path, time.time_ns())
        self._upload_bytes(DESCRIPTION_NAME, content)
        self._met = True

    def _upload_segment(self, entry: ManifestEntry) -> None:
        """2. Bring one segment to the store and prove that it is there."""
        wanted = Content(entry.file_bytes, entry.sha256)
        if self._store.size_bytes(entry.path) != wanted.bytes or (
            self._store.read_back(entry.path) != wanted
        ):
            try:
                descriptor = os.open(
                    self._folder.path / entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
                )
            except FileNotFoundError:
                # Else retention took it away meanwhile.
                if not _meant_to_be_gone(self._folder, [entry]):
                    self._missing.add(entry.path)
                return
            with os.fdopen(descriptor, "rb") as source:
                if hashlib.file_digest(source, "sha256").hexdigest() != wanted.sha256:
                    self._damaged.add(entry.path)
                    return
                source.seek(0)
                self._send(entry.path, source, wanted)
        self._ledger.add(entry.path, *wanted, time.time_ns())

    def _upload_manifest(self) -> None:
        """3. Bring the manifest up to what the store holds."""
        # Its lines first, and then what is known of them: segments are sealed meanwhile.
        lines = self._folder.manifest.read_bytes() if self._folder.manifest.exists() else b""
        whole = lines[: lines.rfind(b"\n") + 1]
        self._upload_removals()
        self._upload_bytes(MANIFEST_NAME, self._listed_there(whole, self._entries()))

    def _remove_confirmed(self, known: list[ManifestEntry]) -> None:
        """4. Remove what the store holds, seen once more; all segments of a number or none."""
        by_number: dict[int, list[ManifestEntry]] = {}
        for entry in known:
            by_number.setdefault(entry.number, []).append(entry)
        gone = read_removals(self._folder)
        for number, entries in by_number.items():
            if number not in gone and all(map(self._still_there, entries)):
                removed = remove_numbers(self._folder, [number], UPLOADED, time.time_ns())
                self._removed += removed.segments

    def _still_there(self, entry: ManifestEntry) -> bool:
        if not self._confirmed(entry):
            return False
        size_bytes = self._store.size_bytes(entry.path)
        if size_bytes != entry.file_bytes:
            self._ledger.withdraw(entry.path, time.time_ns())
        return size_bytes == entry.file_bytes

    def _upload_removals(self) -> None:
        """Bring to the store what of its own manifest's segments will never come there."""
        gone = read_removals(self._folder)
        entries = read_manifest(self._folder.manifest).entries
        never = {entry.number for entry in entries if not self._confirmed(entry)}.intersection(gone)
        if never:
            lines = [msgspec.json.encode(gone[number]) + b"\n" for number in sorted(never)]
            self._upload_bytes(REMOVALS_NAME, b"".join(lines))

    def _listed_there(self, manifest: bytes, known: list[ManifestEntry]) -> bytes:
        """Return the lines before the first whose segment is still to come."""
        entries = {entry.path: entry for entry in known}
        end = 0
        for line in manifest.splitlines(keepends=True):
            path = msgspec.json.decode(line, type=_Listed).path
            entry = entries.get(path)
            if entry and not self._confirmed(entry) and not self._never_comes(path):
                break
            end += len(line)
        return manifest[:end]

    def _upload_bytes(self, path: str, content: bytes) -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._ledger.holds(path, sha256):
            self._send(path, io.BytesIO(content), Content(len(content), sha256))
            self._ledger.add(path, len(content), sha256, time.time_ns())

    def _send(self, path: str, source: IO[bytes], wanted: Content) -> None:
        sent = self._store.put(path, source)
        held = self._store.read_back(path)
        if held != wanted or sent != wanted:
            where = f"{self._store.uri}: {path}"
            raise StoreFaultError(
                where,
                f"the store took {sent.bytes:,} bytes without complaint and gives back "
                f"{held.bytes:,} bytes that are not those; it is sent again.",
            )

    def _entries(self) -> list[ManifestEntry]:
        return _entries_of(self._folder, self._ledger)

    def _state(self, entries: list[ManifestEntry]) -> UploadState:
        state = _state_of(entries, self._ledger, self._missing)
        return msgspec.structs.replace(
            state, removed=self._removed, damaged=tuple(sorted(self._damaged))
        )

    def _never_comes(self, path: str) -> bool:
        return path in self._damaged or path in self._missing

    def _confirmed(self, entry: ManifestEntry) -> bool:
        return self._ledger.holds(entry.path, entry.sha256)


def upload_state(folder: RecordingFolder, uri: str) -> UploadState:
    """Return how far an upload to `uri` is, by its ledger alone.

    Raises:
        DamagedManifestError: the local manifest cannot be believed.
    """
    ledger = UploadLedger(folder.path, uri)
    entries = _entries_of(folder, ledger)
    return _state_of(entries, ledger, _absent(folder, entries))


def _entries_of(folder: RecordingFolder, ledger: UploadLedger) -> list[ManifestEntry]:
    """Return the segments that lie here or in the store, or should."""
    entries = read_manifest(folder.manifest).entries
    absent = _absent(folder, entries)
    # After the look at the files, as the line of a removal comes before its files go.
    gone = _meant_to_be_gone(folder, [entry for entry in entries if entry.path in absent])
    return [
        entry
        for entry in entries
        if ledger.holds(entry.path, entry.sha256) or entry.path not in gone
    ]


def _meant_to_be_gone(folder: RecordingFolder, absent: Iterable[ManifestEntry]) -> set[str]:
    """Return the paths of those that were removed on purpose, and not for a store's false word."""
    removed = read_removals(folder)
    held = {(one.path, one.sha256) for one in read_uploads(folder.path)}
    return {
        entry.path
        for entry in absent
        if entry.number in removed
        and (removed[entry.number].cause != UPLOADED or (entry.path, entry.sha256) in held)
    }


def _absent(folder: RecordingFolder, entries: Iterable[ManifestEntry]) -> set[str]:
    return {entry.path for entry in entries if not (folder.path / entry.path).exists()}


def _state_of(
    entries: list[ManifestEntry], ledger: UploadLedger, absent: Collection[str]
) -> UploadState:
    waiting = [entry for entry in entries if not ledger.holds(entry.path, entry.sha256)]
    return UploadState(
        segments=len(entries),
        confirmed=len(entries) - len(waiting),
        waiting_bytes=sum(entry.file_bytes for entry in waiting if entry.path not in absent),
        missing=tuple(sorted(entry.path for entry in waiting if entry.path in absent)),
    )


class _Listed(msgspec.Struct):
    path: str = ""
