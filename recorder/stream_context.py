"""What a stream and its conversations share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recorder.channel_watch import ChannelWatch
from recorder.connection import ConnectSettings
from recorder.frame_intake import FrameIntake
from recorder.http_desk import HttpDesk
from recorder.lifecycle import Lifecycle
from recorder.line_group import LineGroup
from venues.venue import ConnectionPlan, Credentials, Venue

if TYPE_CHECKING:
    from recorder.conversation import Conversation


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What a stream and its conversations share.

    `group` makes one connection of the recording of the lines that carry the same; `line` is which
    of them this is, from 1. `channels` hears which channels speak. `silence_limit_s` replaces the
    venue's where it is not None. `began` and `ended` are called with each conversation, `greeted`
    with its first message that follows the subscribing.
    """

    venue: Venue
    plan: ConnectionPlan
    intake: FrameIntake
    clock: Callable[[], tuple[int, int]]
    group: LineGroup
    life: Lifecycle
    http: HttpDesk
    channels: ChannelWatch
    line: int = 1
    credentials: Credentials | None = None
    silence_limit_s: float | None = None
    connect: ConnectSettings = field(default_factory=ConnectSettings)
    began: Callable[[Conversation], None] | None = None
    ended: Callable[[Conversation], None] | None = None
    greeted: Callable[[Conversation], None] | None = None
