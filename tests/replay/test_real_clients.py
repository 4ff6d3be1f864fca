"""Clients that other people wrote for the real exchanges, unmodified but for the address.

Each holds, at the end, the very book that the engine makes of the recording.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import ccxt.pro
import pytest
from pybit import unified_trading

from book.engine import Engine
from replay.feed import Sending, Step
from replay.frame_source import FrameList
from replay.import_draft import ImportSource
from replay.import_hftbacktest import read_drafts
from replay.step_change import StepChange
from replay.venue_server import VenueServer
from tests.real_data import REAL_DATA, needs_real_data
from tests.replay import made_bybit
from tests.replay.exchange_client import QUIET_S, recording
from tests.replay.made_bybit import MadeExchange
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, http_payload
from venues.registry import venue_named

Side = list[list[float]]
DELTAS = 500
LAST_UPDATE_ID = made_bybit.FIRST_UPDATE_ID + DELTAS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""What these packages use is theirs."""


def engine_sides(engine: Engine, venue: str, symbol: str) -> tuple[Side, Side]:
    book = engine.markets[venue, symbol].book
    return numbers(book.bids.top(10_000)), numbers(book.asks.top(10_000))


def numbers(rows: Sequence[Any]) -> Side:
    return [[float(row[0]), float(row[1])] for row in rows]


def applied(source: FrameList) -> Engine:
    engine = Engine()
    for frame in source.frames():
        engine.apply(frame)
    return engine


def bybit_recording() -> tuple[FrameList, tuple[Side, Side]]:
    exchange = MadeExchange(seed=3)
    source = recording(made_bybit.pieces(exchange, DELTAS), 5_000_000)
    sides = exchange.book()
    assert engine_sides(applied(source), made_bybit.VENUE, "BTCUSDT") == sides
    return source, sides


@asynccontextmanager
async def ccxt_bybit(server: VenueServer) -> AsyncIterator[Any]:
    client: Any = ccxt.pro.bybit({"enableRateLimit": False})
    client.urls["api"]["public"] = server.rest_url
    client.urls["api"]["ws"]["public"]["linear"] = server.url + made_bybit.PATH
    try:
        yield client
    finally:
        await client.close()


async def watched(client: Any, server: VenueServer, symbol: str) -> tuple[Side, Side]:
    """Watch until all was played and nothing more comes; return both sides."""
    book: Mapping[str, Any] = {"bids": [], "asks": []}
    while True:
        try:
            async with asyncio.timeout(QUIET_S):
                book = await client.watch_order_book(symbol)
        except TimeoutError:
            if server.played.is_set():
                return numbers(book["bids"]), numbers(book["asks"])


async def pybit_book(server: VenueServer, monkeypatch: pytest.MonkeyPatch) -> tuple[Side, Side]:
    monkeypatch.setattr(unified_trading, "PUBLIC_WSS", server.url + "/v5/public/{CHANNEL_TYPE}")
    held: dict[str, Any] = {}
    trades: list[Any] = []
    client = await asyncio.to_thread(
        unified_trading.WebSocket, testnet=False, channel_type="linear"
    )
    with closing(Exiting(client)):
        await asyncio.to_thread(client.orderbook_stream, 50, "BTCUSDT", held.update)
        await asyncio.to_thread(client.trade_stream, "BTCUSDT", trades.append)
        await asyncio.to_thread(until, lambda: held.get("data", {}).get("u") == LAST_UPDATE_ID)
    assert trades
    return (
        sorted(numbers(held["data"]["b"]), reverse=True),
        sorted(numbers(held["data"]["a"])),
    )


def until(reached: Callable[[], bool]) -> None:
    """Wait for what another thread does; the test's own timeout is 20 s."""
    begun_s = time.monotonic()
    while not reached():
        assert time.monotonic() - begun_s < 20, "it never came"
        time.sleep(0.02)


