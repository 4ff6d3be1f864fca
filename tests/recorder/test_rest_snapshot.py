"""Snapshots by HTTP and on the socket: fetched, recorded, spaced and never a storm."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder import rest_snapshot
from recorder.http_request import send_request
from recorder.recorder import Recorder
from recorder.recorder_settings import RecorderSettings
from tests.recorder.http_exchange import http_exchange, reply
from tests.recorder.tiny_venue import (
    TRAITS,
    TinyVenue,
    capturing,
    frames_of,
    payloads,
    tiny_exchange,
    tiny_stream,
    until,
)
from venues.frame import Frame, FrameKind
from venues.marker import Closed, HttpResponse, read_http, read_marker
from venues.traits import SequenceScope, SnapshotSource
from venues.venue import ConnectionPlan, HttpRequest, Purpose, SnapshotRequest, StreamRequest


def _book(number: int, handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, b'{"book":%d}\n\xff' % number)


@dataclass(frozen=True)
class _RestVenue(TinyVenue):
    """Snapshots come from another address than the socket's."""

    rest: str = ""

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        return HttpRequest(f"{self.rest}/book?symbol={symbol}&token=hush", symbol)


def _rest_venue(rest: str, source: SnapshotSource, *, rest_resync: bool = False) -> _RestVenue:
    return _RestVenue(replace(TRAITS, snapshot_source=source, rest_resync=rest_resync), rest)


async def _send_deltas(connection: ServerConnection) -> None:
    while True:
        await connection.send("delta")
        await asyncio.sleep(0.02)


def _http_frames(folder: Path) -> list[Frame]:
    return [frame for frame in frames_of(folder) if frame.kind is FrameKind.HTTP]


def _ask(recorder: Recorder, times: int = 1) -> None:
    request = SnapshotRequest("tiny", recorder.connections[0].connection_id, "BTC")
    for _ in range(times):
        recorder.request_snapshot(request)


async def test_the_first_snapshot_is_fetched_after_the_first_deltas(tmp_path: Path) -> None:
    with http_exchange(_book) as rest:
        venue = _rest_venue(rest.url, SnapshotSource.REST)
        async with (
            tiny_exchange(_send_deltas) as url,
            capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
        ):
            await until(lambda: recorder.statistics().snapshots_fetched == 1)
            await until(lambda: len(rest.paths) == 1)
            await asyncio.sleep(0.2)
    assert rest.paths == ["/book?symbol=BTC&token=hush"]
    (frame,) = _http_frames(tmp_path)
    head, body = read_http(frame)
    assert head == HttpResponse(
        method="GET",
        url=f"{rest.url}/book?symbol=BTC&token=[redacted]",
        status=200,
        purpose="book snapshot",
        symbol="BTC",
    )
    assert body == b'{"book":1}\n\xff'
    assert frame.connection_id == 1
    before = [f for f in frames_of(tmp_path) if f.frame_number < frame.frame_number]
    assert payloads(before, FrameKind.TEXT).count(b"delta") > 5


class _AddressVenue(_RestVenue):
    """What is wanted is said in the address, so nothing has to be sent or acknowledged."""

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        return [replace(plan, subscribe_messages=()) for plan in super().plan(request)]


