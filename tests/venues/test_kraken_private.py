"""Kraken's private connections, from the keys to the recording, against the fake exchange."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from recorder.recorder import Recorder
from recorder.stream_settings import StreamSettings
from replay.frame_source import FrameList
from replay.recording import Recording
from replay.server_session import SessionState
from replay.venue_server import VenueServer
from tests.venues.samples import kraken as samples
from venues.channel import Channel
from venues.event import OrderUpdate, PositionUpdate, WalletUpdate
from venues.frame import Frame, FrameKind
from venues.marker import Opened, marker_payload
from venues.registry import venue_named
from venues.venue import Credentials

KEY = "the-key-of-nobody"
SECRET = "VGhlIHNlY3JldCBvZiBub2JvZHkgYXQgYWxsLCAxMjM0NTY3ODkw"
LIMIT_S = 20


def recorded(name: str, payloads: tuple[bytes, ...]) -> FrameList:
    opened = marker_payload(Opened(name, "wss://ws-auth.kraken.com/v2"))
    return FrameList(
        [
            Frame(
                number,
                1,
                name,
                FrameKind.OPENED if number == 0 else FrameKind.TEXT,
                1_700_000_000_000_000_000 + number * 1_000_000,
                None,
                payload,
            )
            for number, payload in enumerate([opened, *payloads])
        ]
    )


@pytest.mark.parametrize(
    ("name", "channels", "payloads", "kinds"),
    [
        (
            "kraken",
            (Channel.ORDER, Channel.WALLET),
            (samples.V2_EXECUTION, samples.V2_EXECUTION_SHORT, samples.V2_BALANCE),
            [OrderUpdate, OrderUpdate, WalletUpdate],
        ),
        ("kraken-v1", (Channel.ORDER,), (samples.V1_ORDERS,), [OrderUpdate]),
        (
            "kraken-futures",
            (Channel.ORDER, Channel.POSITION, Channel.WALLET),
            (samples.FUTURES_ORDERS, samples.FUTURES_POSITIONS, samples.FUTURES_CANCEL),
            [OrderUpdate, PositionUpdate, PositionUpdate, PositionUpdate, OrderUpdate],
        ),
    ],
)
async def test_an_account_is_captured_and_no_secret_is_in_the_recording(
    name: str,
    channels: tuple[Channel, ...],
    payloads: tuple[bytes, ...],
    kinds: list[type],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = Credentials(KEY, SECRET)
    monkeypatch.setenv("NOBODYS_KEY", KEY)
    monkeypatch.setenv("NOBODYS_SECRET", SECRET)
    async with VenueServer(recorded(name, payloads), speed="max", credentials=keys) as server:
        stream = StreamSettings(
            venue=name,
            symbols=(),
            channels=channels,
            url=server.url,
            key_env="NOBODYS_KEY",
            secret_env="NOBODYS_SECRET",
        )
        recorder = Recorder([stream], tmp_path / "recording")
        async with asyncio.timeout(LIMIT_S):
            running = asyncio.create_task(recorder.run())
            while not any(session.state is SessionState.ENDED for session in server.sessions):
                assert not running.done(), running.result()
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
            await recorder.stop()
            await running
    frames = list(Recording.open(tmp_path / "recording").frames())
    taken = [frame for frame in frames if frame.received and frame.payload in payloads]
    assert [frame.payload for frame in taken] == list(payloads)
    decode = venue_named(name).decode
    assert [type(event) for frame in taken for event in decode(frame)] == kinds
    whole = b"".join(frame.payload for frame in frames)
    for secret in (KEY, SECRET, "a-token-of-the-fake-exchange", "signed_challenge"):
        assert secret.encode() not in whole
