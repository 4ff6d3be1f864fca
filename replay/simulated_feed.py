"""A running simulation as a feed: the exchange's books are alive, so it can always answer.

Beside what the markets publish there are books of other depths (`simulated_depth`), and an account
(`simulated_account`), the topics of which need a login.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from copy import deepcopy
from dataclasses import replace

from replay.feed import Cutting, Sending, Step, TopicStanding
from replay.market_simulator import Action, Disconnect, MarketSimulator, SimulationSettings
from replay.simulated_account import TOPICS as ACCOUNT_TOPICS
from replay.simulated_account import SimulatedAccount
from replay.simulated_depth import DepthViews
from replay.simulated_messages import VENUE
from venues.registry import venue_named
from venues.venue import ClientRequest, Venue


class SimulatedFeed:
    """One run of a simulation. Nothing happens in it before it is taken."""

    def __init__(self, settings: SimulationSettings) -> None:
        """Open the markets.

        Raises:
            ScenarioError: the scenario cannot be played.
        """
        self._simulator = MarketSimulator(settings)
        symbols = [each.symbol for each in settings.instruments]
        self._views = DepthViews(self._simulator, symbols)
        self._topics = frozenset(self._simulator.topics) | self._views.topics.keys()
        markets = [market for each in symbols if (market := self._simulator.market(each))]
        self._account = SimulatedAccount(markets, settings.seed, settings.start_time_ns)
        self._kept: deque[Step] = deque()
        self._connection_id = 1
        self._now_ns = 0

    @property
    def venue(self) -> Venue:
        """The venue that the simulation speaks as."""
        return venue_named(VENUE)

    @property
    def position(self) -> int:
        """Virtual time: how far the markets are."""
        return self._now_ns

    @property
    def ended(self) -> bool:
        """Whether the scenario is over."""
        return not self._kept and self._simulator.due_ns is None

    def branch(self) -> SimulatedFeed:
        """Return another feed of the same markets as they are, which go on in the same way."""
        return deepcopy(self)

    async def pass_by(self, until_ns: int) -> None:
        """Let happen what happens before `until_ns`."""
        while (due_ns := await self.due_ns()) is not None and due_ns < until_ns:
            self.take(None)

    async def due_ns(self) -> int | None:
        """Return the virtual time of the next step."""
        return self._kept[0].due_ns if self._kept else self._due_ns()

    def _due_ns(self) -> int | None:
        due_ns = self._simulator.due_ns
        return None if due_ns is None else min(due_ns, self._account.due_ns)

    def take(self, until_ns: int | None) -> Sequence[Step]:
        """Let one thing happen, and return what is sent because of it; maybe nothing."""
        del until_ns  # One at a time: a snapshot asked for in between must fit in between.
        if self._kept:
            kept = list(self._kept)
            self._kept.clear()
            return kept
        due_ns = self._due_ns()
        if due_ns is None:
            return []
        self._now_ns = due_ns
        if due_ns == self._account.due_ns:
            return [self._step(message) for message in self._account.advance()]
        return [self._step(action) for action in self._views.told(self._simulator.advance())]

    def give_back(self, steps: Sequence[Step]) -> None:
        """Keep `steps` for the next time."""
        self._kept.extendleft(reversed(steps))

    def standing(self, topic: str) -> TopicStanding:
        """Return whether one of the markets publishes `topic`, or the account has it."""
        if topic in ACCOUNT_TOPICS:
            return TopicStanding.PRIVATE
        return TopicStanding.PUBLIC if topic in self._topics else TopicStanding.UNKNOWN

    async def openings(self, topics: Collection[str]) -> AsyncIterator[Sequence[Sending]]:
        """State each book as it is."""
        stated = [
            (topic, self._simulator.snapshot(topic) or self._views.snapshot(topic))
            for topic in topics
        ]
        now_ns, connection_id = self._now_ns, self._connection_id
        yield [
            Sending(now_ns, topic, payload, False, connection_id, now_ns)
            for topic, payload in stated
            if payload is not None
        ]

    async def greetings(self) -> Sequence[Sending]:
        """Return nothing: the exchange's own greeting will do."""
        return ()

    async def acknowledgement(self, topic: str) -> Sending | None:
        """Return nothing: no message refers to its acknowledgement."""
        del topic
        return None

    async def carrier(self, topics: Collection[str]) -> int | None:
        """Return the connection that is up."""
        del topics
        return self._connection_id

    async def acknowledgements_ahead(self) -> int:
        """Return 0: nothing was recorded."""
        return 0

    async def snapshot_message(self, request: ClientRequest) -> str | bytes | None:
        """Return nothing: no book is asked for on the socket."""
        del request
        return None

    async def http_body(self, path_and_query: str) -> bytes | None:
        """Return the book as it is."""
        dialect = self.venue.dialect
        symbol = dialect.snapshot_symbol(path_and_query)
        market = None if symbol is None else self._simulator.market(symbol)
        if market is None:
            return None
        bids, asks = market.book.window()
        return dialect.snapshot_body(market.symbol, bids, asks, market.book.sequence)

    def _step(self, action: Action) -> Step:
        connection_id = self._connection_id
        if isinstance(action, Disconnect):
            self._connection_id += 1
            now_ns = self._now_ns
            return Cutting(now_ns, action.code, action.reason, False, connection_id, now_ns)
        return Sending(
            self._now_ns, action.topic, action.payload, False, connection_id, self._now_ns
        )


def starting_now(settings: SimulationSettings) -> SimulationSettings:
    """Return the settings with clocks that show the present, as a live exchange's do."""
    return replace(settings, live_clocks=True)


def begun(settings: SimulationSettings) -> SimulationSettings:
    """Return the settings of markets that open now."""
    if settings.live_clocks:
        return replace(settings, start_time_ns=time.time_ns())
    return settings
