"""What single exchanges need of a server that stands in for them, beyond topics and answers."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from replay.frame_source import FrameList
from replay.recorded_connection import RecordedConnection
from replay.venue_server import VenueServer
from tests.replay.exchange_client import (
    Piece,
    closed,
    get,
    next_message,
    opened,
    received,
    recording,
    status_of,
    text,
)
from tests.venues.samples import bitfinex, dydx
from venues.channel import Channel
from venues.compression import packed, unpacked
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, http_payload
from venues.registry import venue_named
from venues.venue import Credentials, StreamRequest

KEYS = Credentials("key-1234", "secret-5678")


def recorded(name: str, pieces: Sequence[Piece], interval_ns: int = 1_000_000) -> FrameList:
    return recording([piece._replace(venue=name) for piece in pieces], interval_ns)


def sent(message: str | bytes, connection_id: int = 1) -> Piece:
    payload = message if isinstance(message, bytes) else message.encode()
    return Piece(FrameKind.SENT, payload, connection_id)


def numbers(messages: Sequence[bytes]) -> list[int]:
    return [msgspec.json.decode(message)["message_id"] for message in messages]


def subscribed_as(channel_id: int) -> bytes:
    return bitfinex.TRADES_SUBSCRIBED.replace(b"232959", str(channel_id).encode())


def trade_of(channel_id: int, number: int) -> bytes:
    return b'[%d,"te",[%d,1618677545570,0.5,60411],%d]' % (channel_id, number, number)


TRADES_WANTED = '{"event":"subscribe","channel":"trades","symbol":"tBTCUSD"}'


async def test_an_acknowledgement_names_the_channel_that_the_recorded_messages_name() -> None:
    pieces = [
        opened("/ws/2"),
        text(bitfinex.INFO),
        sent(TRADES_WANTED),
        text(subscribed_as(17)),
        text(trade_of(17, 1)),
        closed(1006),
        opened("/ws/2")._replace(connection_id=2),
        text(bitfinex.INFO, 2),
        text(subscribed_as(99), 2),
        text(trade_of(99, 1), 2),
    ]
    async with VenueServer(recorded("bitfinex", pieces), speed="max") as server:
        for channel_id in (17, 99):
            async with connect(server.url + "/ws/2", compression=None) as connection:
                assert json.loads(await next_message(connection))["event"] == "info"
                await connection.send(TRADES_WANTED)
                assert await next_message(connection) == subscribed_as(channel_id)
                assert await next_message(connection) == trade_of(channel_id, 1)
                if channel_id == 17:
                    await connection.wait_closed()


async def test_a_topic_without_a_recorded_acknowledgement_gets_the_dialects() -> None:
    pieces = [opened("/ws/2"), sent(TRADES_WANTED), text(subscribed_as(17)), text(trade_of(17, 1))]
    book = '{"event":"subscribe","channel":"ticker","symbol":"tBTCUSD"}'
    async with (
        VenueServer(recorded("bitfinex", pieces), speed="max") as server,
        connect(server.url + "/ws/2", compression=None) as connection,
    ):
        await next_message(connection)
        await connection.send(book)
        answer = json.loads(await next_message(connection))
        assert (answer["event"], answer["channel"]) == ("subscribed", "ticker")
        assert answer["chanId"] != 17


async def test_all_that_an_exchange_counts_is_sent_as_it_was_counted() -> None:
    # An answer to the recording client: to leave it out would leave a hole in the numbers.
    refusal = b'{"type":"error","message":"no","connection_id":"c","message_id":3}'
    batch = dydx.BATCH.replace(b'"message_id":3', b'"message_id":4')
    pieces = [
        opened("/v4/ws"),
        text(dydx.CONNECTED),
        sent(b'{"type":"subscribe","channel":"v4_orderbook","id":"BTC-USD"}'),
        *map(text, (dydx.BOOK, dydx.DELTA, refusal, batch)),
    ]
    source = recorded("dydx", pieces)
    async with (
        VenueServer(source, speed="max", heartbeat_s=0.05) as server,
        connect(server.url + "/v4/ws", compression=None) as connection,
    ):
        # Said at once, to a client that waits for it before it asks.
        assert await next_message(connection) == dydx.CONNECTED
        await connection.send('{"type":"subscribe","channel":"v4_orderbook","id":"BTC-USD"}')
        messages = [await next_message(connection) for _ in range(4)]
        assert messages == [dydx.BOOK, dydx.DELTA, refusal, batch]
        assert numbers(messages) == [1, 2, 3, 4]
        assert await received(connection) == []


async def test_a_counted_acknowledgement_is_the_recorded_one_and_no_other() -> None:
    book = (
        b'{"channel":"l2_data","client_id":"","timestamp":"2026-04-07T14:30:00Z","sequence_num":0,'
        b'"events":[{"type":"snapshot","product_id":"BTC-USD","updates":[]}]}'
    )
    taken = (
        b'{"channel":"subscriptions","client_id":"","timestamp":"2026-04-07T14:30:00Z",'
        b'"sequence_num":%d,"events":[{"subscriptions":{"level2":["BTC-USD"]}}]}'
    )
    subscribe = '{"type":"subscribe","channel":"%s"%s}'
    wanted = [subscribe % ("heartbeats", ""), subscribe % ("level2", ',"product_ids":["BTC-USD"]')]
    pieces = [opened("/"), *map(sent, wanted), *map(text, (book, taken % 1, taken % 2))]
    async with (
        VenueServer(recorded("coinbase", pieces), speed="max") as server,
        connect(server.url + "/", compression=None) as connection,
    ):
        for message in wanted:
            await connection.send(message)
        assert await received(connection, 1.5) == [book, taken % 1, taken % 2]


async def test_one_topic_a_message_is_enough_to_be_played_all_of_it() -> None:
    trades = [trade_of(17, number) for number in range(1, 4)]
    ticker = bitfinex.TICKER.replace(b"232949", b"5")
    taken = (
        b'{"event":"subscribed","channel":"ticker","chanId":5,"symbol":"tBTCUSD","pair":"BTCUSD"}'
    )
    head = [opened("/ws/2"), sent("?"), text(subscribed_as(17)), text(taken)]
    pieces = [*head, text(ticker), *map(text, trades)]
    async with (
        VenueServer(recorded("bitfinex", pieces), speed="max") as server,
        connect(server.url + "/ws/2", compression=None) as connection,
    ):
        await next_message(connection)
        await connection.send(TRADES_WANTED)
        assert await next_message(connection) == subscribed_as(17)
        await connection.send('{"event":"subscribe","channel":"ticker","symbol":"tBTCUSD"}')
        assert await received(connection) == [taken, ticker, *trades]


async def test_a_subscription_is_ended_by_the_reference_that_its_answer_gave() -> None:
    pieces = [opened("/ws/2"), sent("?"), text(subscribed_as(17)), text(trade_of(17, 1))]
    async with (
        VenueServer(recorded("bitfinex", pieces, 500_000_000), speed="1x") as server,
        connect(server.url + "/ws/2", compression=None) as connection,
    ):
        await next_message(connection)
        await connection.send(TRADES_WANTED)
        assert await next_message(connection) == subscribed_as(17)
        await connection.send('{"event":"unsubscribe","chanId":17}')
        assert json.loads(await next_message(connection))["event"] == "unsubscribed"
        await asyncio.wait_for(server.played.wait(), 10)
        assert await received(connection) == []


MBP = b'{"ch":"market.btcusdt.mbp.150","ts":1,"tick":{"seqNum":%d,"prevSeqNum":%d,"bids":[[%d,1]]}}'
ANSWER = packed(
    b'{"id":"theirs","rep":"market.btcusdt.mbp.150","status":"ok","ts":1,'
    b'"data":{"seqNum":10,"bids":[[5,1]],"asks":[[7,2.50]]}}'
)


def binary(content: bytes) -> Piece:
    return Piece(FrameKind.BINARY, packed(content))


async def test_a_book_asked_for_on_the_socket_is_the_recorded_one_and_then_as_it_is() -> None:
    pieces = [
        opened("/feed"),
        binary(MBP % (10, 9, 5)),
        Piece(FrameKind.BINARY, ANSWER),
        binary(MBP % (11, 10, 6)),
    ]
    async with (
        VenueServer(recorded("htx", pieces), speed="max") as server,
        connect(server.url + "/feed", compression=None) as connection,
    ):
        await connection.send('{"sub":"market.btcusdt.mbp.150","id":"a"}')
        assert json.loads(unpacked(await next_message(connection)))["subbed"]
        await connection.send('{"req":"market.btcusdt.mbp.150","id":"b"}')
        messages = await received(connection)
        assert messages == [ANSWER, packed(MBP % (10, 9, 5)), packed(MBP % (11, 10, 6))]
        await connection.send('{"req":"market.btcusdt.mbp.150","id":"c"}')
        stated = json.loads(unpacked(await next_message(connection)))
        assert (stated["id"], stated["data"]["seqNum"]) == ("c", 11)
        assert stated["data"]["bids"] == [[6, 1], [5, 1]]
        assert (
            b"[7,2.50]" in unpacked(packed(json.dumps(stated).encode())) or stated["data"]["asks"]
        )


async def test_heartbeats_go_out_as_the_exchange_sends_them() -> None:
    pieces = [opened("/feed"), binary(MBP % (10, 9, 5))]
    async with (
        VenueServer(recorded("htx", pieces), speed="max", heartbeat_s=0.05) as server,
        connect(server.url + "/feed", compression=None) as connection,
    ):
        for _ in range(2):
            async with asyncio.timeout(10):
                message = await connection.recv()
            assert isinstance(message, bytes)
            assert "ping" in json.loads(unpacked(message))


def posted(url: str, body: bytes) -> dict[str, object]:
    request = urllib.request.Request(url, data=body, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        decoded: dict[str, object] = json.loads(answer.read())
        return decoded


KUCOIN_TRADE = b'{"type":"message","topic":"/market/match:BTC-USDT","subject":"x","data":{}}'


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 60_000], ids=["none", "small", "large"])
async def test_a_token_is_given_in_answer_to_a_post_and_leads_to_this_server(body: bytes) -> None:
    pieces = [opened("/endpoint?token=[redacted]"), text(KUCOIN_TRADE)]
    async with VenueServer(recorded("kucoin", pieces), speed="max") as server:
        assert [each.url for each in server.endpoints] == [server.url + "/endpoint"]
        access = await asyncio.to_thread(posted, server.rest_url + "/api/v1/bullet-public", body)
        place = msgspec.convert(access["data"], dict[str, object])
        servers = msgspec.convert(place["instanceServers"], list[dict[str, object]])
        assert servers[0]["endpoint"] == server.url + "/endpoint"
        async with connect(f"{servers[0]['endpoint']}?token={place['token']}") as connection:
            assert json.loads(await next_message(connection))["type"] == "welcome"


async def test_a_post_to_any_other_place_and_one_with_too_much_in_it_are_refused() -> None:
    async with VenueServer(recorded("kucoin", [opened("/endpoint"), text(KUCOIN_TRADE)])) as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(posted, server.rest_url + "/elsewhere", b"{}")
        refused.value.close()
        assert refused.value.code == 404
        with pytest.raises((OSError, HTTPException)):
            await asyncio.to_thread(
                posted, server.rest_url + "/api/v1/bullet-public", b"x" * 70_000
            )


def upbit_orders() -> FrameList:
    order = (
        b'{"type":"myOrder","code":"KRW-BTC","uuid":"u-1","ask_bid":"BID","order_type":"limit",'
        b'"state":"wait","price":1.5,"volume":2,"executed_volume":0,"timestamp":1710751597500}'
    )
    return recorded("upbit", [opened("/websocket/v1/private"), Piece(FrameKind.BINARY, order)])


async def test_a_private_path_is_closed_to_a_handshake_that_is_not_signed() -> None:
    venue = venue_named("upbit")
    plan = venue.plan(StreamRequest("upbit", (), (Channel.ORDER,)))[0]
    forged = venue.login(plan, Credentials("key-1234", "guess"), 1, b"").headers
    signed = venue.login(plan, KEYS, 1, b"").headers
    async with VenueServer(upbit_orders(), speed="max", credentials=KEYS) as server:
        url = server.url + "/websocket/v1/private"
        for headers in ((), forged):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, additional_headers=headers)
            assert refused.value.response.status_code == 401
        async with connect(url, additional_headers=signed) as connection:
            for message in plan.subscribe_messages:
                await connection.send(message)
            assert b"myOrder" in await next_message(connection)


async def test_what_was_asked_by_http_is_answered_as_it_was() -> None:
    path = "/v5/market/instruments-info?category=linear&symbol=BTCUSDT"
    body = b'{"retCode":0,"result":{"list":[]}}'
    head = HttpResponse("GET", f"https://api.bybit.com{path}", 200, "instruments", "BTCUSDT")
    trade = text(b'{"topic":"publicTrade.BTCUSDT","data":[]}')
    frames = [
        opened("/v5/public/linear"),
        Piece(FrameKind.HTTP, http_payload(head, body)),
        trade,
    ]
    async with VenueServer(recorded("bybit-linear", frames), speed="max") as server:
        assert await get(server.rest_url + path) == body
        other = path.replace("BTCUSDT", "ETHUSDT")
        assert await status_of(server.rest_url + other) == 404


def test_a_frame_of_the_recording_is_told_by_its_own_connection() -> None:
    venue = venue_named("bitfinex")
    first, second = RecordedConnection(venue), RecordedConnection(venue)
    taken = Frame(0, 1, "bitfinex", FrameKind.TEXT, 0, None, subscribed_as(17))
    trade = Frame(1, 1, "bitfinex", FrameKind.TEXT, 0, None, trade_of(17, 1))
    assert first.hear(taken).acknowledges
    assert not first.hear(taken).played
    assert first.hear(trade).topic == "trades/tBTCUSD"
    assert second.hear(trade).topic is None


async def test_of_two_venues_at_one_path_the_first_is_served_and_the_other_is_told() -> None:
    first = opened("/")._replace(venue="kraken-v1")
    second = opened("/")._replace(venue="bitstamp", connection_id=2)
    async with VenueServer(recording([first, second])) as server:
        assert [each.venue for each in server.endpoints] == ["kraken-v1"]
        assert server.hidden == ["bitstamp"]
    async with VenueServer(recording([first, second]), venue="bitstamp") as server:
        assert [each.venue for each in server.endpoints] == ["bitstamp"]
        assert server.hidden == []
