"""What the fake exchange answers: subscriptions, pings, logins, HTTP, and who it lets in."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.http11 import Response

from replay.request_gate import refusal
from replay.venue_server import CLIENTS_MAX, ServerAddressError, VenueServer
from tests.replay.exchange_client import (
    ALL_TOPICS,
    PATH,
    SNAPSHOT_PATH,
    VENUE,
    Piece,
    client,
    market_messages,
    next_message,
    opened,
    received,
    recording,
    simple_recording,
    status_of,
    subscribe,
    text,
)
from venues.channel import Channel
from venues.frame import FrameKind
from venues.registry import venue_named
from venues.venue import Credentials, StreamRequest

BOOK = "orderbook.50.BTCUSDT"
KEYS = Credentials("key-1", "secret-1")


def login_message(keys: Credentials) -> str:
    venue = venue_named(VENUE)
    plan = venue.plan(StreamRequest(VENUE, (), (Channel.ORDER,)))[0]
    message = venue.login(plan, keys, 1_700_000_000_000, b"").message
    assert message is not None
    return message


ORDER = (
    b'{"topic":"order","data":[{"orderId":"1","symbol":"BTCUSDT","side":"Buy","price":"1",'
    b'"qty":"1","cumExecQty":"0","orderStatus":"New"}]}'
)


async def refused_with(url: str, **settings: object) -> Response:
    with pytest.raises(InvalidStatus) as raised:
        async with connect(url, **settings):  # type: ignore[arg-type]
            pass
    return raised.value.response


# Requests over the socket.


async def test_a_topic_that_the_exchange_does_not_have_is_refused_and_nothing_is_sent() -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url, [BOOK, "orderbook.50.DOGEUSDT"]) as connection,
    ):
        refused = json.loads(await next_message(connection))
        assert await received(connection) == []
    assert refused == {
        "success": False,
        "op": "subscribe",
        "ret_msg": "unknown topic: orderbook.50.DOGEUSDT",
    }


async def test_a_channel_that_was_silent_in_the_recording_can_be_subscribed_to() -> None:
    messages = [text(each.payload) for each in market_messages() if each.topic == BOOK]
    async with (
        VenueServer(recording([opened(), *messages]), speed="max") as server,
        client(server.url, [BOOK, "allLiquidation.BTCUSDT"]) as connection,
    ):
        assert json.loads(await next_message(connection))["success"] is True
        assert len(await received(connection)) == len(messages)


@pytest.mark.parametrize("request_text", ["no json", "[1]", '{"op":"dance"}', "{}", '{"op":1}'])
async def test_a_request_that_makes_no_sense_is_refused_and_the_connection_goes_on(
    request_text: str,
) -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url) as connection,
    ):
        await connection.send(request_text)
        assert json.loads(await next_message(connection))["success"] is False
        await connection.send('{"op":"ping"}')
        assert await next_message(connection) == b'{"op":"pong"}'


async def test_a_login_is_checked_and_opens_the_private_topics() -> None:
    message = login_message(KEYS)
    forged = login_message(Credentials("key-1", "guess"))
    async with (
        VenueServer(recording([opened(), text(ORDER)]), speed="max", credentials=KEYS) as server,
        client(server.url, ["order"]) as connection,
    ):
        refused = json.loads(await next_message(connection))
        assert refused["ret_msg"] == "order needs a login"
        await connection.send(forged)
        assert json.loads(await next_message(connection))["success"] is False
        await connection.send(subscribe(["order"]))
        assert json.loads(await next_message(connection))["success"] is False
        await connection.send(message)
        assert json.loads(await next_message(connection)) == {"success": True, "ret_msg": ""}
        await connection.send(subscribe(["order"]))
        assert json.loads(await next_message(connection))["success"] is True
        assert await next_message(connection) == ORDER


async def test_a_server_without_credentials_lets_nobody_log_in() -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url) as connection,
    ):
        await connection.send(login_message(KEYS))
        answer = json.loads(await next_message(connection))
    assert answer["success"] is False
    assert "no credentials" in answer["ret_msg"]


async def test_a_message_above_64_kib_closes_the_connection_with_1009() -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url) as connection,
    ):
        await connection.send("x" * (64 * 1024 + 1))
        with pytest.raises(ConnectionClosedError) as raised:
            await next_message(connection)
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1009


# Who is let in.


async def test_a_web_page_of_elsewhere_may_not_connect_and_one_of_this_machine_may() -> None:
    async with VenueServer(simple_recording(), speed="max") as server:
        response = await refused_with(server.url + PATH, origin="http://evil.example")
        assert response.status_code == 403
        async with connect(server.url + PATH, origin="http://localhost:3000"):  # type: ignore[arg-type]
            pass


@pytest.mark.parametrize("path", [PATH, SNAPSHOT_PATH])
async def test_a_foreign_host_name_is_refused_for_sockets_and_http_alike(path: str) -> None:
    async with VenueServer(simple_recording(), speed="max") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    ("hosts", "origins", "listening_on", "let_in"),
    [
        (["127.0.0.1:8765"], [], "127.0.0.1", True),
        (["localhost"], [], "127.0.0.1", True),
        (["[::1]:8765"], [], "::1", True),
        (["127.0.0.9"], ["null"], "127.0.0.1", False),
        (["127.0.0.1"], ["https://127.0.0.1.evil.example"], "127.0.0.1", False),
        (["127.0.0.1"], ["http://[::1]:1"], "127.0.0.1", True),
        (["127.0.0.1.evil.example"], [], "127.0.0.1", False),
        (["10.0.0.7:1"], [], "10.0.0.7", True),
        (["10.0.0.7:1"], [], "127.0.0.1", False),
        (["feeds.example"], [], "0.0.0.0", True),
        (["feeds.example"], ["http://evil.example"], "0.0.0.0", False),
        ([], [], "127.0.0.1", False),
        (["127.0.0.1", "localhost"], [], "127.0.0.1", False),
        (["[::1"], [], "::1", False),
    ],
)
def test_the_gate_tells_this_machine_from_all_others(
    hosts: list[str], origins: list[str], listening_on: str, let_in: bool
) -> None:
    assert (refusal(hosts, origins, listening_on=listening_on) is None) is let_in


async def test_only_so_many_clients_are_served_at_once() -> None:
    async with VenueServer(simple_recording(), speed="max") as server, AsyncExitStack() as stack:
        for _ in range(CLIENTS_MAX):
            await stack.enter_async_context(client(server.url))
        response = await refused_with(server.url + PATH)
    assert response.status_code == 503


def test_an_address_beyond_loopback_needs_to_be_asked_for() -> None:
    with pytest.raises(ServerAddressError, match="--insecure"):
        VenueServer(simple_recording(), host="0.0.0.0")
    VenueServer(simple_recording(), host="0.0.0.0", insecure=True)


async def test_a_port_in_use_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ServerAddressError, match=rf"127.0.0.1:{port}.*[Aa]ddress.*in use.*--port"
        ):
            async with VenueServer(simple_recording(), port=port):
                pass


async def test_an_address_of_another_machine_is_said_to_be() -> None:
    with pytest.raises(ServerAddressError, match=r"192\.0\.2\.1:0.*--host"):
        async with VenueServer(simple_recording(), host="192.0.2.1", insecure=True):
            pass


async def test_a_path_that_the_exchange_does_not_have_is_404() -> None:
    async with VenueServer(simple_recording(), speed="max") as server:
        assert (await refused_with(f"{server.url}/v5/public/linear")).status_code == 404
        assert await status_of(f"{server.rest_url}/nothing") == 404
        assert [each.url for each in server.endpoints] == [server.url + PATH]


# Several venues, and subscriptions by path.


def binance(payload: bytes) -> Piece:
    return Piece(FrameKind.TEXT, payload, 2, "binance-spot")


async def test_of_several_venues_in_one_recording_the_path_says_which_is_meant() -> None:
    trade = (
        b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1",'
        b'"T":1,"m":true,"M":true}}'
    )
    messages = market_messages()[:2]
    source = recording([opened(), *(text(each.payload) for each in messages), binance(trade)])
    async with VenueServer(source, speed="max") as server:
        async with client(server.url, ALL_TOPICS) as connection:
            assert (await received(connection))[1:] == [each.payload for each in messages]
        async with client(server.url, path="/stream?streams=btcusdt@trade") as connection:
            assert await received(connection) == [trade]
        async with client(server.url, path="/ws/btcusdt@trade") as connection:
            assert await received(connection) == [trade[trade.index(b'{"e"') : -1]]
        async with client(server.url, path="/stream?streams=dogeusdt@trade") as connection:
            with pytest.raises(ConnectionClosedError, match="1008"):
                await next_message(connection)
    async with VenueServer(source, speed="max", venue=VENUE) as server:
        response = await refused_with(f"{server.url}/stream?streams=btcusdt@trade")
        assert response.status_code == 404