async def test_the_first_snapshot_is_fetched_where_nothing_is_acknowledged(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        while True:
            await connection.send("delta " + "x" * 1000)
            await asyncio.sleep(0.02)

    with http_exchange(_book) as rest:
        venue = _AddressVenue(replace(TRAITS, snapshot_source=SnapshotSource.REST), rest.url)
        async with (
            tiny_exchange(talk, answer=False) as url,
            capturing(tmp_path, tiny_stream(url), venue=venue),
        ):
            await until(lambda: len(rest.paths) == 1)
            await asyncio.sleep(0.1)
    assert [read_http(frame)[0].status for frame in _http_frames(tmp_path)] == [200]


async def test_a_new_connection_begins_with_its_own_snapshot(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("delta")
        await asyncio.sleep(0.8)
        await connection.close()

    with http_exchange(_book) as rest:
        venue = _rest_venue(rest.url, SnapshotSource.REST)
        async with (
            tiny_exchange(talk) as url,
            capturing(
                tmp_path, tiny_stream(url), venue=venue, settings=RecorderSettings(seed=2)
            ) as recorder,
        ):
            await until(lambda: recorder.connections[0].disconnects == 2, 20.0)
    assert [frame.connection_id for frame in _http_frames(tmp_path)][:2] == [1, 2]


async def test_a_storm_of_requests_is_one_fetch_and_the_next_comes_a_second_later(
    tmp_path: Path,
) -> None:
    with http_exchange(_book) as rest:
        venue = _rest_venue(rest.url, SnapshotSource.IN_BAND, rest_resync=True)
        async with (
            tiny_exchange(_send_deltas) as url,
            capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages > 3)
            begun_s = time.monotonic()
            _ask(recorder, 100)
            await until(lambda: len(rest.asked_s) == 1)
            await asyncio.sleep(0.2)
            _ask(recorder, 100)
            await until(lambda: len(rest.asked_s) == 2)
            await asyncio.sleep(0.2)
    assert len(rest.asked_s) == 2
    assert rest.asked_s[1] - begun_s >= 1.0  # arrivals may be late, the first one too
    assert len(_http_frames(tmp_path)) == 2


async def test_a_request_for_a_connection_that_is_gone_is_dropped(tmp_path: Path) -> None:
    async with (
        tiny_exchange(_send_deltas) as url,
        capturing(tmp_path, tiny_stream(url)) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 3)
        recorder.request_snapshot(SnapshotRequest("tiny", 77, "BTC"))
        await asyncio.sleep(0.1)
        assert recorder.statistics().resubscriptions == 0


async def test_a_throttled_host_is_left_alone_for_as_long_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_snapshot, "SPACING_S", 0.05)

    def answer(number: int, handler: BaseHTTPRequestHandler) -> None:
        if number == 1:
            reply(handler, 429, b"slower", Retry_After="1")
        else:
            _book(number, handler)

    with http_exchange(answer) as rest:
        venue = _rest_venue(rest.url, SnapshotSource.REST)
        async with (
            tiny_exchange(_send_deltas) as url,
            capturing(tmp_path, tiny_stream(url), venue=venue),
        ):
            await until(lambda: len(rest.asked_s) == 2, 15.0)
            await asyncio.sleep(0.1)
    assert rest.asked_s[1] - rest.asked_s[0] >= 1.0
    heads = [read_http(frame) for frame in _http_frames(tmp_path)]
    assert [(head.status, body) for head, body in heads] == [
        (429, b"slower"),
        (200, b'{"book":2}\n\xff'),
    ]


async def test_after_two_failed_fetches_the_socket_is_asked_where_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_snapshot, "SPACING_S", 0.05)
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        await connection.send("delta")
        async for message in connection:
            heard.append(message)  # noqa: PERF401 - one by one, as they come

    def answer(number: int, handler: BaseHTTPRequestHandler) -> None:
        reply(handler, 500, b"down")

    with http_exchange(answer) as rest:
        venue = _rest_venue(rest.url, SnapshotSource.IN_BAND, rest_resync=True)
        async with (
            tiny_exchange(talk) as url,
            capturing(
                tmp_path, tiny_stream(url), venue=venue, settings=RecorderSettings(seed=1)
            ) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages == 2)
            _ask(recorder)
            await until(lambda: "sub book.BTC" in heard)
            now = recorder.statistics()
    assert (now.snapshots_fetched, now.snapshots_failed, now.resubscriptions) == (2, 2, 1)
    assert [read_http(frame)[0].status for frame in _http_frames(tmp_path)] == [500, 500]


async def test_in_band_snapshots_are_asked_for_on_the_socket_and_recorded(tmp_path: Path) -> None:
    async with (
        tiny_exchange(_send_deltas) as url,
        capturing(tmp_path, tiny_stream(url)) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 3)
        _ask(recorder, 50)
        await until(lambda: recorder.statistics().resubscriptions == 1)
        await asyncio.sleep(0.1)
        assert recorder.statistics().resubscriptions == 1
    sent = payloads(frames_of(tmp_path), FrameKind.SENT)
    assert sent == [b"sub book.BTC", b"sub book.BTC"]


@pytest.mark.parametrize("source", [SnapshotSource.FIRST_DELTA, SnapshotSource.REQUESTED])
async def test_where_the_socket_is_the_source_no_rest_is_asked(
    tmp_path: Path, source: SnapshotSource
) -> None:
    with http_exchange(_book) as rest:
        venue = _rest_venue(rest.url, source)
        async with (
            tiny_exchange(_send_deltas) as url,
            capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages > 3)
            _ask(recorder, 50)
            await until(lambda: recorder.statistics().resubscriptions == 1)
            await asyncio.sleep(rest_snapshot.FIRST_DELAY_S + 0.2)
            assert recorder.statistics().resubscriptions == 1
    assert rest.paths == []
    assert payloads(frames_of(tmp_path), FrameKind.SENT) == [b"sub book.BTC"] * 2


