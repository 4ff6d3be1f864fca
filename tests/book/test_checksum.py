"""The exchanges' checksums, on books made by hand and on messages that they really sent.

The real messages are decoded here by the standard library, so that nothing of ours but the levels
and the checksum is between the exchange's bytes and its number.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from book.checksum import book_checksum
from book.order_book import OrderBook
from tests.real_data import REAL_DATA, needs_real_data
from venues.event import Row
from venues.traits import ChecksumLayout, ChecksumRule

REFERENCE = ChecksumRule(ChecksumLayout.INTERLEAVED, levels=25, signed=False, separator="|")
OKX = ChecksumRule(ChecksumLayout.INTERLEAVED, levels=25, signed=True, separator=":")
KRAKEN = ChecksumRule(ChecksumLayout.ASKS_THEN_BIDS, levels=10, signed=False)


def _crc32(text: bytes) -> int:
    """The CRC of ISO 3309, bit by bit from its definition."""
    register = 0xFFFFFFFF
    for byte in text:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def _book(bids: list[Row], asks: list[Row]) -> OrderBook:
    book = OrderBook()
    book.replace(bids, asks)
    return book


def test_sides_are_interleaved_by_rank_and_the_longer_one_goes_on_alone() -> None:
    book = _book([("99.5", "1.0"), ("100.5", "2")], [("100.6", "1")])
    assert book_checksum(book, REFERENCE) == _crc32(b"100.5:2|100.6:1|99.5:1.0")
    assert book_checksum(_book([], [("2", "1"), ("3", "1")]), REFERENCE) == _crc32(b"2:1|3:1")


def test_a_signed_checksum_is_below_zero_where_the_highest_bit_is_set() -> None:
    seen = set[bool]()
    for size in range(1, 20):
        unsigned = _crc32(f"2:{size}:3:1".encode())
        seen.add(unsigned >= 1 << 31)
        signed = book_checksum(_book([("2", str(size))], [("3", "1")]), OKX)
        assert signed == int.from_bytes(unsigned.to_bytes(4, "big"), "big", signed=True)
    assert seen == {True, False}


def test_an_empty_book_has_the_checksum_of_nothing() -> None:
    assert book_checksum(OrderBook(), REFERENCE) == 0
    assert book_checksum(OrderBook(), KRAKEN) == 0


def test_levels_beyond_the_rule_do_not_count() -> None:
    bids = [(str(price), "1") for price in range(100, 60, -1)]
    assert book_checksum(_book(bids, []), REFERENCE) == book_checksum(
        _book(bids[:25], []), REFERENCE
    )
    text = "|".join(f"{price}:1" for price in range(100, 75, -1))
    assert book_checksum(_book(bids, []), REFERENCE) == _crc32(text.encode())


def test_trailing_zeros_count() -> None:
    short, long = _book([("1.5", "2.0")], []), _book([("1.50", "2.0")], [])
    assert book_checksum(short, REFERENCE) != book_checksum(long, REFERENCE)


def test_asks_come_first_without_point_and_leading_zeros() -> None:
    book = _book([("0.05000", "0.00000500")], [("0.05005", "0.00000500")])
    assert book_checksum(book, KRAKEN) == _crc32(b"5005" + b"500" + b"5000" + b"500")


# What exchanges really sent.


def _lines(name: str) -> Iterator[str]:
    with gzip.open(REAL_DATA / "feeds" / name, "rt") as lines:
        for line in lines:
            head, separator, text = line.strip().partition(": ")
            if separator and not head.startswith("wss"):
                yield text


def _pairs(rows: list[list[str]]) -> list[Row]:
    return [(row[0], row[1]) for row in rows]


@needs_real_data
def test_every_kraken_checksum_of_the_present_protocol_verifies() -> None:
    book, verified = OrderBook(), 0
    capture = REAL_DATA / "captures" / "kraken_v2_book_10_20260824.jsonl"
    for line in capture.read_text().splitlines():
        message = json.loads(line, parse_float=str, parse_int=str)
        if message.get("channel") != "book":
            continue
        (data,) = message["data"]
        sides = [[(each["price"], each["qty"]) for each in data[side]] for side in ("bids", "asks")]
        if message["type"] == "snapshot":
            book.replace(*sides)
        else:
            book.apply(*sides)
        book.trim(10)
        book._check()
        assert str(book_checksum(book, KRAKEN)) == data["checksum"]
        verified += 1
    assert verified == 4


@needs_real_data
def test_every_kraken_checksum_of_the_first_protocol_verifies() -> None:
    books: dict[str, OrderBook] = {}
    verified = 0
    for text in _lines("KRAKEN.ws.50.0.gz"):
        message = json.loads(text)
        if not isinstance(message, list) or not message[-2].startswith("book"):
            continue
        data: dict[str, Any] = {}
        for part in message[1:-2]:
            data |= part
        book = books.setdefault(message[-1], OrderBook())
        if "as" in data:
            book.replace(_pairs(data["bs"]), _pairs(data["as"]))
            continue
        book.apply(_pairs(data.get("b", [])), _pairs(data.get("a", [])))
        book.trim(1000)
        assert str(book_checksum(book, KRAKEN)) == data["c"]
        verified += 1
    assert verified > 1_000


@needs_real_data
@pytest.mark.parametrize(
    ("feed", "least"), [("OKX.ws.1.0.gz", 20), ("OKCOIN.ws.1.0.gz", 5), ("BITGET.ws.1.0.gz", 300)]
)
def test_every_signed_checksum_verifies(feed: str, least: int) -> None:
    books: dict[str, OrderBook] = {}
    verified = 0
    for text in _lines(feed):
        message = json.loads(text) if text.startswith("{") else {}
        if message.get("arg", {}).get("channel") != "books" or "data" not in message:
            continue
        (data,) = message["data"]
        book = books.setdefault(message["arg"]["instId"], OrderBook())
        change = book.replace if message["action"] == "snapshot" else book.apply
        change(_pairs(data["bids"]), _pairs(data["asks"]))
        assert book_checksum(book, OKX) == data["checksum"]
        verified += 1
    assert verified >= least