class Exiting:
    """What ends a pybit client."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def close(self) -> None:
        self.client.exit()


@pytest.mark.parametrize("speed", ["4x", "max"])
async def test_pybit_holds_the_book_of_our_engine(
    speed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, sides = bybit_recording()
    async with VenueServer(source, speed=speed) as server:
        assert await pybit_book(server, monkeypatch) == sides


@pytest.mark.parametrize("speed", ["4x", "max"])
async def test_ccxt_loads_the_recorded_markets_and_holds_the_book_of_our_engine(
    speed: str,
) -> None:
    source, sides = bybit_recording()
    async with VenueServer(source, speed=speed) as server, ccxt_bybit(server) as client:
        assert list(await client.load_markets()) == ["BTC/USDT:USDT"]
        assert client.markets["BTC/USDT:USDT"]["precision"] == {"amount": 0.001, "price": 0.1}
        assert await watched(client, server, "BTC/USDT:USDT") == sides


async def test_ccxt_that_comes_when_much_was_played_is_told_the_book(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, sides = bybit_recording()
    async with VenueServer(source, speed="2x") as server, ccxt_bybit(server) as client:
        await client.load_markets()
        early = asyncio.create_task(pybit_book(server, monkeypatch))
        await asyncio.sleep(1)
        assert await watched(client, server, "BTC/USDT:USDT") == sides
        assert await early == sides


def dropping(first: int, count: int) -> StepChange:
    """Return a change that loses `count` messages of books behind the first `first` ones."""
    met = 0

    def change(steps: Sequence[Step]) -> Sequence[Step]:
        nonlocal met
        kept: list[Step] = []
        for step in steps:
            if isinstance(step, Sending) and (step.topic or "").find("depth") >= 0:
                met += 1
                if first < met <= first + count:
                    continue
            kept.append(step)
        return kept

    return change


@asynccontextmanager
async def ccxt_binance(server: VenueServer) -> AsyncIterator[Any]:
    client: Any = ccxt.pro.binanceusdm({"enableRateLimit": False})
    client.urls["api"]["fapiPublic"] = server.rest_url + "/fapi/v1"
    client.urls["api"]["ws"]["linear"] = server.url + "/ws"
    client.options["watchOrderBookForSymbols"] = {"watchOrderBookRate": "0"}
    try:
        yield client
    finally:
        await client.close()


EXCHANGE_INFO = {
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "pair": "BTCUSDT",
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
                {"filterType": "LOT_SIZE", "stepSize": "0.001"},
            ],
        }
    ]
}


def binance_recording(frames_max: int) -> FrameList:
    """Return the beginning of a real recording, with what lists its one instrument."""
    name = "binance-usdm"
    file = REAL_DATA / "binance" / "usdm_btcusdt_20240808.gz"
    drafts = read_drafts(ImportSource(file, 0, venue_named(name), lambda note: None))
    frames: list[Frame] = []
    url = "https://fapi.binance.com/fapi/v1/exchangeInfo"
    listed = http_payload(
        HttpResponse("GET", url, 200, "instruments", ""), json.dumps(EXCHANGE_INFO).encode()
    )
    for number, draft in enumerate(drafts):
        if number == frames_max:
            break
        time_ns = draft.receive_time_ns
        if number == 0:
            frames.append(Frame(0, 1, name, FrameKind.HTTP, time_ns, None, listed))
        frames.append(Frame(number + 1, 1, name, draft.kind, time_ns, None, draft.payload))
    return FrameList(frames)


@needs_real_data
@pytest.mark.parametrize("loses", [False, True], ids=["whole", "with-a-gap"])
async def test_ccxt_joins_binances_snapshot_and_holds_the_book_of_our_engine_also_after_a_gap(
    loses: bool,
) -> None:
    source = binance_recording(1_500)
    bids, asks = engine_sides(applied(source), "binance-usdm", "BTCUSDT")
    change = (lambda: dropping(60, 5)) if loses else None
    gaps = 0
    async with (
        VenueServer(source, speed="4x", change=change) as server,
        ccxt_binance(server) as client,
    ):
        assert list(await client.load_markets()) == ["BTC/USDT:USDT"]
        while True:
            try:
                got = await watched(client, server, "BTC/USDT:USDT")
                break
            except ccxt.ChecksumError:
                gaps += 1
    assert gaps == int(loses)
    assert got[0][:200] == bids[:200]
    assert got[1][:200] == asks[:200]
