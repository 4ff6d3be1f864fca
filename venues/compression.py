"""Messages that an exchange packs itself (HTX: gzip in binary frames)."""

from __future__ import annotations

import zlib

UNPACKED_BYTES_MAX = 32 * 2**20
_GZIP_BEGINNING = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def unpacked(payload: bytes) -> bytes:
    """Return what a gzip payload holds; any other payload as it is.

    Raises:
        ValueError: it is damaged, cut short, or would become larger than 32 MiB.
    """
    if not payload.startswith(_GZIP_BEGINNING):
        return payload
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = unpacker.decompress(payload, UNPACKED_BYTES_MAX)
    except zlib.error as error:
        raise ValueError(f"it is damaged gzip ({error})") from error
    if unpacker.unconsumed_tail:
        raise ValueError(f"it unpacks to more than {UNPACKED_BYTES_MAX:,} bytes")
    if not unpacker.eof:
        raise ValueError("it is gzip, cut short")
    return content


def unpacked_beginning(payload: bytes, size: int) -> bytes:
    """Return at most `size` bytes of what a payload holds, for less than all would cost.

    Raises:
        ValueError: it is damaged.
    """
    if not payload.startswith(_GZIP_BEGINNING):
        return payload[:size]
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(payload, size)
    except zlib.error as error:
        raise ValueError(f"it is damaged gzip ({error})") from error


def packed(content: bytes) -> bytes:
    """Return `content` as gzip, the same bytes each time."""
    packer = zlib.compressobj(wbits=_GZIP_WINDOW)
    return packer.compress(content) + packer.flush()
