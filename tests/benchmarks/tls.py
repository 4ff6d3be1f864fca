"""What TLS costs: a handshake, new and resumed, and messages, on Python's loop and on uvloop.

    python -m tests.benchmarks.tls [--connects 200] [--messages 300000]

The client is the recorder's own connection, without a recorder behind it; the server is a process
of its own on loopback that sends messages of 300 bytes as fast as they are taken.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import trustme

from cli.event_loop import loop_factory
from recorder.connection import ConnectSettings, FrameConnection, open_connection
from recorder.tls_context import tls_context
from tests.recorder.wire import shake_hands, wire_frame
from venues.frame import FrameKind

BURST = wire_frame(1, b"x" * 300) * 200
SETTINGS = ConnectSettings()
Loop = Callable[[], asyncio.AbstractEventLoop] | None


async def _serve(pipe: Connection, certificate: trustme.LeafCert | None) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await shake_hands(reader, writer)
            writer.write(wire_frame(1, b"hello"))
            while await reader.readexactly(2) == b"\x82\x84":  # a masked binary frame: send!
                await reader.readexactly(8)
                for _ in range(50):
                    writer.write(BURST)
                    await writer.drain()
        writer.close()

    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(pipe.recv)


def _server(pipe: Connection, certificate: trustme.LeafCert | None) -> None:
    with contextlib.suppress(EOFError):
        asyncio.run(_serve(pipe, certificate))


class Counting:
    """Counts messages; `enough` is set when there were as many as are wanted."""

    def __init__(self, wanted: int) -> None:
        self.left = wanted
        self.enough = asyncio.Event()

    def opened(self, at: tuple[int, int]) -> None:
        pass

    def message(self, kind: FrameKind, wall_ns: int, steady_ns: int, payload: bytes) -> None:
        self.left -= 1
        if self.left == 0:
            self.enough.set()

    def oversize(self, size: int | None, limit: str, at: tuple[int, int]) -> None:
        pass

    def closed(self, code: int | None, reason: str, *, by_us: bool) -> None:
        pass


def clock() -> tuple[int, int]:
    return time.time_ns(), time.monotonic_ns()


async def connected(url: str, listener: Counting) -> FrameConnection:
    return await open_connection(url, listener, clock, SETTINGS)


async def handshakes(url: str, connects: int, *, resume: bool) -> tuple[float, float, int]:
    """Return the median time and processor time in ms, and how many were resumed."""
    times_ms, resumed = [], 0
    tls_context().forget()
    spent_s = time.process_time()
    for _ in range(connects):
        listener = Counting(1)
        began_s = time.perf_counter()
        connection = await connected(url, listener)
        times_ms.append((time.perf_counter() - began_s) * 1e3)
        await listener.enough.wait()
        about = connection.transport.get_extra_info("ssl_object")
        resumed += bool(about and about.session_reused)
        connection.end("enough")
        await connection.gone()
        if not resume:
            tls_context().forget()
    cpu_ms = (time.process_time() - spent_s) * 1e3 / connects
    return statistics.median(times_ms), cpu_ms, resumed


async def messages(url: str, wanted: int) -> tuple[float, float]:
    """Return messages a second, and microseconds of this processor for each."""
    listener = Counting(wanted)
    connection = await connected(url, listener)
    began_s, spent_s = time.perf_counter(), time.process_time()
    for _ in range(-(-wanted // 10_000)):
        await connection.send(b"more")
    await listener.enough.wait()
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - spent_s
    connection.end("enough")
    return wanted / took_s, cpu_s / wanted * 1e6


def measure(port: int, scheme: str, loop: Loop, name: str, connects: int, wanted: int) -> None:
    url = f"{scheme}://localhost:{port}/"
    for resume in (False, True) if scheme == "wss" else (False,):
        with asyncio.Runner(loop_factory=loop) as runner:
            wall_ms, cpu_ms, resumed = runner.run(handshakes(url, connects, resume=resume))
        kind = "resuming" if resume else "anew"
        print(
            f"{name:8} {scheme:4} connect {kind:9} {wall_ms:6.2f} ms median, "
            f"{cpu_ms:6.2f} ms of the client's processor, {resumed} of {connects} resumed"
        )
    with asyncio.Runner(loop_factory=loop) as runner:
        per_s, cpu_us = runner.run(messages(url, wanted))
    print(f"{name:8} {scheme:4} {per_s:9,.0f} messages/s, {cpu_us:.2f} us of the processor each")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--connects", type=int, default=200)
    parser.add_argument("--messages", type=int, default=300_000)
    asked = parser.parse_args()
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    loops: list[tuple[str, Loop]] = [("asyncio", None)]
    if loop_factory() is not None:
        loops.append(("uvloop", loop_factory()))
    with tempfile.TemporaryDirectory() as folder:
        trusted = Path(folder) / "authority.pem"
        authority.cert_pem.write_to_path(str(trusted))
        os.environ["SSL_CERT_FILE"] = str(trusted)
        for scheme in ("ws", "wss"):
            ours, theirs = multiprocessing.Pipe()
            server = multiprocessing.Process(
                target=_server, args=(theirs, certificate if scheme == "wss" else None)
            )
            server.start()
            port = ours.recv()
            for name, loop in loops:
                measure(port, scheme, loop, name, asked.connects, asked.messages)
            server.terminate()
            server.join()


if __name__ == "__main__":
    main()
