"""One client of the fake exchange, from its connection to its end.

States:

    LISTENING   connected and greeted; nothing subscribed yet. Pings and logins are answered.
    PLAYING     from the first accepted subscriptions; of those by message, once `SETTLE_S` went by
                without another: the feed's steps are sent as they fall due, those of subscribed
                topics and no others.
    ENDED       the feed has no more steps: silent but answering, or closed with 1000 (`AtEnd`).
    CUT         the feed says that the exchange ended the connection here: closed the same way,
                and the feed is handed back, to go on with when the client returns.
    GONE        the client left, or was dropped because it did not keep up, or the feed failed.

Rules:

- A message is sent byte for byte, text as text and binary as binary.
- Many exchanges take one topic a message. Time stands still until the client has said all that it
  wants, or at max speed the first topic would be over before the second is asked for.
- Time is the playback's, and the same for all its clients: see `playback`. What a subscription
  begins with (a book that began before) is sent behind its acknowledgement.
- Until a client that came late was sent all that fell due, its own reading sets the pace.
- Heartbeats are sent in every state, by real time and not by the recording's.
- A subscription and its acknowledgement happen between two steps, never within one, so that a
  snapshot of a live book fits exactly before the next delta.
- A recorded connection that the recording client ended itself cuts only once a later one follows.
- A feed that cannot be read further ends the session with 1011 and is the session's `fault`: a
  player that just stopped would look like a quiet market.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from replay.feed import Cutting, Feed, Sending, Step, TopicStanding
from replay.playback import Playback
from replay.recorded_connection import counts_connection
from replay.sent_ledger import SentLedger
from replay.session_outlet import SessionOutlet
from replay.session_voice import SessionVoice
from venues.errors import TickreelError
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

TOPICS_MAX = 2_000
ANSWER_DELAY_S = 0.01
"""As far as an exchange is away: clients note what they sent only after it has left, and would not
know an acknowledgement that is there before (pybit)."""

SETTLE_S = 0.1
SETTLE_PAUSES = 1.5
"""Of a client that pauses between messages, as the exchange wants, so many pauses are waited."""


class AtEnd(Enum):
    """What becomes of a connection once everything was sent."""

    SILENT = "silent"
    CLOSE = "close"


class SessionState(Enum):
    """Where a session is; see the module's theory."""

    LISTENING = "listening"
    PLAYING = "playing"
    ENDED = "ended"
    CUT = "cut"
    GONE = "gone"


@dataclass(frozen=True)
class SessionSettings:
    """What all sessions have in common. `heartbeat_s` is real time."""

    at_end: AtEnd
    credentials: Credentials | None
    heartbeat_s: float = 5.0


