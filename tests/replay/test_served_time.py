"""All clients of a fake exchange share one time; what HTTP does to it; who may."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from book.engine import Engine
from replay import recorded_feed
from replay.feed import Sending, Step
from replay.market_scenario import ENDLESS
from replay.market_simulator import SimulationSettings
from replay.step_change import StepChange
from replay.venue_server import VenueServer
from tests.replay import made_bybit
from tests.replay.exchange_client import (
    ALL_TOPICS,
    BTC_TOPICS,
    PATH,
    Piece,
    client,
    closed,
    get,
    market_messages,
    next_message,
    opened,
    received,
    recording,
    subscribe,
    text,
)
from venues.event import BookSnapshot
from venues.frame import Frame, FrameKind
from venues.registry import venue_named

BOOK = "orderbook.50.BTCUSDT"


def posted(url: str, **headers: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, data=b"", method="POST", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


async def control(server: VenueServer, order: str) -> dict[str, Any]:
    status, answer = await asyncio.to_thread(posted, f"{server.rest_url}/tickreel/{order}")
    assert status == 200, answer
    return answer


async def status(server: VenueServer) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(await get(f"{server.rest_url}/tickreel/status"))
    return answer


def steady_recording(interval_ns: int = 10_000_000) -> list[Piece]:
    return [opened(), *(text(each.payload) for each in market_messages())]


async def until_first(connection: ClientConnection, prefix: bytes) -> bytes:
    while True:
        message = await next_message(connection)
        if message.startswith(prefix):
            return message


async def code_at_end(connection: ClientConnection) -> int | None:
    """Return the code that the connection is closed with; None where it is not."""
    try:
        await received(connection, 0.5)
    except ConnectionClosed as gone:
        return None if gone.rcvd is None else gone.rcvd.code
    return None


# One time.


async def test_who_comes_later_is_told_the_book_and_then_hears_what_all_hear() -> None:
    source = recording(steady_recording(), 10_000_000)
    async with (
        VenueServer(source, speed="4x") as server,
        client(server.url, ALL_TOPICS) as first,
    ):
        heard = [await next_message(first) for _ in range(60)]
        async with client(server.url, [BOOK]) as second:
            assert json.loads(await next_message(second))["success"]
            joined = [*await received(second, 1), *await received(second, 0.1)]
            heard += await received(first, 0.1)
    books = [message for message in heard if b'"orderbook.50.BTCUSDT"' in message]
    assert joined == books
    assert b'"snapshot"' in joined[0]


async def test_a_book_subscribed_to_again_begins_with_its_last_snapshot() -> None:
    source = recording(steady_recording(), 10_000_000)
    async with (
        VenueServer(source, speed="2x") as server,
        client(server.url, BTC_TOPICS) as connection,
    ):
        for _ in range(20):
            await next_message(connection)
        await connection.send(subscribe([BOOK], "unsubscribe"))
        await until_first(connection, b'{"success":true,"op":"unsubscribe"')
        await connection.send(subscribe([BOOK]))
        await until_first(connection, b'{"success":true,"op":"subscribe"')
        again = [await next_message(connection), *await received(connection, 1)]
    books = [each.payload for each in market_messages() if each.topic == BOOK]
    assert [message for message in again if b'"orderbook.50.BTCUSDT"' in message] == books


async def test_two_clients_of_a_simulation_see_the_same_market() -> None:
    async with (
        VenueServer(SimulationSettings(scenario=ENDLESS), speed="10x") as server,
        client(server.url, [BOOK]) as first,
        client(server.url, [BOOK]) as second,
    ):
        await next_message(first)
        for _ in range(30):
            await next_message(first)
        engine = Engine()
        async with client(server.url, [BOOK]) as third:
            await next_message(third)
            stated = await next_message(third)
            joined = [await next_message(third) for _ in range(5)]
        heard = [await next_message(first)]
        while heard[-1] != joined[-1]:
            heard.append(await next_message(first))
        assert json.loads(stated)["type"] == "snapshot"
        assert [message for message in heard if message in joined] == joined
        assert await next_message(second)
    for number, payload in enumerate([stated, *joined]):
        engine.apply(Frame(number, 1, "reference", FrameKind.TEXT, number, number, payload))
    assert engine.markets["reference", "BTCUSDT"].counters.gaps == 0


async def test_time_stands_still_while_nobody_is_connected_and_begins_again_after_the_end() -> None:
    source = recording(steady_recording(), 10_000_000)
    messages = [each.payload for each in market_messages()]
    async with VenueServer(source, speed="20x") as server:
        async with client(server.url, ALL_TOPICS) as first:
            heard = [await next_message(first) for _ in range(20)][1:]
        await asyncio.sleep(0.3)
        before = (await status(server))["time_ns"]
        await asyncio.sleep(0.1)
        assert (await status(server))["time_ns"] == before
        async with client(server.url, ALL_TOPICS) as second:
            rest = await received(second, 0.5)
        assert rest[-1] == messages[-1]
        assert len(rest) < len(messages)
        assert heard == messages[: len(heard)]
        async with client(server.url, ALL_TOPICS) as third:
            assert (await received(third, 0.5))[1:] == messages


async def test_who_heard_the_end_and_leaves_later_does_not_stop_the_time_of_who_came_after() -> (
    None
):
    source = recording(steady_recording(), 10_000_000)
    async with (
        VenueServer(source, speed="2x") as server,
        client(server.url, ALL_TOPICS) as first,
    ):
        heard = await received(first, 0.5)
        async with client(server.url, ALL_TOPICS) as second:
            again = [await next_message(second) for _ in range(3)]
            await first.close()
            again += await received(second, 0.5)
    assert again == heard


# Control.


async def test_the_status_after_the_end_tells_of_the_end_and_begins_nothing() -> None:
    source = recording(steady_recording(), 10_000_000)
    async with (
        VenueServer(source, speed="20x") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        await received(connection, 0.5)
        now = await status(server)
    assert now["started"] is True
    assert now["time_ns"] >= now["origin_ns"] + 10_000_000 * len(market_messages())
    assert [each["state"] for each in now["clients"]] == ["ended"]


async def test_before_a_client_subscribes_the_status_says_at_which_time_it_will_begin() -> None:
    async with VenueServer(recording(steady_recording()), speed="1x") as server:
        now = await status(server)
    assert (now["started"], now["time_ns"]) == (False, now["origin_ns"])
    assert now["time"] == "2027-01-15T08:00:00.000000Z"


async def test_a_simulation_has_time_since_its_beginning_and_no_day() -> None:
    async with (
        VenueServer(SimulationSettings(scenario=ENDLESS), speed="10x") as server,
        client(server.url, [BOOK]) as connection,
    ):
        for _ in range(3):
            await next_message(connection)
        now = await status(server)
    assert now["time_ns"] > 0
    assert (now["origin_ns"], now["time"]) == (0, None)


async def test_nothing_is_played_before_it_is_resumed_and_nothing_while_it_is_paused() -> None:
    source = recording(steady_recording(), 1_000_000)
    async with (
        VenueServer(source, speed="1x", start_paused=True) as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        assert len(await received(connection)) == 1
        assert (await status(server))["paused"] is True
        assert (await control(server, "speed?x=0.5"))["speed"] == "0.5x"
        assert (await control(server, "resume"))["paused"] is False
        some = [await next_message(connection) for _ in range(5)]
        now = await control(server, "pause")
        some += await received(connection)
        assert await received(connection) == []
        assert (await status(server))["time_ns"] == now["time_ns"]
        await control(server, "speed?x=max")
        await control(server, "resume")
        some += await received(connection)
    assert some == [each.payload for each in market_messages()]


@pytest.mark.parametrize("written", ["+0.5s", "+500ms", "2027-01-15T08:00:00.5Z", "1800000000500"])
async def test_a_seek_sends_everyone_away_and_tells_the_book_as_of_then(written: str) -> None:
    pieces = made_bybit.pieces(made_bybit.MadeExchange(4), 200)
    source = recording(pieces, 5_000_000)
    async with VenueServer(source, speed="0.01x") as server:
        async with connect(server.url + made_bybit.PATH, compression=None) as connection:
            await connection.send(subscribe([made_bybit.TOPIC]))
            await next_message(connection)
            answer = await control(server, f"seek?to={written}")
            assert await code_at_end(connection) == 1012
        assert answer["started"] is False
        assert answer["time_ns"] == answer["origin_ns"] + 500_000_000
        assert answer["clients"] == []
        async with connect(server.url + made_bybit.PATH, compression=None) as connection:
            await connection.send(subscribe([made_bybit.TOPIC]))
            told = (await received(connection))[1:]
    books = [each.payload for each in pieces[:100] if made_bybit.TOPIC.encode() in each.payload]
    assert told[: len(books) - 1] == books[1:]


@pytest.mark.parametrize("venue", ["bybit-linear", "reference"])
async def test_far_into_a_recording_the_book_is_stated_and_the_deltas_go_on_from_it(
    venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_feed, "JUMP_FRAMES", 50)
    if venue == "reference":
        pieces, path, topic = steady_recording(), PATH, BOOK
    else:
        pieces = made_bybit.pieces(made_bybit.MadeExchange(4), 200)
        path, topic = made_bybit.PATH, made_bybit.TOPIC
    source = recording(pieces, 5_000_000)
    async with VenueServer(source, speed="4x", start_paused=True) as server:
        await control(server, "seek?to=%2B0.3s")
        async with connect(server.url + path, compression=None) as connection:
            await connection.send(subscribe([topic]))
            told = (await received(connection))[1:]
            await control(server, "resume")
            played = await received(connection, 1)
    assert [json.loads(each)["type"] for each in told] == ["snapshot"]
    assert played == [each.payload for each in pieces[60:] if topic.encode() in each.payload]
    client_s, ours = Engine(), Engine()
    for number, payload in enumerate([*told, *played]):
        client_s.apply(Frame(number, 1, venue, FrameKind.TEXT, number, number, payload))
    for frame in source.frames():
        ours.apply(frame)
    held, right = client_s.markets[venue, "BTCUSDT"], ours.markets[venue, "BTCUSDT"]
    assert held.counters.gaps == held.counters.checksums_failed == 0
    assert held.book.bids.top(50) == right.book.bids.top(50)
    assert held.book.asks.top(50) == right.book.asks.top(50)


async def test_a_rest_snapshot_after_a_seek_is_the_book_as_of_then() -> None:
    pieces = made_bybit.pieces(made_bybit.MadeExchange(4), 200)
    source = recording(pieces, 5_000_000)
    async with VenueServer(source, speed="1x", start_paused=True) as server:
        await control(server, "seek?to=%2B0.5s")
        path = "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=50"
        stated = json.loads(await get(server.rest_url + path))["result"]
    engine = Engine()
    for frame in list(source.frames())[:100]:
        engine.apply(frame)
    book = engine.markets[made_bybit.VENUE, "BTCUSDT"].book
    assert stated["b"] == [list(row) for row in book.bids.top(50)]
    assert stated["u"] == book.sequence


@pytest.mark.parametrize(
    ("order", "code", "words"),
    [
        ("speed", 400, "say which speed"),
        ("speed?x=fast", 400, "cannot be a speed"),
        ("speed?x=0", 400, "time would stand still"),
        ("seek", 400, "say to when"),
        ("seek?to=noon", 400, "is no time"),
        ("seek?to=1999-01-01", 400, "is before the start"),
        ("seek?to=%2B10h", 400, "is after the end, 2027-01-15T08:00"),
        ("stop", 404, "only status, pause, resume, speed, seek"),
    ],
)
async def test_an_order_that_cannot_be_done_is_refused_in_a_sentence(
    order: str, code: int, words: str
) -> None:
    async with VenueServer(recording(steady_recording()), speed="1x") as server:
        got, answer = await asyncio.to_thread(posted, f"{server.rest_url}/tickreel/{order}")
    assert got == code
    assert words in answer["error"]


async def test_a_link_changes_nothing_and_no_other_page_may_post() -> None:
    async with VenueServer(recording(steady_recording()), speed="1x") as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            await get(f"{server.rest_url}/tickreel/pause")
        with refused.value as answer:
            assert (answer.code, answer.headers["Allow"]) == (405, "POST")
        request = urllib.request.Request(
            f"{server.rest_url}/tickreel/pause",
            data=b"",
            headers={"Origin": "https://elsewhere.example"},
        )
        with pytest.raises(urllib.error.HTTPError) as forbidden:
            await asyncio.to_thread(urllib.request.urlopen, request)
        with forbidden.value as answer:
            assert answer.code == 403
        assert (await status(server))["paused"] is False


# Who may.


async def test_a_token_is_asked_of_everyone_and_may_stand_in_the_path_or_a_header() -> None:
    token = "open-sesame-1234"
    async with VenueServer(recording(steady_recording()), speed="max", token=token) as server:
        bare = f"ws://127.0.0.1:{server.port}"
        for path in (PATH, "/open-sesame-1235" + PATH):
            with pytest.raises(InvalidStatus) as refused:
                await connect(bare + path)
            assert refused.value.response.status_code == 401
        assert server.url == f"{bare}/{token}"
        async with client(server.url, BTC_TOPICS) as connection:
            assert len(await received(connection)) > 1
        bearer = {"Authorization": f"Bearer {token}"}
        async with connect(bare + PATH, additional_headers=bearer) as connection:
            await connection.send(subscribe(BTC_TOPICS))
            assert len(await received(connection)) > 1
        assert token not in json.dumps(await status(server))
    VenueServer(recording(steady_recording()), host="0.0.0.0", token=token)


# The seam.


def delaying_every_third(by_ns: int) -> StepChange:
    met = 0

    def change(steps: Sequence[Step]) -> Sequence[Step]:
        nonlocal met
        changed: list[Step] = []
        for step in steps:
            met += 1
            if isinstance(step, Sending) and met % 3 == 0:
                later = (step.topic, step.payload, step.binary, step.connection_id, step.position)
                changed.append(Sending(step.due_ns + by_ns, *later))
            else:
                changed.append(step)
        return changed

    return change


@pytest.mark.parametrize("speed", ["max", "5x"])
async def test_a_change_between_feed_and_client_delays_what_it_says_and_loses_nothing(
    speed: str,
) -> None:
    source = recording(steady_recording(), 2_000_000)
    messages = [each.payload for each in market_messages()]
    due = [
        (number * 2 + (5 if number % 3 == 0 else 0), number)
        for number in range(1, len(messages) + 1)
    ]
    async with (
        VenueServer(source, speed=speed, change=lambda: delaying_every_third(5_000_000)) as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        got = (await received(connection))[1:]
    assert got == [messages[number - 1] for _, number in sorted(due)]


async def test_a_change_is_the_same_after_a_recorded_disconnect() -> None:
    messages = [text(each.payload) for each in market_messages()[:20]]
    again = [piece._replace(connection_id=2) for piece in messages[10:]]
    pieces = [opened(), *messages[:10], closed(1012), opened()._replace(connection_id=2), *again]
    changes: list[int] = []

    def counting() -> StepChange:
        changes.append(0)

        def change(steps: Sequence[Step]) -> Sequence[Step]:
            changes[-1] += len(steps)
            return steps

        return change

    async with VenueServer(recording(pieces), speed="max", change=counting) as server:
        for _ in range(2):
            async with client(server.url, ALL_TOPICS) as connection:
                assert await code_at_end(connection) in (1012, None)
    assert max(changes) == 21


def test_a_snapshot_of_the_made_exchange_is_one() -> None:
    exchange = made_bybit.MadeExchange(1)
    venue = venue_named(made_bybit.VENUE)
    frame = Frame(0, 1, venue.name, FrameKind.TEXT, 0, None, exchange.snapshot())
    assert isinstance(venue.decode(frame)[0], BookSnapshot)
