"""A tiny exchange as a program of its own, for a network namespace: `HOST PORT`."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve


async def talk(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send("ok")
    number = 0
    while True:
        number += 1
        await connection.send(f"trades BTC {number}")
        await asyncio.sleep(0.01)


async def main(host: str, port: int) -> None:
    async with serve(talk, host, port, ping_interval=None):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
