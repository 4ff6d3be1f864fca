"""Two things that befall the lines of one stream in the same moment."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.recorder.tiny_venue import capturing, frames_of, tiny_stream, until
from tests.recorder.topic_venue import (
    topic_exchange,
)
from venues.frame import FrameKind


async def test_nothing_is_said_of_a_connection_after_its_end(tmp_path: Path) -> None:
    """A process that stood still for a while finds the end and a deadline passed, both at once."""
    async with (
        topic_exchange() as exchange,
        capturing(tmp_path, tiny_stream(exchange.url, silence_limit_s=0.5)) as recorder,
    ):
        await until(lambda: recorder.connections[0].subscribed)
        exchange.clients[0].connection.transport.abort()
        asyncio.get_running_loop().call_soon(time.sleep, 1.0)
        await until(lambda: recorder.connections[0].connects == 2)
    own = [frame.kind for frame in frames_of(tmp_path) if frame.connection_id == 1]
    assert own[-1] is FrameKind.CLOSED
