"""A secret in each place where one can be: none of them reaches disk or log, at DEBUG.

Each place has a canary of its own. The exchange here is one that echoes everything it is told, in
every way it can. What is searched is what a receiver of the folder could read, in each spelling,
and all that any logger said.
"""

from __future__ import annotations

import base64
import gzip
import json
import logging
import urllib.parse
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from recorder.recorder import Recorder
from replay.secret_patterns import known_sights, spellings
from replay.secret_scan import SecretScan
from tests.recorder.http_exchange import http_exchange, reply
from tests.recorder.tiny_venue import TRAITS, TinyVenue, frames_of, tiny_stream, until
from venues.channel import Channel
from venues.event import Notice, NoticeKind
from venues.frame import FrameKind
from venues.traits import SnapshotSource
from venues.venue import ConnectionPlan, Credentials, HttpRequest, Login, Purpose

SECRETS = {
    place: f"{number:02d}c{place.replace(' ', '')}/Zq{number}+canary=="
    for number, place in enumerate(
        (
            *("key", "secret", "passphrase"),
            *("access query", "access header", "access bearer", "access json", "access form"),
            *("answer token", "answer address query", "answer address path"),
            *("login query", "login path", "login header", "login bearer", "login message"),
            *("login signature", "login token", "subscribe token", "subscribe signature"),
            *("welcome token", "welcome nested", "snapshot query", "stream query", "stream user"),
        )
    )
}
"""By place. They hold what JSON and URLs have to escape, and are not what a URL path can hold."""
PATHS = ("answer address path", "login path")
SECRETS |= {place: SECRETS[place].replace("/", "").replace("+", "") for place in PATHS}
SECRETS["stream user"] = "24cstreamuserZqcanary"
SPELLED = tuple(s for place, text in SECRETS.items() for s in spellings(place, text))

_SERVER_LOG = logging.Logger("the exchange's own, which is none of ours", logging.CRITICAL + 1)


@dataclass(frozen=True)
class CanaryVenue(TinyVenue):
    """Puts secrets wherever a venue may."""

    rest: str = ""

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        if not plan.private:
            return None
        body = json.dumps({"sign": SECRETS["access json"], "form": SECRETS["access form"]})
        return HttpRequest(
            f"{self.rest}/access?{urllib.parse.urlencode({'sig': SECRETS['access query']})}",
            "",
            Purpose.ACCESS,
            "POST",
            (
                ("X-Api-Key", SECRETS["access header"]),
                ("Authorization", f"Bearer {SECRETS['access bearer']}"),
            ),
            body.encode(),
        )

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        if not plan.private:
            return Login(plan.url)
        assert credentials is not None
        basic = base64.b64encode(f"{credentials.key}:{credentials.secret}".encode()).decode()
        query = urllib.parse.urlencode({"token": SECRETS["login query"]})
        words = [
            SECRETS["login message"],
            SECRETS["login signature"],
            *(credentials.key, credentials.secret, credentials.passphrase),
        ]
        return Login(
            f"{plan.url}/{SECRETS['login path']}?{query}",
            (
                ("X-Signature", SECRETS["login header"]),
                ("Authorization", f"Bearer {SECRETS['login bearer']}"),
                ("Proxy-Note", f"Basic {basic}"),
            ),
            json.dumps({"login": words}),
            token=SECRETS["login token"],
        )

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        if not plan.private:
            return plan.subscribe_messages
        more = {
            "auth": SECRETS["subscribe token"],
            "sign": SECRETS["subscribe signature"],
            "token": login.token,
        }
        return tuple(f"{one} {json.dumps(more)}" for one in plan.subscribe_messages)

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        query = urllib.parse.urlencode({"token": SECRETS["snapshot query"]})
        return HttpRequest(f"{self.rest}/book?{query}", symbol)

    def read_notice(self, payload: bytes) -> Notice | None:
        if payload.startswith(b"\x1f\x8b"):
            return None
        if payload.startswith(b'{"welcome"'):
            return Notice("", 0, None, NoticeKind.LOGGED_IN, payload.decode())
        return super().read_notice(payload)


def echoes(said: list[str]) -> list[str | bytes]:
    """Return all that was said, in each way that an exchange may say it again."""
    whole = "\n".join(said)
    return [
        whole,
        whole.encode(),
        gzip.compress(whole.encode()),
        json.dumps({"error": whole}),
        json.dumps({"error": whole}).replace("/", "\\/"),
        json.dumps({"url": urllib.parse.quote(whole, safe="")}),
        f"no {whole[:4000]}",
        f"leaving {whole[:4000]}",
        f"ping {said[0]}",
    ]


