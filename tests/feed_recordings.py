"""Frames of the recorded feeds of many exchanges, as an import makes them."""

from __future__ import annotations

import heapq
from functools import cache

from replay.import_cryptofeed import read_drafts
from replay.import_draft import ImportSource
from tests.real_data import REAL_DATA
from venues.frame import Frame, FrameKind
from venues.registry import venue_named

FEEDS = REAL_DATA / "feeds"


@cache
def feed_frames(venue: str, *names: str) -> list[Frame]:
    """Return the frames of one WebSocket file and the HTTP files beside it, by time.

    `names` are file names without their ending, such as `GATEIO.ws.1.0`, `GATEIO.http.0.0`.
    """
    sources = [
        ImportSource(FEEDS / f"{name}.gz", number, venue_named(venue), lambda note: None)
        for number, name in enumerate(names)
    ]
    drafts = heapq.merge(
        *(read_drafts(source) for source in sources), key=lambda draft: draft.receive_time_ns
    )
    frames: list[Frame] = []
    connection_id = 0
    for number, draft in enumerate(drafts):
        connection_id += draft.kind is FrameKind.OPENED
        time_ns = draft.receive_time_ns
        frames.append(
            Frame(number, max(connection_id, 1), venue, draft.kind, time_ns, None, draft.payload)
        )
    return frames
