"""Plain clients of the fake exchange, and recordings in memory to serve to them."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from replay.frame_source import FrameList
from replay.market_scenario import SECOND_NS, Scenario
from replay.market_simulator import MarketSimulator, SimulationSettings
from replay.simulated_market import Message
from venues.frame import Frame, FrameKind
from venues.marker import Closed, HttpResponse, Opened, http_payload, marker_payload

VENUE = "reference"
PATH = "/realtime"
SNAPSHOT_PATH = "/v5/market/orderbook?symbol=BTCUSDT&limit=50"
ALL_TOPICS = tuple(MarketSimulator(SimulationSettings()).topics)
BTC_TOPICS = tuple(topic for topic in ALL_TOPICS if topic.endswith("BTCUSDT"))
QUIET_S = 0.5
"""So long nothing comes that was going to: it is all on this machine, and sent at max speed."""


class Piece(NamedTuple):
    """A frame to be: a recording is a list of them, a millisecond apart."""

    kind: FrameKind
    payload: bytes
    connection_id: int = 1
    venue: str = VENUE


def subscribe(topics: Iterable[str], verb: str = "subscribe") -> str:
    return json.dumps({"op": verb, "args": list(topics)})


def recording(pieces: Sequence[Piece], interval_ns: int = 1_000_000) -> FrameList:
    start_ns = 1_800_000_000 * SECOND_NS
    return FrameList(
        [
            Frame(
                number,
                piece.connection_id,
                piece.venue,
                piece.kind,
                start_ns + number * interval_ns,
                number * interval_ns,
                piece.payload,
            )
            for number, piece in enumerate(pieces)
        ]
    )


def opened(path: str = PATH) -> Piece:
    url = f"ws://exchange.example{path}"
    return Piece(FrameKind.OPENED, marker_payload(Opened("reference", url)))


def closed(code: int | None, connection_id: int = 1, *, by_us: bool = False) -> Piece:
    return Piece(FrameKind.CLOSED, marker_payload(Closed(code, "bye", by_us)), connection_id)


def text(payload: bytes, connection_id: int = 1) -> Piece:
    return Piece(FrameKind.TEXT, payload, connection_id)


def http(url: str, body: bytes, symbol: str = "BTCUSDT") -> Piece:
    head = HttpResponse("GET", url, 200, "book snapshot", symbol)
    return Piece(FrameKind.HTTP, http_payload(head, body))


def market_messages(scenario: Scenario | None = None, seed: int = 1) -> list[Message]:
    """Return what the simulated exchange sends, by default in two calm seconds."""
    played = scenario or Scenario(duration_ns=2 * SECOND_NS)
    actions = MarketSimulator(SimulationSettings(seed, played)).actions()
    return [action for _, action in actions if isinstance(action, Message)]


def simple_recording() -> FrameList:
    """Return a recording as capture makes it: opened, asked, acknowledged, messages, closed."""
    messages = [text(message.payload) for message in market_messages()]
    head = [
        opened(),
        Piece(FrameKind.SENT, subscribe(ALL_TOPICS).encode()),
        text(b'{"success":true,"op":"subscribe","ret_msg":""}'),
    ]
    pong = text(b'{"op":"pong"}')
    return recording([*head, *messages[:20], pong, *messages[20:], closed(1000, by_us=True)])


@asynccontextmanager
async def client(
    url: str, topics: Iterable[str] = (), path: str = PATH
) -> AsyncIterator[ClientConnection]:
    """Connect, and subscribe where `topics` are given; the acknowledgement is the first message."""
    async with connect(url + path, compression=None, max_queue=4096) as connection:
        if topics:
            await connection.send(subscribe(topics))
        yield connection


async def received(connection: ClientConnection, quiet_s: float = QUIET_S) -> list[bytes]:
    """Return what comes until nothing does; a connection that closes raises what it closed with."""
    got: list[bytes] = []
    while True:
        try:
            async with asyncio.timeout(quiet_s):
                got.append(await connection.recv(decode=False))
        except TimeoutError:
            return got


async def next_message(connection: ClientConnection) -> bytes:
    async with asyncio.timeout(10):
        return await connection.recv(decode=False)


async def get(url: str) -> bytes:
    def fetch() -> bytes:
        with urllib.request.urlopen(url, timeout=10) as response:
            body: bytes = response.read()
            return body

    return await asyncio.to_thread(fetch)


async def status_of(url: str) -> int:
    try:
        await get(url)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return 200
