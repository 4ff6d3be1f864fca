"""A real S3 server (moto's, a process of its own) and a proxy in front of it that does wrong."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LIMIT_S = 30.0
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDTESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "never-a-real-secret-never-a-real-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server meanwhile; gives its host and port."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from moto.server import main; main()",
            "-H",
            "127.0.0.1",
            "-p",
            "0",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "http://127.0.0.1:" in line:
                address = line.rpartition("http://")[2].strip()
                break
        reading = threading.Thread(target=process.stderr.read, daemon=True)
        reading.start()
        yield address
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stderr.close()


@dataclass
class Bucket:
    """A bucket on the server, reached without the proxy and without rights."""

    address: str
    name: str

    def __post_init__(self) -> None:
        assert self.ask("PUT", "")[0] == 200

    def ask(self, method: str, key: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=LIMIT_S)
        connection.request(method, f"/{self.name}/{urllib.parse.quote(key)}", body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def get(self, key: str) -> bytes | None:
        status, content = self.ask("GET", key)
        return content if status == 200 else None

    def listing(self) -> list[str]:
        _, listing = self.ask("GET", "")
        parts = listing.decode().split("<Key>")[1:]
        return [urllib.parse.unquote(part.partition("</Key>")[0]) for part in parts]

    def uri(self, folder: str, address: str | None = None) -> str:
        endpoint = f"endpoint_override={address or self.address}&scheme=http"
        return f"s3://{self.name}/{folder}?{endpoint}"


@dataclass(frozen=True)
class Asked:
    """A request that passes the proxy. `number` counts from 0."""

    number: int
    method: str
    path: str
    body: bytes

    @property
    def completes(self) -> bool:
        return self.method == "POST" and "uploadId=" in self.path

    @property
    def sends_part(self) -> bool:
        return self.method == "PUT" and "partNumber=" in self.path


Answer = tuple[int, bytes]
Fault = Callable[[Asked, Callable[[], Answer]], Answer | None]
"""Gives the answer, having forwarded or not; None hangs up without a word."""


def no_fault(_: Asked, forward: Callable[[], Answer]) -> Answer | None:
    return forward()


@dataclass
class FaultyProxy:
    """Stands before the server; `fault` says what becomes of each request."""

    server: str
    fault: Fault = no_fault
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    @contextmanager
    def standing(self) -> Iterator[FaultyProxy]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Door, self))
        server.daemon_threads = True
        self.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, proxy: FaultyProxy, *arguments: Any) -> None:
        self.proxy = proxy
        self.passed: http.client.HTTPResponse | None = None
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        return

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def pass_on(self) -> None:
        self.passed = None
        asked = Asked(len(self.proxy.asked), self.command, self.path, self.read_body())
        self.proxy.asked.append(asked)
        answer = self.proxy.fault(asked, lambda: self.forward(asked.body))
        if answer is None:
            self.close_connection = True
        else:
            self.answer(*answer)

    def forward(self, body: bytes) -> Answer:
        headers = {
            name: text
            for name, text in self.headers.items()
            if name.lower() not in ("expect", "transfer-encoding")
        }
        connection = http.client.HTTPConnection(self.proxy.server, timeout=LIMIT_S)
        connection.request(self.command, self.path, body, headers)
        self.passed = connection.getresponse()
        content = self.passed.read()
        connection.close()
        return self.passed.status, content

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        length = str(len(content))
        if self.passed is not None:
            for name, text in self.passed.getheaders():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, text)
            if self.command == "HEAD":
                length = self.passed.getheader("Content-Length") or "0"
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):  # the client may have been killed
                self.wfile.write(content)


for _method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
    setattr(_Door, f"do_{_method}", _Door.pass_on)


class Impatience:
    """Rests shortly, so often at most; a test's patience."""

    def __init__(self, rests: int) -> None:
        self.rests_s: list[float] = []
        self._left = rests

    def wait(self, seconds: float) -> bool:
        self.rests_s.append(seconds)
        self._left -= 1
        return self._left < 0
