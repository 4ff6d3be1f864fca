"""What a running capture answers over HTTP: /metrics, /health and /status.

Theory. It listens in up to two places: always on a Unix socket in the recording's folder, beside
the lock, for `tickreel status`; and on a TCP address if `--metrics` asks for it. A socket is no
file: it answers while the disk is full or stands still, when it matters most; it cannot be out of
date; and once the process is gone, connecting to it is refused. Whoever can enter the folder can
ask (0700, and the socket 0600). It is not part of the recording, and is removed at the end.

It is served by the same event loop as the sockets of the exchanges: where that hangs, there is no
answer, which every prober takes for the fault that it is. An answer is taken from a status that is
at most a second old.

On TCP only /metrics and /health are served; beyond loopback only where that was asked for in so
many words, as nobody is asked who they are. A web page cannot read it either: a `Host` that is
neither loopback nor the address listened on, and any `Origin`, are refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cli.errors import CommandError
from cli.feed_standing import feed_faults
from cli.running_status import RunningStatus
from replay.request_gate import is_loopback, refusal

if TYPE_CHECKING:
    from cli.metrics import MetricsText

SOCKET_NAME = ".status.sock"
REQUEST_BYTES_MAX = 8192
REQUEST_LIMIT_S = 2.0
CLIENTS_MAX = 16
SOCKET_PATH_BYTES_MAX = 100
_JSON = "application/json"
_PLAIN = "text/plain; charset=utf-8"


class MetricsAddress(NamedTuple):
    """Where metrics are served."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """As it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_metrics_address(text: str) -> MetricsAddress:
    """Read `127.0.0.1:9464`, `[::1]:9464` or `:9464` (loopback).

    Raises:
        ValueError: it is none.
    """
    host, separator, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no address: write 127.0.0.1:9464")
    return MetricsAddress(host, int(port))


def refuse_open_address(address: MetricsAddress, *, insecure: bool) -> None:
    """Refuse an address that other machines reach, unless that was asked for.

    Raises:
        CommandError: it is one.
    """
    if not insecure and not is_loopback(address.host):
        raise CommandError(
            f"--metrics {address.text}: other machines reach it, and nobody is "
            "asked who they are. Give --metrics-insecure if that is what you want."
        )


class _Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]


class OperationsServer:
    """Answers questions about one capture."""

    def __init__(
        self, status: Callable[[], RunningStatus], metrics: MetricsText | None = None
    ) -> None:
        self._status = status
        self._metrics = metrics
        self._servers: list[asyncio.Server] = []
        self._socket_path: Path | None = None
        self._clients = 0
        self.address: MetricsAddress | None = None

    async def listen_in(self, folder: Path) -> None:
        """Listen on the socket in `folder`, whose lock we hold.

        Raises:
            OSError: there can be no socket there.
        """
        path = folder / SOCKET_NAME
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # of a capture that was killed: it is ours to have, as the lock is
        with short_path(path) as bound:
            server = await asyncio.start_unix_server(
                self._answer_all, bound, start_serving=False, limit=REQUEST_BYTES_MAX
            )
        path.chmod(0o600)
        await server.start_serving()
        self._servers.append(server)
        self._socket_path = path

    async def listen_at(self, address: MetricsAddress) -> None:
        """Listen on a TCP address.

        Raises:
            CommandError: it is in use, or none of this machine's.
        """
        try:
            server = await asyncio.start_server(
                self._answer_public, address.host, address.port, limit=REQUEST_BYTES_MAX
            )
        except OSError as error:
            raise CommandError(
                f"--metrics {address.text}: {error.strerror or error}. Give another address or "
                "port, or port 0 for any free one."
            ) from error
        self._servers.append(server)
        self.address = MetricsAddress(address.host, server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Answer no more, and leave nothing behind."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._socket_path is not None:
            with contextlib.suppress(OSError):
                self._socket_path.unlink()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._answer(reader, writer, public=False)

    async def _answer_public(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._answer(reader, writer, public=True)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, public: bool
    ) -> None:
        self._clients += 1
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S):
                if self._clients <= CLIENTS_MAX:
                    request = await _read_request(reader)
                    writer.write(self._response(request, public=public))
                    await writer.drain()
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
            pass  # whoever does not ask properly gets no answer
        finally:
            self._clients -= 1
            writer.close()

    def _response(self, request: _Request, *, public: bool) -> bytes:
        if request.method not in ("GET", "HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, _PLAIN, b"GET or HEAD\n", request)
        if public and not self._may_ask(request.headers):
            return _response(HTTPStatus.FORBIDDEN, _PLAIN, b"not from there\n", request)
        if request.path == "/metrics" and self._metrics is not None:
            content_type, text = self._metrics.text(request.headers.get("accept", ""))
            return _response(HTTPStatus.OK, content_type, text, request)
        if request.path == "/health":
            return self._health(request)
        if request.path == "/status" and not public:
            return _response(HTTPStatus.OK, _JSON, msgspec.json.encode(self._status()), request)
        return _response(HTTPStatus.NOT_FOUND, _PLAIN, b"/metrics or /health\n", request)

    def _health(self, request: _Request) -> bytes:
        status = self._status()
        code = HTTPStatus.OK if status.healthy else HTTPStatus.SERVICE_UNAVAILABLE
        told = {
            "healthy": status.healthy,
            "faults": status.faults,
            "feed_faults": feed_faults(status),
        }
        body = msgspec.json.encode(told)
        return _response(code, _JSON, body + b"\n", request)

    def _may_ask(self, headers: dict[str, str]) -> bool:
        assert self.address is not None
        hosts, origins = ([headers[name]] if name in headers else [] for name in ("host", "origin"))
        return refusal(hosts, origins, listening_on=self.address.host) is None


async def _read_request(reader: asyncio.StreamReader) -> _Request:
    """Read a request's head.

    Raises:
        ValueError: it is none, or too long.
        asyncio.IncompleteReadError: it ended before its end.
    """
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError as error:
        raise ValueError("too long") from error
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, separator, value = line.partition(":")
        if separator:
            headers[name.strip().lower()] = value.strip()
    return _Request(method, target.partition("?")[0], headers)


def _response(status: HTTPStatus, content_type: str, body: bytes, request: _Request) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nX-Content-Type-Options: nosniff\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (b"" if request.method == "HEAD" else body)


class short_path(contextlib.AbstractContextManager[str]):  # noqa: N801 - reads as a function
    """A name for a socket's path that is short enough for the system, while it is used.

    A socket's address holds about a hundred bytes; the path of a recording may be longer. Where
    the system lists open files in /proc, its folder has a short name there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= SOCKET_PATH_BYTES_MAX:
            return str(self._path)
        self._descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        place = Path(f"/proc/self/fd/{self._descriptor}")
        if not place.exists():
            self.__exit__()
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(self._path))
        return str(place / self._path.name)

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