async def test_an_address_where_nobody_answers_is_recorded_as_a_failure(tmp_path: Path) -> None:
    venue = _rest_venue("http://127.0.0.1:1", SnapshotSource.REST)
    async with (
        tiny_exchange(_send_deltas) as url,
        capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
    ):
        await until(lambda: recorder.statistics().snapshots_failed == 1)
    head, body = read_http(_http_frames(tmp_path)[0])
    assert head.status is None
    assert "refused" in head.error
    assert body == b""


def test_an_answer_above_the_limit_is_not_taken() -> None:
    def answer(number: int, handler: BaseHTTPRequestHandler) -> None:
        reply(handler, 200, bytes(200_000))

    with http_exchange(answer) as rest:
        found = send_request(HttpRequest(rest.url, "BTC"), bytes_max=100_000)
    assert found.status is None
    assert "more than 100,000 bytes" in found.error


def test_an_answer_that_drips_is_given_up() -> None:
    def answer(number: int, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(20):
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)
        handler.close_connection = True

    with http_exchange(answer) as rest:
        found = send_request(HttpRequest(rest.url, "BTC"), limit_s=0.3)
    assert found.status is None
    assert "did not end in time" in found.error


def test_an_answer_that_is_cut_is_a_failure() -> None:
    def answer(number: int, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    with http_exchange(answer) as rest:
        found = send_request(HttpRequest(rest.url, "BTC"))
    assert found.status is None
    assert "no whole answer" in found.error


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    def answer(number: int, handler: BaseHTTPRequestHandler) -> None:
        reply(handler, 302, b"there", Location="http://127.0.0.1:1/elsewhere")

    with http_exchange(answer) as rest:
        found = send_request(HttpRequest(rest.url, "BTC"))
    assert (found.status, found.body) == (302, b"there")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "nothing"])
def test_only_http_is_fetched(url: str) -> None:
    assert send_request(HttpRequest(url, "BTC")).error == "not an HTTP address"


def test_a_request_has_its_method_headers_and_body() -> None:
    headers = (("API-Sign", "abc/+="), ("Content-Type", "application/json"))
    with http_exchange(_book) as rest:
        answer = send_request(
            HttpRequest(f"{rest.url}/token?x=1", "", Purpose.ACCESS, "POST", headers, b'{"n":1}')
        )
        empty = send_request(HttpRequest(f"{rest.url}/bullet", "", Purpose.ACCESS, "POST"))
    assert (answer.status, answer.body, empty.status) == (200, b'{"book":1}\n\xff', 200)
    first, second = rest.requests
    assert (first.method, first.path, first.body) == ("POST", "/token?x=1", b'{"n":1}')
    assert first.headers["api-sign"] == "abc/+="
    assert first.headers["content-type"] == "application/json"
    assert (second.method, second.headers["content-length"], second.body) == ("POST", "0", b"")


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("http://127.0.0.1:1/x", "", headers=(("Sign", "canary\n"),)),
        HttpRequest("http://127.0.0.1:1/x\n?sign=canary", ""),
    ],
)
def test_a_request_that_cannot_be_made_is_told_without_its_words(request_: HttpRequest) -> None:
    answer = send_request(request_)
    assert answer.status is None
    assert answer.error
    assert "canary" not in answer.error


@dataclass(frozen=True)
class _SilentVenue(TinyVenue):
    """It can't be asked for a book."""

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        return []


async def test_a_book_that_only_a_new_connection_brings_anew_gets_one(tmp_path: Path) -> None:
    venue = _SilentVenue(replace(TRAITS, sequence_scope=SequenceScope.CONNECTION))
    async with (
        tiny_exchange(_send_deltas) as url,
        capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 3)
        _ask(recorder)
        await until(lambda: recorder.connections[0].disconnects == 1)
        assert recorder.connections[0].connects == 2
    ends = [frame for frame in frames_of(tmp_path) if frame.kind is FrameKind.CLOSED]
    closed = read_marker(ends[0], Closed)
    assert (closed.by_us, closed.stopped) == (True, True)
    assert "the book of BTC begins anew on a new connection alone" in closed.reason
