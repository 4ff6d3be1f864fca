"""What goes wrong in a simulation, and when: the part of it that is not left to chance.

A scenario is a list of incidents at virtual times. Each kind is a fault (or a market move) that
real exchanges produce, so that everything that reads a feed can be shown one on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from venues.errors import TickreelError
from venues.event import Side

SECOND_NS = 1_000_000_000

CASCADE_ORDERS = 12
CASCADE_STEP_NS = SECOND_NS // 4


class IncidentKind(Enum):
    """What happens.

    - CASCADE: liquidations worth more than `notional`, all of one side, within three seconds.
    - GAP: the next `count` deltas are made but never sent; the numbering goes on.
    - BAD_CHECKSUM: the next delta is sent with a wrong checksum, and is right otherwise.
    - DUPLICATE: the next delta is sent twice.
    - CROSSED: a delta puts a bid above the best ask, and the one after it takes it back.
    - UNREADABLE: a message that is not JSON is sent in the book's place.
    - SILENCE: nothing is sent for `duration_ns`, by any market.
    - DISCONNECT: the connection is closed with `code`; the markets stand still until it is back.
    """

    CASCADE = "cascade"
    GAP = "gap"
    BAD_CHECKSUM = "bad checksum"
    DUPLICATE = "duplicate"
    CROSSED = "crossed"
    UNREADABLE = "unreadable"
    SILENCE = "silence"
    DISCONNECT = "disconnect"


OF_ALL_MARKETS = frozenset({IncidentKind.SILENCE, IncidentKind.DISCONNECT})


@dataclass(frozen=True, slots=True)
class Incident:
    """One of them. `symbol` is '' for those that befall the connection rather than a market."""

    at_ns: int
    kind: IncidentKind
    symbol: str = ""
    count: int = 1
    notional: int = 600_000
    order_side: Side = Side.SELL
    duration_ns: int = 6 * SECOND_NS
    code: int = 1001
    reason: str = "maintenance"

    @property
    def lasts_ns(self) -> int:
        """How long it lasts, during which nothing else can happen."""
        if self.kind is IncidentKind.SILENCE:
            return self.duration_ns
        return CASCADE_ORDERS * CASCADE_STEP_NS if self.kind is IncidentKind.CASCADE else 0


class ScenarioError(TickreelError):
    """A scenario that cannot be played."""

    def __init__(self, incident: Incident | None, reason: str) -> None:
        self.incident = incident
        what = "" if incident is None else f" ({incident.kind.value} at {incident.at_ns} ns)"
        super().__init__(f"the scenario cannot be played{what}: {reason}.")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Incidents in the order of their times, and how long it all lasts (None: for ever)."""

    incidents: tuple[Incident, ...] = ()
    duration_ns: int | None = None

    def check(self, symbols: frozenset[str]) -> None:
        """Look whether it can be played on these markets.

        Raises:
            ScenarioError: an incident is of no market here, or comes before the last one is over.
        """
        earliest_ns = 0
        for incident in self.incidents:
            if incident.at_ns < earliest_ns:
                raise ScenarioError(incident, "it comes before what precedes it has ended")
            if (incident.symbol in symbols) == (incident.kind in OF_ALL_MARKETS):
                raise ScenarioError(incident, f"{incident.symbol!r} is no market it can befall")
            earliest_ns = incident.at_ns + incident.lasts_ns
        if self.duration_ns is not None and self.duration_ns <= earliest_ns:
            raise ScenarioError(None, "it ends before its last incident")


def _seconds(seconds: int) -> int:
    return seconds * SECOND_NS


CALM = Scenario(
    incidents=(
        Incident(_seconds(9), IncidentKind.CASCADE, "BTCUSDT", notional=620_000),
        Incident(_seconds(17), IncidentKind.CASCADE, "ETHUSDT", notional=120_000),
    ),
    duration_ns=_seconds(24),
)
"""Nothing goes wrong; one move is a cascade (BTCUSDT), the other stays below the threshold."""

ROUGH = Scenario(
    incidents=(
        Incident(_seconds(2), IncidentKind.GAP, "BTCUSDT", count=2),
        Incident(_seconds(4), IncidentKind.BAD_CHECKSUM, "ETHUSDT"),
        Incident(_seconds(6), IncidentKind.UNREADABLE, "BTCUSDT"),
        Incident(_seconds(7), IncidentKind.SILENCE, duration_ns=_seconds(6)),
        Incident(_seconds(14), IncidentKind.CASCADE, "BTCUSDT", notional=620_000),
        Incident(_seconds(18), IncidentKind.DISCONNECT),
        Incident(_seconds(20), IncidentKind.DUPLICATE, "BTCUSDT"),
        Incident(_seconds(21), IncidentKind.CROSSED, "ETHUSDT"),
    ),
    duration_ns=_seconds(24),
)
"""Every fault once."""

ENDLESS = Scenario()
"""Markets that go on for ever without any incident."""

SCENARIOS: Mapping[str, Scenario] = {"calm": CALM, "rough": ROUGH, "endless": ENDLESS}
