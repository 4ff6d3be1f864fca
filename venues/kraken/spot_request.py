"""What both spot protocols make of a request: how symbols are written, where connections go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from venues.address import rest_url, websocket_url
from venues.connection_plan import Line
from venues.kraken.spot_rest import REST_URL
from venues.venue import StreamRequest

PUBLIC_HOST = "ws.kraken.com"
PRIVATE_HOST = "ws-auth.kraken.com"
DEPTH_MAX = 100_000
TOPICS_MAX = 300
"""Symbols and channels on one connection: nothing is documented, so we keep it moderate."""

Depth = Annotated[int, Meta(ge=1, le=DEPTH_MAX)]
"""Levels a side, as an answer says them."""

SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]*/[A-Z0-9][A-Z0-9.]*")


def spelled(symbol: str) -> str:
    """Return a symbol in capitals, unless some of it is so already.

    Tokenised shares are written with a small x (`AAPLx/USD`).
    """
    return symbol.upper() if symbol.islower() else symbol


def fits(topics: Sequence[str]) -> bool:
    """Return whether one connection may carry these topics."""
    return len(topics) <= TOPICS_MAX


def public_line(stream: str, path: str, request: StreamRequest, depth: int | None) -> Line:
    """Return what the connections for market data have in common.

    Raises:
        AddressError: the request's address is none.
    """
    return Line(stream, _url(PUBLIC_HOST, path, request), rest_url(REST_URL, request.url), depth)


def private_line(stream: str, path: str, request: StreamRequest) -> Line:
    """Return what the connection for one's own account has: another host, the same path.

    Raises:
        AddressError: the request's address is none.
    """
    url = _url(PRIVATE_HOST, path, request)
    return Line(f"{stream}/private", url, rest_url(REST_URL, request.url), None, private=True)


def _url(host: str, path: str, request: StreamRequest) -> str:
    return websocket_url(f"wss://{host}{path}", request.url, (path,))