class ServerSession:
    """One client's side of the conversation, and where it is in what is played.

    Attributes:
        path: the path and query that it connected to.
        feed: what it is played; replaced by its old one where the client came back.
        ledger: what it was sent.
        topics: what it is subscribed to.
        state: where it is in its life.
        fault: why its feed could not be read further, None where it could.
        played: set once everything was sent.
    """

    def __init__(
        self,
        connection: ServerConnection,
        path: str,
        feed: Feed,
        settings: SessionSettings,
        ledger: SentLedger,
        playback: Callable[[], Playback],
        played: asyncio.Event,
        *,
        logged_in: bool = False,
    ) -> None:
        """Serve `connection` from `feed`, or from what `playback` gives it instead.

        `playback` is asked with the first subscription; `logged_in` says that the handshake was
        signed.
        """
        self.path = path
        self.feed = feed
        self.ledger = ledger
        self.topics: set[str] = set()
        self.state = SessionState.LISTENING
        self.fault: TickreelError | None = None
        self.played = played
        self._connection = connection
        self._outlet = SessionOutlet(connection, ledger)
        self._voice = SessionVoice(feed, self._outlet)
        self._dialect = feed.venue.dialect
        self._settings = settings
        self._find_playback = playback
        self._playback: Playback | None = None
        self._turn = asyncio.Lock()
        self._begun = asyncio.Event()
        self._gone = asyncio.Event()
        self._asked = asyncio.Event()
        self._settles = False
        self._logged_in = logged_in
        self._carried: set[int] = set()
        self._left: Cutting | None = None

    @property
    def playing(self) -> bool:
        """Whether something is still to be sent to it."""
        return self.state is SessionState.PLAYING

    async def restart(self, reason: str) -> None:
        """End the connection, as an exchange that goes on elsewhere does, and wait for that."""
        await self._outlet.close(CloseCode.SERVICE_RESTART, reason)
        await self._gone.wait()

    async def run(self) -> None:
        """Serve until the connection is closed."""
        try:
            await self._converse()
        finally:
            self._gone.set()

    async def _converse(self) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._play()), group.create_task(self._beat())]
            with contextlib.suppress(ConnectionClosed):
                try:
                    await self._listen()
                except TickreelError as fault:
                    await self._fail(fault)
            for task in tasks:
                task.cancel()
        if self.state is not SessionState.CUT:
            self.state = SessionState.GONE
        if self._playback is not None:
            self._playback.leave(self)

    # What the client says.

    async def _listen(self) -> None:
        async with self._turn:
            await self._voice.greet(self.feed)
        topics = self._dialect.connect_topics(self.path)
        if topics:
            refused = self._topics_refusal(topics)
            if refused is not None:
                await self._outlet.close(CloseCode.POLICY_VIOLATION, refused)
                return
            await self._begin(topics)
        private = self._dialect.private_path(self.path.partition("?")[0])
        async for message in self._connection:
            payload = message.encode() if isinstance(message, str) else message
            request = self._dialect.read_request(payload)
            if request.kind is RequestKind.SUBSCRIBE:
                await asyncio.sleep(ANSWER_DELAY_S)
            async with self._turn:
                await self._hear(replace(request, private=private))

    async def _hear(self, request: ClientRequest) -> None:
        refused: str | None = None
        if request.kind is RequestKind.SUBSCRIBE:
            refused = self._topics_refusal(request.topics, request)
            if refused is None:
                await self._begin(request.topics, request)
                return
        elif request.kind is RequestKind.SNAPSHOT:
            await self._voice.state_book(request, self.feed)
            return
        elif request.kind is RequestKind.UNSUBSCRIBE:
            named = self._voice.references
            self.topics.difference_update(named.get(topic, topic) for topic in request.topics)
        elif request.kind is RequestKind.LIST:
            request = replace(request, topics=tuple(sorted(self.topics)))
        elif request.kind is RequestKind.LOGIN:
            refused = self._login_refusal(request)
            if refused is None and request.topics:
                # Some logins are subscriptions too: an account is sent without being asked for.
                await self._voice.answer(request, None)
                await self._begin(request.topics)
                return
        elif request.kind is RequestKind.UNREADABLE:
            refused = "the request cannot be read"
        await self._voice.answer(request, refused)

    def _login_refusal(self, request: ClientRequest) -> str | None:
        credentials = self._settings.credentials
        if credentials is None:
            return "this server has no credentials to check a login against"
        self._logged_in = self._dialect.login_valid(request, credentials)
        return None if self._logged_in else "the signature is not valid"

    def _topics_refusal(
        self, topics: Sequence[str], request: ClientRequest | None = None
    ) -> str | None:
        if not topics:
            return "no topics are named"
        if len(self.topics) + len(topics) > TOPICS_MAX:
            return f"more than {TOPICS_MAX:,} topics on one connection"
        for topic in topics:
            standing = self.feed.standing(topic)
            if standing is TopicStanding.UNKNOWN:
                return f"unknown topic: {topic}"
            if standing is TopicStanding.PRIVATE and not self._may_hear(request):
                return f"{topic} needs a login"
        return None

    def _may_hear(self, request: ClientRequest | None) -> bool:
        """Return whether private topics may be sent: some exchanges sign each subscription."""
        credentials = self._settings.credentials
        if self._logged_in or request is None or credentials is None:
            return self._logged_in
        return self._dialect.login_valid(request, credentials)

    async def _begin(self, topics: Sequence[str], request: ClientRequest | None = None) -> None:
        """Let `topics` be sent from here on, and start playing with the first of them."""
        self.topics.update(topics)
        if self._playback is None:
            self._playback = self._find_playback()
            await self._playback.enter(self, frozenset(topics))
        if request is not None:
            await self._voice.acknowledge(request, self.feed)
        if counts_connection(self.feed.venue):
            # Its numbers run over all that came by it, also before the first message asked for.
            carrier = await self.feed.carrier(self.topics)
            self._carried.update(() if carrier is None else (carrier,))
        async for openings in self.feed.openings(topics):
            self._carried.update(each.connection_id for each in openings)
            await self._outlet.send([self._on_wire(each) for each in openings], waits=True)
        self._settles = self._settles or request is not None
        self._asked.set()
        self._begun.set()

    # What the exchange says.

    async def _beat(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self._settings.heartbeat_s)
                async with self._turn:
                    await self._voice.beat(time.time_ns() // 1_000_000)

    async def _play(self) -> None:
        playback = await self._settled()
        self.state = SessionState.PLAYING
        playback.attend()
        with contextlib.suppress(ConnectionClosed):
            try:
                await self._play_steps(playback)
            except TickreelError as fault:
                await self._fail(fault)

    async def _fail(self, fault: TickreelError) -> None:
        self.fault = fault
        await self._outlet.close(CloseCode.INTERNAL_ERROR, str(fault))

    async def _settled(self) -> Playback:
        """Wait until the client has said all that it wants at first."""
        await self._begun.wait()
        assert self._playback is not None, "it was entered before that"
        if not self._settles:
            return self._playback
        pause_s = self.feed.venue.traits.limits.message_interval_s
        settle_s = SETTLE_S + SETTLE_PAUSES * pause_s
        with contextlib.suppress(TimeoutError):
            while True:
                self._asked.clear()
                async with asyncio.timeout(settle_s):
                    await self._asked.wait()
        return self._playback

    async def _play_steps(self, playback: Playback) -> None:
        while (due_ns := await self.feed.due_ns()) is not None:
            self._outlet.live = playback.time.is_ahead(due_ns, self._outlet.live)
            until_ns = await playback.time.until(due_ns)
            async with self._turn:
                cutting = await self._send_steps(self.feed.take(until_ns))
            if cutting is not None:
                self.state = SessionState.CUT
                playback.park(self)
                await self._outlet.cut(cutting)
                return
        self.state = SessionState.ENDED
        playback.attend()
        self.played.set()
        if self._settings.at_end is AtEnd.CLOSE:
            await self._outlet.close(CloseCode.NORMAL_CLOSURE, "everything was sent")

    async def _send_steps(self, steps: Sequence[Step]) -> Cutting | None:
        """Send what is subscribed to; return the end of the connection, where it is met."""
        messages: list[Sending] = []
        cutting: Cutting | None = None
        carried, as_recorded = self._carried, self._as_recorded()
        for index, step in enumerate(steps):
            if type(step) is Cutting:
                cutting = self._met_end(step)
                rest = index + 1
            elif type(step) is Sending and self._wants(step):
                rest = index
                if step.connection_id not in carried:
                    cutting = self._left
                    carried.update(() if cutting else (step.connection_id,))
                if cutting is None:
                    messages.append(step if as_recorded else self._on_wire(step))
            if cutting is not None:
                self.feed.give_back(steps[rest:])
                break
        await self._outlet.send(messages)
        return cutting

    def _met_end(self, cutting: Cutting) -> Cutting | None:
        """Return the end of a recorded connection if it is one of this client's, and due now."""
        if cutting.connection_id not in self._carried:
            return None
        if cutting.by_client:
            self._left = cutting
            return None
        return cutting

    def _wants(self, message: Sending) -> bool:
        if message.greeting:
            return False
        if message.topic is None:
            return message.connection_id in self._carried
        return message.topic in self.topics

    def _as_recorded(self) -> bool:
        """Return whether messages go out as they are, whatever they are."""
        unwrapped = type(self._dialect).wire_payload is Dialect.wire_payload
        return unwrapped and self._playback is not None and not self._playback.times.wanted

    def _on_wire(self, message: Sending) -> Sending:
        payload = self._dialect.wire_payload(message.payload, self.path)
        if self._playback is not None:
            payload = self._playback.times.moved(self._dialect, payload)
        if payload is message.payload:
            return message
        return msgspec.structs.replace(message, payload=payload)
