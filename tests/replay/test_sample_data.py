"""The sample recordings give what they are expected to give, and no loss in them goes unnoticed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from replay.market_scenario import CALM, ROUGH, IncidentKind
from replay.recording import Recording
from replay.venue_server import VenueServer
from tests.make_samples import SAMPLES
from tests.replay.exchange_client import ALL_TOPICS, client, received
from tests.sample_expectation import expectation
from venues.event import BookDelta, BookSnapshot
from venues.frame import Frame
from venues.registry import venue_named

NAMES = ("calm", "rough")
SIZE_MAX = 1_000_000
SWEPT_FRAMES = 260


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_replays_to_its_expectation(name: str) -> None:
    expected = json.loads((SAMPLES / f"{name}.expected.json").read_text())
    assert expectation(SAMPLES / name) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_needs_nothing_that_a_version_control_system_does_not_keep(
    name: str, tmp_path: Path
) -> None:
    for path in (SAMPLES / name).rglob("*"):
        if path.is_file() and "lock" not in path.name:
            target = tmp_path / path.relative_to(SAMPLES / name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    original = list(Recording.open(SAMPLES / name).frames())
    assert list(Recording.open(tmp_path).frames()) == original


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_small(name: str) -> None:
    files = [path for path in (SAMPLES / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < SIZE_MAX


def test_the_calm_sample_is_clean_and_has_one_cascade() -> None:
    expected = json.loads((SAMPLES / "calm.expected.json").read_text())
    assert expected["clean"] is True
    assert expected["findings"] == {}
    assert expected["cascades"] == 1


def test_the_rough_sample_shows_every_incident_of_its_scenario() -> None:
    shown = {
        IncidentKind.GAP: FindingKind.GAP,
        IncidentKind.BAD_CHECKSUM: FindingKind.CHECKSUM_FAILED,
        IncidentKind.UNREADABLE: FindingKind.UNDECODABLE,
        IncidentKind.SILENCE: FindingKind.STALE,
        IncidentKind.DISCONNECT: FindingKind.DISCONNECTED,
        IncidentKind.DUPLICATE: FindingKind.DUPLICATE,
        IncidentKind.CROSSED: FindingKind.CROSSED,
    }
    expected = json.loads((SAMPLES / "rough.expected.json").read_text())
    happened = {incident.kind for incident in ROUGH.incidents}
    assert happened == set(IncidentKind)
    assert set(expected["findings"]) == {str(shown[kind]) for kind in happened if kind in shown}
    assert expected["cascades"] == 1
    assert not {incident.kind for incident in CALM.incidents} - {IncidentKind.CASCADE}


def test_the_readme_names_every_sample() -> None:
    text = (SAMPLES / "README.md").read_text()
    on_disk = {path.parent.name for path in SAMPLES.glob("*/recording.json")}
    assert on_disk == set(NAMES)
    assert all(f"`{name}`" in text for name in on_disk)


async def test_a_sample_can_be_served_again_to_any_client() -> None:
    source = Recording.open(SAMPLES / "calm")
    stored = [frame.payload for frame in source.frames() if frame.received]
    async with (
        VenueServer(source, speed="max") as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        assert (await received(connection))[1:] == [
            payload for payload in stored if payload.startswith(b'{"topic"')
        ]


def played(frames: Sequence[Frame]) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


def levels(engine: Engine) -> dict[tuple[str, str], list[object]]:
    return {
        key: [market.book.bids.top(50), market.book.asks.top(50)]
        for key, market in engine.markets.items()
    }


def test_every_removal_of_a_message_that_changes_a_book_is_noticed() -> None:
    """The last message of a book is left out of it: what a gap follows cannot be seen before."""
    frames = list(Recording.open(SAMPLES / "calm").frames())[:SWEPT_FRAMES]
    decode = venue_named("reference").decode
    of_book: dict[int, str] = {}
    for index, frame in enumerate(frames):
        for event in decode(frame) if frame.received else ():
            if isinstance(event, BookSnapshot | BookDelta):
                of_book[index] = event.symbol
    last = {symbol: index for index, symbol in of_book.items()}
    whole = played(frames)
    assert not whole.findings.counts
    swept = 0
    for index in range(len(frames)):
        engine = played(frames[:index] + frames[index + 1 :])
        noticed = bool(engine.findings.counts) or any(
            market.book.state is not BookState.PROVEN for market in engine.markets.values()
        )
        if index in of_book and index != last[of_book[index]]:
            swept += 1
            assert noticed, f"frame {index} was removed and nobody noticed"
        elif index not in of_book:
            assert levels(engine) == levels(whole)
    assert swept > SWEPT_FRAMES // 2
