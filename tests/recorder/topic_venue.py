"""The tiny venue with topics, and an exchange that speaks them by script, with a ledger.

A message is `CHANNEL SYMBOL NUMBER`: a book's are deltas with that number, or `CHANNEL SYMBOL
NUMBER snapshot`; trades have it as their number. All connections of one exchange are sent the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.recorder.tiny_venue import TRAITS, TinyDialect, TinyVenue
from venues.channel import Channel
from venues.event import NO_ROUTES, BookDelta, BookSnapshot, Event, Routes, Side, Trade
from venues.frame import Frame
from venues.traits import Continuity, VenueTraits

TOPIC_TRAITS = dataclasses.replace(
    TRAITS,
    continuity=Continuity.COUNTER,
    stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 60.0},
)
"""No silence of a busy machine is taken for the exchange's: see `judging`."""


class TopicDialect(TinyDialect):
    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        words = payload.decode().split()
        return ".".join(words[:2]) if words and words[0] in ("book", "trades") else None


@dataclass(frozen=True)
class TopicVenue(TinyVenue):
    traits: VenueTraits = TOPIC_TRAITS

    dialect = TopicDialect()

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        words = frame.payload.decode().split()
        if len(words) < 3 or words[0] not in ("book", "trades"):
            return ()
        channel, symbol, number, *rest = words
        at = frame.receive_time_ns
        if channel == "trades":
            trade = Trade(symbol, at, None, "1", "1", Side.BUY, number, trade_number=int(number))
            return (trade,)
        kind = BookSnapshot if rest and rest[0] == "snapshot" else BookDelta
        return (kind(symbol, at, None, [("1", number)], [("2", number)], sequence=int(number)),)


def judging(*channels: Channel) -> TopicVenue:
    """Return the venue with so short a limit for what is to be found mute, and for nothing else."""
    limits_s = dict(TOPIC_TRAITS.stale_limits_s) | dict.fromkeys(channels, 1.0)
    return TopicVenue(dataclasses.replace(TOPIC_TRAITS, stale_limits_s=limits_s))


@dataclass(eq=False)
class Client:
    """One connection at the exchange; `loses` says what is not sent on it."""

    connection: ServerConnection
    number: int
    loses: Callable[[str], bool] = lambda message: False
    sent: list[str] = field(default_factory=list)
    late_s: float = 0.0

    async def send(self, message: str) -> None:
        if self.late_s:
            await asyncio.sleep(self.late_s)
        with suppress(ConnectionClosed):
            await self.connection.send(message)
            self.sent.append(message)


@dataclass
class TopicExchange:
    """Sends every message of its feed to all who have subscribed.

    Attributes:
        clients: all there ever were, in the order of their coming.
        welcomed: called with each new one, before it is sent anything.
        subscribed: what was asked for, message by message.
    """

    url: str = ""
    clients: list[Client] = field(default_factory=list)
    open_clients: list[Client] = field(default_factory=list)
    welcomed: Callable[[Client], None] = lambda client: None
    subscribed: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)

    async def send(self, topic: str) -> str:
        number = self.numbers[topic] = self.numbers.get(topic, 0) + 1
        message = f"{topic} {number}"
        self.sent.append(message)
        for client in list(self.open_clients):
            if not client.loses(message):
                await client.send(message)
        return message

    async def serve(self, connection: ServerConnection) -> None:
        client = Client(connection, len(self.clients) + 1)
        self.clients.append(client)
        self.welcomed(client)
        with suppress(ConnectionClosed):
            async for text in connection:
                assert isinstance(text, str)
                if text == "beat":
                    await connection.send("beat")
                    continue
                self.subscribed.append(text)
                channel, _, symbol = text.removeprefix("sub ").partition(".")
                await connection.send("ok")
                # No message may lie between the snapshot's number and the first that is sent.
                number = self.numbers.get(f"book {symbol}", 0)
                if client not in self.open_clients:
                    self.open_clients.append(client)
                if channel == "book":
                    await client.send(f"book {symbol} {number} snapshot")
        if client in self.open_clients:
            self.open_clients.remove(client)


@asynccontextmanager
async def topic_exchange() -> AsyncIterator[TopicExchange]:
    exchange = TopicExchange()
    async with serve(exchange.serve, "127.0.0.1", 0, compression=None) as server:
        exchange.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield exchange


@asynccontextmanager
async def speaking(
    exchange: TopicExchange, *topics: str, interval_s: float = 0.01
) -> AsyncIterator[None]:
    """Let the exchange send on all topics in turn while the block runs."""

    async def speak() -> None:
        while True:
            for topic in topics:
                await exchange.send(topic)
            await asyncio.sleep(interval_s)

    task = asyncio.create_task(speak())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
