"""The exchanges' own hashes of a book, computed from the digits they sent.

- INTERLEAVED (OKX, OKCoin, Bitget, the reference protocol): bid and ask by rank, `price:size`,
  where one side is shorter the other goes on alone, all joined by the rule's separator.
- INTERLEAVED_SIGNED (Bitfinex): the same, the sizes of asks below zero.
- ASKS_THEN_BIDS (Kraken's book guide): asks best first, then bids best first; of each level the
  price and then the size, without the point and without leading zeros.

The CRC32 is read as signed or unsigned as the rule says. Trailing zeros count: stripped of them,
none of Kraken's or Bitget's checksums matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from book.order_book import OrderBook
from venues.event import Row
from venues.traits import ChecksumLayout, ChecksumRule


def book_checksum(book: OrderBook, rule: ChecksumRule) -> int:
    """Return the checksum of `book` under `rule`."""
    texts_of = _bare if rule.layout is ChecksumLayout.ASKS_THEN_BIDS else _joined
    bids = book.bids.top_texts(rule.levels, texts_of)
    if rule.layout is ChecksumLayout.INTERLEAVED_SIGNED:
        texts_of = _joined_negative
    asks = book.asks.top_texts(rule.levels, texts_of)
    if rule.layout is ChecksumLayout.ASKS_THEN_BIDS:
        text = "".join(asks) + "".join(bids)
    else:
        text = rule.separator.join(_by_rank(bids, asks))
    value = crc32(text.encode("ascii"))
    return value - (1 << 32) if rule.signed and value >= 1 << 31 else value


def _joined(rows: Sequence[Row]) -> list[str]:
    return [f"{price}:{size}" for price, size in rows]


def _joined_negative(rows: Sequence[Row]) -> list[str]:
    return [f"{price}:-{size}" for price, size in rows]


def _bare(rows: Sequence[Row]) -> list[str]:
    return [
        price.replace(".", "").lstrip("0") + size.replace(".", "").lstrip("0")
        for price, size in rows
    ]


def _by_rank(bids: list[str], asks: list[str]) -> list[str]:
    shared = min(len(bids), len(asks))
    ranks = [""] * (2 * shared)
    ranks[0::2] = bids[:shared]
    ranks[1::2] = asks[:shared]
    return ranks + bids[shared:] + asks[shared:]
