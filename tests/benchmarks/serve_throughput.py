"""How many frames a second the fake exchange sends to many clients at max speed.

    python -m tests.benchmarks.serve_throughput [--clients 50] [--frames 40000] [--least 100000]

A recording of one busy book (240 bytes a message, as exchanges send them) is made in memory, and
served to clients in a process of their own. Each of them has to be sent
every frame, byte for byte the same; the rate is all frames of all clients over the time from the
first frame that any of them got to the last. Exit code 1 where it is below `--least`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import resource
import sys

from replay.frame_source import FrameList
from replay.venue_server import VenueServer
from tests.benchmarks.blast_server import message
from venues.frame import Frame, FrameKind
from venues.marker import Opened, marker_payload

PATH = "/realtime"
TOPIC = "orderbook.50.BTCUSDT"
START_NS = 1_800_000_000_000_000_000
FRAME_BYTES = 240


def made_recording(frames: int) -> FrameList:
    """Return a recording of so many book messages, 0.2 ms apart."""
    head = marker_payload(Opened("reference", f"ws://exchange.example{PATH}"))
    made = [Frame(0, 1, "reference", FrameKind.OPENED, START_NS, 0, head)]
    for number in range(frames):
        time_ns = START_NS + (number + 1) * 200_000
        payload = message(number, FRAME_BYTES)
        made.append(Frame(number + 1, 1, "reference", FrameKind.TEXT, time_ns, None, payload))
    return FrameList(made)


async def measure(clients: int, frames: int) -> tuple[float, int]:
    """Serve, and return frames/s over all clients and how many different streams they got."""
    subscription = json.dumps({"op": "subscribe", "args": [TOPIC, "publicTrade.BTCUSDT"]})
    async with VenueServer(made_recording(frames), speed="max") as server:
        readers = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.benchmarks.frame_readers",
            *map(str, (server.port, clients, PATH, subscription, frames)),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await readers.communicate()
    if readers.returncode:
        raise SystemExit("the clients were not sent everything")
    seen = json.loads(output)
    return clients * frames / (seen["last_s"] - seen["first_s"]), len(seen["digests"])


def main() -> int:
    """Measure, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--frames", type=int, default=40_000)
    parser.add_argument("--least", type=int, default=100_000)
    arguments = parser.parse_args()
    rate, streams = asyncio.run(measure(arguments.clients, arguments.frames))
    resident_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    rows = [
        ("clients", f"{arguments.clients:,}"),
        ("frames to each", f"{arguments.frames:,}"),
        ("different streams", f"{streams:,}"),
        ("frames/s in total", f"{rate:,.0f}"),
        ("resident memory", f"{resident_mb:,.0f} MB"),
    ]
    for name, value in itertools.chain([("serve at max speed", "")], rows):
        print(f"{name:24}{value:>16}")
    return 0 if rate >= arguments.least and streams == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
