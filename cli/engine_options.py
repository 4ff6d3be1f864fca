"""`--engine-settings`: depths of memory, windows and thresholds of the engine, from a TOML file.

Without it, a capture has what its settings file says under `[engine]` (or the defaults), and a
replay or an audit what the capture had: that is in the recording.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from book.settings import EngineSettings

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def engine_settings_option(command: Decorated) -> Decorated:
    """Add `--engine-settings`."""
    return click.option(
        "--engine-settings",
        "engine_file",
        metavar="FILE.toml",
        help="Windows and thresholds of the engine, from this file's [engine] table; "
        "those in the recording (or the usual ones) if not given.",
    )(command)


def read_engine_settings(file_name: str) -> EngineSettings:
    """Read the `[engine]` table of a TOML file; what else is in the file is of no concern.

    Raises:
        EngineSettingsError: it cannot be read, has no such table, or says what means nothing.
    """
    from book.errors import EngineSettingsError
    from book.settings import EngineSettings
    from recorder.toml_file import TomlFileError, read_toml

    try:
        written = read_toml(Path(file_name))
    except TomlFileError as fault:
        raise EngineSettingsError(file_name, fault.reason) from fault
    if "engine" not in written:
        raise EngineSettingsError(file_name, "has no [engine] table.")
    return EngineSettings.read(written["engine"], f"{file_name}, [engine]")


def capture_engine_settings(chosen: EngineSettings | None, folder: Path) -> EngineSettings:
    """Return what the engine of a capture into `folder` is set to.

    A recording that is continued keeps its settings, or its replay would not be what was live.

    Raises:
        CommandError: the recording was begun with other settings.
        TickreelError: `folder` holds something that is no recording of ours.
    """
    from book.settings import EngineSettings
    from cli.errors import CommandError
    from recorder.description import read_description
    from recorder.recording_folder import RecordingFolder

    place = RecordingFolder(folder)
    if not place.description.is_file():
        return chosen or EngineSettings()
    written = read_description(place).asked_for.get("engine", {})
    recorded = EngineSettings.read(written, f"{folder}/recording.json, asked_for.engine")
    if chosen is not None and chosen != recorded:
        raise CommandError(
            f"{folder} was begun with other engine settings, which its replay will use. "
            "Leave them out to continue with those, or record into another folder."
        )
    return recorded
