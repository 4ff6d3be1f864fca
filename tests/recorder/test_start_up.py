"""What a user meets when a capture cannot begin: a sentence, never a traceback."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import time
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from recorder.errors import (
    BadAddressError,
    BadProxyError,
    HandshakeRefusedError,
    HostNotFoundError,
    HostUnreachableError,
    SubscriptionRefusedError,
    TlsError,
)
from recorder.lifecycle import ConnectionState
from recorder.recorder import Recorder
from recorder.recorder_settings import RecorderSettings
from recorder.recording_errors import FolderInUseError
from recorder.stream_settings import StreamSettings
from tests.recorder.tiny_venue import (
    capturing,
    frames_of,
    free_port,
    payloads,
    say_nothing,
    stay,
    tiny_exchange,
    tiny_recorder,
    tiny_stream,
    until,
)
from venues.channel import Channel
from venues.errors import UnknownVenueError
from venues.frame import FrameKind


async def test_a_mistyped_port_is_a_sentence_and_not_a_traceback(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(HostUnreachableError, match=rf"nothing answers at ws://127.0.0.1:{port}"):
        await tiny_recorder(tmp_path, tiny_stream(f"ws://127.0.0.1:{port}")).run(10)


async def test_a_server_that_is_not_there_yet_can_be_waited_for(tmp_path: Path) -> None:
    port = free_port()
    stream = tiny_stream(f"ws://127.0.0.1:{port}")
    settings = RecorderSettings(give_up_at_start=False, seed=1)
    async with capturing(tmp_path, stream, settings=settings) as recorder:
        life = recorder.connections[0]
        await until(lambda: life.failed_attempts > 0)

        async def talk(connection: ServerConnection) -> None:
            await connection.send("there")

        async with serve(talk, "127.0.0.1", port):
            await until(lambda: life.messages == 1, 30.0)


async def test_an_unknown_host_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostNotFoundError, match=r"no-such-host\.invalid") as caught:
        await tiny_recorder(tmp_path, tiny_stream("ws://no-such-host.invalid:1")).run(10)
    assert not caught.value.transient


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ws://", "ws://127.0.0.1:99999", "nothing"])
async def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadAddressError, match="is no WebSocket address"):
        await tiny_recorder(tmp_path, tiny_stream(url)).run(10)


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("ftp://me:canary@h:1", "scheme ftp isn't supported"),
        ("http://me:canary@:1", "hostname isn't provided"),
        ("http://me:can/ary@h:1", "path is meaningless|is malformed"),
        ("http://canary/pw@h:1", "path is meaningless"),
        ("http://me:canary@h:canary", "its address is malformed"),
        ("http://me:canary@[h", "its address is malformed"),
        ("socks5://me:canary@h:1", "pip install python-socks"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_told_of_and_its_password_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, reason: str
) -> None:
    monkeypatch.setenv("ws_proxy", proxy)
    monkeypatch.setenv("no_proxy", "nothing")
    with pytest.raises(BadProxyError, match=reason) as caught:
        await tiny_recorder(tmp_path, tiny_stream("ws://exchange.example")).run(10)
    assert "can" not in str(caught.value).replace("cannot", "")
    assert caught.value.__context__ is None


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
async def test_a_proxy_that_does_not_answer_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    port = free_port()
    monkeypatch.setenv("ws_proxy", f"http://me:canary@{host}:{port}")
    monkeypatch.setenv("no_proxy", "nothing")
    with pytest.raises(
        (HostUnreachableError, HostNotFoundError),
        match=f"exchange.example through the proxy {host}:{port}",
    ) as caught:
        await tiny_recorder(tmp_path, tiny_stream("ws://exchange.example")).run(10)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_an_http_status_at_the_handshake_is_told(tmp_path: Path, status: int) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus(status), "go away\n")

    async with serve(say_nothing, "127.0.0.1", 0, process_request=refuse) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(HandshakeRefusedError, match=f"HTTP {status}") as caught:
            await tiny_recorder(tmp_path, tiny_stream(url)).run(10)
    assert caught.value.excerpt == "go away"
    assert caught.value.transient is (status in (429, 500, 503))


async def test_retry_after_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.reconnect.RETURN_SPREAD_S", 0.1)
    tries_s: list[float] = []

    def refuse_once(connection: ServerConnection, request: Request) -> Response | None:
        tries_s.append(time.monotonic())
        if len(tries_s) > 1:
            return None
        response = connection.respond(HTTPStatus.TOO_MANY_REQUESTS, "slower\n")
        response.headers["Retry-After"] = "1"
        return response

    settings = RecorderSettings(give_up_at_start=False, seed=1)
    async with serve(stay, "127.0.0.1", 0, process_request=refuse_once) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with capturing(tmp_path, tiny_stream(url), settings=settings) as recorder:
            await until(lambda: "Wait 1 s" in recorder.connections[0].last_error)
            await until(lambda: recorder.connections[0].connects == 1, 15.0)
    assert tries_s[1] - tries_s[0] >= 1.0


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    def redirect(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = "ws://127.0.0.1:1/elsewhere"
        return response

    async with serve(say_nothing, "127.0.0.1", 0, process_request=redirect) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(HandshakeRefusedError, match="HTTP 302"):
            await tiny_recorder(tmp_path, tiny_stream(url)).run(10)


async def test_something_that_does_not_speak_http_is_told(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(b"220 mail.example.org ESMTP\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HandshakeRefusedError, match="does not answer in HTTP"):
            await tiny_recorder(tmp_path, tiny_stream(f"ws://127.0.0.1:{port}")).run(10)


async def test_a_server_without_tls_is_no_safe_connection(tmp_path: Path) -> None:
    async with tiny_exchange(say_nothing) as url:
        with pytest.raises((TlsError, HostUnreachableError), match="TLS handshake"):
            await tiny_recorder(tmp_path, tiny_stream(url.replace("ws:", "wss:"))).run(10)


def _make_certificate(place: Path) -> None:
    names = ["-keyout", str(place / "key.pem"), "-out", str(place / "cert.pem")]
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", *names),
        ],
        check=True,
        capture_output=True,
    )


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("certificate")
    _make_certificate(place)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "cert.pem", place / "key.pem")
    async with serve(say_nothing, "localhost", 0, ssl=context) as server:
        url = f"wss://localhost:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(TlsError, match=r"certificate is not valid.*SSL_CERT_FILE"):
            await tiny_recorder(tmp_path, tiny_stream(url)).run(10)


async def test_a_subscription_that_is_refused_is_told_in_the_exchange_s_words(
    tmp_path: Path,
) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("no such symbol BTC")

    async with tiny_exchange(talk, answer=False) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        with pytest.raises(SubscriptionRefusedError, match="such symbol BTC") as caught:
            await recorder.run(10)
    assert caught.value.topics == ("book BTC",)
    assert b"no such symbol BTC" in payloads(frames_of(tmp_path), FrameKind.TEXT)


async def test_a_subscription_that_is_refused_in_part_is_reported_and_goes_on(
    tmp_path: Path,
) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("no trades here")
        await connection.send("book data")

    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url, Channel.BOOK, Channel.TRADES)) as recorder,
    ):
        await until(lambda: recorder.connections[0].refusals == ["trades here"])
        assert recorder.connections[0].state is ConnectionState.CONNECTED


async def test_a_refusal_after_the_stream_was_taken_once_is_waited_out(tmp_path: Path) -> None:
    conversations = 0

    async def talk(connection: ServerConnection) -> None:
        nonlocal conversations
        conversations += 1
        await connection.recv()
        if conversations == 2:
            await connection.send("no under maintenance")
            return
        await connection.send("ok")
        if conversations == 1:
            await connection.close()

    async with (
        tiny_exchange(talk, answer=False) as url,
        capturing(tmp_path, tiny_stream(url), settings=RecorderSettings(seed=3)) as recorder,
    ):
        await until(lambda: conversations == 3 and recorder.connections[0].subscribed, 20.0)


def test_an_unknown_venue_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UnknownVenueError, match="did you mean 'reference'"):
        Recorder([StreamSettings(venue="referense")], tmp_path / "rec")
    assert not (tmp_path / "rec").exists()


async def test_a_second_recorder_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with tiny_exchange(say_nothing) as url, capturing(tmp_path, tiny_stream(url)):
        with pytest.raises(FolderInUseError):
            await tiny_recorder(tmp_path, tiny_stream(url)).run(10)


async def test_a_subscription_that_nobody_answers_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("recorder.greeting.ANSWER_LIMIT_S", 0.1)
    async with tiny_exchange(stay, answer=False) as url:
        await tiny_recorder(tmp_path, tiny_stream(url)).run(0.5)
    assert "tiny: no answer to the subscription in 0.1 s, and no market data." in caplog.text
