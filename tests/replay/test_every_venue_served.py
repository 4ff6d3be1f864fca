"""Every venue is served in its own protocol, and captured back byte for byte.

What is served is the venue's recorded feed, where there is one in the protocol that we ask for,
and otherwise one message of every kind (`tests.venues.samples`) as if received on one connection.
What is expected is told from the recorded messages by the dialect, for what the plan subscribes to.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from recorder.recorder import Recorder
from recorder.stream_settings import StreamSettings
from replay.frame_source import FrameList
from replay.import_draft import ImportSource
from replay.import_hftbacktest import read_drafts
from replay.import_recognition import http_files_beside, venue_in
from replay.recording import Recording
from replay.server_session import SessionState
from replay.venue_server import VenueServer
from tests.feed_recordings import FEEDS, feed_frames
from tests.real_data import REAL_DATA
from tests.replay.exchange_client import next_message, opened, recording, text
from tests.venues.samples import SAMPLES, SYMBOLS
from venues.channel import Channel
from venues.errors import UNDECODABLE, TickreelError
from venues.event import MarketEvent, NoticeKind, Subscribed
from venues.frame import Frame, FrameKind
from venues.marker import Opened, read_marker
from venues.registry import venue_named, venue_names
from venues.traits import SequenceScope
from venues.venue import ConnectionPlan, RequestKind, StreamRequest, Venue

LIMIT_S = 45
SYMBOLS_MAX = 2
COLLECTED_FRAMES = 2_000
HEARTBEAT_S = 0.2


@dataclass(frozen=True)
class Served:
    """What is served of a venue, and what is asked for."""

    frames: Sequence[Frame]
    symbols: tuple[str, ...]
    channels: tuple[Channel, ...]
    depth: int | None


def public_channels(venue: Venue) -> tuple[Channel, ...]:
    return tuple(sorted(channel for channel in venue.traits.channels if not channel.private))


def plans_of(venue: Venue, served: Served, url: str | None = None) -> list[ConnectionPlan]:
    return venue.plan(StreamRequest(venue.name, served.symbols, served.channels, served.depth, url))


def topics_of(venue: Venue, plan: ConnectionPlan) -> set[str]:
    """Return the topics that a plan asks for, by its address or its messages."""
    url = urlsplit(plan.url)
    topics = set(venue.dialect.connect_topics(f"{url.path}?{url.query}"))
    for message in plan.subscribe_messages:
        request = venue.dialect.read_request(message.encode())
        if request.kind is RequestKind.SUBSCRIBE:
            topics.update(request.topics)
    return topics


def topic_of_each(venue: Venue, frames: Iterable[Frame]) -> list[tuple[str | None, Frame]]:
    """Return the received frames with their topics, by the references given before them."""
    told = []
    routes: dict[int, dict[str, Subscribed]] = {}
    for frame in frames:
        if not frame.received:
            continue
        known = routes.setdefault(frame.connection_id, {})
        if venue.traits.routed:
            for event in events_of(venue, frame, known):
                if isinstance(event, Subscribed):
                    known[event.reference] = event
        told.append((venue.dialect.topic(frame.payload, known), frame))
    return told


def events_of(venue: Venue, frame: Frame, routes: dict[str, Subscribed]) -> Sequence[object]:
    try:
        return venue.decode(frame, routes)
    except UNDECODABLE:
        return ()


def market_payloads(venue: Venue, frames: Iterable[Frame], topics: set[str]) -> list[bytes]:
    return [frame.payload for topic, frame in topic_of_each(venue, frames) if topic in topics]


@cache
def real_feeds() -> dict[str, list[list[Frame]]]:
    """Return the recorded feeds by the venue that their addresses belong to."""
    found: dict[str, list[list[Frame]]] = {}
    for path in sorted(FEEDS.glob("*.ws.*.gz")) if REAL_DATA.is_dir() else []:
        try:
            name = venue_in([path], "cryptofeed").name
        except TickreelError:
            continue  # of a venue that is not read
        names = [each.name.removesuffix(".gz") for each in (path, *http_files_beside([path]))]
        found.setdefault(name, []).append(feed_frames(name, *names))
    for path in sorted(REAL_DATA.glob("binance/*.gz")):
        name = f"binance-{path.name.partition('_')[0]}"
        source = ImportSource(path, 0, venue_named(name), lambda note: None)
        found.setdefault(name, []).append(
            [
                Frame(number, 1, name, each.kind, each.receive_time_ns, None, each.payload)
                for number, each in enumerate(islice(read_drafts(source), COLLECTED_FRAMES))
            ]
        )
    return found


def symbols_in(venue: Venue, frames: Sequence[Frame]) -> list[str]:
    routes: dict[str, Subscribed] = {}
    symbols: dict[str, None] = {}
    for frame in (frame for frame in frames[:1500] if frame.received):
        for event in events_of(venue, frame, routes):
            if isinstance(event, Subscribed):
                routes[event.reference] = event
            elif isinstance(event, MarketEvent) and event.symbol:
                symbols[event.symbol] = None
    return list(symbols)


def best_of(
    venue: Venue, frames: Sequence[Frame], symbols: Sequence[str]
) -> tuple[int, Served] | None:
    """Return the depth and the few symbols that bring the most messages, and how many; or None."""
    carried = Counter(topic for topic, _ in topic_of_each(venue, frames))
    channels = public_channels(venue)

    def brought(served: Served) -> int:
        plans = plans_of(venue, served)
        topics = set().union(*(topics_of(venue, plan) for plan in plans))
        return sum(carried[topic] for topic in topics)

    counts = {
        (depth, symbol): brought(Served(frames, (symbol,), channels, depth))
        for depth in (None, *venue.traits.depths)
        for symbol in symbols
    }
    best = sorted((key for key, count in counts.items() if count), key=lambda key: -counts[key])
    chosen = [symbol for depth, symbol in best if depth == best[0][0]]
    if not best:
        return None
    return counts[best[0]], Served(frames, tuple(chosen[:SYMBOLS_MAX]), channels, best[0][0])


def sample_frames(name: str) -> list[Frame]:
    """Return the messages of the samples that are market data, as frames of one connection."""
    venue = venue_named(name)
    url = plans_of(venue, Served((), (SYMBOLS[name],), public_channels(venue), None))[0].url
    parts = urlsplit(url)
    head = opened(f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
    pieces = [head, *(text(sample) for sample in SAMPLES[name])]
    source = recording([piece._replace(venue=name) for piece in pieces])
    return list(source.frames())


@cache
def served_of(name: str) -> Served:
    venue = venue_named(name)
    feeds = [(frames, symbols_in(venue, frames)) for frames in real_feeds().get(name, [])]
    feeds.append((sample_frames(name), [SYMBOLS[name]]))
    choices = [best_of(venue, frames, symbols) for frames, symbols in feeds]
    best = max(
        (each for each in choices if each is not None), key=lambda each: each[0], default=None
    )
    assert best is not None, f"no message of {name} belongs to what is asked for"
    return best[1]


def counted(venue: Venue) -> bool:
    return venue.traits.sequence_scope is SequenceScope.CONNECTION


def heartbeats_sent(venue: Venue, server: VenueServer) -> bool:
    """Whether each client heard twice that the exchange lives, where the exchange says so."""
    if venue.dialect.heartbeat(1) is None or counted(venue):
        return True
    return all(
        sum(is_heartbeat(venue, sent.payload) for sent in ledger.kept if sent.topic is None) > 1
        for ledger in server.sent
    )


def is_heartbeat(venue: Venue, payload: bytes) -> bool:
    notice = venue.read_notice(payload)
    return notice is not None and notice.kind is NoticeKind.HEARTBEAT


async def captured(server: VenueServer, served: Served, name: str, folder: Path) -> list[Frame]:
    """Capture what a plan asks for until all was played and taken, and return the frames.

    The server stands still until it was asked for all of it.
    """
    stream = StreamSettings(
        venue=name,
        symbols=served.symbols,
        channels=served.channels,
        depth=served.depth,
        url=server.url,
    )
    venue = venue_named(name)
    plans = plans_of(venue, served)
    asked = set().union(*(topics_of(venue, plan) for plan in plans))
    recorder = Recorder([stream], folder)
    async with asyncio.timeout(LIMIT_S):
        running = asyncio.create_task(recorder.run())
        while not asked <= set().union(*(session.topics for session in server.sessions)):
            assert not running.done(), running.result()
            await asyncio.sleep(0.02)
        server.time.resume()
        while not (
            len(server.sessions) == len(plans)
            and all(session.state is SessionState.ENDED for session in server.sessions)
            and all(each.subscribed for each in recorder.statistics().connections)
            and heartbeats_sent(venue, server)
        ):
            assert not running.done(), running.result()
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)
        await recorder.stop()
        await running
    return list(Recording.open(folder).frames())


def by_stream(frames: Iterable[Frame]) -> dict[str, list[Frame]]:
    """Return the frames of each planned connection."""
    streams: dict[int, str] = {}
    found: dict[str, list[Frame]] = {}
    for frame in frames:
        if frame.kind is FrameKind.OPENED:
            streams[frame.connection_id] = read_marker(frame, Opened).stream
        if frame.connection_id in streams:
            found.setdefault(streams[frame.connection_id], []).append(frame)
    return found


def due_replies(venue: Venue, connections: Mapping[str, Sequence[Frame]]) -> set[str]:
    """Return what the heartbeats want to be answered by.

    The last heartbeat of a connection may come as the capture stops, too late for an answer.
    """
    due = set[str]()
    for frames in connections.values():
        beats = [each.payload for each in frames if each.received]
        beats = [payload for payload in beats if is_heartbeat(venue, payload)]
        due.update(reply for reply in map(venue.reply, beats[:-1]) if reply is not None)
    return due


def said_on(connections: Mapping[str, Sequence[Frame]]) -> set[str]:
    every = (frame for frames in connections.values() for frame in frames)
    return {frame.payload.decode() for frame in every if frame.kind is FrameKind.SENT}


@pytest.mark.parametrize("name", venue_names())
async def test_a_venue_is_served_in_its_protocol_and_captured_back_byte_for_byte(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some exchanges acknowledge nothing: that they took it is known once they said nothing else.
    monkeypatch.setattr("recorder.greeting.ANSWER_LIMIT_S", 2.5)
    venue = venue_named(name)
    served = served_of(name)
    source = FrameList(served.frames)
    async with VenueServer(
        source,
        speed="max",
        ledger_frames_max=1_000_000,
        heartbeat_s=HEARTBEAT_S,
        start_paused=True,
    ) as server:
        frames = await captured(server, served, name, tmp_path / "again")
        assert not server.faults
    connections = by_stream(frames)
    answers = {sent.payload for each in server.sent for sent in each.kept if sent.topic is None}
    brought = 0
    for plan in plans_of(venue, served):
        topics = topics_of(venue, plan)
        path = urlsplit(plan.url).path
        expected = [
            venue.dialect.wire_payload(payload, path)
            for payload in market_payloads(venue, served.frames, topics)
        ]
        taken = [frame for frame in connections[plan.stream] if frame.payload not in answers]
        assert market_payloads(venue, taken, topics) == expected
        brought += len(expected)
    assert brought
    sent = [message.payload for ledger in server.sent for message in ledger.kept]
    received = [frame.payload for frame in frames if frame.received]
    assert len(connections) > 1 or received == sent[: len(received)]
    assert due_replies(venue, connections) <= said_on(connections)


TALKING = [name for name in venue_names() if venue_named(name).heartbeat(1) is not None]


@pytest.mark.parametrize("name", TALKING)
async def test_a_heartbeat_of_a_client_is_answered(name: str) -> None:
    venue = venue_named(name)
    served = served_of(name)
    path = urlsplit(plans_of(venue, served)[0].url).path
    async with (
        VenueServer(FrameList(served.frames), speed="max") as server,
        connect(server.url + path, compression=None) as connection,
    ):
        await connection.send(venue.heartbeat(1_700_000_000_000) or "")
        while not is_heartbeat(venue, await next_message(connection)):
            pass  # a greeting
