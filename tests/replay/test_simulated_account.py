"""A simulation's account and its books of other depths, as clients of it see them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from book.book_state import BookState
from book.engine import Engine
from replay.market_scenario import CALM, ENDLESS
from replay.market_simulator import MarketSimulator, SimulationSettings
from replay.simulated_account import FEE, START_BALANCE, SimulatedAccount
from replay.venue_server import VenueServer
from tests.replay.exchange_client import client, next_message, subscribe
from venues.channel import Channel
from venues.event import OrderUpdate, PositionUpdate, WalletUpdate
from venues.frame import Frame, FrameKind
from venues.registry import venue_named
from venues.venue import Credentials, StreamRequest

KEYS = Credentials("key-1234", "secret-5678")
SETTINGS = SimulationSettings(scenario=ENDLESS)
VENUE = venue_named("reference")


def frame(number: int, payload: bytes) -> Frame:
    return Frame(number, 1, "reference", FrameKind.TEXT, number, number, payload)


def account_messages(steps: int, seed: int = 1) -> list[bytes]:
    simulator = MarketSimulator(SimulationSettings(scenario=CALM))
    markets = [market for name in ("BTCUSDT", "ETHUSDT") if (market := simulator.market(name))]
    account = SimulatedAccount(markets, seed, 0)
    return [message.payload for _ in range(steps) for message in account.advance()]


async def test_orders_positions_and_the_wallet_come_after_a_login_and_not_before() -> None:
    plan = VENUE.plan(StreamRequest("reference", (), tuple(sorted(private_channels()))))[0]
    login = VENUE.login(plan, KEYS, 1_800_000_000_000, b"").message
    assert login is not None
    async with (
        VenueServer(SETTINGS, speed="50x", credentials=KEYS) as server,
        client(server.url, ["order"]) as connection,
    ):
        assert json.loads(await next_message(connection))["ret_msg"] == "order needs a login"
        await connection.send(login)
        assert json.loads(await next_message(connection))["success"]
        await connection.send(subscribe(["order", "position", "wallet"]))
        assert json.loads(await next_message(connection))["success"]
        got = [await next_message(connection) for _ in range(40)]
    events = [
        event for number, each in enumerate(got) for event in VENUE.decode(frame(number, each))
    ]
    assert {type(event) for event in events} == {OrderUpdate, PositionUpdate, WalletUpdate}
    check_orders(got)


def private_channels() -> set[Channel]:
    return {channel for channel in VENUE.traits.channels if channel.private}


def check_orders(got: list[bytes]) -> None:
    """Check that each order is new, and then filled or cancelled."""
    open_order = ""
    for each in got:
        message = json.loads(each)
        if message["topic"] != "order":
            continue
        order = message["data"][0]
        if order["orderStatus"] == "New":
            assert open_order == ""
            open_order = order["orderId"]
        else:
            assert order["orderId"] == open_order
            assert (order["orderStatus"] == "Filled") == (order["cumExecQty"] == order["qty"])
            open_order = ""


def test_the_wallet_is_what_fees_and_closed_positions_leave_of_it() -> None:
    balance = START_BALANCE
    held: dict[str, list[tuple[str, Decimal, Decimal]]] = {"BTCUSDT": [], "ETHUSDT": []}
    checked = 0
    for payload in account_messages(400):
        message = json.loads(payload)
        row = message["data"][0]
        if message["topic"] == "order" and row["orderStatus"] == "Filled":
            price, size = Decimal(row["price"]), Decimal(row["qty"])
            balance -= price * size * FEE
            balance += closed_result(held[row["symbol"]], row["side"], price, size)
        elif message["topic"] == "wallet":
            stated = Decimal(row["coin"][0]["walletBalance"])
            assert abs(stated - balance) < Decimal("0.0001")
            checked += 1
        elif message["topic"] == "position":
            fills = held[row["symbol"]]
            total = sum(size if side == "Buy" else -size for side, _, size in fills)
            assert Decimal(row["size"]) == abs(total)
    assert checked > 100


def closed_result(
    held: list[tuple[str, Decimal, Decimal]], side: str, price: Decimal, size: Decimal
) -> Decimal:
    """Enter a fill, and return what it earns: average cost, kept in fills of one direction."""
    if not held or held[0][0] == side:
        held.append((side, price, size))
        return Decimal(0)
    direction = 1 if held[0][0] == "Buy" else -1
    total = sum((each[2] for each in held), Decimal(0))
    average = sum((each[1] * each[2] for each in held), Decimal(0)) / total
    closing = min(size, total)
    left, over = total - closing, size - closing
    held[:] = [(held[0][0], average, left)] if left else []
    if over:
        held.append((side, price, over))
    return (price - average) * closing * direction


def test_the_same_seed_gives_the_same_account_and_another_another() -> None:
    assert account_messages(50) == account_messages(50)
    assert account_messages(50, seed=2) != account_messages(50)


@pytest.mark.parametrize("depth", [1, 25, 200])
async def test_a_book_of_another_depth_is_proven_and_is_the_top_of_the_other(depth: int) -> None:
    topic = f"orderbook.{depth}.BTCUSDT"
    shallow, deep = Engine(), Engine()
    async with (
        VenueServer(SETTINGS, speed="50x") as server,
        client(server.url, [topic, "orderbook.50.BTCUSDT"]) as connection,
    ):
        await next_message(connection)
        for number in range(200):
            payload = await next_message(connection)
            engine = shallow if topic.encode() in payload else deep
            engine.apply(frame(number, payload))
        while shallow.markets["reference", "BTCUSDT"].book.sequence != (
            deep.markets["reference", "BTCUSDT"].book.sequence
        ):
            payload = await next_message(connection)
            (shallow if topic.encode() in payload else deep).apply(frame(number + 1, payload))
    market, other = shallow.markets["reference", "BTCUSDT"], deep.markets["reference", "BTCUSDT"]
    assert market.book.state is BookState.PROVEN
    assert market.counters.checksums_failed == market.counters.gaps == 0
    least = min(depth, 50)
    assert market.book.bids.top(least) == other.book.bids.top(least)
    assert market.book.asks.top(least) == other.book.asks.top(least)
    assert len(market.book.bids.top(500)) >= least
