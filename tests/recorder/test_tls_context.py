from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import trustme

from cli.event_loop import loop_factory
from recorder.connection import ConnectSettings, FrameConnection, open_connection
from recorder.errors import TlsError
from recorder.tls_context import resuming_context, tls_context
from tests.recorder.tiny_venue import tiny_recorder, tiny_stream
from tests.recorder.wire import shake_hands, wire_frame
from venues.frame import FrameKind

Loop = Callable[[], asyncio.AbstractEventLoop] | None
LOOPS = [None] if loop_factory() is None else [None, loop_factory()]


class Hearing:
    """A listener that tells when it has heard the first message."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()

    def opened(self, at: tuple[int, int]) -> None:
        pass

    def message(self, kind: FrameKind, wall_ns: int, steady_ns: int, payload: bytes) -> None:
        self.heard.set()

    def oversize(self, size: int | None, limit: str, at: tuple[int, int]) -> None:
        pass

    def closed(self, code: int | None, reason: str, *, by_us: bool) -> None:
        pass


@contextlib.asynccontextmanager
async def secure_server(authority: trustme.CA, *names: str) -> AsyncIterator[int]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await shake_hands(reader, writer)
            writer.write(wire_frame(1, b"hello"))
            await reader.read()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """The one authority that this machine trusts."""
    trusted = trustme.CA()
    trusted.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    tls_context.cache_clear()
    yield trusted
    tls_context.cache_clear()


async def connected(address: str) -> FrameConnection:
    hearing = Hearing()
    connection = await open_connection(
        f"wss://{address}/",
        hearing,
        lambda: (time.time_ns(), time.monotonic_ns()),
        ConnectSettings(),
    )
    await hearing.heard.wait()
    connection.end("enough")
    await connection.gone()
    return connection


async def resumed(address: str) -> bool:
    connection = await connected(address)
    about = connection.transport.get_extra_info("ssl_object")
    return bool(about.session_reused)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_made_again_resumes_the_session_of_its_host_and_of_no_other(
    authority: trustme.CA, loop: Loop
) -> None:
    async def connecting() -> list[bool]:
        async with secure_server(authority, "localhost", "127.0.0.1") as port:
            return [
                await resumed(f"localhost:{port}"),
                await resumed(f"localhost:{port}"),
                await resumed(f"127.0.0.1:{port}"),
                await resumed(f"localhost:{port}"),
            ]

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(connecting()) == [False, True, False, True]


async def test_a_server_that_does_not_know_the_session_is_asked_for_its_certificate(
    authority: trustme.CA,
) -> None:
    async with secure_server(authority, "localhost") as port:
        assert not await resumed(f"localhost:{port}")
    async with secure_server(authority, "localhost") as port:
        assert not await resumed(f"localhost:{port}")
    async with secure_server(trustme.CA(), "localhost") as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await connected(f"localhost:{port}")


async def test_a_certificate_of_another_name_is_refused(authority: trustme.CA) -> None:
    async with secure_server(authority, "exchange.example") as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await connected(f"localhost:{port}")


def test_it_verifies_as_the_usual_context_does() -> None:
    ours, usual = resuming_context(), ssl.create_default_context()
    for name in ("verify_mode", "check_hostname", "verify_flags", "options", "minimum_version"):
        assert getattr(ours, name) == getattr(usual, name), name
    assert len(ours.get_ca_certs()) == len(usual.get_ca_certs())


async def test_a_certificate_of_another_host_is_not_told_to_be_of_an_unknown_authority(
    authority: trustme.CA, tmp_path: Path
) -> None:
    async with secure_server(authority, "other.example") as port:
        recorder = tiny_recorder(tmp_path / "night", tiny_stream(f"wss://127.0.0.1:{port}"))
        with pytest.raises(TlsError, match=r"mismatch.*[^.]\.$") as refusal:
            await recorder.run(10)
    assert "SSL_CERT_FILE" not in str(refusal.value)
