"""A snapshot that came while the disk stood still, and could not be kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from recorder.http_desk import HttpDesk
from recorder.recorder_settings import RecorderSettings
from recorder.recording import RecordingWriter
from tests.recorder.http_exchange import http_exchange, reply
from tests.recorder.test_two_at_once import RestVenue
from tests.recorder.tiny_venue import (
    capturing,
    frames_of,
    tiny_exchange,
    tiny_stream,
    until,
)
from tests.recorder.topic_venue import TOPIC_TRAITS
from venues.frame import Frame, FrameKind
from venues.marker import read_http
from venues.traits import SnapshotSource


async def test_a_snapshot_for_which_there_was_no_room_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, answer = threading.Event(), threading.Event()
    kept: list[bool] = []
    write, record = RecordingWriter.write, HttpDesk.record

    def write_when_there_is_room(self: RecordingWriter, frames: Sequence[Frame]) -> None:
        room.wait(20.0)
        write(self, frames)

    def record_and_tell(self: HttpDesk, *given: Any) -> bool:
        kept.append(record(self, *given))
        return kept[-1]

    def answer_when_told(number: int, handler: BaseHTTPRequestHandler) -> None:
        answer.wait(20.0)
        reply(handler, 200, b"{}")

    async def talk_while_there_is_none(connection: ServerConnection) -> None:
        while not room.is_set():
            await connection.send("delta " + "x" * 300)
            await asyncio.sleep(0.001)

    monkeypatch.setattr(RecordingWriter, "write", write_when_there_is_room)
    monkeypatch.setattr(HttpDesk, "record", record_and_tell)
    settings = RecorderSettings(budget_bytes=20_000)
    with http_exchange(answer_when_told) as rest:
        traits = replace(TOPIC_TRAITS, snapshot_source=SnapshotSource.REST)
        async with (
            tiny_exchange(talk_while_there_is_none) as url,
            capturing(
                tmp_path, tiny_stream(url), venue=RestVenue(traits, rest.url), settings=settings
            ) as recorder,
        ):
            await until(lambda: recorder.statistics().intake.lost_frames > 0)
            answer.set()
            await until(lambda: len(kept) == 1)
            room.set()
            await until(lambda: len(kept) == 2)
    assert kept == [False, True]
    (snapshot,) = (frame for frame in frames_of(tmp_path) if frame.kind is FrameKind.HTTP)
    assert read_http(snapshot)[0].status == 200
