"""How a connection begins: access, a login of any kind, subscriptions; and no trace of secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from recorder.errors import AccessError, LoginRefusedError, SubscriptionRefusedError
from recorder.recorder import Recorder
from recorder.recorder_settings import RecorderSettings
from tests.recorder.http_exchange import http_exchange, reply
from tests.recorder.tiny_venue import (
    TinyVenue,
    capturing,
    frames_of,
    payloads,
    tiny_exchange,
    tiny_stream,
    until,
)
from venues.channel import Channel
from venues.errors import DecodeError
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, Opened, read_http, read_marker
from venues.venue import ConnectionPlan, Credentials, HttpRequest, Login, Purpose

KEY, SECRET = "canary-key-1234567890", "canary-secret-0987654321"
TOKEN = "canary-token-{}-abcdefghijklmnop"
SIGNED = "canary-signature-{}-abcdefghijkl"
SECRETS = (KEY, SECRET, "canary-")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKREEL_TINY_KEY", KEY)
    monkeypatch.setenv("TICKREEL_TINY_SECRET", SECRET)


@dataclass(frozen=True)
class _AccessVenue(TinyVenue):
    """A token is fetched first, and is in the address, in a header and in what subscribes."""

    rest: str = ""
    signed: list[int] = field(default_factory=list)
    login_message: bool = False

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        self.signed.append(time_ms)
        return HttpRequest(
            f"{self.rest}/access?signature={SIGNED.format(len(self.signed))}",
            "",
            Purpose.ACCESS,
            "POST",
            (("API-Key", KEY), ("Content-Type", "application/json")),
            json.dumps({"sign": SIGNED.format("body")}).encode(),
        )

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        answer = json.loads(access)
        if "token" not in answer:
            raise DecodeError(self.name, f"there is no token: {answer['error']}", access)
        token = answer["token"]
        return Login(
            f"{plan.url}?token={token}",
            (("Authorization", f"Bearer {token}"),),
            f"login {token}" if self.login_message else None,
            token=token,
        )

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        if not plan.private:
            return tuple(f"{message} at {len(str(time_ms))}" for message in plan.subscribe_messages)
        return tuple(f"{message} {login.token} {answer}" for message in plan.subscribe_messages)


def _grant(number: int, handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, json.dumps({"token": TOKEN.format(number)}).encode())


def _http_heads(frames: list[Frame]) -> list[HttpResponse]:
    return [read_http(frame)[0] for frame in frames if frame.kind is FrameKind.HTTP]


def _all_said(folder: Path, caplog: pytest.LogCaptureFixture, recorder: Recorder) -> bytes:
    """Return everything that anyone can read afterwards, recorded payloads unpacked."""
    said = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    said += b"".join(frame.payload for frame in frames_of(folder))
    ours = [record for record in caplog.records if record.name.startswith("tickreel")]
    said += "".join(record.getMessage() for record in ours).encode()
    said += (
        repr(recorder.report).encode() + repr([x.__dict__ for x in recorder.connections]).encode()
    )
    return said


async def _until_then(
    folder: Path, venue: TinyVenue, url: str, channel: Channel, true: Callable[[Recorder], bool]
) -> Recorder:
    settings = RecorderSettings(seed=1)
    async with capturing(
        folder, tiny_stream(url, channel), venue=venue, settings=settings
    ) as recorder:
        await until(lambda: true(recorder), 20.0)
    return recorder


async def test_a_private_connection_begins_with_a_fresh_token_each_time_and_leaves_no_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    begun: list[tuple[str, str]] = []
    heard: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        begun.append((connection.request.path, connection.request.headers["Authorization"]))
        message = await connection.recv()
        assert isinstance(message, str)
        heard.append(message)
        await connection.send("ok")
        await connection.send(f"my order, with {message} and {begun[-1]}")
        if len(begun) == 1:
            await connection.close(1001, f"again, {begun[-1][1]}")

    with http_exchange(_grant) as rest:
        async with tiny_exchange(talk, answer=False) as url:
            venue = _AccessVenue(rest=rest.url)
            recorder = await _until_then(
                tmp_path,
                venue,
                url,
                Channel.ORDER,
                lambda r: len(heard) == 2 and r.connections[0].subscribed,
            )
    tokens = [TOKEN.format(1), TOKEN.format(2)]
    assert begun == [(f"/?token={token}", f"Bearer {token}") for token in tokens]
    assert heard == [f"sub order. {token} " for token in tokens]
    first, second = rest.requests
    assert first.method == "POST"
    assert first.path.startswith("/access?signature=canary-signature-")
    assert first.path != second.path
    assert first.headers["api-key"] == KEY
    assert json.loads(first.body) == {"sign": SIGNED.format("body")}

    frames = frames_of(tmp_path)
    accesses = [frame for frame in frames if frame.kind is FrameKind.HTTP]
    assert [read_http(frame) for frame in accesses] == 2 * [
        (HttpResponse("POST", f"{rest.url}/access?signature=[redacted]", 200, "access"), b"")
    ]
    assert {(frame.connection_id, frame.venue) for frame in accesses} == {(0, "tiny")}
    opened = [read_marker(frame, Opened).url for frame in frames if frame.kind is FrameKind.OPENED]
    assert opened == [url, url]
    assert payloads(frames, FrameKind.SENT) == [b"sub order."] * 2
    said = _all_said(tmp_path, caplog, recorder)
    assert b"my order, with" in said
    assert all(secret.encode() not in said for secret in SECRETS)


async def test_a_public_connection_may_need_a_token_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert await connection.recv() == "sub book.BTC at 13"
        await connection.send("ok")
        await connection.send(f"trade, {connection.request.path}")

    with http_exchange(_grant) as rest:
        async with tiny_exchange(talk, answer=False) as url:
            venue = _AccessVenue(rest=rest.url)
            recorder = await _until_then(
                tmp_path, venue, url, Channel.BOOK, lambda r: r.connections[0].messages == 2
            )
    frames = frames_of(tmp_path)
    assert payloads(frames, FrameKind.TEXT) == [b"ok", b"trade, /?token=[redacted]"]
    assert payloads(frames, FrameKind.SENT) == [b"sub book.BTC at 13"]
    assert b"canary-token" not in _all_said(tmp_path, caplog, recorder)


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            500,
            b"down",
            r"from .*/access\?signature=\[redacted\]: HTTP 500, it said 'down'",
        ),
        (200, b"not JSON", "no access from"),
        (200, b'{"error":"no canary-key-1234567890"}', r"there is no token: no \[redacted\]"),
    ],
)
async def test_an_access_that_is_not_granted_at_the_start_is_a_sentence(
    tmp_path: Path, status: int, body: bytes, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with http_exchange(lambda number, handler: reply(handler, status, body)) as rest:
        venue = _AccessVenue(rest=rest.url)
        recorder = Recorder(
            [tiny_stream("ws://127.0.0.1:1", Channel.ORDER)], tmp_path, venues=lambda name: venue
        )
        with pytest.raises(AccessError, match=sentence):
            await recorder.run(10)
    (head,) = _http_heads(frames_of(tmp_path))
    assert (head.status, head.purpose) == (status, "access")
    assert b"canary" not in _all_said(tmp_path, caplog, recorder)


@pytest.mark.parametrize("channel", [Channel.ORDER, Channel.BOOK])
async def test_an_access_that_fails_later_is_waited_out(tmp_path: Path, channel: Channel) -> None:
    def grant_but_once(number: int, handler: BaseHTTPRequestHandler) -> None:
        if number == 2:
            reply(handler, 503, b"resting")
        else:
            _grant(number, handler)

    connections = 0

    async def talk(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await connection.recv()
        await connection.send("ok")
        if connections == 1:
            await connection.close()

    with http_exchange(grant_but_once) as rest:
        async with tiny_exchange(talk, answer=False) as url:
            venue = _AccessVenue(rest=rest.url)
            recorder = await _until_then(
                tmp_path,
                venue,
                url,
                channel,
                lambda r: connections == 2 and r.connections[0].subscribed,
            )
    assert [head.status for head in _http_heads(frames_of(tmp_path))] == [200, 503, 200]
    assert recorder.connections[0].failed_attempts == 1


async def test_keys_that_the_access_refuses_are_a_refused_login(tmp_path: Path) -> None:
    said = f'{{"msg":"unknown {KEY}"}}'.encode()
    with http_exchange(lambda number, handler: reply(handler, 401, said)) as rest:
        venue = _AccessVenue(rest=rest.url)
        stream = tiny_stream("ws://127.0.0.1:1", Channel.ORDER)
        with pytest.raises(LoginRefusedError, match=r"HTTP 401, .*unknown \[redacted\]"):
            await Recorder([stream], tmp_path, venues=lambda name: venue).run(10)
    assert len(rest.requests) == 1


@dataclass(frozen=True)
class _HeaderVenue(TinyVenue):
    """The handshake itself is signed."""

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        return Login(plan.url, (("X-Key", KEY), ("X-Signature", SIGNED)) if plan.private else ())


@pytest.mark.parametrize("status", [401, 403])
async def test_a_handshake_refused_for_its_keys_is_a_refused_login(
    tmp_path: Path, status: int
) -> None:
    asked: list[str] = []

    def refuse(connection: ServerConnection, request: Request) -> Response:
        asked.append(request.headers["X-Signature"])
        return connection.respond(HTTPStatus(status), f"bad {request.headers['X-Key']}\n")

    async def talk(connection: ServerConnection) -> None:
        await connection.wait_closed()

    settings = RecorderSettings(give_up_at_start=False)
    async with serve(talk, "127.0.0.1", 0, process_request=refuse) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        recorder = Recorder(
            [tiny_stream(url, Channel.ORDER)],
            tmp_path,
            settings,
            venues=lambda name: _HeaderVenue(),
        )
        with pytest.raises(LoginRefusedError, match=rf"HTTP {status}, it said 'bad \[redacted\]'"):
            await recorder.run(10)
    assert asked == [SIGNED]


async def test_a_login_by_the_handshake_needs_no_answer(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        await connection.send(f"my order under {connection.request.headers['X-Signature']}")

    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url, Channel.ORDER), venue=_HeaderVenue()) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages == 2)
        await until(lambda: recorder.connections[0].subscribed)
    assert payloads(frames_of(tmp_path), FrameKind.TEXT) == [b"ok", b"my order under [redacted]"]


@dataclass(frozen=True)
class _AnswerVenue(TinyVenue):
    """What subscribes is signed over what the login was answered."""

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        signed = json.dumps({"sub": "order", "signed": f"canary-{answer}"})
        return (signed, *plan.subscribe_messages) if plan.private else plan.subscribe_messages


async def test_the_answer_to_a_login_signs_what_subscribes_and_its_token_is_not_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    challenge = "226aee50-88fc-4618-a42a-34f7709570b2"
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        heard.append(await connection.recv())
        await connection.send(json.dumps({"welcome": challenge}))
        heard.extend([await connection.recv(), await connection.recv()])
        await connection.send("ok")
        await connection.send("ok")
        await connection.send(f"my order, {heard[1]!r}")

    async with tiny_exchange(talk, answer=False) as url:
        recorder = await _until_then(
            tmp_path, _AnswerVenue(), url, Channel.ORDER, lambda r: r.connections[0].messages == 4
        )
    assert heard[1:] == [
        json.dumps({"sub": "order", "signed": f"canary-{challenge}"}),
        "sub order.",
    ]
    frames = frames_of(tmp_path)
    login = b'{"redacted":"login"}'
    assert payloads(frames, FrameKind.SENT) == [login, login, b"sub order."]
    assert payloads(frames, FrameKind.TEXT)[0] == b'{"welcome": "[redacted]"}'
    said = _all_said(tmp_path, caplog, recorder)
    assert challenge.encode() not in said
    assert b"canary" not in said


async def test_a_login_that_nobody_answers_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.greeting.ANSWER_LIMIT_S", 0.1)
    logins = 0

    async def talk(connection: ServerConnection) -> None:
        nonlocal logins
        await connection.recv()
        logins += 1

    async with (
        tiny_exchange(talk, answer=False) as url,
        capturing(tmp_path, tiny_stream(url, Channel.ORDER)) as recorder,
    ):
        await until(lambda: logins == 2, 20.0)
        assert "the login was not answered within 0.1 s" in recorder.connections[0].last_error


async def test_a_token_that_the_subscription_is_refused_for_ends_the_stream(
    tmp_path: Path,
) -> None:
    async def talk(connection: ServerConnection) -> None:
        message = await connection.recv()
        await connection.send(f"no such token: {message!r}")

    with http_exchange(_grant) as rest:
        venue = _AccessVenue(rest=rest.url)
        async with tiny_exchange(talk, answer=False) as url:
            recorder = Recorder(
                [tiny_stream(url, Channel.ORDER)], tmp_path, venues=lambda name: venue
            )
            with pytest.raises(SubscriptionRefusedError, match="such token") as refusal:
                await recorder.run(10)
    assert "canary" not in str(refusal.value)
