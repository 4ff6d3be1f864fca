"""`recording.json`: what a recording is, who made it and what was asked for.

A recording may be given away, so it tells nothing about the machine but its kind: no host name, no
user name, no path. What was asked for comes with its secrets already removed.

Its last member is the hash of all bytes before it, so that no flipped bit in it is silent. A file
without it was written before there was one, and has just the members that it had then.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Set
from datetime import UTC, datetime

import msgspec

from recorder.recording_errors import DamagedDescriptionError, NewerFormatError, NotARecordingError
from recorder.recording_folder import RecordingFolder, write_whole
from venues.errors import MALFORMED, undecodable_reason

FORMAT_VERSION = 1
FORMAT_NAME = "tickreel recording"


class RecordingDescription(msgspec.Struct, frozen=True):
    """The content of `recording.json`.

    Attributes:
        format: always `FORMAT_NAME`.
        format_version: a reader refuses what is above its own `FORMAT_VERSION`.
        recording_id: 32 hex digits, random.
        created: when it was begun, UTC, RFC 3339.
        asked_for: what the user asked to record, without secrets.
        clock_source: what the receive times were read from.
        tool_version: the tickreel that made it.
        platform: operating system, processor and Python; no host name.
    """

    format: str
    format_version: int
    recording_id: str
    created: str
    asked_for: dict[str, object]
    clock_source: str
    tool_version: str
    platform: str


_HASH_NAME = "description_sha256"
_HASH_BEGINS = f',\n  "{_HASH_NAME}": "'.encode()
_HASH_ENDS = b'"\n}\n'


class _FormatOnly(msgspec.Struct):
    format: str
    format_version: int


def tool_version() -> str:
    """Return the installed version of tickreel; 'unknown' where it runs uninstalled."""
    # Here, because importing it takes longer than all else that a reader of recordings imports.
    from importlib import metadata

    try:
        return metadata.version("tickreel")
    except metadata.PackageNotFoundError:
        return "unknown"


def new_description(asked_for: Mapping[str, object], clock_source: str) -> RecordingDescription:
    """Return the description of a recording that begins now."""
    import platform

    created = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
    return RecordingDescription(
        format=FORMAT_NAME,
        format_version=FORMAT_VERSION,
        recording_id=secrets.token_hex(16),
        created=created.replace("+00:00", "Z"),
        asked_for=dict(asked_for),
        clock_source=clock_source,
        tool_version=tool_version(),
        platform=f"{platform.system()} {platform.machine()} "
        f"{platform.python_implementation()} {platform.python_version()}",
    )


def write_description(folder: RecordingFolder, description: RecordingDescription) -> None:
    """Put `recording.json` into place."""
    body = msgspec.json.format(msgspec.json.encode(description), indent=2)[: -len("\n}")]
    own = hashlib.sha256(body).hexdigest().encode()
    write_whole(folder.description, body + _HASH_BEGINS + own + _HASH_ENDS, folder.disk)


def read_description(folder: RecordingFolder) -> RecordingDescription:
    """Read `recording.json`.

    Raises:
        NotARecordingError: there is none, or it is something else's file.
        NewerFormatError: a later tickreel made it.
        DamagedDescriptionError: it cannot be read.
    """
    remedy = "Give the folder that `tickreel capture` or `tickreel import` made."
    if not folder.path.is_dir():
        reason = "no such folder"
        if folder.path.exists():
            reason = "is a file, not a folder"
            remedy += " `tickreel unpack` makes a folder of a .reel file."
        raise NotARecordingError(folder.path, reason, remedy)
    try:
        text = folder.description.read_bytes()
    except FileNotFoundError:
        reason = "holds no recording.json, so it is no recording"
        raise NotARecordingError(folder.path, reason, remedy) from None
    except OSError as error:
        raise DamagedDescriptionError(folder.description, str(error)) from error
    try:
        # What a later format says beyond these two fields is not ours to judge.
        head = msgspec.json.decode(text, type=_FormatOnly)
        if head.format != FORMAT_NAME:
            reason = "its recording.json was not written by tickreel"
            raise NotARecordingError(folder.path, reason, remedy)
        if head.format_version > FORMAT_VERSION:
            raise NewerFormatError(folder.description, head.format_version, FORMAT_VERSION)
        description = msgspec.json.decode(text, type=RecordingDescription)
        members = msgspec.json.decode(text, type=dict[str, object])
    except MALFORMED as error:
        raise DamagedDescriptionError(folder.description, undecodable_reason(error)) from error
    if not _is_as_written(text, members.keys()):
        reason = "it is not what was written: its own hash does not fit it"
        raise DamagedDescriptionError(folder.description, reason)
    return description


def _is_as_written(text: bytes, members: Set[str]) -> bool:
    if _HASH_NAME not in members:
        return members <= set(RecordingDescription.__struct_fields__)
    body, _, end = text.rpartition(_HASH_BEGINS)
    return end == hashlib.sha256(body).hexdigest().encode() + _HASH_ENDS
