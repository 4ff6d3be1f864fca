"""The simulated exchange against a plain dict, and each fault against its own definition."""

from __future__ import annotations

import zlib
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.market_scenario import (
    CALM,
    ROUGH,
    SECOND_NS,
    Incident,
    IncidentKind,
    Scenario,
    ScenarioError,
)
from replay.market_simulator import (
    BTCUSDT,
    ETHUSDT,
    INSTRUMENTS,
    UNREADABLE_PAYLOAD,
    Action,
    Disconnect,
    MarketSimulator,
    SimulationSettings,
)
from replay.simulated_market import Message
from venues.event import BookDelta, BookSnapshot, Liquidation, Side, Trade
from venues.frame import Frame, FrameKind
from venues.registry import venue_named

BTC_BOOK = "orderbook.50.BTCUSDT"
ETH_BOOK = "orderbook.50.ETHUSDT"
FAULTS = (
    IncidentKind.GAP,
    IncidentKind.BAD_CHECKSUM,
    IncidentKind.DUPLICATE,
    IncidentKind.UNREADABLE,
)


def run(scenario: Scenario, seed: int = 1) -> list[tuple[int, Action]]:
    return list(MarketSimulator(SimulationSettings(seed, scenario)).actions())


def lasting(seconds: int, *incidents: Incident) -> Scenario:
    return Scenario(incidents, seconds * SECOND_NS)


def payloads(actions: list[tuple[int, Action]], topic: str) -> list[bytes]:
    return [
        action.payload
        for _, action in actions
        if isinstance(action, Message) and action.topic == topic
    ]


def books(actions: list[tuple[int, Action]], topic: str) -> list[dict[str, Any]]:
    readable = [payload for payload in payloads(actions, topic) if payload != UNREADABLE_PAYLOAD]
    return [msgspec.json.decode(payload) for payload in readable]


