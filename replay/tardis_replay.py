"""`/ws-replay?exchange=&from=&to=`: a replay asked for in the way of tardis-machine.

What a client of tardis-machine sees of one, and sees here:

1. It connects with the exchange's id (theirs, or our venue's name), `from` and `to` in ISO 8601,
   and says `session=KEY` where several connections are to go together.
2. It has `START_DELAY_S` to send the exchange's own subscribe messages. They are not answered, and
   neither is anything else; a connection without any ends its session with 1011.
3. The recorded messages of what was subscribed to follow, native and in the order of their receive
   times over all connections of the session, as fast as all of them read: no speed, no pause, and
   no recorded disconnect.
4. When all was sent, the connection is closed with 1000, `WS replay finished`. One that wants to
   join a session that has begun is closed with 1011.

A request that names no exchange of the recording, or no time, is refused with 400 or 404.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Response

from replay.feed import Feed, Sending, Step
from replay.http_response import text_response
from replay.sent_ledger import SentLedger
from replay.session_outlet import SessionOutlet
from replay.written_time import read_recording_time
from venues.errors import TickreelError
from venues.venue import RequestKind, Venue

REPLAY_PATH = "/ws-replay"
START_DELAY_S = 2.0

_THEIR_NAMES: Mapping[str, tuple[str, ...]] = {
    "binance": ("binance-spot",),
    "binance-futures": ("binance-usdm",),
    "binance-delivery": ("binance-coinm",),
    "bybit": ("bybit-linear", "bybit-inverse"),
    "okex": ("okx",),
    "okex-futures": ("okx",),
    "okex-swap": ("okx",),
    "okex-options": ("okx",),
    "coinbase": ("coinbase-exchange",),
    "kraken": ("kraken", "kraken-v1"),
    "cryptofacilities": ("kraken-futures",),
    "huobi": ("htx",),
    "huobi-dm-linear-swap": ("htx-swap",),
    "gate-io": ("gateio",),
    "gate-io-futures": ("gateio-futures",),
    "bitget-futures": ("bitget",),
    "crypto-com": ("cryptocom",),
    "dydx-v4": ("dydx",),
}


@dataclass(frozen=True)
class ReplayRequest:
    """What a connection asks for: `from_ns <= receive time < to_ns` of one venue."""

    venue: Venue
    from_ns: int
    to_ns: int
    session: str


def read_replay_request(path: str, venues: Mapping[str, Venue]) -> ReplayRequest | Response:
    """Read the path and query of a connection, or say why it is refused."""
    query = {key: values[-1] for key, values in parse_qs(urlsplit(path).query).items()}
    exchange = query.get("exchange", "")
    names = (exchange, *_THEIR_NAMES.get(exchange, ()))
    venue = next((venues[name] for name in names if name in venues), None)
    if venue is None:
        text = f"there is no exchange {exchange!r} here, only {', '.join(venues)}\n"
        return text_response(text, HTTPStatus.NOT_FOUND)
    moments: list[int] = []
    for name in ("from", "to"):
        if name not in query:
            text = f"say {name} when: &{name}=2026-01-01T00:00:00Z\n"
            return text_response(text, HTTPStatus.BAD_REQUEST)
        try:
            moments.append(_read_moment_ns(query[name]))
        except ValueError as error:
            return text_response(f"{name}: {error}\n", HTTPStatus.BAD_REQUEST)
    return ReplayRequest(venue, moments[0], moments[1], query.get("session", ""))


def _read_moment_ns(written: str) -> int:
    """Read a time that is the same in every recording.

    Raises:
        ValueError: it is none.
    """
    moment_ns = read_recording_time(written).moment_ns
    if moment_ns is None:
        raise ValueError(f"{written!r} names no day: write 2026-01-01T00:00:00Z")
    return moment_ns


@dataclass
class _Part:
    """One connection of a session."""

    connection: ServerConnection
    request: ReplayRequest
    feed: Feed
    outlet: SessionOutlet
    topics: set[str] = field(default_factory=set)


class ReplaySession:
    """Connections that are played to together."""

    def __init__(self) -> None:
        self.begun = False
        self._parts: list[_Part] = []
        self._over = asyncio.Event()

    async def serve(self, part: _Part) -> None:
        """Play to one connection until it is closed; the first one of a session starts it."""
        self._parts.append(part)
        async with asyncio.TaskGroup() as group:
            if len(self._parts) == 1:
                group.create_task(self._run())
            listening = group.create_task(_listen(part))
            await self._over.wait()
            listening.cancel()

    async def _run(self) -> None:
        await asyncio.sleep(START_DELAY_S)
        self.begun = True
        code, reason = CloseCode.NORMAL_CLOSURE, "WS replay finished"
        try:
            if all(part.topics for part in self._parts):
                await self._play()
            else:
                code, reason = CloseCode.INTERNAL_ERROR, "No subscriptions received"
        except TickreelError as fault:
            code, reason = CloseCode.INTERNAL_ERROR, str(fault)
        for part in self._parts:
            await part.outlet.close(code, reason)
        self._over.set()

    async def _play(self) -> None:
        waiting = [(part, await part.feed.due_ns()) for part in self._parts]
        while True:
            due = [
                (due_ns, number)
                for number, (part, due_ns) in enumerate(waiting)
                if due_ns is not None and due_ns < part.request.to_ns
            ]
            if not due:
                return
            first = min(due)
            part = waiting[first[1]][0]
            # Up to the next one of another connection, so that their order is that of the times.
            until_ns = min(
                [due_ns - 1 for due_ns, number in due if number != first[1]]
                + [part.request.to_ns - 1]
            )
            steps = part.feed.take(max(until_ns, first[0]))
            with contextlib.suppress(ConnectionClosed):
                await part.outlet.send(_wanted(steps, part.topics))
            waiting[first[1]] = (part, await part.feed.due_ns())


def _wanted(steps: Sequence[Step], topics: set[str]) -> list[Sending]:
    return [step for step in steps if isinstance(step, Sending) and step.topic in topics]


async def _listen(part: _Part) -> None:
    dialect = part.request.venue.dialect
    with contextlib.suppress(ConnectionClosed):
        async for message in part.connection:
            payload = message.encode() if isinstance(message, str) else message
            asked = dialect.read_request(payload)
            if asked.kind is RequestKind.SUBSCRIBE:
                part.topics.update(asked.topics)


class TardisReplays:
    """The sessions that are waiting or played.

    Attributes:
        connections: how many there are.
    """

    def __init__(self, new_feed: Callable[[Venue, int], Feed]) -> None:
        self._new_feed = new_feed
        self._named: dict[str, ReplaySession] = {}
        self.connections = 0

    async def serve(
        self, connection: ServerConnection, request: ReplayRequest, ledger: SentLedger
    ) -> None:
        """Serve one connection until it is closed."""
        session = self._named.get(request.session) or ReplaySession()
        outlet = SessionOutlet(connection, ledger)
        if session.begun:
            await outlet.close(
                CloseCode.INTERNAL_ERROR,
                "trying to add new WS connection to replay session that already started",
            )
            return
        if request.session:
            self._named[request.session] = session
        feed = self._new_feed(request.venue, request.from_ns)
        self.connections += 1
        try:
            await session.serve(_Part(connection, request, feed, outlet))
        finally:
            self.connections -= 1
            if self._named.get(request.session) is session:
                del self._named[request.session]
