"""Two lines of one stream: each message once, the holes of one filled by the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from book.engine import Engine
from cli.info import info
from recorder.errors import StreamSettingsError
from recorder.planned_connection import plan_stream
from recorder.stream_settings import StreamSettings
from tests.recorder.test_succession import changes, numbers, without_a_hole
from tests.recorder.tiny_venue import capturing, frames_of, tiny_stream, until
from tests.recorder.topic_venue import Client, TopicExchange, TopicVenue, speaking, topic_exchange
from venues.channel import Channel
from venues.frame import Frame, FrameKind
from venues.marker import Lines, Lost, read_marker
from venues.registry import venue_named

BOTH = (Channel.BOOK, Channel.TRADES)


def two_lines(url: str, *channels: Channel) -> StreamSettings:
    return StreamSettings(
        venue="tiny", symbols=("BTC",), channels=channels or BOTH, url=url, lines=2
    )


def losing(every: int, offset: int) -> Callable[[str], bool]:
    """Lose every so many-th delta and trade."""

    def loses(message: str) -> bool:
        words = message.split()
        return len(words) == 3 and (int(words[2]) + offset) % every == 0

    return loses


async def record(
    folder: Path,
    url: str,
    exchange: TopicExchange,
    *,
    welcomed: Callable[[Client], None],
    messages: int = 200,
    during: Callable[[], object] = lambda: None,
) -> list[Frame]:
    exchange.welcomed = welcomed
    async with (
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(folder, two_lines(url), venue=TopicVenue()) as recorder,
    ):
        first, second = recorder.connections
        await until(lambda: first.messages > messages and second.messages > messages)
        during()
        await until(lambda: first.messages + second.messages > 4 * messages)
    return frames_of(folder)


def lose_after_joining(client: Client) -> None:
    """Let each line lose other messages, once both are at work."""

    def loses(message: str) -> bool:
        number = int(message.split()[2])
        return number > 60 and losing(7, client.number)(message)

    client.loses = loses


async def test_what_each_of_two_lines_loses_the_other_one_brings(tmp_path: Path) -> None:
    async with topic_exchange() as exchange:
        frames = await record(tmp_path, exchange.url, exchange, welcomed=lose_after_joining)
    for topic in ("book", "trades"):
        assert without_a_hole(numbers(frames, topic))
    assert [frame.kind for frame in frames].count(FrameKind.OPENED) == 1
    assert changes(frames) == ["up", "joined", "down"]
    reports = [read_marker(frame, Lines) for frame in frames if frame.kind is FrameKind.LINES]
    shares = [share for report in reports for share in report.lines]
    assert {share.line for share in shares if share.only} == {1, 2}
    assert sum(share.first for share in shares) <= len(frames)
    only = {number for one in reports for _, first, last in one.only for number in (first, last)}
    told = CliRunner().invoke(info, [str(tmp_path), "--scan"]).output
    assert "line 1: first with" in told
    assert "line 2: first with" in told
    assert only <= {frame.frame_number for frame in frames if frame.kind is FrameKind.TEXT}


async def test_books_and_trades_of_two_losing_lines_are_those_of_a_perfect_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("book.engine.venue_named", lambda name: TopicVenue())
    async with topic_exchange() as exchange:
        frames = await record(tmp_path, exchange.url, exchange, welcomed=lose_after_joining)
    merged = [frame for frame in frames if frame.payload.decode().startswith(("book", "trades"))]
    perfect: list[Frame] = []
    for topic in ("book", "trades"):
        own = [frame for frame in merged if frame.payload.decode().startswith(topic)]
        last = numbers(own, topic)[-1]
        first = numbers(own, topic)[0]
        perfect += [each for each in own if "snapshot" in each.payload.decode()][:1]
        sent = [text for text in exchange.sent if text.startswith(topic)]
        perfect += [
            made_frame(own[0], text) for text in sent if first <= int(text.split()[2]) <= last
        ]
    by_topic = [
        frame
        for topic in ("book", "trades")
        for frame in merged
        if frame.payload.decode().startswith(topic)
    ]
    assert digest(by_topic) == digest(perfect)


def made_frame(frame: Frame, text: str) -> Frame:
    """Return the frame that a perfect line would have brought."""
    return Frame(0, frame.connection_id, "tiny", FrameKind.TEXT, 0, None, text.encode())


def digest(frames: list[Frame]) -> str:
    """Return the digest of messages alone: all at the same time, numbered anew."""
    engine = Engine()
    for number, frame in enumerate(frames):
        engine.apply(Frame(number, 1, "tiny", FrameKind.TEXT, 1, 1, frame.payload))
    return engine.state_digest()


async def test_every_message_of_both_lines_is_accounted_for(tmp_path: Path) -> None:
    async with topic_exchange() as exchange:
        exchange.welcomed = lose_after_joining
        async with capturing(tmp_path, two_lines(exchange.url), venue=TopicVenue()) as recorder:
            async with speaking(exchange, "book BTC", "trades BTC"):
                await until(lambda: all(life.messages > 200 for life in recorder.connections))
            await asyncio.sleep(0.1)
        told = recorder.statistics()
    came = sum(life.messages for life in recorder.connections)
    assert told.intake.lost_frames == 0
    assert told.merged_frames > 100
    assert came == told.intake.kept_frames + told.merged_frames + told.left_out_frames


async def test_what_both_lines_lose_is_a_hole_that_the_numbers_show(tmp_path: Path) -> None:
    def lose_one(client: Client) -> None:
        client.loses = lambda message: message == "book BTC 90"

    async with topic_exchange() as exchange:
        frames = await record(tmp_path, exchange.url, exchange, welcomed=lose_one)
    found = numbers(frames, "book")
    assert [number for number in range(found[0], found[-1]) if number not in found] == [90]
    assert sorted(found) == found


async def test_a_line_that_dies_costs_nothing_while_the_other_one_stands(tmp_path: Path) -> None:
    async with topic_exchange() as exchange:
        frames = await record(
            tmp_path,
            exchange.url,
            exchange,
            welcomed=lambda client: None,
            during=lambda: exchange.clients[0].connection.transport.abort(),
        )
        assert len(exchange.clients) == 3
    for topic in ("book", "trades"):
        assert without_a_hole(numbers(frames, topic))
    assert [frame.kind for frame in frames].count(FrameKind.OPENED) == 1
    assert changes(frames)[:4] == ["up", "joined", "down", "up"]


async def test_the_lines_of_one_stream_are_seen_one_by_one(tmp_path: Path) -> None:
    async with topic_exchange() as exchange, speaking(exchange, "book BTC"):
        stream = two_lines(exchange.url, Channel.BOOK)
        async with capturing(tmp_path, stream, venue=TopicVenue()) as recorder:
            await until(lambda: all(life.subscribed for life in recorder.connections))
            names = [life.stream for life in recorder.connections]
    assert names == ["tiny", "tiny line 2"]
    assert stream.described()["lines"] == 2


async def test_nothing_is_lost_without_a_word_while_one_line_lags_by_seconds(
    tmp_path: Path,
) -> None:
    """The second line is cut off for longer than messages wait, and then brings all at once."""

    async with topic_exchange() as exchange:
        held: list[str] = []

        def hold_back(client: Client) -> None:
            def loses(message: str) -> bool:
                held.append(message)
                return mute[0]

            if client.number == 2:
                client.loses = loses

        mute = [False]
        exchange.welcomed = hold_back
        async with (
            speaking(exchange, "book BTC"),
            capturing(
                tmp_path, two_lines(exchange.url, Channel.BOOK), venue=TopicVenue()
            ) as recorder,
        ):
            await until(lambda: recorder.connections[1].messages > 100)
            mute[0] = True
            held.clear()
            await asyncio.sleep(1.5)
            late, second = list(held), exchange.clients[1]
            mute[0] = False
            for message in late:
                await second.send(message)
            seen = recorder.connections[0].messages
            await until(lambda: recorder.connections[0].messages > seen + 50)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    losses = [read_marker(frame, Lost) for frame in frames if frame.kind is FrameKind.LOST]
    assert losses == []


@pytest.mark.parametrize("venue", ["bitfinex", "coinbase"])
def test_lines_that_cannot_be_merged_are_refused(venue: str) -> None:
    symbols = {"bitfinex": "tBTCUSD", "coinbase": "BTC-USD"}
    stream = StreamSettings(venue=venue, symbols=(symbols[venue],), lines=2)
    with pytest.raises(StreamSettingsError, match="cannot be merged"):
        plan_stream(stream, venue_named)


@pytest.mark.parametrize("lines", [0, 3, -1])
def test_there_are_one_or_two_lines(lines: int) -> None:
    stream = StreamSettings(venue="bybit-linear", symbols=("BTCUSDT",), lines=lines)
    with pytest.raises(StreamSettingsError, match="1 or 2"):
        plan_stream(stream, venue_named)


def test_a_stream_of_one_line_says_nothing_of_lines() -> None:
    assert "lines" not in tiny_stream("ws://127.0.0.1").described()
