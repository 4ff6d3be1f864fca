"""Faults within a payload: a bit turned over, the end cut off, a checksum that is another.

Each function returns the payload as it is with the fault and what was done, or None where the
fault cannot be done to it (an empty message has no bit to turn over).
"""

from __future__ import annotations

from collections.abc import Sequence

from replay.fault_draw import draw
from venues.event import BookDelta, BookSnapshot, Event

_ATTEMPTS = 32

Spoilt = tuple[bytes, str]


def corrupted(payload: bytes, seed: int, frame_number: int, *, text: bool) -> Spoilt | None:
    """Turn one bit over; one that leaves a `text` UTF-8, as no other text ever comes."""
    for attempt in range(_ATTEMPTS if payload else 0):
        bit = draw(seed, frame_number, f"corrupt {attempt}", 8 * len(payload))
        place, was = bit // 8, payload[bit // 8]
        is_now = was ^ (1 << bit % 8)
        spoilt = payload[:place] + bytes([is_now]) + payload[place + 1 :]
        if not text or _is_text(spoilt):
            what = f"byte {place:,} of {len(payload):,}: 0x{was:02x} became 0x{is_now:02x}"
            return spoilt, what
    return None


def truncated(payload: bytes, seed: int, frame_number: int, *, text: bool) -> Spoilt | None:
    """Cut the end off; of a `text` no character is cut in two."""
    if not payload:
        return None
    kept = draw(seed, frame_number, "truncate", len(payload))
    while text and payload[kept] & 0xC0 == 0x80:
        kept -= 1
    return payload[:kept], f"only {kept:,} of {len(payload):,} bytes came"


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def checksums_in(events: Sequence[Event]) -> list[int]:
    """Return the checksums that a message's events carry."""
    return [
        event.checksum
        for event in events
        if isinstance(event, BookDelta | BookSnapshot) and event.checksum is not None
    ]


def with_wrong_checksum(payload: bytes, events: Sequence[Event]) -> Spoilt | None:
    """Write another checksum in the place of the one that the message carries.

    None where it carries none, or writes it in a way of its own (compressed, say).
    """
    for checksum in checksums_in(events):
        text = str(checksum).encode()
        place = payload.rfind(text)
        if place >= 0:
            other = str(checksum ^ 1).encode()
            spoilt = payload[:place] + other + payload[place + len(text) :]
            return spoilt, f"the checksum {checksum} became {checksum ^ 1}"
    return None