class DictBook:
    """The oracle: two dicts, and the checksum spelled out as the protocol does."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, tuple[str, str]] = {}
        self.asks: dict[Decimal, tuple[str, str]] = {}

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "snapshot":
            self.bids.clear()
            self.asks.clear()
        for levels, rows in (
            (self.bids, message["data"]["bids"]),
            (self.asks, message["data"]["asks"]),
        ):
            for price, size in rows:
                if Decimal(size) == 0:
                    levels.pop(Decimal(price), None)
                else:
                    levels[Decimal(price)] = (price, size)

    def checksum(self) -> int:
        bids = [self.bids[price] for price in sorted(self.bids, reverse=True)][:25]
        asks = [self.asks[price] for price in sorted(self.asks)][:25]
        parts = []
        for bid, ask in zip(bids, asks, strict=True):
            parts += [":".join(bid), ":".join(ask)]
        return zlib.crc32("|".join(parts).encode()) & 0xFFFFFFFF

    @property
    def crossed(self) -> bool:
        return max(self.bids) >= min(self.asks)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_a_plain_dict_fed_with_the_messages_holds_fifty_levels_a_side_and_every_checksum(
    seed: int,
) -> None:
    actions = run(lasting(5, Incident(SECOND_NS, IncidentKind.CASCADE, "BTCUSDT")), seed)
    for topic in (BTC_BOOK, ETH_BOOK):
        book = DictBook()
        messages = books(actions, topic)
        assert len(messages) > 20
        for message in messages:
            book.take(message)
            assert message["data"]["checksum"] == book.checksum()
            assert len(book.bids) == len(book.asks) == 50
            assert not book.crossed
        numbers = [message["data"]["seq"] for message in messages]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_the_exchange_holds_a_sound_book_after_every_step(seed: int) -> None:
    simulator = MarketSimulator(
        SimulationSettings(
            seed, lasting(5, Incident(SECOND_NS, IncidentKind.CASCADE, "ETHUSDT", notional=10**6))
        )
    )
    while simulator.due_ns is not None:
        simulator.advance()
        for instrument in INSTRUMENTS:
            market = simulator.market(instrument.symbol)
            assert market is not None
            market.book.check()


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**32),
    kinds=st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(1, 3)), max_size=6),
)
def test_what_is_sent_differs_from_the_truth_in_the_scenario_s_faults_and_nothing_else(
    seed: int, kinds: list[tuple[IncidentKind, int]]
) -> None:
    incidents = [
        Incident((number + 1) * SECOND_NS // 2, kind, "BTCUSDT", count=count)
        for number, (kind, count) in enumerate(kinds)
    ]
    seconds = len(kinds) // 2 + 3
    faulty = payloads(run(lasting(seconds, *incidents), seed), BTC_BOOK)
    clean = payloads(run(lasting(seconds), seed), BTC_BOOK)
    left_out = Counter(clean) - Counter(faulty)
    put_in = Counter(faulty) - Counter(clean)
    counts = Counter(kind for kind, _ in kinds)
    gaps = sum(count for kind, count in kinds if kind is IncidentKind.GAP)
    altered = counts[IncidentKind.BAD_CHECKSUM]
    assert left_out.total() == gaps + altered
    assert put_in[UNREADABLE_PAYLOAD] == counts[IncidentKind.UNREADABLE]
    assert (
        put_in.total() == altered + counts[IncidentKind.UNREADABLE] + counts[IncidentKind.DUPLICATE]
    )


def test_the_same_settings_give_the_same_bytes_and_another_seed_gives_others() -> None:
    assert run(ROUGH, 7) == run(ROUGH, 7)
    assert run(ROUGH, 7) != run(ROUGH, 8)


def test_times_never_go_back_and_end_with_the_scenario() -> None:
    actions = run(ROUGH)
    assert all(before <= after for (before, _), (after, _) in pairwise(actions))
    assert ROUGH.duration_ns is not None
    assert actions[-1][0] < ROUGH.duration_ns


def test_a_gap_leaves_out_exactly_the_deltas_it_names() -> None:
    messages = books(run(lasting(4, Incident(SECOND_NS, IncidentKind.GAP, "BTCUSDT", 3))), BTC_BOOK)
    steps = [after["data"]["seq"] - before["data"]["seq"] for before, after in pairwise(messages)]
    assert Counter(steps)[4] == 1
    assert set(steps) == {1, 4}


def test_a_bad_checksum_is_the_only_thing_wrong_with_its_delta() -> None:
    actions = run(lasting(4, Incident(SECOND_NS, IncidentKind.BAD_CHECKSUM, "ETHUSDT")))
    book, wrong = DictBook(), []
    for message in books(actions, ETH_BOOK):
        book.take(message)
        if message["data"]["checksum"] != book.checksum():
            wrong.append(message["data"]["seq"])
    assert len(wrong) == 1


def test_a_silence_is_as_long_as_it_says_and_of_all_markets() -> None:
    incident = Incident(2 * SECOND_NS, IncidentKind.SILENCE, duration_ns=6 * SECOND_NS)
    times = [time_ns for time_ns, _ in run(lasting(10, incident))]
    assert not [time_ns for time_ns in times if 2 * SECOND_NS < time_ns < 8 * SECOND_NS]
    assert max(times) > 8 * SECOND_NS
    assert max(after - before for before, after in pairwise(times)) >= 6 * SECOND_NS


def test_a_crossing_is_taken_back_by_the_next_delta_and_its_checksums_are_right() -> None:
    actions = run(lasting(4, Incident(SECOND_NS, IncidentKind.CROSSED, "ETHUSDT")))
    book, crossed = DictBook(), []
    for message in books(actions, ETH_BOOK):
        book.take(message)
        assert message["data"]["checksum"] == book.checksum()
        crossed.append(book.crossed)
    assert crossed.count(True) == 1


def test_a_disconnect_is_followed_by_fresh_snapshots() -> None:
    actions = [
        action for _, action in run(lasting(4, Incident(SECOND_NS, IncidentKind.DISCONNECT)))
    ]
    place = actions.index(Disconnect(1001, "maintenance"))
    after = [action for action in actions[place + 1 : place + 3] if isinstance(action, Message)]
    assert [message.topic for message in after] == [BTC_BOOK, ETH_BOOK]
    assert all(msgspec.json.decode(each.payload)["type"] == "snapshot" for each in after)


@pytest.mark.parametrize("side", list(Side))
def test_a_cascade_is_worth_more_than_it_names_within_ten_seconds_and_moves_the_price(
    side: Side,
) -> None:
    incident = Incident(
        SECOND_NS, IncidentKind.CASCADE, "BTCUSDT", notional=600_000, order_side=side
    )
    simulator = MarketSimulator(SimulationSettings(3, lasting(5, incident)))
    market = simulator.market("BTCUSDT")
    assert market is not None
    before = market.book.bids.best
    worth = Decimal(0)
    decode = venue_named("reference").decode
    for time_ns, action in simulator.actions():
        if isinstance(action, Message) and action.topic == "allLiquidation.BTCUSDT":
            for event in decode(
                Frame(0, 1, "reference", FrameKind.TEXT, time_ns, 0, action.payload)
            ):
                assert isinstance(event, Liquidation)
                assert event.notional is not None
                if event.raw_side == {Side.BUY: "Buy", Side.SELL: "Sell"}[side]:
                    assert event.notional is not None
                    worth += event.notional
    assert worth >= 600_000
    assert (market.book.bids.best > before) is (side is Side.BUY)


def test_the_reference_venue_reads_every_message_of_the_simulator() -> None:
    decode = venue_named("reference").decode
    kinds: Counter[type] = Counter()
    for number, (time_ns, action) in enumerate(run(CALM)):
        assert isinstance(action, Message)
        frame = Frame(number, 1, "reference", FrameKind.TEXT, time_ns, 0, action.payload)
        assert venue_named("reference").dialect.topic(action.payload) == action.topic
        kinds.update(type(event) for event in decode(frame))
    assert kinds[BookSnapshot] == 2
    assert kinds[BookDelta] > 1_000
    assert kinds[Trade] > 500
    assert kinds[Liquidation] >= 24


def test_trades_hit_the_price_that_was_best() -> None:
    book = DictBook()
    for _, action in run(CALM):
        assert isinstance(action, Message)
        message = msgspec.json.decode(action.payload)
        if action.topic == BTC_BOOK:
            book.take(message)
        elif action.topic == "publicTrade.BTCUSDT":
            trade = message["data"][0]
            best = min(book.asks) if trade["S"] == "Buy" else max(book.bids)
            assert Decimal(trade["p"]) == best


def test_digits_keep_their_trailing_zeros() -> None:
    assert BTCUSDT.price_text(6_500_000) == "65000.00"
    assert BTCUSDT.size_text(500) == "0.500"
    assert BTCUSDT.size_text(0) == "0"
    assert ETHUSDT.price_text(5) == "0.05"


@pytest.mark.parametrize(
    ("scenario", "word"),
    [
        (
            lasting(
                9, Incident(2, IncidentKind.GAP, "BTCUSDT"), Incident(1, IncidentKind.DISCONNECT)
            ),
            "before",
        ),
        (lasting(9, Incident(1, IncidentKind.GAP, "DOGEUSDT")), "no market"),
        (lasting(9, Incident(1, IncidentKind.DISCONNECT, "BTCUSDT")), "no market"),
        (
            lasting(9, Incident(0, IncidentKind.SILENCE), Incident(5, IncidentKind.DISCONNECT)),
            "before",
        ),
        (lasting(1, Incident(2 * SECOND_NS, IncidentKind.DISCONNECT)), "ends before"),
    ],
)
def test_a_scenario_that_cannot_be_played_says_why(scenario: Scenario, word: str) -> None:
    with pytest.raises(ScenarioError, match=word):
        MarketSimulator(SimulationSettings(scenario=scenario))
