"""What the fake exchange sent is what capture stored is what a replay gives, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from recorder.recorder import Recorder
from recorder.stream_settings import StreamSettings
from replay.frame_source import FrameList, FrameSource
from replay.import_draft import ImportSource
from replay.import_hftbacktest import read_drafts
from replay.market_scenario import CALM, ROUGH, SECOND_NS, Incident, IncidentKind, Scenario
from replay.market_simulator import SimulationSettings
from replay.player import Player
from replay.recording import Recording
from replay.venue_server import VenueServer
from tests.real_data import REAL_DATA, needs_real_data
from tests.replay.exchange_client import VENUE, market_messages, opened, recording, text
from tests.replay.test_source_survey import ORDER
from venues.channel import Channel
from venues.frame import Frame
from venues.registry import venue_named
from venues.venue import Credentials

LIMIT_S = 60
SYMBOLS = ("BTCUSDT", "ETHUSDT")


class LiveEngine:
    """An engine beside the recorder, whose wishes for snapshots are passed on to it."""

    def __init__(self, recorder: Recorder) -> None:
        self.engine = Engine()
        self._recorder = recorder

    def accept(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self.engine.apply(frame)
        for request in self.engine.take_snapshot_requests():
            self._recorder.request_snapshot(request)


async def captured(server: VenueServer, stream: StreamSettings, folder: Path) -> Engine:
    """Capture until one connection was sent everything there is, and return the live engine."""
    recorder = Recorder([stream], folder)
    live = LiveEngine(recorder)
    recorder.add_sink(live)
    async with asyncio.timeout(LIMIT_S):
        running = asyncio.create_task(recorder.run())
        await server.played.wait()
        await recorder.stop()
        await running
    return live.engine


def all_bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def serve(source: FrameSource | SimulationSettings, speed: str = "max") -> VenueServer:
    return VenueServer(source, speed=speed, ledger_frames_max=1_000_000)


def received(frames: Sequence[Frame]) -> list[bytes]:
    return [frame.payload for frame in frames if frame.received]


def sent(server: VenueServer) -> list[bytes]:
    assert all(ledger.complete for ledger in server.sent)
    return [message.payload for ledger in server.sent for message in ledger.kept]


def market_data(server: VenueServer) -> list[bytes]:
    return [
        message.payload
        for ledger in server.sent
        for message in ledger.kept
        if message.topic is not None
    ]


def reference_at(server: VenueServer) -> StreamSettings:
    return StreamSettings(venue=VENUE, symbols=SYMBOLS, url=server.url)


@pytest.mark.parametrize("scenario", [CALM, ROUGH], ids=["calm", "rough"])
async def test_a_simulation_is_stored_as_it_was_sent_and_replays_to_the_live_digest(
    tmp_path: Path, scenario: object
) -> None:
    settings = SimulationSettings(scenario=scenario, live_clocks=True)  # type: ignore[arg-type]
    async with serve(settings) as server:
        live = await captured(server, reference_at(server), tmp_path / "first")
    frames = list(Recording.open(tmp_path / "first").frames())
    assert received(frames) == sent(server)
    replayed = Engine()
    for frame in Player(Recording.open(tmp_path / "first"), speed="max"):
        replayed.apply(frame)
    assert replayed.state_digest() == live.state_digest()
    for symbol in SYMBOLS:
        assert replayed.markets[VENUE, symbol].counters.checksums_verified > 50
        if scenario is CALM:  # At max speed a market may end before a fetched snapshot is there.
            assert replayed.markets[VENUE, symbol].book.state is BookState.ENDED
    assert bool(replayed.findings.counts) is (scenario is ROUGH)


async def test_a_recording_of_a_served_recording_has_the_same_market_data(tmp_path: Path) -> None:
    async with serve(SimulationSettings(scenario=ROUGH, live_clocks=True)) as server:
        await captured(server, reference_at(server), tmp_path / "first")
    first = market_data(server)
    async with serve(Recording.open(tmp_path / "first")) as again:
        engine = await captured(again, reference_at(again), tmp_path / "second")
    assert market_data(again) == first
    frames = list(Recording.open(tmp_path / "second").frames())
    assert received(frames) == sent(again)
    assert len(again.sent) == 2
    counts = engine.findings.counts
    for kind in (FindingKind.GAP, FindingKind.CHECKSUM_FAILED, FindingKind.DISCONNECTED):
        assert counts[kind] == 1
    assert counts[FindingKind.UNDECODABLE] == 1


@needs_real_data
async def test_real_frames_survive_the_whole_loop(tmp_path: Path) -> None:
    venue = venue_named("binance-usdm")
    path = REAL_DATA / "binance" / "usdm_btcusdt_20240808.gz"
    frames = []
    for number, draft in enumerate(read_drafts(ImportSource(path, 0, venue, lambda _: None))):
        if number == 20_000:
            break
        frames.append(
            Frame(number, 1, venue.name, draft.kind, draft.receive_time_ns, None, draft.payload)
        )
    # Not at max: the snapshot is fetched half a second in, and there must be deltas after it.
    async with serve(FrameList(frames), "20x") as server:
        stream = StreamSettings(
            venue=venue.name,
            symbols=("BTCUSDT",),
            channels=(Channel.BOOK, Channel.QUOTES),
            url=server.url,
        )
        engine = await captured(server, stream, tmp_path / "usdm")
    stored = received(list(Recording.open(tmp_path / "usdm").frames()))
    assert stored == sent(server)
    topics = {f'"stream":"btcusdt@{name}"'.encode() for name in ("depth@0ms", "bookTicker")}
    wanted = [frame.payload for frame in frames if any(t in frame.payload[:60] for t in topics)]
    assert market_data(server) == wanted
    counters = engine.markets["binance-usdm", "BTCUSDT"].counters
    assert (counters.bridges, counters.gaps) == (1, 0)
    assert counters.quote_checks == counters.quote_matches > 0


async def test_private_channels_are_captured_after_a_login_that_is_nowhere_in_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Credentials("canary-key-7351", "canary-secret-9024")
    monkeypatch.setenv("TICKREEL_REFERENCE_KEY", keys.key)
    monkeypatch.setenv("TICKREEL_REFERENCE_SECRET", keys.secret)
    account = [opened(), text(ORDER), text(market_messages()[0].payload, 2)]
    async with VenueServer(
        recording(account), speed="max", credentials=keys, ledger_frames_max=100
    ) as server:
        stream = StreamSettings(venue=VENUE, channels=(Channel.ORDER,), url=server.url)
        await captured(server, stream, tmp_path / "account")
    frames = list(Recording.open(tmp_path / "account").frames())
    assert ORDER in received(frames)
    assert received(frames) == sent(server)
    stored = b"".join(frame.payload for frame in frames)
    kept = stored + all_bytes_below(tmp_path)
    assert b"order" in kept
    for secret in (keys.key, keys.secret):
        assert secret.encode() not in kept


async def test_a_paced_simulation_goes_on_at_its_pace_after_a_disconnect(tmp_path: Path) -> None:
    disconnect = Incident(SECOND_NS, IncidentKind.DISCONNECT)
    settings = SimulationSettings(scenario=Scenario((disconnect,), 3 * SECOND_NS), live_clocks=True)
    async with serve(settings, speed="4x") as server:
        engine = await captured(server, reference_at(server), tmp_path / "paced")
    assert received(list(Recording.open(tmp_path / "paced").frames())) == sent(server)
    assert engine.findings.counts == {FindingKind.DISCONNECTED: 1}
    assert len(engine.connections) == 2
