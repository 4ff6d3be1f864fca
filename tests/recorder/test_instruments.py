"""Tick, lot and contract sizes: in the recording as the exchange said them, in nobody's way."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder.http_desk import HttpDesk
from recorder.http_request import HttpAnswer
from recorder.recorder_settings import RecorderSettings
from tests.recorder.http_exchange import http_exchange, reply
from tests.recorder.tiny_venue import (
    TRAITS,
    TinyVenue,
    capturing,
    frames_of,
    tiny_exchange,
    tiny_stream,
    until,
    with_traits,
)
from venues.channel import Channel
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, read_http
from venues.venue import ConnectionPlan, HttpRequest, Purpose


@dataclass(frozen=True)
class _ListedVenue(TinyVenue):
    """Its instruments have an endpoint, one a symbol."""

    rest: str = ""

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        symbols = dict.fromkeys(one.symbol for one in plan.subscriptions)
        return [
            HttpRequest(f"{self.rest}/list?symbol={symbol}", symbol, Purpose.INSTRUMENTS)
            for symbol in symbols
        ]


def _http_frames(folder: Path) -> list[Frame]:
    return [frame for frame in frames_of(folder) if frame.kind is FrameKind.HTTP]


def _list(number: int, handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, b'{"tick":"0.10","lot":"1"}\n')


async def test_instruments_are_recorded_once_a_start_however_often_it_reconnects(
    tmp_path: Path,
) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("delta")
        await connection.close()

    with http_exchange(_list) as rest:
        venue = _ListedVenue(TRAITS, rest.url)
        async with (
            tiny_exchange(talk) as url,
            capturing(
                tmp_path,
                *(tiny_stream(url), tiny_stream(url, Channel.TRADES)),
                venue=venue,
                settings=RecorderSettings(seed=2),
            ) as recorder,
        ):
            await until(lambda: all(life.connects >= 2 for life in recorder.connections), 20.0)
            await until(lambda: len(rest.paths) == 1)
    assert rest.paths == ["/list?symbol=BTC"]
    (frame,) = _http_frames(tmp_path)
    head = HttpResponse("GET", f"{rest.url}/list?symbol=BTC", 200, "instruments", "BTC")
    assert read_http(frame) == (head, b'{"tick":"0.10","lot":"1"}\n')
    assert (frame.connection_id, frame.venue) == (0, "tiny")


async def test_instruments_keep_no_subscription_waiting(tmp_path: Path) -> None:
    answered = threading.Event()

    def late(number: int, handler: BaseHTTPRequestHandler) -> None:
        answered.wait(10.0)
        _list(number, handler)

    async def talk(connection: ServerConnection) -> None:
        await connection.send("delta")
        await connection.wait_closed()

    with http_exchange(late) as rest:
        venue = _ListedVenue(TRAITS, rest.url)
        async with (
            tiny_exchange(talk) as url,
            capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
        ):
            await until(lambda: len(rest.paths) == 1)
            await until(lambda: recorder.connections[0].subscribed)
            await until(lambda: recorder.connections[0].messages == 2)
            answered.set()


async def test_a_failure_is_recorded_and_tried_again_and_a_refusal_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("recorder.instruments.FAILURE_REST_S", 0.0)
    monkeypatch.setattr("recorder.http_desk.SPACING_S", 0.0)

    def answer(number: int, handler: BaseHTTPRequestHandler) -> None:
        reply(handler, 500 if number == 1 else 404, b"none")

    with http_exchange(answer) as rest:
        venue = _ListedVenue(TRAITS, rest.url)
        async with (
            tiny_exchange(_stay) as url,
            capturing(tmp_path, tiny_stream(url), venue=venue, settings=RecorderSettings(seed=4)),
        ):
            await until(lambda: caplog.text.count("no instruments of BTC") == 2)
            await asyncio.sleep(0.2)
    heads = [read_http(frame)[0] for frame in _http_frames(tmp_path)]
    assert [(head.status, head.purpose) for head in heads] == [
        (500, "instruments"),
        (404, "instruments"),
    ]


async def _stay(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def test_they_are_fetched_again_when_a_day_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.instruments.AGAIN_AFTER_S", 0.05)
    monkeypatch.setattr("recorder.http_desk.SPACING_S", 0.0)
    with http_exchange(_list) as rest:
        venue = _ListedVenue(TRAITS, rest.url)
        async with tiny_exchange(_stay) as url, capturing(tmp_path, tiny_stream(url), venue=venue):
            await until(lambda: len(rest.paths) >= 3)


@dataclass
class _Intake:
    frames: list[bytes] = field(default_factory=list)


def _desk(asked: list[HttpRequest]) -> HttpDesk:
    def send(request: HttpRequest) -> HttpAnswer:
        asked.append(request)
        return HttpAnswer(200, b"")

    return HttpDesk(_Intake(), lambda: (0, 0), send=send)  # type: ignore[arg-type]


def _request(number: int, host: str = "h") -> HttpRequest:
    return HttpRequest(f"http://{host}/{number}", f"S{number}", Purpose.INSTRUMENTS)


async def test_a_host_is_asked_no_more_often_in_a_minute_than_the_venue_allows() -> None:
    asked: list[HttpRequest] = []
    desk, venue = _desk(asked), with_traits(rest_requests_per_minute=6)
    asking = [asyncio.ensure_future(desk.ask(venue, _request(number))) for number in range(9)]
    other = asyncio.ensure_future(desk.ask(venue, _request(1, "other")))
    await until(lambda: len(asked) == 7)
    await asyncio.sleep(0.1)
    assert len(asked) == 7
    assert other.done()
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_what_is_not_urgent_leaves_half_of_the_budget_to_what_is() -> None:
    asked: list[HttpRequest] = []
    desk, venue = _desk(asked), with_traits(rest_requests_per_minute=6)
    patient = [
        asyncio.ensure_future(desk.ask(venue, _request(number), patient=True))
        for number in range(6)
    ]
    await until(lambda: len(asked) == 3)
    await asyncio.sleep(0.1)
    assert len(asked) == 3
    await asyncio.gather(*(desk.ask(venue, _request(number)) for number in range(10, 13)))
    assert len(asked) == 6
    for task in patient:
        task.cancel()
    await asyncio.gather(*patient, return_exceptions=True)


async def test_of_two_venues_at_one_host_the_stricter_rules() -> None:
    asked: list[HttpRequest] = []
    desk = _desk(asked)
    generous, strict = (with_traits(rest_requests_per_minute=n) for n in (20, 2))
    await desk.ask(generous, _request(1))
    await desk.ask(strict, _request(2))
    third = asyncio.ensure_future(desk.ask(generous, _request(3)))
    await asyncio.sleep(0.1)
    assert len(asked) == 2
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)
