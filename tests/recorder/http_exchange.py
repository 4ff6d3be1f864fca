"""A real HTTP server on loopback, for tests of what is asked beside the streams."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[int, BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Asked:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class HttpExchange:
    """A real HTTP server; `answer` gets the number of the request, from 1."""

    def __init__(self, answer: Answer) -> None:
        self.asked_s: list[float] = []
        self.paths: list[str] = []
        self.requests: list[Asked] = []
        exchange = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(size)
                exchange.requests.append(Asked(self.command, self.path, headers, body))
                exchange.paths.append(self.path)
                exchange.asked_s.append(time.monotonic())
                answer(len(exchange.asked_s), self)

            do_POST = do_PUT = do_GET  # noqa: N815 - the names that the server looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def http_exchange(answer: Answer) -> Iterator[HttpExchange]:
    exchange = HttpExchange(answer)
    thread = threading.Thread(target=exchange.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield exchange
    finally:
        exchange.server.shutdown()
        exchange.server.server_close()
        thread.join()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)
