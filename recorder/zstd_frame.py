"""Where a zstd frame ends, found without decoding it.

A journal is untrusted until it is checked, and a zstd frame's own words about its size cannot be
believed: 8 kB may claim 1 TiB. This reads only the frame header and the three-byte block headers
(RFC 8878, sections 3.1.1.1 and 3.1.1.2), so that the exact bytes of a frame are known, and the
memory that decoding it needs is bounded, before anything is decoded.
"""

from __future__ import annotations

import zstandard

MAGIC = b"\x28\xb5\x2f\xfd"

WINDOW_BYTES_MAX = 8 << 20
CONTENT_BYTES_MAX = 64 << 20
FRAME_BYTES_MAX = CONTENT_BYTES_MAX + (1 << 20)
"""An encoder stores what it cannot compress: 3 bytes more for each 128 KiB, far below 1 MiB."""

_BLOCK_HEADER_BYTES = 3
_CHECKSUM_BYTES = 4
_HEADER_BYTES_MAX = 18
_BLOCK_BYTES_MAX = 128 << 10
_BLOCK_RLE = 1
_BLOCK_RESERVED = 3


class ZstdFrameError(ValueError):
    """Bytes that are no whole block of ours. The text says why, for a person."""


def frame_end(data: memoryview) -> int | None:
    """Return how many bytes the zstd frame at the beginning of `data` has.

    None where the frame goes on beyond `data`.

    Raises:
        ZstdFrameError: it is no frame, has no checksum or content size, or asks for too much.
    """
    if data[:4] != MAGIC[: len(data)]:
        raise ZstdFrameError("bytes that begin no block")
    if len(data) < _HEADER_BYTES_MAX:
        # The smallest block ever written is longer than the longest header.
        return None
    position = _check_header(data)
    while True:
        if position + _BLOCK_HEADER_BYTES > len(data):
            return None
        header = int.from_bytes(data[position : position + _BLOCK_HEADER_BYTES], "little")
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        if kind == _BLOCK_RESERVED or size > _BLOCK_BYTES_MAX:
            raise ZstdFrameError("a zstd block that no encoder writes")
        position += _BLOCK_HEADER_BYTES + (1 if kind == _BLOCK_RLE else size)
        if last:
            position += _CHECKSUM_BYTES
            return position if position <= len(data) else None


def _check_header(data: memoryview) -> int:
    head = data[:_HEADER_BYTES_MAX].tobytes()
    try:
        parameters = zstandard.get_frame_parameters(head)
        header_bytes = zstandard.frame_header_size(head)
    except zstandard.ZstdError as error:
        raise ZstdFrameError("an unreadable zstd frame header") from error
    if not parameters.has_checksum:
        raise ZstdFrameError("a zstd frame without a checksum")
    if parameters.dict_id:
        raise ZstdFrameError("a zstd frame that wants a dictionary")
    if parameters.content_size == zstandard.CONTENTSIZE_UNKNOWN:
        raise ZstdFrameError("a zstd frame without its content size")
    if parameters.content_size > CONTENT_BYTES_MAX:
        raise ZstdFrameError(
            f"a block that claims {parameters.content_size:,} bytes "
            f"(a journal's blocks have at most {CONTENT_BYTES_MAX:,})"
        )
    # A single-segment frame has its content size for a window: that is bounded above already.
    if not data[4] & 0x20 and parameters.window_size > WINDOW_BYTES_MAX:
        raise ZstdFrameError(f"a zstd window of {parameters.window_size:,} bytes")
    return header_bytes


def decode(frame: memoryview) -> bytes:
    """Return the content of one whole zstd frame that `frame_end` has accepted.

    Raises:
        ZstdFrameError: it does not decode, or its checksum is wrong.
    """
    try:
        return zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ZstdFrameError("a block whose checksum or content is wrong") from error
