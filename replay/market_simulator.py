"""A seeded exchange without sockets: what it sends of its markets, and when.

Theory. Time is virtual: nanoseconds from 0, which is when the markets open. What happens next is
either the next step of one of the markets (each draws its own intervals) or the scenario's next
incident; `due_ns` says when, and `advance()` lets it happen and returns the actions it causes.
Nothing happens between two calls, so a snapshot taken in between fits exactly before the next
action. `actions()` is the same as one stream, for a listener to everything: snapshots first, and
again after a disconnect.

Rules:

- The same settings give the same actions, byte for byte, on any machine. A market's own course
  does not depend on the faults, as those only touch what is sent of it: a cascade, a crossing and
  a silence are the incidents that happen to the market itself.
- A delta's sequence is that of the delta before it plus one, but for GAP (some are not sent) and
  DUPLICATE (one is sent twice). Its checksum is that of the window after it, but for BAD_CHECKSUM.
- Within a silence nothing happens at all: the markets' steps are put off by its length.
- After a disconnect the next action is whatever the markets do next; a client that comes back
  gets a snapshot for its subscription, which `snapshot()` gives at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import msgspec

from replay import simulated_messages as messages
from replay.market_scenario import (
    CALM,
    CASCADE_ORDERS,
    CASCADE_STEP_NS,
    Incident,
    IncidentKind,
    Scenario,
)
from replay.simulated_book import Instrument
from replay.simulated_market import Message, SimulatedMarket

START_TIME_NS = 1_767_225_600_000_000_000
"""2026-01-01T00:00:00Z: what the markets' clocks show at virtual time 0, unless told otherwise."""

BTCUSDT = Instrument(
    symbol="BTCUSDT",
    price_decimals=2,
    size_decimals=3,
    tick=10,
    start_price=6_512_340,
    level_size_max=1_600,
    first_sequence=1_204_881,
)
ETHUSDT = Instrument(
    symbol="ETHUSDT",
    price_decimals=2,
    size_decimals=2,
    tick=1,
    start_price=341_255,
    level_size_max=3_000,
    first_sequence=730_015,
)
INSTRUMENTS = (BTCUSDT, ETHUSDT)

