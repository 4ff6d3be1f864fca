"""What the fake exchange answers by HTTP joins what it sends over the socket."""

from __future__ import annotations

import asyncio

import pytest

from book.book_state import BookState
from book.engine import Engine
from replay.frame_source import FrameList
from replay.import_draft import ImportSource
from replay.import_hftbacktest import read_drafts
from replay.market_scenario import SECOND_NS, Incident, IncidentKind, Scenario
from replay.market_simulator import SimulationSettings
from replay.venue_server import VenueServer
from tests.real_data import REAL_DATA, needs_real_data
from tests.replay.exchange_client import (
    SNAPSHOT_PATH,
    VENUE,
    client,
    get,
    http,
    market_messages,
    next_message,
    opened,
    received,
    recording,
    status_of,
    text,
)
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, http_payload
from venues.registry import venue_named

BOOK = "orderbook.50.BTCUSDT"


async def test_the_recorded_answer_is_given_byte_for_byte_and_then_the_book_as_it_is_by_now() -> (
    None
):
    messages = [each.payload for each in market_messages() if each.topic == BOOK]
    body = b'{ "retCode":0 , "result":{"s":"BTCUSDT","b":[],"a":[],"seq":1}}'
    source = recording(
        [
            opened(),
            text(messages[0]),
            http(f"https://exchange.example{SNAPSHOT_PATH}", body),
            *(text(each) for each in messages[1:]),
        ]
    )
    async with (
        VenueServer(source, speed="max") as server,
        client(server.url, [BOOK]) as connection,
    ):
        got = await received(connection)
        assert await get(server.rest_url + SNAPSHOT_PATH) == body
        again = await get(server.rest_url + SNAPSHOT_PATH)
        assert await status_of(f"{server.rest_url}/v5/market/orderbook?symbol=DOGEUSDT") == 503
    engine = Engine()
    for number, payload in enumerate(got[1:]):
        engine.apply(Frame(number, 1, VENUE, FrameKind.TEXT, number, number, payload))
    book = engine.markets[VENUE, "BTCUSDT"].book
    stated = venue_named(VENUE).decode(rest_frame(again))[0]
    assert stated.bids == book.bids.top(50)  # type: ignore[union-attr]
    assert stated.sequence == book.sequence  # type: ignore[union-attr]


def rest_frame(body: bytes, number: int = 10**6) -> Frame:
    head = HttpResponse("GET", SNAPSHOT_PATH, 200, "book snapshot", "BTCUSDT")
    return Frame(number, 1, VENUE, FrameKind.HTTP, number, number, http_payload(head, body))


async def test_after_a_gap_the_live_exchange_s_snapshot_joins_its_deltas() -> None:
    gap = Incident(SECOND_NS // 2, IncidentKind.GAP, "BTCUSDT", count=3)
    settings = SimulationSettings(scenario=Scenario((gap,), 3 * SECOND_NS))
    engine, number, states = Engine(), 0, []
    async with (
        VenueServer(settings, speed="2x") as server,
        client(server.url, [BOOK]) as connection,
    ):
        while True:
            try:
                async with asyncio.timeout(0.7):
                    payload = await connection.recv(decode=False)
            except TimeoutError:
                break
            engine.apply(Frame(number, 1, VENUE, FrameKind.TEXT, number, number, payload))
            number += 1
            if number > 1:
                states.append(engine.markets[VENUE, "BTCUSDT"].book.state)
            if any(request.symbol == "BTCUSDT" for request in engine.take_snapshot_requests()):
                engine.apply(rest_frame(await get(server.rest_url + SNAPSHOT_PATH), number))
                number += 1
    assert BookState.SUSPECT in states or BookState.BRIDGING in states
    assert states[-1] is BookState.PROVEN
    assert engine.markets[VENUE, "BTCUSDT"].counters.gaps == 1
    assert engine.markets[VENUE, "BTCUSDT"].counters.checksums_failed == 0


@needs_real_data
@pytest.mark.parametrize(
    ("venue", "file", "path", "snapshot_path"),
    [
        (
            "binance-spot",
            "spot_btcusdt_20240808",
            "/stream?streams=",
            "/api/v3/depth?symbol=BTCUSDT&limit=1000",
        ),
        (
            "binance-usdm",
            "usdm_btcusdt_20240808",
            "/public/stream?streams=",
            "/fapi/v1/depth?symbol=BTCUSDT&limit=1000",
        ),
        (
            "binance-coinm",
            "coinm_btcusd_perp_20240808",
            "/stream?streams=",
            "/dapi/v1/depth?symbol=BTCUSD_PERP&limit=1000",
        ),
    ],
)
async def test_real_frames_are_served_byte_for_byte_and_join_the_snapshot(
    venue: str, file: str, path: str, snapshot_path: str
) -> None:
    source = ImportSource(
        REAL_DATA / "binance" / f"{file}.gz", 0, venue_named(venue), lambda _: None
    )
    frames = []
    for number, draft in enumerate(read_drafts(source)):
        if number == 4_000:
            break
        frames.append(
            Frame(number, 1, venue, draft.kind, draft.receive_time_ns, None, draft.payload)
        )
    symbol = snapshot_path.partition("symbol=")[2].partition("&")[0]
    streams = ("depth@100ms" if venue == "binance-spot" else "depth@0ms", "trade", "bookTicker")
    topics = "/".join(f"{symbol.lower()}@{stream}" for stream in streams)
    async with (
        VenueServer(FrameList(frames), speed="max", ledger_frames_max=10_000) as server,
        client(server.url, path=path + topics) as connection,
    ):
        first = await next_message(connection)
        server.time.pause()
        body = await get(server.rest_url + snapshot_path)
        server.time.resume()
        got = [first, *await received(connection)]
    assert got == [frame.payload for frame in frames if frame.received]
    assert got == [sent.payload for sent in server.sent[0].kept]
    engine = Engine()
    head = HttpResponse("GET", server.rest_url + snapshot_path, 200, "book snapshot", symbol)
    kinds = [(FrameKind.TEXT, payload) for payload in got]
    kinds.insert(1_000, (FrameKind.HTTP, http_payload(head, body)))
    for number, (kind, payload) in enumerate(kinds):
        engine.apply(Frame(number, 1, venue, kind, number, number, payload))
    market = engine.markets[venue, symbol]
    assert market.book.state is BookState.PROVEN
    assert (market.counters.bridges, market.counters.gaps) == (1, 0)
    assert market.counters.quote_checks == market.counters.quote_matches > 0
