"""All streams of a recorder: their tasks, their connections, and what is asked beside them.

Theory. Every connection plan of every stream is a `Stream` in a task of its own; those to one host
share its gate, and all share the desks that ask over HTTP. Connections of the recording are counted
here, and known by their number while they stand, so that a wish for a snapshot finds its way.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from recorder.channel_watch import ChannelWatch
from recorder.conversation import Conversation
from recorder.frame_intake import FrameIntake
from recorder.http_desk import HttpDesk
from recorder.instruments import InstrumentDesk
from recorder.lifecycle import ConnectionState
from recorder.line_group import LineGroup
from recorder.part_watch import PartWatch
from recorder.planned_connection import PlannedConnection
from recorder.reconnect import HostGate
from recorder.recorder_settings import RecorderSettings
from recorder.rest_snapshot import SnapshotDesk
from recorder.stream import Stream
from recorder.stream_context import StreamContext
from venues.channel import Channel
from venues.traits import SnapshotSource
from venues.venue import SnapshotRequest


class Streams:
    """The streams of one recorder; `ended` is called when none is left or one has a fault of ours.

    Attributes:
        desk: where snapshots are asked for.
        instruments: where sizes are asked for.
    """

    def __init__(
        self,
        intake: FrameIntake,
        clock: Callable[[], tuple[int, int]],
        settings: RecorderSettings,
        chance: random.Random,
        watch: PartWatch,
        *,
        next_connection_id: int,
        ended: Callable[[], None],
    ) -> None:
        self._intake = intake
        self._clock = clock
        self._settings = settings
        self._chance = chance
        self._watch = watch
        self._next_connection_id = next_connection_id
        self._ended = ended
        self._http = HttpDesk(intake, clock)
        self._running: dict[asyncio.Task[None], Stream] = {}
        self._conversations: list[Conversation] = []
        self._groups: list[LineGroup] = []
        self.desk = SnapshotDesk(self._http, chance, self._line_of)
        self.instruments = InstrumentDesk(self._http, chance)

    def start(self, planned: Sequence[PlannedConnection]) -> None:
        """Begin to connect."""
        gates: dict[str, HostGate] = {}
        for one in planned:
            host = urlsplit(one.plan.url).netloc
            limits = one.venue.traits.limits
            gate = gates.setdefault(host, HostGate(limits, self._chance))
            gate.obey(limits)
            self._run(one, gate, self._group_of(one))

    @property
    def merged_frames(self) -> int:
        """How many messages were the same as one of another line, which is kept."""
        return sum(group.merged_frames for group in self._groups)

    @property
    def left_out_frames(self) -> int:
        """How many messages came on a line before it had joined the other one."""
        return sum(group.left_out_frames for group in self._groups)

    def tick(self) -> None:
        """Let every group of lines see what is due; every 50 ms or so."""
        for group in self._groups:
            if group.merging:
                group.tick()

    def request_snapshot(self, request: SnapshotRequest) -> None:
        """See to a fresh snapshot of a book, unless its connection is gone: a new one has one."""
        line = self._line_of(request.connection_id)
        if line is not None:
            self.desk.want(line, request.symbol)

    async def stop(self) -> None:
        """Close all connections in good order, and ask nothing more."""
        await self.desk.close()
        for task, stream in list(self._running.items()):
            if stream.life.state is not ConnectionState.DISCONNECTED:
                stream.life.move(ConnectionState.CLOSING)
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.instruments.close()

    def _group_of(self, planned: PlannedConnection) -> LineGroup:
        """Return the group of a plan's lines, which follow one another."""
        if planned.line > 1:
            self._groups[-1].redundant = True
            return self._groups[-1]
        group = LineGroup(
            planned.venue, planned.plan, self._intake, self._clock, self._take_connection_id
        )
        self._groups.append(group)
        return group

    def _run(self, planned: PlannedConnection, gate: HostGate, group: LineGroup) -> None:
        context = StreamContext(
            venue=planned.venue,
            plan=planned.plan,
            intake=self._intake,
            clock=self._clock,
            group=group,
            channels=ChannelWatch(planned.venue, planned.plan),
            line=planned.line,
            life=planned.life,
            http=self._http,
            credentials=planned.credentials,
            silence_limit_s=planned.silence_limit_s,
            connect=self._settings.connect,
            began=self._conversation_began,
            ended=self._conversation_ended,
            greeted=self._first_snapshots,
        )
        stream = Stream(
            context, gate, self._chance, give_up_at_start=self._settings.give_up_at_start
        )
        task = asyncio.create_task(stream.run(), name=f"tickreel-{planned.plan.stream}")
        self._running[task] = stream
        task.add_done_callback(self._stream_ended)

    def _take_connection_id(self) -> int:
        number = self._next_connection_id
        self._next_connection_id += 1
        return number

    def _line_of(self, connection_id: int) -> Conversation | None:
        """Return a line that brings all of a connection, and stays; None where none does."""
        for line in self._conversations:
            if line.connection_id == connection_id and line.joined and not line.leaving:
                return line
        return None

    def _conversation_began(self, conversation: Conversation) -> None:
        self._conversations.append(conversation)
        self.instruments.see_to(conversation.venue, conversation.plan)

    def _conversation_ended(self, conversation: Conversation) -> None:
        self._conversations.remove(conversation)
        number = conversation.connection_id
        if not any(each.connection_id == number for each in self._conversations):
            self.desk.forget(number)

    def _first_snapshots(self, conversation: Conversation) -> None:
        rest = conversation.venue.traits.snapshot_source is SnapshotSource.REST
        if not rest or not conversation.joined:  # one that joins has the books of the other line
            return
        subscriptions = conversation.plan.subscriptions
        books = [one.symbol for one in subscriptions if one.channel is Channel.BOOK]
        self.desk.want_first(conversation, books)

    def _stream_ended(self, task: asyncio.Task[None]) -> None:
        name = self._running.pop(task).life.stream
        if self._watch.stream_ended(task, name, last=not self._running):
            self._ended()
