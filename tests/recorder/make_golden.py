"""Makes the golden recording of this version: `python -m tests.recorder.make_golden`.

Run once for each version of the format, and never again for the same one: what is in `golden/` is
what later versions have to read. It holds every kind of frame, two venues and the recorder's own, a
sealed damage, and a journal that was never closed.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import msgspec

from recorder.description import FORMAT_VERSION
from recorder.recording import RecordingWriter
from replay.recording import Recording
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import (
    ClockReading,
    Closed,
    HttpResponse,
    Lost,
    Opened,
    http_payload,
    marker_payload,
)

GOLDEN = Path(__file__).parent / "golden"
_START_NS = 1_795_305_600_123_456_789


def golden_frames(first: int, count: int) -> list[Frame]:
    """Return frames of every kind, with payloads that are text, binary, empty and not UTF-8."""
    frames: list[Frame] = []
    for number in range(first, first + count):
        kind = FrameKind(1 + number % 8)
        payload = {
            FrameKind.OPENED: marker_payload(Opened("bybit-linear", "wss://stream.example/v5")),
            FrameKind.TEXT: f'{{"topic":"publicTrade.BTCUSDT","n":{number}}}'.encode(),
            FrameKind.BINARY: bytes(range(number % 256)),
            FrameKind.SENT: b'{"op":"subscribe"}',
            FrameKind.HTTP: http_payload(
                HttpResponse("GET", "https://api.example/depth", 200, "book snapshot", "BTCUSDT"),
                b'{"lastUpdateId":1}\n',
            ),
            FrameKind.CLOSED: marker_payload(Closed(1006, "")),
            FrameKind.LOST: marker_payload(Lost(3, 900, _START_NS, _START_NS + 5, "backpressure")),
            FrameKind.CLOCK: marker_payload(ClockReading(_START_NS, 77, -250)),
        }[kind]
        ours = kind in (FrameKind.LOST, FrameKind.CLOCK)
        frames.append(
            Frame(
                frame_number=number,
                connection_id=0 if ours else 1 + number % 2,
                venue=RECORDER if ours else ("bybit-linear", "binance-usdm")[number % 2],
                kind=kind,
                receive_time_ns=_START_NS + number * 1_234_567,
                monotonic_time_ns=None if number % 5 == 0 else 10_000 + number,
                payload=payload,
            )
        )
    return frames


def frames_sha256(frames: list[Frame]) -> str:
    """Return one hash over all that the frames say."""
    return hashlib.sha256(msgspec.msgpack.encode(frames)).hexdigest()


def main() -> None:
    """Make the recording, and note what it must give."""
    folder = GOLDEN / f"version-{FORMAT_VERSION}"
    if folder.exists():
        sys.exit(f"{folder} is there already, and must stay as it is")
    writer = RecordingWriter.create(folder, asked_for={"venue": "bybit-linear"})
    for first in range(0, 240, 24):
        writer.write(golden_frames(first, 24))
    writer._journal.close()
    writer._lock.release()
    journal = folder / "journal" / "000001.zst"
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(golden_frames(writer.next_frame_number, 40))
    writer._journal.abandon()
    writer._lock.release()
    for lock in (".lock", ".sealing-lock"):
        (folder / lock).unlink()
    recording = Recording.open(folder)
    frames = list(recording)
    expected = {
        "frames": len(frames),
        "segments": len(recording.segments),
        "payload_bytes": recording.payload_bytes,
        "first_frame_number": frames[0].frame_number,
        "last_frame_number": frames[-1].frame_number,
        "frames_sha256": frames_sha256(frames),
    }
    (GOLDEN / f"version-{FORMAT_VERSION}.expected.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(expected), indent=2) + b"\n"
    )


if __name__ == "__main__":
    main()
