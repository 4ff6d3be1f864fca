"""One's own account at six exchanges whose logins are of six kinds, over real sockets on loopback.

Each venue's own login opens the private channel of the fake exchange; other keys do not; and no
key, token or signature is anywhere in what was written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from recorder.recorder import Recorder
from recorder.stream_settings import StreamSettings
from replay.recording import Recording
from replay.venue_server import VenueServer
from tests.replay.exchange_client import Piece, opened, recording
from tests.venues.samples import bitfinex, bitstamp, coinbase, gemini, upbit
from tests.venues.test_coinbase import EC_KEYS
from venues.channel import Channel
from venues.frame import Frame, FrameKind
from venues.venue import Credentials

LIMIT_S = 20
OF_ORDERS = (b"rder", b"order_id", b'[0,"ou"')
TEXT, BINARY = FrameKind.TEXT, FrameKind.BINARY

KEYS = {
    "coinbase": Credentials("organizations/canary-org/apiKeys/canary-key", EC_KEYS.secret),
    "coinbase-exchange": Credentials("canary-key-1", "Y2FuYXJ5LXNlY3JldA==", "canary-phrase"),
    "gemini": Credentials("canary-key-2", "canary-secret-2"),
    "bitstamp": Credentials("canary-key-3", "canary-secret-3"),
    "upbit": Credentials("canary-key-4", "canary-secret-4"),
    "bitfinex": Credentials("canary-key-6", "canary-secret-6"),
}
OTHER_KEYS = {
    "coinbase": Credentials("organizations/canary-org/apiKeys/another", EC_KEYS.secret),
    "coinbase-exchange": Credentials("canary-key-1", "b3RoZXI=", "canary-phrase"),
    "gemini": Credentials("canary-key-2", "canary-secret-5"),
    "upbit": Credentials("canary-key-4", "canary-secret-5"),
    "bitfinex": Credentials("canary-key-6", "canary-secret-7"),
}
SPOKEN: dict[str, tuple[str, FrameKind, Sequence[bytes], tuple[str, ...]]] = {
    "coinbase": (
        "/",
        TEXT,
        [
            coinbase.ADVANCED_SUBSCRIPTIONS,
            coinbase.ADVANCED_USER,
            coinbase.ADVANCED_HEARTBEAT,
        ],
        (),
    ),
    "coinbase-exchange": (
        "/",
        TEXT,
        [coinbase.EXCHANGE_OPEN, coinbase.EXCHANGE_DONE, coinbase.EXCHANGE_HEARTBEAT],
        ("BTC-USD",),
    ),
    "gemini": ("/", TEXT, [gemini.ORDER, gemini.CANCELED_ORDER], ()),
    "bitstamp": ("/", TEXT, [bitstamp.ORDER], ("BTC-USD",)),
    "upbit": ("/websocket/v1/private", BINARY, [upbit.ORDER, upbit.LONG_ORDER], ()),
    "bitfinex": ("/ws/2", TEXT, [bitfinex.ORDER, bitfinex.WALLETS], ()),
}


def keys_file(folder: Path, keys: Credentials) -> str:
    folder.mkdir()
    path = folder / "keys.toml"
    path.touch(mode=0o600)
    lines = {"key": keys.key, "secret": keys.secret, "passphrase": keys.passphrase}
    path.write_text("".join(f"{part} = '''{value}'''\n" for part, value in lines.items()))
    return str(path)


async def captured(name: str, keys: Credentials, folder: Path) -> list[Frame]:
    """Capture one's own orders from a server that knows KEYS."""
    path, kind, payloads, symbols = SPOKEN[name]
    pieces = [opened(path), *(Piece(kind, payload) for payload in payloads)]
    source = recording([piece._replace(venue=name) for piece in pieces])
    secrets = keys_file(folder, keys)
    async with VenueServer(source, speed="max", credentials=KEYS[name]) as server:
        stream = StreamSettings(
            venue=name,
            symbols=symbols,
            channels=(Channel.ORDER,),
            url=server.url,
            credentials_file=secrets,
        )
        recorder = Recorder([stream], folder / "recording")
        running = asyncio.create_task(recorder.run())
        played = asyncio.create_task(server.played.wait())
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait((running, played), return_when=asyncio.FIRST_COMPLETED)
        played.cancel()
        await recorder.stop()
        await asyncio.gather(running, return_exceptions=True)
    return list(Recording.open(folder / "recording").frames())


@pytest.mark.parametrize("name", sorted(SPOKEN))
async def test_orders_are_captured_after_the_venues_own_login_and_no_secret_is_kept(
    name: str, tmp_path: Path
) -> None:
    keys = KEYS[name]
    frames = await captured(name, keys, tmp_path / name)
    _, _, payloads, _ = SPOKEN[name]
    received = [frame.payload for frame in frames if frame.received]
    orders = [payload for payload in payloads if any(word in payload for word in OF_ORDERS)]
    assert orders
    assert [payload for payload in received if payload in orders] == orders
    stored = b"".join(frame.payload for frame in frames)
    files = (tmp_path / name / "recording").rglob("*")
    stored += b"".join(path.read_bytes() for path in files if path.is_file())
    secret = max(keys.secret.splitlines(), key=len)
    for word in (keys.key, secret, keys.passphrase, "Bearer", "jwt"):
        assert not word or word.encode() not in stored


@pytest.mark.parametrize("name", sorted(OTHER_KEYS))
async def test_other_keys_get_no_orders(name: str, tmp_path: Path) -> None:
    frames = await captured(name, OTHER_KEYS[name], tmp_path / name)
    _, _, payloads, _ = SPOKEN[name]
    orders = {payload for payload in payloads if any(word in payload for word in OF_ORDERS)}
    assert not orders & {frame.payload for frame in frames if frame.received}
