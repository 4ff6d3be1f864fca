"""An exchange that sends trades on many connections at a steady rate, and keeps a ledger.

    python -m tests.soak.socket_sender RATE SECONDS CUTS

It names its port on stdout, then sends RATE frames a second, spread over all who have subscribed.
CUTS connections are ended on the way, in turn without a word (their transport is aborted) and in
good order. The last line is the ledger: for each connection, in the order of their coming, how many
frames were sent to it and how it ended. The trade's id says the connection's place in that order,
and the frame's number on it: `17-4031`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from itertools import count

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

TICK_S = 0.005
FRAME_BYTES = 300


@dataclass
class Line:
    """One connection of the ledger; `end` is '' while it stands, or until nobody cut it."""

    connection: ServerConnection
    number: int
    topic: str
    sent: int = 0
    end: str = ""

    def send(self, frames: int, time_ms: int) -> None:
        """Send the next frames in one write, without what a library would spend on each."""
        first, self.sent = self.sent, self.sent + frames
        self.connection.transport.write(
            b"".join(_frame(self, number, time_ms) for number in range(first, self.sent))
        )


def _frame(line: Line, number: int, time_ms: int) -> bytes:
    payload = (
        f'{{"topic":"{line.topic}","data":[{{"T":{time_ms},"p":"{60_000 + number % 97}.5",'
        f'"v":"0.{1 + number % 899}","S":"{"Buy" if number % 3 else "Sell"}",'
        f'"i":"{line.number}-{number}"}}],"filler":"'
    )
    payload += "x" * (FRAME_BYTES - len(payload) - 2) + '"}'
    return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload.encode()


class Sender:
    """All connections, those that are gone too."""

    def __init__(self) -> None:
        self.ledger: list[Line] = []
        self.standing: list[Line] = []

    async def serve(self, connection: ServerConnection) -> None:
        """Acknowledge a subscription, answer pings, and stay."""
        line: Line | None = None
        try:
            async for text in connection:
                request = json.loads(text)
                if request["op"] == "ping":
                    await connection.send('{"op":"pong"}')
                    continue
                await connection.send('{"success":true,"op":"subscribe","ret_msg":""}')
                line = Line(connection, len(self.ledger), request["args"][0])
                self.ledger.append(line)
                self.standing.append(line)
        except ConnectionClosed:
            pass
        if line in self.standing:
            self.standing.remove(line)

    async def cut(self, quietly: bool) -> None:
        """End the connection that has stood longest."""
        line = self.standing.pop(0)
        line.end = "aborted" if quietly else "closed"
        if quietly:
            line.connection.transport.abort()
        else:
            await line.connection.close(1001, "maintenance")

    async def run(self, rate: int, seconds: float, cuts: int) -> None:
        """Send, from the first subscription on."""
        while not self.standing:  # noqa: ASYNC110 - a soak polls
            await asyncio.sleep(TICK_S)
        loop = asyncio.get_running_loop()
        began_s, sent, cut = loop.time(), 0, 0
        whose = count()
        while (spent_s := loop.time() - began_s) < seconds:
            due = int(spent_s * rate) - sent
            if self.standing and due:
                # Whoever's turn it is gets all of a tick, or, of many, as many get a part.
                takers = min(len(self.standing), max(1, due // 8))
                for share in range(takers):
                    line = self.standing[next(whose) % len(self.standing)]
                    if line.connection.state is State.OPEN:
                        frames = due * (share + 1) // takers - due * share // takers
                        line.send(frames, time.time_ns() // 1_000_000)
                sent += due
            if cut < cuts and spent_s > (cut + 0.5) * seconds / cuts and len(self.standing) > 1:
                await self.cut(quietly=cut % 2 == 0)
                cut += 1
            await asyncio.sleep(TICK_S)
        for line in list(self.standing):
            line.end = "closed"
            await line.connection.close(1001, "done")


async def main(rate: int, seconds: float, cuts: int) -> None:
    """Serve, send, and tell the ledger."""
    sender = Sender()
    server: Server
    async with serve(sender.serve, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await sender.run(rate, seconds, cuts)
        print(json.dumps([[line.sent, line.end] for line in sender.ledger]), flush=True)
        await asyncio.sleep(1.0)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
