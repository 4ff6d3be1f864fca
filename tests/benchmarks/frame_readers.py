"""Many clients of the fake exchange in one process of their own, that count frames and no more.

    python -m tests.benchmarks.frame_readers PORT CLIENTS PATH SUBSCRIPTION FRAMES

Each connects, subscribes, and reads until it was sent FRAMES messages beside its acknowledgement.
They speak just enough of a WebSocket client for that, so that little of the machine is theirs. On
stdout: when the first frame came and when the last, in seconds of the machine's steady clock, and
the SHA-256 of the payloads of each client in a set: equal streams give one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time

READ_BYTES = 1 << 20


class Reader:
    """One client: frames so far, and the hash of their payloads."""

    def __init__(self, frames: int) -> None:
        self.wanted = frames + 1
        self.seen = 0
        self.digest = hashlib.sha256()
        self.first_s = 0.0
        self._held = b""

    def feed(self, received: bytes) -> None:
        """Take what came, and count the whole frames in it."""
        held = self._held + received
        at, size, seen = 0, len(held), self.seen
        while size - at >= 2:
            length, header = held[at + 1], 2
            if length == 126:
                length, header = int.from_bytes(held[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, header = int.from_bytes(held[at + 2 : at + 10], "big"), 10
            if size - at < header + length:
                break
            at += header + length
            seen += 1
        if seen > 1 and not self.first_s:
            self.first_s = time.perf_counter()
        self.digest.update(held[:at])
        self.seen, self._held = seen, held[at:]


async def read(port: int, path: str, subscription: str, frames: int) -> tuple[float, float, str]:
    """Run one client; return when its first and its last frame came, and the hash."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2 * READ_BYTES)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_masked(subscription.encode()))
    client = Reader(frames)
    while client.seen < client.wanted:
        received = await reader.read(READ_BYTES)
        if not received:
            raise RuntimeError(f"closed after {client.seen:,} of {client.wanted:,} frames")
        client.feed(received)
    last_s = time.perf_counter()
    writer.close()
    return client.first_s, last_s, client.digest.hexdigest()


def _masked(payload: bytes) -> bytes:
    mask = os.urandom(4)
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + mask + body


async def main(port: int, clients: int, path: str, subscription: str, frames: int) -> None:
    """Run all clients, and say how long it took."""
    runs = [read(port, path, subscription, frames) for _ in range(clients)]
    done = await asyncio.gather(*runs)
    firsts, lasts, digests = zip(*done, strict=True)
    print(json.dumps({"first_s": min(firsts), "last_s": max(lasts), "digests": list(set(digests))}))


if __name__ == "__main__":
    asyncio.run(
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
    )
