"""What a capture is to do: from the command line, or from a settings file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from cli.beside_options import Beside

if TYPE_CHECKING:
    from book.settings import EngineSettings
    from recorder.recorder import RecorderSettings
    from recorder.stream_settings import RecordingSettings, StreamSettings


class CaptureRequest(NamedTuple):
    """What to capture, where to and how."""

    streams: tuple[StreamSettings, ...]
    folder: Path
    settings: RecorderSettings
    engine: EngineSettings
    written: RecordingSettings | None = None
    beside: Beside = Beside()

    def with_beside(self, beside: Beside) -> CaptureRequest:
        """Return it with what goes on beside it; a ring has journals of its own length."""
        settings = self.settings
        if beside.ring_ns is not None:
            from cli.ring_watch import ring_rotation

            rotation = ring_rotation(settings.rotation, beside.ring_ns)
            settings = replace(settings, rotation=rotation)
        return self._replace(settings=settings, beside=beside)


def request_from_arguments(
    venue_name: str,
    symbols: tuple[str, ...],
    folder: str | None,
    channels: tuple[str, ...] | None,
    depth: int | None,
    url: str | None,
    engine_file: str | None,
    *,
    wait: bool,
) -> CaptureRequest:
    """Return what the arguments ask for: one venue, recorded into `folder`.

    Raises:
        click.UsageError: no folder is given.
        UnknownVenueError, UnknownChannelError: there is no such thing.
        EngineSettingsError: the engine's settings cannot be used.
    """
    from cli.engine_options import capture_engine_settings, read_engine_settings
    from recorder.recorder import RecorderSettings
    from recorder.stream_settings import StreamSettings
    from venues.channel import Channel
    from venues.errors import UnknownChannelError
    from venues.registry import venue_named

    offered = venue_named(venue_name).traits.channels
    for name in channels or ():
        if name not in offered:
            raise UnknownChannelError(venue_name, name, offered)
    if folder is None:
        raise click.UsageError("give the folder to record into: -o DIR.")
    stream = StreamSettings(
        venue=venue_name,
        symbols=tuple(dict.fromkeys(symbols)),
        channels=None if channels is None else tuple(map(Channel, channels)),
        depth=depth,
        url=url,
    )
    chosen = None if engine_file is None else read_engine_settings(engine_file)
    engine = capture_engine_settings(chosen, Path(folder))
    return CaptureRequest(
        (stream,),
        Path(folder),
        RecorderSettings(give_up_at_start=not wait, engine=engine.described()),
        engine,
    )


def request_from_file(
    file_name: str, folder: str | None, engine_file: str | None, *, wait: bool
) -> CaptureRequest:
    """Return what a settings file asks for; `folder` goes before the one that it names.

    Raises:
        StreamSettingsError: the file cannot be used.
        EngineSettingsError: its `[engine]`, or `engine_file`, cannot be used.
    """
    from book.settings import EngineSettings
    from cli.engine_options import capture_engine_settings, read_engine_settings
    from recorder.recorder import RecorderSettings
    from recorder.recording import Rotation
    from recorder.stream_settings import read_capture_settings

    written = read_capture_settings(file_name)
    recording = written.recording
    place = Path(folder or recording.folder or Path(file_name).with_suffix(""))
    chosen = None
    if engine_file is not None:
        chosen = read_engine_settings(engine_file)
    elif written.engine:
        chosen = EngineSettings.read(written.engine, f"{file_name}, [engine]")
    engine = capture_engine_settings(chosen, place)
    return CaptureRequest(
        written.stream,
        place,
        RecorderSettings(
            rotation=Rotation(recording.rotate_bytes, recording.rotate_interval_s),
            budget_bytes=recording.budget_bytes,
            min_free_bytes=recording.min_free_bytes,
            keeps=recording.keeps(),
            give_up_at_start=not wait,
            engine=engine.described(),
        ),
        engine,
        recording,
    )
