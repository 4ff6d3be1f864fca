"""What the simulated exchange says of its markets, in the `reference` protocol's own shapes.

The checksum is the unsigned CRC32 of the best 25 levels, bid and ask interleaved by rank, each
`price:size` in the exchange's digits, joined by `|`; a shorter side is passed over.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from venues.event import Row, Side

VENUE = "reference"
DEPTH = 50
CHECKSUM_LEVELS = 25

SIDE_WORDS = {Side.BUY: "Buy", Side.SELL: "Sell"}


def book_topic(symbol: str, depth: int = DEPTH) -> str:
    """Return the topic of a symbol's book."""
    return f"orderbook.{depth}.{symbol}"


def trade_topic(symbol: str) -> str:
    """Return the topic of a symbol's trades."""
    return f"publicTrade.{symbol}"


def liquidation_topic(symbol: str) -> str:
    """Return the topic of a symbol's liquidations."""
    return f"allLiquidation.{symbol}"


def checksum(bids: Sequence[Row], asks: Sequence[Row]) -> int:
    """Return the checksum of a book, best levels first."""
    ranks = zip_longest(bids[:CHECKSUM_LEVELS], asks[:CHECKSUM_LEVELS])
    parts = [f"{row[0]}:{row[1]}" for rank in ranks for row in rank if row is not None]
    return zlib.crc32("|".join(parts).encode())


def book_payload(
    symbol: str,
    kind: str,
    sequence: int,
    rows: tuple[Sequence[Row], Sequence[Row]],
    book_checksum: int,
    *,
    depth: int = DEPTH,
) -> bytes:
    """Return a book message; `kind` is `snapshot` or `delta`, `rows` are bids and asks."""
    bids, asks = rows
    stated = {"seq": sequence, "bids": bids, "asks": asks, "checksum": book_checksum}
    return msgspec.json.encode({"topic": book_topic(symbol, depth), "type": kind, "data": stated})


def trade_payload(
    symbol: str, time_ms: int, aggressor: Side, fills: Sequence[tuple[Row, str]]
) -> bytes:
    """Return a trade message; each fill is a (price, size) row and the trade's id."""
    trades = [
        {"T": time_ms, "p": price, "v": size, "S": SIDE_WORDS[aggressor], "i": trade_id}
        for (price, size), trade_id in fills
    ]
    return msgspec.json.encode({"topic": trade_topic(symbol), "data": trades})


def liquidation_payload(symbol: str, time_ms: int, order_side: Side, row: Row) -> bytes:
    """Return a liquidation message; the order's side is Sell where a long was liquidated."""
    stated = {
        "symbol": symbol,
        "side": SIDE_WORDS[order_side],
        "price": row[0],
        "qty": row[1],
        "updatedTime": time_ms,
    }
    return msgspec.json.encode({"topic": liquidation_topic(symbol), "data": stated})
