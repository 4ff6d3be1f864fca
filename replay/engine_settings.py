"""How the engine was set beside a recording's recorder, so that a replay is set the same.

A digest is of the frames and the settings. The settings lie in `recording.json`, under what was
asked for; a recording that says nothing of them (an import, say) has the defaults.
"""

from __future__ import annotations

from book.settings import EngineSettings
from replay.errors import UnlikeSettingsError
from replay.frame_merge import MergedRecording
from replay.frame_source import FrameSource
from replay.recording import Recording


def recorded_settings(source: FrameSource) -> EngineSettings:
    """Return the settings of a recording, or of several; the defaults for any other source.

    Raises:
        EngineSettingsError: what the recording says is nothing that this engine can be set to.
        UnlikeSettingsError: of several recordings, one is not set like the others.
    """
    if isinstance(source, Recording):
        written = source.description.asked_for.get("engine", {})
        return EngineSettings.read(written, f"{source.origin}/recording.json, asked_for.engine")
    if not isinstance(source, MergedRecording) or not source.recordings:
        return EngineSettings()
    first, *others = source.recordings
    settings = recorded_settings(first)
    for other in others:
        if recorded_settings(other) != settings:
            raise UnlikeSettingsError(_name(first), _name(other))
    return settings


def _name(source: FrameSource) -> str:
    return str(source.origin) if isinstance(source, Recording) else "a recording"
