"""The body of an HTTP request to the fake exchange.

The WebSocket library reads handshakes, which have none, and refuses any request that has. Some
exchanges hand out tokens in answer to a POST: so what comes on a connection is held until a first
request with a body is whole, and handed on without it. Everything else passes as it comes.
"""

from __future__ import annotations

import re

from websockets.asyncio.server import ServerConnection

BODY_BYTES_MAX = 64 * 1024
_HEAD_BYTES_MAX = 64 * 1024
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?=\r\n)", re.IGNORECASE)
_BODILESS = b"\r\nContent-Length: 0"


class PostedConnection(ServerConnection):
    """A server's connection that understands requests with a body.

    Attributes:
        request_body: that of the request; b"" where it had none.
        served_path: the path and query that were let through, without a token.
    """

    request_body = b""
    served_path = "/"
    _held = b""
    _passes = False

    def data_received(self, data: bytes) -> None:
        """Hold what came until the request is whole, and hand on what is no body."""
        if self._passes:
            super().data_received(data)
            return
        self._held += data
        whole = self._whole()
        if whole is not None:
            self._passes, self._held = True, b""
            super().data_received(whole)

    def _whole(self) -> bytes | None:
        """Return what to hand on, None while more has to come."""
        head, end, rest = self._held.partition(_HEAD_END)
        if not end:
            return self._held if len(self._held) > _HEAD_BYTES_MAX else None
        lengths = _LENGTH.findall(head + b"\r\n")
        length = int(lengths[0]) if len(lengths) == 1 else 0
        if not 0 < length <= BODY_BYTES_MAX:
            return self._held
        if len(rest) < length:
            return None
        self.request_body = rest[:length]
        return _LENGTH.sub(_BODILESS, head + b"\r\n", count=1) + b"\r\n" + rest[length:]
