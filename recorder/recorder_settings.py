"""How a recorder works; what it records is in `recorder.stream_settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recorder.connection import ConnectSettings
from recorder.frame_feed import FEED_BYTES_MAX
from recorder.frame_intake import BUDGET_BYTES
from recorder.recording import Rotation
from recorder.retention import Keep


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """How a recorder works.

    Attributes:
        rotation: when a journal becomes a segment.
        budget_bytes: memory for frames that are not yet written; past it frames are lost, counted.
        min_free_bytes: of the disk, left free; None for 1 GiB or 2 % of it, whichever is more.
        keeps: limits of age and size beyond which sealed segments are removed, oldest first.
        feed_bytes: memory for frames that `async for` has not yet taken.
        give_up_at_start: whether a first attempt that fails ends its stream with an error; else
            only one that can never succeed does.
        connect: how connections are made.
        engine: how the engine beside the recorder is set, as `EngineSettings.described` says it;
            kept in `recording.json`, so that a replay is set the same.
        seed: of the random rests between attempts; None for a new one each time.
    """

    rotation: Rotation = field(default_factory=Rotation)
    budget_bytes: int = BUDGET_BYTES
    min_free_bytes: int | None = None
    keeps: tuple[Keep, ...] = ()
    feed_bytes: int = FEED_BYTES_MAX
    give_up_at_start: bool = True
    connect: ConnectSettings = field(default_factory=ConnectSettings)
    engine: Mapping[str, object] = field(default_factory=dict)
    seed: int | None = None