UNREADABLE_PAYLOAD = b"<html><head><title>502 Bad Gateway</title></head></html>"


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The exchange closes the connection."""

    code: int
    reason: str


Action = Message | Disconnect


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """All that a simulation depends on.

    `start_time_ns` is UTC at virtual time 0. With `live_clocks`, a server puts the time there at
    which each client connects, so that exchange times are near receive times.
    """

    seed: int = 1
    scenario: Scenario = CALM
    instruments: tuple[Instrument, ...] = INSTRUMENTS
    start_time_ns: int = START_TIME_NS
    live_clocks: bool = False


@dataclass
class _Course:
    """A market, when it moves next, and the faults waiting for its next delta."""

    market: SimulatedMarket
    step_ns: int
    faults: list[Incident] = field(default_factory=list)


class MarketSimulator:
    """One run of a simulation."""

    def __init__(self, settings: SimulationSettings) -> None:
        """Open the markets.

        Raises:
            ScenarioError: the scenario cannot be played on these instruments.
        """
        settings.scenario.check(frozenset(each.symbol for each in settings.instruments))
        self.settings = settings
        self._courses: dict[str, _Course] = {}
        for instrument in settings.instruments:
            market = SimulatedMarket(instrument, settings.seed, settings.start_time_ns)
            self._courses[instrument.symbol] = _Course(market, market.interval_ns(0))
        self._incidents = _spread_out(settings.scenario)

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics that can be subscribed to."""
        kinds = (messages.book_topic, messages.trade_topic, messages.liquidation_topic)
        return tuple(kind(symbol) for symbol in self._courses for kind in kinds)

    @property
    def due_ns(self) -> int | None:
        """The virtual time of what happens next; None where nothing does any more."""
        due_ns = min(course.step_ns for course in self._courses.values())
        if self._incidents:
            due_ns = min(due_ns, self._incidents[0].at_ns)
        end_ns = self.settings.scenario.duration_ns
        return due_ns if end_ns is None or due_ns < end_ns else None

    def advance(self) -> list[Action]:
        """Let happen what is due next, and return what is sent because of it; maybe nothing."""
        due_ns = self.due_ns
        if due_ns is None:
            return []
        if self._incidents and self._incidents[0].at_ns <= due_ns:
            return self._befall(self._incidents.pop(0))
        course = min(self._courses.values(), key=lambda each: each.step_ns)
        sent = course.market.step(due_ns)
        course.step_ns = due_ns + course.market.interval_ns(due_ns)
        return self._faulted(course, sent)

    def actions(self) -> Iterator[tuple[int, Action]]:
        """Return everything that a listener to all topics is sent, with its virtual time."""
        yield from ((0, message) for message in self._snapshots())
        while (due_ns := self.due_ns) is not None:
            for action in self.advance():
                yield due_ns, action
                if isinstance(action, Disconnect):
                    yield from ((due_ns, message) for message in self._snapshots())

    def snapshot(self, topic: str) -> bytes | None:
        """Return the snapshot that a subscription to `topic` begins with; None where none does."""
        for symbol, course in self._courses.items():
            if topic == messages.book_topic(symbol):
                return course.market.snapshot()
        return None

    def market(self, symbol: str) -> SimulatedMarket | None:
        """Return the market of `symbol` as it is, None where there is none."""
        course = self._courses.get(symbol)
        return None if course is None else course.market

    def _snapshots(self) -> list[Message]:
        markets = [course.market for course in self._courses.values()]
        return [Message(messages.book_topic(each.symbol), each.snapshot()) for each in markets]

    def _befall(self, incident: Incident) -> list[Action]:
        if incident.kind is IncidentKind.DISCONNECT:
            return [Disconnect(incident.code, incident.reason)]
        if incident.kind is IncidentKind.SILENCE:
            for course in self._courses.values():
                course.step_ns += incident.duration_ns
            return []
        course = self._courses[incident.symbol]
        if incident.kind is IncidentKind.UNREADABLE:
            return [Message(messages.book_topic(incident.symbol), UNREADABLE_PAYLOAD)]
        if incident.kind is IncidentKind.CROSSED:
            return self._faulted(course, course.market.crossing())
        if incident.kind is IncidentKind.CASCADE:
            sent = course.market.liquidate(incident.at_ns, incident.order_side, incident.notional)
            return self._faulted(course, sent)
        course.faults.append(incident)
        return []

    def _faulted(self, course: _Course, sent: list[Message]) -> list[Action]:
        """Return what reaches the client of what a market sends, its waiting faults applied."""
        if not course.faults:
            return list(sent)
        topic = messages.book_topic(course.market.symbol)
        reached: list[Action] = []
        for message in sent:
            if message.topic == topic and course.faults:
                reached += _fault(course, message)
            else:
                reached.append(message)
        return reached


def _fault(course: _Course, delta: Message) -> list[Message]:
    fault = course.faults.pop(0)
    if fault.kind is IncidentKind.GAP:
        return []
    if fault.kind is IncidentKind.DUPLICATE:
        return [delta, delta]
    stated = msgspec.json.decode(delta.payload)
    stated["data"]["checksum"] ^= 0x5A5A5A5A
    return [Message(delta.topic, msgspec.json.encode(stated))]


def _spread_out(scenario: Scenario) -> list[Incident]:
    """Return single happenings: a cascade as its orders, a gap as its deltas."""
    single: list[Incident] = []
    for incident in scenario.incidents:
        if incident.kind is IncidentKind.CASCADE:
            # Rounded up, so that all the orders together are worth at least what is asked for.
            share = -(-incident.notional // CASCADE_ORDERS)
            for order in range(CASCADE_ORDERS):
                at_ns = incident.at_ns + order * CASCADE_STEP_NS
                single.append(replace(incident, at_ns=at_ns, notional=share))
        elif incident.kind is IncidentKind.GAP:
            single += [incident] * incident.count
        else:
            single.append(incident)
    return sorted(single, key=lambda each: each.at_ns)
