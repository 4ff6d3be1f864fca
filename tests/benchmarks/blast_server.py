"""A sender that speaks just enough of a WebSocket server to send frames faster than anyone reads.

It runs in a process of its own, so that it takes none of the recorder's time. It accepts one
connection, answers the handshake, waits for one message (the subscription), acknowledges it and
then sends prepared frames of the `reference` venue at a steady rate: a book snapshot and deltas
whose numbers follow on, each `size` bytes long, round and round. Last comes a close frame, and on
stdout the number of frames sent.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import sys
import time

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ROUND_FRAMES = 50_000
TICK_S = 0.002
PADDING_LEVELS = 2


def main(rate: int, seconds: float, size: int) -> None:
    """Listen on a free port, name it on stdout, and send."""
    frames = [_frame(message(number, size)) for number in range(ROUND_FRAMES)]
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _shake_hands(connection)
    connection.recv(65536)  # the subscription
    connection.sendall(_frame(b'{"success":true,"op":"subscribe","ret_msg":""}'))
    sent = _send_at(connection, frames, rate, seconds)
    connection.sendall(b"\x88\x02\x03\xe8")
    print(json.dumps({"sent": sent}), flush=True)
    while connection.recv(65536):
        pass


def message(number: int, size: int) -> bytes:
    """Return one book message of `size` bytes: a snapshot for number 0, then deltas."""
    kind = "delta" if number else "snapshot"
    bids = [[f"{60000 - number % 50}.00", f"{1 + number % 9}.{number:05d}"]]
    asks = [[f"{60001 + number % 50}.00", f"{1 + number % 7}.{number:05d}"]]
    if not number:
        bids = [[f"{60000 - rank}.00", "1.00000"] for rank in range(50)]
        asks = [[f"{60001 + rank}.00", "1.00000"] for rank in range(50)]
    body = {
        "topic": "orderbook.50.BTCUSDT",
        "type": kind,
        "data": {"seq": number, "bids": bids, "asks": asks},
        "filler": "",
    }
    short = len(json.dumps(body, separators=(",", ":")))
    body["filler"] = "x" * max(0, size - short)
    return json.dumps(body, separators=(",", ":")).encode()


def _send_at(connection: socket.socket, frames: list[bytes], rate: int, seconds: float) -> int:
    began_s = time.perf_counter()
    sent = 0
    while (spent_s := time.perf_counter() - began_s) < seconds:
        due = int(spent_s * rate)
        while sent < due:
            at = sent % len(frames)
            some = frames[at : at + min(due - sent, 500)]
            connection.sendall(b"".join(some))
            sent += len(some)
        time.sleep(TICK_S)
    return sent


def _frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes([size]) + payload
    return b"\x81\x7e" + size.to_bytes(2, "big") + payload


def _shake_hands(connection: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    key = next(
        line.split(b":", 1)[1].strip()
        for line in request.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key")
    )
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # RFC 6455, 4.2.2
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
