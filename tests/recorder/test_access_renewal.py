"""What lets a connection in is renewed before it ends, and fetched anew where it cannot be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from tests.recorder.http_exchange import Asked, http_exchange, reply
from tests.recorder.tiny_venue import (
    TinyVenue,
    capturing,
    frames_of,
    tiny_exchange,
    tiny_stream,
    until,
)
from venues.channel import Channel
from venues.frame import Frame, FrameKind
from venues.marker import Closed, read_http, read_marker
from venues.venue import ConnectionPlan, Credentials, HttpRequest, Login, Purpose

API_KEY = "canary-api-key-1234567890"
LISTEN_KEY = "canary0listen0key0{}0abcdefghijklmnop"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKREEL_TINY_KEY", API_KEY)
    monkeypatch.setenv("TICKREEL_TINY_SECRET", "canary-secret-0987654321")
    monkeypatch.setattr("recorder.access_renewal.RETRY_S", 0.05)


@dataclass(frozen=True)
class _ListenKeyVenue(TinyVenue):
    """Who knows a listen key is let in, and need not subscribe to anything."""

    rest: str = ""

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        return self._request("POST")

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        listen_key = json.loads(access)["listenKey"]
        renewal = self._request("PUT")
        return Login(f"{plan.url}/ws/{listen_key}", renewal=renewal, renewal_interval_s=0.05)

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        return ()

    def _request(self, method: str) -> HttpRequest:
        header = ("API-Key", API_KEY)
        return HttpRequest(f"{self.rest}/listenKey", "", Purpose.ACCESS, method, (header,))


class _Grants:
    """Grants listen keys; answers renewals with `states` in turn, and then with 200."""

    def __init__(self, states: Sequence[int]) -> None:
        self._states = list(states)
        self._granted = 0

    def __call__(self, number: int, handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "POST":
            self._granted += 1
            body = json.dumps({"listenKey": LISTEN_KEY.format(self._granted)})
            reply(handler, 200, body.encode())
        else:
            status = self._states.pop(0) if self._states else 200
            reply(handler, status, b'{"msg":"' + API_KEY.encode() + b'"}')


async def _captured(
    folder: Path, states: Sequence[int], *, asked: int, left: int = 0
) -> list[Asked]:
    """Capture until the exchange was asked so often and left so often, and return what for."""
    gone: list[ServerConnection] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        await connection.send(f"my order at {connection.request.path}")
        await connection.wait_closed()
        gone.append(connection)

    with http_exchange(_Grants(states)) as rest:
        async with tiny_exchange(talk, answer=False) as url:
            venue = _ListenKeyVenue(rest=rest.url)
            async with capturing(folder, tiny_stream(url, Channel.ORDER), venue=venue):
                await until(lambda: len(rest.requests) >= asked and len(gone) >= left, 20.0)
    return rest.requests


def _stored(folder: Path) -> bytes:
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return files + b"".join(frame.payload for frame in frames_of(folder))


def _heads(frames: Sequence[Frame]) -> list[tuple[int, str, int | None]]:
    """Return connection, method and state of each HTTP frame, all of which hold no body."""
    found = []
    for frame in frames:
        if frame.kind is FrameKind.HTTP:
            head, body = read_http(frame)
            assert API_KEY.encode() not in body
            found.append((frame.connection_id, head.method, head.status))
    return found


async def test_an_access_is_renewed_for_as_long_as_its_connection_stands(tmp_path: Path) -> None:
    requests = await _captured(tmp_path, [], asked=4)
    assert [one.method for one in requests[:4]] == ["POST", "PUT", "PUT", "PUT"]
    assert {one.headers["api-key"] for one in requests} == {API_KEY}
    frames = frames_of(tmp_path)
    assert _heads(frames)[:3] == [(0, "POST", 200), (1, "PUT", 200), (1, "PUT", 200)]
    assert [frame.kind for frame in frames].count(FrameKind.OPENED) == 1
    stored = _stored(tmp_path)
    assert b"canary" not in stored
    assert b"my order at /ws/[redacted]" in stored


@pytest.mark.parametrize("status", [408, 503])
async def test_a_renewal_that_is_not_taken_now_is_asked_for_again(
    tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    await _captured(tmp_path, [status], asked=4)
    frames = frames_of(tmp_path)
    assert _heads(frames)[:3] == [(0, "POST", 200), (1, "PUT", status), (1, "PUT", 200)]
    assert f"its access was not renewed: HTTP {status}" in caplog.text
    assert [frame.kind for frame in frames].count(FrameKind.OPENED) == 1


async def test_a_renewal_that_is_refused_begins_a_connection_with_an_access_of_its_own(
    tmp_path: Path,
) -> None:
    requests = await _captured(tmp_path, [400], asked=4, left=1)
    assert [one.method for one in requests[:4]] == ["POST", "PUT", "POST", "PUT"]
    frames = frames_of(tmp_path)
    assert _heads(frames)[:3] == [(0, "POST", 200), (1, "PUT", 400), (0, "POST", 200)]
    marks = [
        (frame.kind, frame.connection_id)
        for frame in frames
        if frame.kind in (FrameKind.OPENED, FrameKind.CLOSED)
    ]
    # The new one stands before the old one goes.
    assert marks[:3] == [(FrameKind.OPENED, 1), (FrameKind.OPENED, 2), (FrameKind.CLOSED, 1)]
    closed = next(frame for frame in frames if frame.kind is FrameKind.CLOSED)
    assert "its access was not renewed: HTTP 400" in read_marker(closed, Closed).reason
