"""The exchanges' own hashes of a book, computed from the digits they sent.

- INTERLEAVED (OKX, OKCoin, Bitget, the reference protocol): bid and ask by rank, `price:size`,
  where one side is shorter the other goes on alone, all joined by the rule's separator.
- ASKS_THEN_BIDS (Kraken's book guide): asks best first, then bids best first; of each level the
  price and then the size, without the point and without leading zeros.

The CRC32 is read as signed or unsigned as the rule says. Trailing zeros count: stripped of them,
none of Kraken's or Bitget's checksums matches.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from zlib import crc32

from book.order_book import OrderBook
from venues.event import Row
from venues.traits import ChecksumLayout, ChecksumRule


def book_checksum(book: OrderBook, rule: ChecksumRule) -> int:
    """Return the checksum of `book` under `rule`."""
    bids, asks = book.bids.top(rule.levels), book.asks.top(rule.levels)
    if rule.layout is ChecksumLayout.INTERLEAVED:
        ranks = chain.from_iterable(zip_longest(bids, asks))
        text = rule.separator.join(f"{row[0]}:{row[1]}" for row in ranks if row is not None)
    else:
        text = "".join(_bare(row) for row in chain(asks, bids))
    value = crc32(text.encode("ascii"))
    return value - (1 << 32) if rule.signed and value >= 1 << 31 else value


def _bare(row: Row) -> str:
    price, size = row
    return price.replace(".", "").lstrip("0") + size.replace(".", "").lstrip("0")
