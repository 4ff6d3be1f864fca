"""Which channels of a stream speak, and which fell silent: pure policy over the steady clock.

Theory. A connection can be alive and deliver half of what was asked for: pings are answered and one
channel, or one symbol of it, is mute. The venue's dialect says of each message which topic it was
sent for (1.3 to 1.8 µs with all that is noted here; nothing else is read), and each topic
and each channel (all its symbols together) has a pulse.

What counts as mute is measured by itself, so that a quiet market is none (`venues.channel_pulse`):
silent for longer than the venue's limit for the channel, for 50 of its own mean intervals and for
three times its longest silence before, with at least 20 messages to judge by. A channel for which
the venue names no limit is never judged, nor is one's own account. Where nothing at all was said on
any topic since the subscription was made, `NEVER_SPOKE_NS` is the limit.

What is known of a pulse outlives its connection: on a new one, silence begins to count from its
beginning, with the intervals of before. Which channel and symbol a topic is, its first message
says, which is decoded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from venues.channel import Channel, Subscription
from venues.channel_pulse import ChannelPulse
from venues.errors import UNDECODABLE
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    GameResult,
    Liquidation,
    Quote,
    Subscribed,
    Ticker,
    Trade,
)
from venues.frame import Frame, FrameKind
from venues.venue import ConnectionPlan, Venue

NEVER_SPOKE_NS = 60_000_000_000
TOPICS_MAX = 10_000

_CHANNELS: dict[type, Channel] = {
    BookSnapshot: Channel.BOOK,
    BookDelta: Channel.BOOK,
    Trade: Channel.TRADES,
    Liquidation: Channel.LIQUIDATIONS,
    Quote: Channel.QUOTES,
    Ticker: Channel.TICKERS,
    GameResult: Channel.RESULTS,
}


@dataclass(frozen=True, slots=True)
class Silence:
    """What is mute: `topics` by the venue's own words, since when on the steady clock."""

    channel: Channel | None
    subscriptions: tuple[Subscription, ...]
    topics: tuple[str, ...]
    since_ns: int


class _TopicPulse:
    """One topic; `told_ns` is until when its present silence is told."""

    __slots__ = ("mute", "pulse", "subscription", "told_ns")

    def __init__(self, pulse: ChannelPulse, subscription: Subscription) -> None:
        self.pulse = pulse
        self.subscription = subscription
        self.mute = False
        self.told_ns = 0


