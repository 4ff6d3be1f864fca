"""A venue as small as one can be, and a server that speaks it, for tests of the recorder alone.

Its words: `sub TOPIC` is answered by `ok`, `no TEXT`, or nothing; `login KEY SIGNATURE` by
`welcome TEXT`, `{"welcome":TEXT}` or `denied TEXT`; `beat` by `beat`; `leaving TEXT` announces the
end; the exchange's own `ping TEXT` wants a `pong TEXT`. All else is market data.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

from recorder.recorder import Recorder
from recorder.recorder_settings import RecorderSettings
from recorder.stream_settings import StreamSettings
from replay.recording import Recording
from venues.channel import Channel, Subscription
from venues.errors import CredentialsError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.traits import ConnectionLimits, Continuity, Keepalive, SnapshotSource, VenueTraits
from venues.venue import (
    ClientRequest,
    ConnectionPlan,
    Credentials,
    Dialect,
    HttpRequest,
    Login,
    RequestKind,
    StreamRequest,
    Venue,
)

TRAITS = VenueTraits(
    channels=frozenset(Channel),
    default_channels=(Channel.BOOK,),
    continuity=Continuity.NONE,
    snapshot_source=SnapshotSource.IN_BAND,
    keepalive=Keepalive(interval_s=20.0, message="beat"),
    limits=ConnectionLimits(connects_max=1000, connects_window_s=1.0),
)

_NOTICES = {
    b"ok": NoticeKind.ACKNOWLEDGED,
    b"no": NoticeKind.REJECTED,
    b"welcome": NoticeKind.LOGGED_IN,
    b"denied": NoticeKind.LOGIN_REFUSED,
    b"beat": NoticeKind.HEARTBEAT,
    b"leaving": NoticeKind.WILL_DISCONNECT,
}


class TinyDialect(Dialect):
    """The other direction, as far as it takes to be one: these tests serve by hand."""

    def read_request(self, payload: bytes) -> ClientRequest:
        word, _, topic = payload.decode().partition(" ")
        kind = RequestKind.SUBSCRIBE if word == "sub" else RequestKind.UNREADABLE
        return ClientRequest(kind, (topic,), payload=payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        return ["ok" if refused is None else f"no {refused}"]

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        return None

    def serves_path(self, path: str) -> bool:
        return True


@dataclass(frozen=True)
class TinyVenue(Venue):
    """Pure functions, as every venue."""

    traits: VenueTraits = TRAITS

    name = "tiny"
    dialect = TinyDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        assert request.url is not None
        plans = []
        for private in (False, True):
            wanted = tuple(
                Subscription(channel, "" if private else symbol)
                for channel in request.channels
                if channel.private is private
                for symbol in (request.symbols if not private else ("",))
            )
            if wanted:
                plans.append(
                    ConnectionPlan(
                        stream="tiny/private" if private else "tiny",
                        url=request.url,
                        subscriptions=wanted,
                        subscribe_messages=tuple(
                            f"sub {one.channel}.{one.symbol}" for one in wanted
                        ),
                        private=private,
                        rest_url=request.url.replace("ws", "http", 1),
                        depth=None,
                    )
                )
        return plans

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        return [f"sub book.{symbol}"]

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        if not plan.private:
            return Login(plan.url)
        if credentials is None or not credentials.key or not credentials.secret:
            raise CredentialsError(self.name, "Both the key and the secret are needed.")
        words = f'"{credentials.key}","signature-of-{credentials.secret}"'
        return Login(plan.url, message=f'{{"login":[{words}]}}')

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        if not self.traits.rest_resync and self.traits.snapshot_source is SnapshotSource.IN_BAND:
            return None
        return HttpRequest(f"{plan.rest_url}/book?symbol={symbol}&token=hush", symbol)

    def reply(self, payload: bytes) -> str | None:
        return f"pong {payload[5:].decode()}" if payload.startswith(b"ping ") else None

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        return ()

    def read_notice(self, payload: bytes) -> Notice | None:
        if payload.startswith(b'{"welcome"'):
            return Notice("", 0, None, NoticeKind.LOGGED_IN, json.loads(payload)["welcome"])
        word, _, text = payload.partition(b" ")
        kind = _NOTICES.get(word)
        return None if kind is None else Notice("", 0, None, kind, text.decode())


def with_traits(**changes: object) -> TinyVenue:
    return TinyVenue(dataclasses.replace(TRAITS, **changes))  # type: ignore[arg-type]


def tiny_stream(
    url: str, *channels: Channel, symbol: str = "BTC", silence_limit_s: float | None = None
) -> StreamSettings:
    return StreamSettings(
        venue="tiny",
        symbols=(symbol,),
        channels=channels or (Channel.BOOK,),
        url=url,
        silence_limit_s=silence_limit_s,
    )


Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def tiny_exchange(talk: Talk, *, answer: bool = True) -> AsyncIterator[str]:
    """Serve on loopback: acknowledge each subscription, then `talk`, then stay until closed."""

    async def serve_one(connection: ServerConnection) -> None:
        if answer:
            await connection.recv()
            await connection.send("ok")
        await talk(connection)
        await connection.wait_closed()

    async with serve(serve_one, "127.0.0.1", 0, max_size=None, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def until(true: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait until something holds; fail when it never does."""
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110 - what is waited for is a fact, not an event
            await asyncio.sleep(0.005)


def tiny_recorder(
    folder: Path, *streams: StreamSettings, settings: RecorderSettings | None = None
) -> Recorder:
    return Recorder(streams, folder, settings, venues=lambda name: TinyVenue())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def say_nothing(connection: ServerConnection) -> None:
    return


async def stay(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def count_up(connection: ServerConnection) -> None:
    number = 0
    while True:
        await connection.send(f"{number:08d} " + "x" * 291)
        number += 1
        if number % 50 == 0:
            await asyncio.sleep(0.001)


@asynccontextmanager
async def capturing(
    folder: Path,
    *streams: StreamSettings,
    venue: TinyVenue | None = None,
    settings: RecorderSettings | None = None,
) -> AsyncIterator[Recorder]:
    """Record with a tiny venue until the block ends."""
    recorder = Recorder(streams, folder, settings, venues=lambda name: venue or TinyVenue())
    await recorder.start()
    try:
        yield recorder
    finally:
        await recorder.stop()


def frames_of(folder: Path) -> list[Frame]:
    return list(Recording.open(folder).frames())


def payloads(frames: Sequence[Frame], *kinds: FrameKind) -> list[bytes]:
    return [frame.payload for frame in frames if frame.kind in kinds]
