"""Frames for the tests of venues; the messages themselves are in `samples`."""

from __future__ import annotations

from tests.venues.samples import SAMPLES, SYMBOLS
from venues.event import Event
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, http_payload
from venues.registry import venue_named, venue_names

RECEIVED_NS = 1_763_800_000_000_000_001

BINANCE_NAMES = ("binance-spot", "binance-usdm", "binance-coinm")
BYBIT_NAMES = ("bybit-spot", "bybit-linear", "bybit-inverse")
FIRST_NAMES = ("reference", *BYBIT_NAMES, *BINANCE_NAMES)
ALL_NAMES = tuple(venue_names())


def text_frame(payload: bytes, venue: str = "", kind: FrameKind = FrameKind.TEXT) -> Frame:
    """Return a frame received at `RECEIVED_NS`."""
    return Frame(0, 1, venue, kind, RECEIVED_NS, None, payload)


def http_frame(
    body: bytes,
    symbol: str = "",
    *,
    url: str = "",
    status: int | None = 200,
    purpose: str = "book snapshot",
    error: str = "",
) -> Frame:
    """Return the frame of an HTTP answer."""
    head = HttpResponse("GET", url, status, purpose, symbol, error)
    return text_frame(http_payload(head, body), kind=FrameKind.HTTP)


def as_bytes(message: str | bytes) -> bytes:
    """Return the payload of a message, sent as text or as binary."""
    return message.encode() if isinstance(message, str) else message


def decoded(venue: str, payload: bytes) -> list[Event]:
    """Return the events of a text message."""
    return list(venue_named(venue).decode(text_frame(payload, venue)))


def decoded_http(venue: str, frame: Frame) -> list[Event]:
    """Return the events of an HTTP frame."""
    return list(venue_named(venue).decode(frame))


__all__ = [
    "ALL_NAMES",
    "BINANCE_NAMES",
    "BYBIT_NAMES",
    "FIRST_NAMES",
    "RECEIVED_NS",
    "SAMPLES",
    "SYMBOLS",
    "as_bytes",
    "decoded",
    "decoded_http",
    "http_frame",
    "text_frame",
]