class ChannelWatch:
    """The channels of one stream, over all its connections.

    Attributes:
        mute_topics: those that are silent and told of.
    """

    def __init__(self, venue: Venue, plan: ConnectionPlan) -> None:
        self._venue = venue
        self._plan = plan
        self._topic_of = venue.dialect.topic
        self._limits_ns = {
            channel: int(limit_s * 1e9) for channel, limit_s in venue.traits.stale_limits_s.items()
        }
        self._topics: dict[str, _TopicPulse | None] = {}
        self._routes: dict[str, Subscribed] = {}
        self._asked_ns: int | None = None
        self._spoke = False
        self.mute_topics: set[str] = set()

    def begin(self, now_ns: int) -> None:
        """Count silence from now on: a connection was made, on which all is asked for anew."""
        self._routes.clear()
        self._asked_ns = None
        for topic in self._topics.values():
            if topic is not None:
                _resume(topic.pulse, now_ns)
                topic.mute = False
        self.mute_topics.clear()

    def asked(self, now_ns: int) -> None:
        """Note that all was asked for that is to come on this connection."""
        self._asked_ns = now_ns

    def topic(self, payload: bytes) -> str | None:
        """Return the topic that a message was sent for; None for what is no market data."""
        return self._topic_of(payload, self._routes)

    def heard(self, name: str | None, payload: bytes, now_ns: int) -> Silence | None:
        """Note a message; return the silence that it ends, if there is one."""
        if name is None:
            if self._venue.traits.routed and payload.startswith(b"{"):
                self._learn_routes(payload)
            return None
        topic = self._topics.get(name)
        if topic is None:
            topic = self._learn(name, payload, now_ns)
            if topic is None:
                return None
        ended = None
        if topic.mute:
            topic.mute = False
            self.mute_topics.discard(name)
            ended = Silence(
                topic.subscription.channel, (topic.subscription,), (name,), topic.told_ns
            )
        topic.pulse.heard(now_ns)
        return ended

    def silent(self, now_ns: int) -> list[Silence]:
        """Return what fell silent and is not yet told of: whole channels first."""
        if not self._spoke and self._asked_ns is not None and self._limits_ns:
            if now_ns - self._asked_ns < NEVER_SPOKE_NS:
                return []
            since_ns, self._asked_ns = self._asked_ns, None
            return [Silence(None, self._plan.subscriptions, (), since_ns)]
        found: list[Silence] = []
        for channel, limit_ns in self._limits_ns.items():
            topics = {
                name: topic
                for name, topic in self._topics.items()
                if topic is not None and topic.subscription.channel is channel and not topic.mute
            }
            whole = _together([topic.pulse for topic in topics.values()])
            if whole is not None and whole.dead_at(now_ns, limit_ns):
                self._tell(found, topics, whole.last_ns, now_ns)
                continue
            for name, topic in topics.items():
                if topic.pulse.dead_at(now_ns, limit_ns):
                    self._tell(found, {name: topic}, topic.pulse.last_ns, now_ns)
        return found

    @property
    def mute_subscriptions(self) -> set[Subscription]:
        """What those are subscribed to as."""
        mute = (self._topics[name] for name in self.mute_topics)
        return {topic.subscription for topic in mute if topic is not None}

    @property
    def all_mute(self) -> bool:
        """Whether every topic that ever spoke, and has a limit, is mute."""
        known = [
            topic
            for topic in self._topics.values()
            if topic is not None and topic.subscription.channel in self._limits_ns
        ]
        return bool(known) and all(topic.mute for topic in known)

    def _tell(
        self, found: list[Silence], topics: dict[str, _TopicPulse], since_ns: int, now_ns: int
    ) -> None:
        for topic in topics.values():
            topic.mute, topic.told_ns = True, now_ns
        self.mute_topics.update(topics)
        subscriptions = tuple(dict.fromkeys(topic.subscription for topic in topics.values()))
        found.append(Silence(subscriptions[0].channel, subscriptions, tuple(topics), since_ns))

    def _learn(self, name: str, payload: bytes, now_ns: int) -> _TopicPulse | None:
        """Return the pulse of a topic that speaks for the first time; None where none is kept."""
        if name in self._topics or len(self._topics) >= TOPICS_MAX:
            return None
        self._spoke = True
        for event in self._decoded(payload):
            channel = _CHANNELS.get(type(event))
            if channel is None:
                continue
            topic = _TopicPulse(ChannelPulse(now_ns), Subscription(channel, event.symbol))
            self._topics[name] = topic
            return topic
        self._topics[name] = None
        return None

    def _learn_routes(self, payload: bytes) -> None:
        for event in self._decoded(payload):
            if isinstance(event, Subscribed) and event.reference:
                self._routes[event.reference] = event

    def _decoded(self, payload: bytes) -> Sequence[Event]:
        frame = Frame(0, 1, self._venue.name, FrameKind.TEXT, 0, None, payload)
        try:
            return self._venue.decode(frame, self._routes)
        except UNDECODABLE:
            return ()


def _resume(pulse: ChannelPulse, now_ns: int) -> None:
    """Let a pulse go on at `now_ns` as if no time had passed since it was last heard."""
    gone_ns = now_ns - pulse.last_ns
    pulse.first_ns += gone_ns
    pulse.last_ns += gone_ns


def _together(pulses: Sequence[ChannelPulse]) -> ChannelPulse | None:
    """Return the pulse of several topics taken as one; None of none.

    Its longest silence is taken for the shortest of theirs, which it cannot have been longer than.
    """
    if len(pulses) < 2:
        return None
    whole = ChannelPulse(min(pulse.first_ns for pulse in pulses))
    whole.last_ns = max(pulse.last_ns for pulse in pulses)
    whole.messages = sum(pulse.messages for pulse in pulses)
    whole.longest_silence_ns = min(pulse.longest_silence_ns for pulse in pulses)
    return whole
