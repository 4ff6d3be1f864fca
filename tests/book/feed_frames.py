"""Frames of whole feeds: simulated ones in the reference protocol, and those that Binance sent."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache
from itertools import islice

from replay.market_scenario import ENDLESS, Scenario
from replay.market_simulator import BTCUSDT, Disconnect, MarketSimulator, SimulationSettings
from tests.real_data import REAL_DATA
from venues.frame import Frame, FrameKind
from venues.marker import Closed, HttpResponse, http_payload, marker_payload

START_NS = 1_767_225_600_000_000_000

BINANCE_FILES = {
    "binance-spot": ("spot_btcusdt_20240808.gz", "BTCUSDT"),
    "binance-usdm": ("usdm_btcusdt_20240808.gz", "BTCUSDT"),
    "binance-coinm": ("coinm_btcusd_perp_20240808.gz", "BTCUSD_PERP"),
}


def simulated_frames(count: int, seed: int = 1, scenario: Scenario = ENDLESS) -> list[Frame]:
    """The first frames that a listener to everything gets of one simulated market."""
    instruments = (BTCUSDT,) if scenario is ENDLESS else SimulationSettings().instruments
    simulator = MarketSimulator(SimulationSettings(seed, scenario, instruments))
    return list(islice(_frames(simulator), count))


def _frames(simulator: MarketSimulator) -> Iterator[Frame]:
    connection_id = 1
    for number, (after_ns, action) in enumerate(simulator.actions()):
        time_ns = START_NS + after_ns
        if isinstance(action, Disconnect):
            payload = marker_payload(Closed(action.code, action.reason))
            kind = FrameKind.CLOSED
            yield Frame(number, connection_id, "reference", kind, time_ns, None, payload)
            connection_id += 1
            continue
        kind = FrameKind.TEXT
        yield Frame(number, connection_id, "reference", kind, time_ns, None, action.payload)


@cache
def binance_frames(venue: str) -> list[Frame]:
    """All frames of a real recording; its lines are `<receive time, ns> <JSON>`."""
    name, symbol = BINANCE_FILES[venue]
    frames: list[Frame] = []
    with gzip.open(REAL_DATA / "binance" / name) as lines:
        for number, line in enumerate(lines):
            time_text, payload = line.strip().split(b" ", 1)
            kind = FrameKind.TEXT
            if not payload.startswith(b'{"stream"'):
                kind = FrameKind.HTTP
                head = HttpResponse("GET", "", 200, "book snapshot", symbol)
                payload = http_payload(head, payload)
            frames.append(Frame(number, 1, venue, kind, int(time_text), None, payload))
    return frames
