"""Private channels: logged in before subscribing, on connections of their own, without a trace."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder.errors import (
    LoginRefusedError,
)
from tests.recorder.tiny_venue import (
    TRAITS,
    TinyVenue,
    capturing,
    count_up,
    frames_of,
    payloads,
    tiny_exchange,
    tiny_recorder,
    tiny_stream,
    until,
)
from venues.channel import Channel
from venues.errors import CredentialsError
from venues.frame import FrameKind
from venues.marker import Opened, read_marker
from venues.venue import ConnectionPlan, Credentials, Login

KEY, SECRET = "canary-key-1234567890", "canary-secret-0987654321"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKREEL_TINY_KEY", KEY)
    monkeypatch.setenv("TICKREEL_TINY_SECRET", SECRET)


async def _login_server(connection: ServerConnection, *, accept: bool) -> None:
    first = await connection.recv()
    assert isinstance(first, str)
    if "login" not in first:
        await connection.send("ok")
        await count_up(connection)
        return
    await connection.send(f"welcome {first}" if accept else f"denied because of {first}")
    if accept:
        await connection.recv()
        await connection.send("ok")
        await connection.send("my order")


@pytest.mark.usefixtures("keys")
async def test_public_and_private_never_share_a_connection(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await _login_server(connection, accept=True)

    async with (
        tiny_exchange(talk, answer=False) as url,
        capturing(tmp_path, tiny_stream(url, Channel.BOOK, Channel.ORDER)) as recorder,
    ):
        await until(lambda: all(life.subscribed for life in recorder.connections))
    opened = [f for f in frames_of(tmp_path) if f.kind is FrameKind.OPENED]
    streams = {read_marker(frame, Opened).stream: frame.connection_id for frame in opened}
    assert sorted(streams) == ["tiny", "tiny/private"]
    assert len(set(streams.values())) == 2
    private = [f for f in frames_of(tmp_path) if f.connection_id == streams["tiny/private"]]
    kinds = [frame.kind.name for frame in private[:6]]
    assert kinds == ["OPENED", "SENT", "TEXT", "SENT", "TEXT", "TEXT"]


@pytest.mark.usefixtures("keys")
async def test_a_refused_login_ends_its_stream_and_market_data_goes_on(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await _login_server(connection, accept=False)

    async with tiny_exchange(talk, answer=False) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url, Channel.BOOK, Channel.ORDER))
        running = asyncio.ensure_future(recorder.run())
        await until(lambda: recorder.connections[1].disconnects == 1)
        seen = recorder.connections[0].messages
        await until(lambda: recorder.connections[0].messages > seen + 500)
        await recorder.stop()
        report = await running
    fault = report.stream_faults["tiny/private"]
    assert isinstance(fault, LoginRefusedError)
    assert "denied" not in fault.answer
    assert "because of" in fault.answer
    assert KEY not in str(fault)
    assert SECRET not in str(fault)


def _all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.usefixtures("keys")
async def test_no_secret_reaches_disk_log_or_error_even_when_the_exchange_echoes_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, accept: bool
) -> None:
    caplog.set_level("DEBUG")

    async def talk(connection: ServerConnection) -> None:
        await _login_server(connection, accept=accept)

    async with tiny_exchange(talk, answer=False) as url:
        recorder = tiny_recorder(
            tmp_path, tiny_stream(f"{url}/x?apikey={KEY}", Channel.BOOK, Channel.ORDER)
        )
        await recorder.start()
        await until(lambda: recorder.connections[0].messages > 10)
        await until(lambda: recorder.connections[1].messages > 0)
        await recorder.stop()
    said = b"".join(frame.payload for frame in frames_of(tmp_path))
    said += _all_bytes(tmp_path)
    ours = [record for record in caplog.records if record.name.startswith("tickreel")]
    said += "".join(record.getMessage() for record in ours).encode()
    said += repr(recorder.report).encode() + repr(recorder.connections[1].__dict__).encode()
    assert b'{"redacted":"login"}' in said
    assert KEY.encode() not in said
    assert SECRET.encode() not in said
    assert b"signature-of" not in said


async def test_missing_keys_are_named_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TICKREEL_TINY_KEY", raising=False)
    with pytest.raises(CredentialsError, match="TICKREEL_TINY_KEY and TICKREEL_TINY_SECRET"):
        tiny_recorder(tmp_path / "rec", tiny_stream("ws://127.0.0.1:1", Channel.ORDER))
    assert not (tmp_path / "rec").exists()


class _OptionalVenue(TinyVenue):
    """Public channels may log in, and need not."""

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        if credentials is None:
            return Login(plan.url)
        return Login(plan.url, message=f'{{"login":["{credentials.key}"]}}')


@pytest.mark.parametrize("at_hand", [True, False])
async def test_a_public_connection_logs_in_where_that_is_a_choice_and_keys_are_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_hand: bool
) -> None:
    monkeypatch.delenv("TICKREEL_TINY_SECRET", raising=False)
    monkeypatch.delenv("TICKREEL_TINY_KEY", raising=False)
    if at_hand:
        monkeypatch.setenv("TICKREEL_TINY_KEY", KEY)

    async def talk(connection: ServerConnection) -> None:
        if at_hand:
            await connection.send(f"welcome {await connection.recv()!r}")
        await connection.send(f"ok {await connection.recv()!r}")
        await connection.wait_closed()

    venue = _OptionalVenue(replace(TRAITS, login_optional=True))
    async with (
        tiny_exchange(talk, answer=False) as url,
        capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
    ):
        await until(lambda: recorder.connections[0].subscribed)
    sent = payloads(frames_of(tmp_path), FrameKind.SENT)
    assert sent == ([b'{"redacted":"login"}'] if at_hand else []) + [b"sub book.BTC"]
    assert KEY.encode() not in _all_bytes(tmp_path)
    assert KEY.encode() not in b"".join(frame.payload for frame in frames_of(tmp_path))
