"""A recording asked for as of tardis-machine: `/ws-replay`."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from replay import tardis_replay
from replay.venue_server import VenueServer
from tests.replay import made_bybit
from tests.replay.exchange_client import Piece, next_message, recording, subscribe, text
from venues.frame import FrameKind

TRADE = b'{"e":"trade","E":%d,"s":"BTCUSDT","t":%d,"p":"1","q":"1","T":1,"m":true,"M":true}'
TRADES_WANTED = '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}'
DAY = "2027-01-15"


@pytest.fixture(autouse=True)
def _no_long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tardis_replay, "START_DELAY_S", 0.4)


def two_exchanges() -> list[Piece]:
    """Return messages of both in turn; the second trade of Binance comes after a disconnect."""
    bybit = made_bybit.pieces(made_bybit.MadeExchange(2), 60)
    trades = [text(TRADE % (number, number))._replace(venue="binance-spot") for number in range(60)]
    mixed: list[Piece] = bybit[:4]
    for number, piece in enumerate(bybit[4:64]):
        mixed += [piece, trades[number]._replace(connection_id=2)]
    cut = Piece(FrameKind.CLOSED, b"{}", 2, "binance-spot")
    return [*mixed[:20], cut, *mixed[20:]]


def code_of(gone: ConnectionClosed) -> tuple[int, str]:
    assert gone.rcvd is not None
    return gone.rcvd.code, gone.rcvd.reason


async def all_of(connection: ClientConnection) -> tuple[list[bytes], int, str]:
    got: list[bytes] = []
    while True:
        try:
            got.append(await next_message(connection))
        except ConnectionClosed as gone:
            return got, *code_of(gone)


def replay_path(exchange: str, session: str = "", to: str = "2027-01-16") -> str:
    return f"/ws-replay?exchange={exchange}&from={DAY}&to={to}&session={session}"


@pytest.mark.parametrize("exchange", ["bybit", "bybit-linear"])
async def test_native_messages_come_without_an_answer_and_then_the_end(exchange: str) -> None:
    pieces = two_exchanges()
    async with (
        VenueServer(recording(pieces), speed="1x") as server,
        connect(server.url + replay_path(exchange), compression=None) as connection,
    ):
        await connection.send(subscribe([made_bybit.TOPIC]))
        got, code, reason = await all_of(connection)
    assert got == [each.payload for each in pieces if made_bybit.TOPIC.encode() in each.payload][1:]
    assert (code, reason) == (1000, "WS replay finished")


async def test_connections_of_a_session_go_together_each_with_its_own_exchange() -> None:
    async def heard(url: str, subscription: str) -> list[bytes]:
        async with connect(url, compression=None) as connection:
            await connection.send(subscription)
            got, code, _ = await all_of(connection)
            assert code == 1000
            return got

    async with VenueServer(recording(two_exchanges()), speed="1x") as server:
        bybit, binance = await asyncio.gather(
            heard(server.url + replay_path("bybit", "both"), subscribe([made_bybit.TOPIC])),
            heard(server.url + replay_path("binance", "both"), TRADES_WANTED),
        )
    assert binance == [TRADE % (number, number) for number in range(60)]
    assert len(bybit) == sum(made_bybit.TOPIC.encode() in each for each in bybit) > 50
    assert {ledger.venue for ledger in server.sent} == {"bybit-linear", "binance-spot"}


async def test_only_what_was_received_before_the_end_is_sent() -> None:
    pieces = two_exchanges()
    to = "2027-01-15T08:00:00.030Z"
    async with (
        VenueServer(recording(pieces), speed="max") as server,
        connect(server.url + replay_path("binance", to=to), compression=None) as connection,
    ):
        await connection.send(TRADES_WANTED)
        got, _, _ = await all_of(connection)
    assert got == [each.payload for each in pieces[:30] if each.payload.startswith(b'{"e"')]


async def test_a_connection_without_a_subscription_ends_its_session() -> None:
    async with (
        VenueServer(recording(two_exchanges()), speed="max") as server,
        connect(server.url + replay_path("bybit", "mine"), compression=None) as connection,
    ):
        assert await all_of(connection) == ([], 1011, "No subscriptions received")


async def test_a_session_that_has_begun_takes_nobody_in() -> None:
    book = made_bybit.MadeExchange(1).snapshot()[:-1] + b',"padding":"' + b"x" * 60_000 + b'"}'
    pieces = [text(book)._replace(venue="bybit-linear")] * 300
    async with (
        VenueServer(recording(pieces), speed="max") as server,
        connect(server.url + replay_path("bybit", "s"), compression=None, max_queue=1) as first,
    ):
        await first.send(subscribe([made_bybit.TOPIC]))
        assert await next_message(first) == book
        async with connect(server.url + replay_path("bybit", "s"), compression=None) as late:
            got, code, reason = await all_of(late)
        assert (got, code) == ([], 1011)
        assert "already started" in reason
        assert len((await all_of(first))[0]) == 299


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("/ws-replay?exchange=ftx&from=2027-01-15&to=2027-01-16", 404, "no exchange 'ftx'"),
        ("/ws-replay?exchange=bybit&from=noon&to=2027-01-16", 400, "from: 'noon' is no time"),
        ("/ws-replay?exchange=bybit&from=2027-01-15", 400, "say to when"),
        ("/ws-replay?exchange=bybit&from=%2B9s&to=2027-01-16", 400, "from: '+9s' names no day"),
        ("/ws-replay?exchange=bybit", 400, "say from when"),
    ],
)
async def test_what_cannot_be_replayed_is_refused_before_the_handshake(
    path: str, code: int, sentence: str
) -> None:
    async with VenueServer(recording(two_exchanges()), speed="max") as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.url + path)
    assert refused.value.response.status_code == code
    assert sentence in refused.value.response.body.decode()
