"""The README's venue: complete, 60 lines, served, captured, proved, and its loss noticed."""

from __future__ import annotations

import asyncio
import importlib
import json
from pathlib import Path

import pytest

from recorder.recorder import Recorder
from recorder.stream_settings import StreamSettings
from replay.audit import audit
from replay.frame_source import FrameList
from replay.recording import Recording
from replay.server_session import SessionState
from replay.venue_server import VenueServer
from tests.readme_blocks import blocks
from venues import registry
from venues.frame import Frame, FrameKind
from venues.marker import Opened, marker_payload

NAME = "tinyex"
LINES_MAX = 60
BOOKS = 9


@pytest.fixture
def tinyex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (text,) = (block.text for block in blocks() if block.text.startswith(f"# {NAME}.py\n"))
    assert len(text.splitlines()) <= LINES_MAX
    (tmp_path / f"{NAME}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    # The one line that the registry needs.
    monkeypatch.setitem(registry._FOUND_IN, NAME, NAME)
    importlib.invalidate_caches()
    return NAME


def message(number: int) -> bytes:
    bids, asks = [[f"{100 - number}.50", "2.0"]], [[f"{101 + number}", "1"]]
    body = {"ch": "book.BTCUSDT", "seq": number + 7, "full": number == 0, "b": bids, "a": asks}
    return json.dumps(body).encode()


def made_frames() -> list[Frame]:
    head = marker_payload(Opened(NAME, "wss://tinyex.example/feed"))
    frames = [Frame(0, 1, NAME, FrameKind.OPENED, 1_000_000, None, head)]
    for number in range(BOOKS):
        time_ns = (number + 2) * 1_000_000
        frames.append(Frame(number + 1, 1, NAME, FrameKind.TEXT, time_ns, None, message(number)))
    return frames


async def test_the_venue_in_the_readme_is_served_captured_and_proved(
    tinyex: str, tmp_path: Path
) -> None:
    async with VenueServer(FrameList(made_frames()), speed="max") as server:
        recorder = Recorder(
            [StreamSettings(venue=tinyex, symbols=("BTCUSDT",), url=server.url)], tmp_path / "reel"
        )
        async with asyncio.timeout(20):
            running = asyncio.create_task(recorder.run())
            while not any(each.state is SessionState.ENDED for each in server.sessions):
                assert not running.done(), running.result()
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
            await recorder.stop()
            await running
    recording = Recording.open(tmp_path / "reel")
    books = [f.payload for f in recording.frames() if f.received and b'"seq"' in f.payload]
    assert books == [message(number) for number in range(BOOKS)]
    (book,) = audit(recording).books
    assert (book.symbol, book.gaps, book.deltas) == ("BTCUSDT", 0, BOOKS - 1)


def test_a_frame_taken_out_of_it_fails_the_audit(tinyex: str) -> None:
    whole = made_frames()
    assert [book.gaps for book in audit(FrameList(whole)).books] == [0]
    assert [book.gaps for book in audit(FrameList(whole[:4] + whole[5:])).books] == [1]
