"""What the fake exchange sends is what was recorded, to whom it was asked for, and no more."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Iterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK

from replay.frame_source import FrameList
from replay.market_scenario import ENDLESS, ROUGH, SECOND_NS, Incident, IncidentKind, Scenario
from replay.market_simulator import UNREADABLE_PAYLOAD, MarketSimulator, SimulationSettings
from replay.served_source import NothingToServeError
from replay.server_session import AtEnd
from replay.venue_server import VenueServer
from tests.replay.exchange_client import (
    ALL_TOPICS,
    BTC_TOPICS,
    PATH,
    Piece,
    client,
    closed,
    market_messages,
    next_message,
    opened,
    received,
    recording,
    simple_recording,
    subscribe,
    text,
)
from venues.errors import TickreelError
from venues.frame import Frame, FrameKind

ACK = b'{"success":true,"op":"subscribe","ret_msg":""}'
EVERYTHING = 1_000_000


async def until_closed(connection: ClientConnection) -> tuple[list[bytes], ConnectionClosed]:
    got: list[bytes] = []
    while True:
        try:
            got.append(await next_message(connection))
        except ConnectionClosed as error:
            return got, error


def code_of(error: ConnectionClosed) -> int | None:
    return None if error.rcvd is None else error.rcvd.code


async def test_a_client_receives_the_recorded_messages_byte_for_byte_and_the_ledger_says_so() -> (
    None
):
    async with (
        VenueServer(simple_recording(), speed="max", ledger_frames_max=EVERYTHING) as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        got = await received(connection)
    assert got == [ACK, *(message.payload for message in market_messages())]
    ledger = server.sent[0]
    assert ledger.complete
    assert [sent.payload for sent in ledger.kept] == got
    assert ledger.frames == len(got)
    assert ledger.payload_bytes == sum(map(len, got))


async def test_recorded_acknowledgements_and_pongs_are_not_sent_again() -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        got = await received(connection)
    assert got.count(ACK) == 1
    assert b'{"op":"pong"}' not in got


async def test_only_what_was_subscribed_to_is_sent() -> None:
    topics = ("publicTrade.ETHUSDT", "orderbook.50.BTCUSDT")
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url, topics) as connection,
    ):
        got = await received(connection)
    wanted = [message.payload for message in market_messages() if message.topic in topics]
    assert got[1:] == wanted
    assert set(server.sent[0].topics) == {None, *topics}


async def test_nothing_is_sent_before_the_first_subscription() -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url) as connection,
    ):
        assert await received(connection) == []
        await connection.send(subscribe(BTC_TOPICS))
        assert len(await received(connection)) > 1


async def test_text_stays_text_and_binary_stays_binary() -> None:
    message = market_messages()[0].payload
    pieces = [opened(), text(message), Piece(FrameKind.BINARY, message)]
    async with (
        VenueServer(recording(pieces), speed="max") as server,
        client(server.url, BTC_TOPICS) as connection,
    ):
        await connection.recv()
        assert await connection.recv() == message.decode()
        assert await connection.recv() == message


async def test_a_message_that_nobody_can_assign_reaches_those_on_its_connection() -> None:
    messages = [text(message.payload) for message in market_messages()[:6]]
    pieces = [opened(), *messages[:3], text(UNREADABLE_PAYLOAD), *messages[3:]]
    async with (
        VenueServer(recording(pieces), speed="max") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        got = await received(connection)
    assert got[1:] == [piece.payload for piece in pieces[1:]]


async def test_every_client_plays_from_the_start_of_its_own() -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url, BTC_TOPICS) as first,
    ):
        got_first = await received(first)
        async with client(server.url, BTC_TOPICS) as second:
            assert await received(second) == got_first
        assert await received(first) == []
    assert server.sent[0].digest() == server.sent[1].digest()


async def test_nothing_is_sent_before_its_time() -> None:
    messages = market_messages()
    paced = recording([opened(), *(text(each.payload) for each in messages[:11])], 50_000_000)
    async with VenueServer(paced, speed="5x") as server:
        began = time.monotonic()
        async with client(server.url, ALL_TOPICS) as connection:
            for _ in range(12):
                await next_message(connection)
    assert time.monotonic() - began >= 11 * 0.05 / 5


async def test_an_unsubscribed_topic_stops_and_subscribing_again_brings_a_fresh_snapshot() -> None:
    endless = SimulationSettings(scenario=ENDLESS)
    book = "orderbook.50.BTCUSDT"
    async with (
        VenueServer(endless, speed="20x") as server,
        client(server.url, [book]) as connection,
    ):
        assert await next_message(connection) == ACK
        first = json.loads(await next_message(connection))
        assert first["type"] == "snapshot"
        await next_message(connection)
        await connection.send(subscribe([book], "unsubscribe"))
        message = b""
        while message != b'{"success":true,"op":"unsubscribe","ret_msg":""}':
            message = await next_message(connection)
        await connection.send(subscribe([book]))
        assert await next_message(connection) == ACK
        again = json.loads(await next_message(connection))
        delta = json.loads(await next_message(connection))
    assert again["type"] == "snapshot"
    assert again["data"]["seq"] > first["data"]["seq"]
    assert (delta["type"], delta["data"]["seq"]) == ("delta", again["data"]["seq"] + 1)


async def test_a_recorded_disconnect_comes_with_its_code_and_the_client_goes_on_after_it() -> None:
    messages = [message.payload for message in market_messages()]
    pieces = [
        opened(),
        *(text(each) for each in messages[:30]),
        closed(1012),
        opened(),
        *(text(each, 2) for each in messages[30:]),
    ]
    async with VenueServer(recording(pieces), speed="max") as server:
        async with client(server.url, ALL_TOPICS) as connection:
            before, error = await until_closed(connection)
        async with client(server.url, ALL_TOPICS) as connection:
            after = await received(connection)
    assert code_of(error) == 1012
    assert error.rcvd is not None
    assert error.rcvd.reason == "bye"
    assert before[1:] + after[1:] == messages


async def test_a_connection_that_broke_without_a_close_frame_breaks_again() -> None:
    messages = market_messages()
    pieces = [opened(), text(messages[0].payload), closed(None), text(messages[1].payload, 2)]
    async with (
        VenueServer(recording(pieces), speed="max") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        got, error = await until_closed(connection)
    assert got == [ACK, messages[0].payload]
    assert isinstance(error, ConnectionClosedError)
    assert code_of(error) is None


async def test_a_connection_that_the_recorder_left_is_cut_only_where_another_follows() -> None:
    messages = [message.payload for message in market_messages()]
    pieces = [
        opened(),
        text(messages[0]),
        closed(1000, by_us=True),
        opened(),
        text(messages[1], 2),
        closed(1000, 2, by_us=True),
    ]
    async with VenueServer(recording(pieces), speed="max") as server:
        async with client(server.url, ALL_TOPICS) as connection:
            got, error = await until_closed(connection)
            assert got == [ACK, messages[0]]
            assert code_of(error) == 1000
        async with client(server.url, ALL_TOPICS) as connection:
            assert await received(connection) == [ACK, messages[1]]


async def test_the_end_of_another_recorded_connection_cuts_nobody() -> None:
    messages = market_messages()
    pieces = [opened(), closed(1012, 7), *(text(each.payload) for each in messages[:5])]
    async with (
        VenueServer(recording(pieces), speed="max") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        assert len(await received(connection)) == 6


async def test_another_client_does_not_take_up_what_was_not_its_own() -> None:
    messages = [message.payload for message in market_messages() if message.topic in BTC_TOPICS]
    pieces = [opened(), text(messages[0]), closed(1012), text(messages[1], 2)]
    async with VenueServer(recording(pieces), speed="max") as server:
        async with client(server.url, ["orderbook.50.BTCUSDT"]) as connection:
            await until_closed(connection)
        async with client(server.url, BTC_TOPICS) as other:
            got, _ = await until_closed(other)
    assert got[1:] == messages[:1]


async def test_after_the_last_message_the_connection_stays_open_and_answers() -> None:
    async with (
        VenueServer(simple_recording(), speed="max") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        await received(connection)
        await connection.send('{"op":"ping"}')
        assert await received(connection) == [b'{"op":"pong"}']


async def test_or_it_is_closed_with_1000_where_that_is_wanted() -> None:
    async with (
        VenueServer(simple_recording(), speed="max", at_end=AtEnd.CLOSE) as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        got, error = await until_closed(connection)
    assert isinstance(error, ConnectionClosedOK)
    assert got[1:] == [message.payload for message in market_messages()]


async def test_a_simulation_is_served_as_it_plays_and_goes_on_after_its_disconnect() -> None:
    scenario = Scenario((Incident(SECOND_NS, IncidentKind.DISCONNECT),), 2 * SECOND_NS)
    settings = SimulationSettings(5, scenario)
    played = [getattr(action, "payload", None) for _, action in MarketSimulator(settings).actions()]
    cut = played.index(None)
    async with VenueServer(settings, speed="max") as server:
        async with client(server.url, ALL_TOPICS) as connection:
            before, error = await until_closed(connection)
        async with client(server.url, ALL_TOPICS) as connection:
            after = await received(connection)
    assert code_of(error) == 1001
    assert before == [ACK, *played[:cut]]
    assert after == [ACK, *played[cut + 1 :]]


async def test_a_rough_simulation_sends_every_fault_over_the_wire() -> None:
    async with VenueServer(SimulationSettings(scenario=ROUGH), speed="max") as server:
        async with client(server.url, ALL_TOPICS) as connection:
            before, _ = await until_closed(connection)
        async with client(server.url, ALL_TOPICS) as connection:
            after = await received(connection)
    assert before.count(UNREADABLE_PAYLOAD) == 1
    deltas = [payload for payload in before + after if b'"delta"' in payload]
    assert len(deltas) == len(set(deltas)) + 1


class BreakingSource(FrameList):
    """A recording with damage after its third frame, found only while it is played."""

    def __init__(self, whole: FrameList) -> None:
        super().__init__(list(whole.frames()))
        self.readings = 0

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
    ) -> Iterator[Frame]:
        self.readings += 1
        damaged = self.readings > 1
        for number, frame in enumerate(super().frames(streams=streams)):
            if damaged and number == 600:
                raise TickreelError("segment 3 is damaged in rows 100 to 200.")
            yield frame


async def test_a_recording_that_cannot_be_read_further_ends_the_connection_and_says_so() -> None:
    messages = [
        text(message.payload) for message in market_messages(Scenario(duration_ns=9 * SECOND_NS))
    ]
    assert len(messages) > 700
    async with (
        VenueServer(BreakingSource(recording([opened(), *messages])), speed="max") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        got, error = await until_closed(connection)
        assert code_of(error) == 1011
        assert len(got) > 500
    assert [str(fault) for fault in server.faults] == ["segment 3 is damaged in rows 100 to 200."]


async def test_a_client_that_does_not_read_is_dropped_and_delays_nobody() -> None:
    message = json.loads(market_messages()[0].payload)
    message["padding"] = "x" * 60_000
    big = json.dumps(message, separators=(",", ":")).encode()
    pieces = [opened(), *[text(big)] * 600]
    async with (
        VenueServer(recording(pieces, 3_000_000), speed="1x") as server,
        connect(server.url + PATH, compression=None, max_queue=1, close_timeout=0.1) as slow,
        client(server.url, BTC_TOPICS) as fast,
    ):
        await slow.send(subscribe(BTC_TOPICS))
        for _ in range(601):
            await next_message(fast)
        late, _ = await until_closed(slow)
    assert len(late) < 601
    assert sorted(ledger.frames for ledger in server.sent)[1] == 601


async def test_at_max_speed_a_client_that_reads_late_still_gets_everything() -> None:
    message = json.loads(market_messages()[0].payload)
    message["padding"] = "x" * 60_000
    big = json.dumps(message, separators=(",", ":")).encode()
    async with (
        VenueServer(recording([opened(), *[text(big)] * 600]), speed="max") as server,
        connect(server.url + PATH, compression=None, max_queue=1) as slow,
    ):
        await slow.send(subscribe(BTC_TOPICS))
        await asyncio.sleep(0.3)
        assert server.sent[0].frames < 601
        for _ in range(601):
            await next_message(slow)


async def test_a_recording_without_frames_is_refused() -> None:
    with pytest.raises(NothingToServeError, match="no frame of any venue"):
        async with VenueServer(recording([])):
            pass
    with pytest.raises(NothingToServeError, match="no frame of bybit-linear"):
        async with VenueServer(simple_recording(), venue="bybit-linear"):
            pass
