"""`recording.json`: what a recording is, who made it and what was asked for.

A recording may be given away, so it tells nothing about the machine but its kind: no host name, no
user name, no path. What was asked for comes with its secrets already removed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from recorder.recording_errors import DamagedDescriptionError, NewerFormatError, NotARecordingError
from recorder.recording_folder import RecordingFolder, write_whole

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
    text = msgspec.json.format(msgspec.json.encode(description), indent=2)
    write_whole(folder.description, text + b"\n", folder.disk)


def read_description(folder: RecordingFolder) -> RecordingDescription:
    """Read `recording.json`.

    Raises:
        NotARecordingError: there is none, or it is something else's file.
        NewerFormatError: a later tickreel made it.
        DamagedDescriptionError: it cannot be read.
    """
    remedy = "Give the folder that `tickreel capture` or `tickreel import` made."
    if not folder.path.is_dir():
        reason = "is a file, not a folder" if folder.path.exists() else "no such folder"
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
        return msgspec.json.decode(text, type=RecordingDescription)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedDescriptionError(folder.description, str(error)) from error