async def _echo(connection: ServerConnection) -> None:
    assert connection.request is not None
    headers = [f"{name}: {value}" for name, value in connection.request.headers.raw_items()]
    if SECRETS["login path"] not in connection.request.path:  # the public connection
        await connection.recv()
        await connection.send("ok")
        await connection.wait_closed()
        return
    login = await connection.recv(decode=True)
    tokens = [SECRETS["welcome token"], {"deep": [SECRETS["welcome nested"]]}]
    await connection.send(json.dumps({"welcome": tokens}))
    subscribed = await connection.recv(decode=True)
    await connection.send("ok")
    tokens_again = json.dumps(tokens)
    said = [login, subscribed, tokens_again, connection.request.path, *headers]
    for echo in echoes(said):
        await connection.send(echo)
    await connection.send("the end")
    await connection.wait_closed()


def _access_answer(number: int, handler: BaseHTTPRequestHandler) -> None:
    if handler.path.startswith("/book"):
        reply(handler, 403, f"no such token: {handler.path}".encode())
        return
    query = urllib.parse.urlencode({"k": SECRETS["answer address query"]})
    address = f"wss://host/{SECRETS['answer address path']}/x?{query}"
    body = {"token": SECRETS["answer token"], "address": address}
    reply(handler, 200, json.dumps(body).encode())


def _refused_answer(number: int, handler: BaseHTTPRequestHandler) -> None:
    said = "\n".join([handler.path, *(f"{k}: {v}" for k, v in handler.headers.items())])
    reply(handler, 401, said.encode() + b"\n" + SECRETS["access json"].encode())


class _AllWords(logging.Handler):
    """Everything that any logger says, with arguments and tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + repr(record.args) + repr(record.__dict__) + "\n"


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> _AllWords:
    for part in ("key", "secret", "passphrase"):
        monkeypatch.setenv(f"TICKREEL_TINY_{part.upper()}", SECRETS[part])
    words = _AllWords()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [*root.handlers, words])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    for name in ("tickreel", "tickreel.recorder", "asyncio"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    root.manager._clear_cache()  # type: ignore[attr-defined]
    return words


def _nothing_in(folder: Path, *texts: str) -> None:
    found = list(SecretScan(SECRETS).recording(folder))
    assert found == []
    for text in texts:
        assert [sight.kind for sight in known_sights(text.encode(), SPELLED)] == []


def _recorder(folder: Path, url: str, rest: str) -> Recorder:
    traits = replace(TRAITS, snapshot_source=SnapshotSource.REST)
    query = urllib.parse.urlencode({"apikey": SECRETS["stream query"]})
    address = f"{url.replace('://', '://' + SECRETS['stream user'] + ':x@')}?{query}"
    private = tiny_stream(url, Channel.ORDER)
    public = tiny_stream(address, Channel.BOOK)
    return Recorder([private, public], folder, venues=lambda name: CanaryVenue(traits, rest=rest))


def test_there_are_enough_places() -> None:
    assert len(SECRETS) + len(echoes(["x"])) >= 30
    assert len(set(SECRETS.values())) == len(SECRETS)


async def test_no_canary_reaches_disk_or_log_from_an_exchange_that_echoes_everything(
    tmp_path: Path, words: _AllWords
) -> None:
    folder = tmp_path / "night"
    with http_exchange(_access_answer) as http:
        async with serve(_echo, "127.0.0.1", 0, max_size=None, logger=_SERVER_LOG) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            recorder = _recorder(folder, url, http.url)
            await recorder.start()
            await until(lambda: recorder.connections[0].messages >= 3 + len(echoes(["x"])))
            await until(lambda: any(path.startswith("/book") for path in http.paths))
            await recorder.stop()
    private = [f for f in frames_of(folder) if f.venue == "tiny" and f.received]
    assert any(b"[redacted]" in frame.payload for frame in private)
    assert any(frame.payload == b"the end" for frame in private)
    assert any(f.kind is FrameKind.HTTP for f in frames_of(folder))
    _nothing_in(folder, words.text, repr(recorder.report), repr(recorder.statistics()))


@pytest.mark.parametrize("where", ["access", "handshake"])
async def test_no_canary_reaches_disk_or_log_or_error_from_a_refusal(
    tmp_path: Path, words: _AllWords, where: str
) -> None:
    folder = tmp_path / "night"

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        if SECRETS["login path"] not in request.path:
            return None
        said = "\n".join(f"{name}: {value}" for name, value in request.headers.raw_items())
        return connection.respond(HTTPStatus.FORBIDDEN, f"{request.path}\n{said}")

    answer = _refused_answer if where == "access" else _access_answer
    with http_exchange(answer) as http:
        async with serve(
            _echo, "127.0.0.1", 0, process_request=refuse, logger=_SERVER_LOG
        ) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            recorder = _recorder(folder, url, http.url)
            await recorder.start()
            await until(lambda: recorder.connections[1].messages > 0)
            await until(lambda: recorder.connections[0].disconnects > 0 or "HTTP 40" in words.text)
            report = await recorder.stop()
    assert report.stream_faults
    errors = "".join(
        f"{fault!s}{fault!r}{fault.__dict__}" for fault in report.stream_faults.values()
    )
    _nothing_in(folder, words.text, repr(report), errors)
