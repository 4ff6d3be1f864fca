"""What a stream and its conversations share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recorder.connection import ConnectSettings
from recorder.frame_intake import FrameIntake
from recorder.http_desk import HttpDesk
from recorder.lifecycle import Lifecycle
from venues.venue import ConnectionPlan, Credentials, Venue

if TYPE_CHECKING:
    from recorder.conversation import Conversation


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What a stream and its conversations share.

    `silence_limit_s` replaces the venue's where it is not None. `began` and `ended` are called
    with each conversation, `greeted` with its first message that follows the subscribing.
    """

    venue: Venue
    plan: ConnectionPlan
    intake: FrameIntake
    clock: Callable[[], tuple[int, int]]
    next_connection_id: Callable[[], int]
    life: Lifecycle
    http: HttpDesk
    credentials: Credentials | None = None
    silence_limit_s: float | None = None
    connect: ConnectSettings = field(default_factory=ConnectSettings)
    began: Callable[[Conversation], None] | None = None
    ended: Callable[[Conversation], None] | None = None
    greeted: Callable[[Conversation], None] | None = None
