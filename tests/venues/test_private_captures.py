"""One's own account at every exchange that has one, over real sockets on loopback.

Each venue's own login opens the private channels of the fake exchange; other keys do not; and no
key, token or signature is anywhere in what was written. What is served is each venue's samples.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from recorder.recorder import Recorder
from recorder.stream_settings import StreamSettings
from replay.recording import Recording
from replay.server_session import SessionState
from replay.venue_server import VenueServer
from tests.replay.exchange_client import Piece, opened, recording
from tests.venues.samples import SAMPLES, SYMBOLS
from tests.venues.test_coinbase import EC_KEYS, OTHER_EC_KEY, pem
from venues.channel import Channel
from venues.compression import unpacked
from venues.event import PrivateEvent
from venues.frame import Frame, FrameKind
from venues.registry import venue_named, venue_names
from venues.venue import ConnectionPlan, Credentials, StreamRequest

LIMIT_S = 20
BINARY = frozenset({"htx", "htx-swap", "upbit"})
SYMBOLS_ASKED_FOR = {name: (symbol,) for name, symbol in SYMBOLS.items()} | {
    "kucoin": ("BTC-USDT", "XBTUSDTM")
}
ELSEWHERE = {"okx": (b'"channel":"orders-algo"', b'"channel":"sprd-orders"')}
"""Private messages among the samples that no channel asks for."""

_KEYS = Credentials(
    "canary-key-0123456789", base64.b64encode(bytes(range(48))).decode(), "canary-phrase"
)
KEYS = dict.fromkeys(venue_names(), _KEYS) | {
    "coinbase": Credentials("organizations/canary-org/apiKeys/canary-key", EC_KEYS.secret)
}
SHOWING_NO_KEYS = frozenset({"bitstamp", "dydx", "hyperliquid", "kraken", "kraken-v1"})
"""An account is named there and not logged in to, or the fake exchange's token is for everyone."""

SHOWING_NO_SECRET = frozenset({"binance-coinm", "binance-usdm", "kraken-futures"})
"""Who has the key is given a listen key, or a challenge by which the fake exchange knows him."""


def private_channels(name: str) -> tuple[Channel, ...]:
    return tuple(sorted(one for one in venue_named(name).traits.channels if one.private))


WITH_ACCOUNTS = [name for name in venue_names() if private_channels(name)]


def plans_of(name: str) -> list[ConnectionPlan]:
    request = StreamRequest(name, SYMBOLS_ASKED_FOR[name], private_channels(name))
    return venue_named(name).plan(request)


def private_samples(name: str) -> list[bytes]:
    """Return the samples that tell of one's own account by the channels that are asked for."""
    venue = venue_named(name)
    return [
        payload
        for payload in SAMPLES[name]
        if any(
            isinstance(event, PrivateEvent)
            for event in venue.decode(Frame(0, 1, name, FrameKind.TEXT, 1, None, payload), {})
        )
        and not any(word in unpacked(payload) for word in ELSEWHERE.get(name, ()))
    ]


def keys_file(folder: Path, keys: Credentials) -> str:
    folder.mkdir()
    path = folder / "keys.toml"
    path.touch(mode=0o600)
    lines = {"key": keys.key, "secret": keys.secret, "passphrase": keys.passphrase}
    path.write_text("".join(f"{part} = '''{value}'''\n" for part, value in lines.items()))
    return str(path)


async def captured(name: str, keys: Credentials, folder: Path) -> list[Frame]:
    """Capture one's own account from a server that knows KEYS."""
    kind = FrameKind.BINARY if name in BINARY else FrameKind.TEXT
    path = urlsplit(plans_of(name)[0].url).path or "/"
    pieces = [opened(path), *(Piece(kind, payload) for payload in SAMPLES[name])]
    source = recording([piece._replace(venue=name) for piece in pieces])
    secrets = keys_file(folder, keys)
    async with VenueServer(source, speed="max", credentials=KEYS[name]) as server:
        stream = StreamSettings(
            venue=name,
            symbols=SYMBOLS_ASKED_FOR[name],
            channels=private_channels(name),
            url=server.url,
            credentials_file=secrets,
        )
        recorder = Recorder([stream], folder / "recording")
        running = asyncio.create_task(recorder.run())
        async with asyncio.timeout(LIMIT_S):
            while not (running.done() or is_over(server, len(plans_of(name)))):
                await asyncio.sleep(0.02)
                assert not server.faults
        await recorder.stop()
        await asyncio.gather(running, return_exceptions=True)
    return list(Recording.open(folder / "recording").frames())


def is_over(server: VenueServer, connections: int) -> bool:
    """Return whether each connection was sent all that it asked for, or one was thrown out."""
    ended = [session.state is SessionState.ENDED for session in server.sessions]
    thrown_out = len(server.sent) > len(server.sessions)
    return thrown_out or (len(ended) == connections and all(ended))


@pytest.mark.parametrize("name", WITH_ACCOUNTS)
async def test_an_account_is_captured_after_the_venues_own_login_and_no_secret_is_kept(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is asked for late is not sent again: on a busy machine, all of it may be late.
    monkeypatch.setattr("replay.server_session.SETTLE_S", 1.0)
    keys = KEYS[name]
    frames = await captured(name, keys, tmp_path / name)
    own = private_samples(name)
    assert own
    received = [frame.payload for frame in frames if frame.received]
    assert sorted(payload for payload in received if payload in own) == sorted(own)
    stored = b"".join(frame.payload for frame in frames)
    files = (tmp_path / name / "recording").rglob("*")
    stored += b"".join(path.read_bytes() for path in files if path.is_file())
    secret = max(keys.secret.splitlines(), key=len)
    for word in (keys.key, secret, keys.passphrase, "Bearer", "jwt"):
        assert not word or word.encode() not in stored


@pytest.mark.parametrize("name", sorted(set(WITH_ACCOUNTS) - SHOWING_NO_KEYS))
async def test_another_key_gets_nothing_of_an_account(name: str, tmp_path: Path) -> None:
    frames = await captured(name, replace(KEYS[name], key=f"{KEYS[name].key}x"), tmp_path / name)
    assert not set(private_samples(name)) & {frame.payload for frame in frames}


@pytest.mark.parametrize("name", sorted(set(WITH_ACCOUNTS) - SHOWING_NO_KEYS - SHOWING_NO_SECRET))
async def test_another_secret_gets_nothing_of_an_account(name: str, tmp_path: Path) -> None:
    secret = (
        pem(OTHER_EC_KEY) if name == "coinbase" else base64.b64encode(bytes(range(1, 49))).decode()
    )
    frames = await captured(name, replace(KEYS[name], secret=secret), tmp_path / name)
    assert not set(private_samples(name)) & {frame.payload for frame in frames}
