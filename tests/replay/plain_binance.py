"""Binance lines, read again in the plainest way: the standard library and dicts, nothing of ours.

It takes the exchange's word for everything and so shows what a right engine must find.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

_QUOTE_ID = re.compile(rb'"u":(\d+)')


@dataclass
class PlainBook:
    """What the lines of one file say."""

    quote_ids: frozenset[int]
    lines: int = 0
    deltas: int = 0
    level_updates: int = 0
    quotes: int = 0
    trades: int = 0
    bids: dict[Decimal, tuple[str, str]] = field(default_factory=dict)
    asks: dict[Decimal, tuple[str, str]] = field(default_factory=dict)
    last_id: int | None = None
    quote_checks: int = 0
    trade_ids: list[int] = field(default_factory=list)
    tops: dict[int, list[tuple[str, str] | None]] = field(default_factory=dict)
    quoted: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    contradicted: int = 0
    _early: list[dict[str, Any]] = field(default_factory=list)

    def best(self) -> list[tuple[str, str] | None]:
        return [
            self.bids[max(self.bids)] if self.bids else None,
            self.asks[min(self.asks)] if self.asks else None,
        ]

    def take(self, message: dict[str, Any]) -> None:
        if "stream" not in message:
            self.last_id = message["lastUpdateId"]
            self._change(message["bids"], message["asks"])
            for delta in self._early:
                self._delta(delta)
            return
        data, stream = message["data"], message["stream"]
        if "@depth" in stream:
            self.deltas += 1
            self.level_updates += len(data["b"]) + len(data["a"])
            if self.last_id is None:
                self._early.append(data)
            else:
                self._delta(data)
        elif "@bookTicker" in stream:
            self.quotes += 1
            self.quoted[data["u"]] = [(data["b"], data["B"]), (data["a"], data["A"])]
        elif "@trade" in stream:
            self.trades += 1
            self.trade_ids.append(data["t"])

    def _delta(self, data: dict[str, Any]) -> None:
        assert self.last_id is not None
        if data["u"] < self.last_id:
            return
        self._change(data["b"], data["a"])
        if data["u"] in self.quote_ids:
            self.tops[data["u"]] = self.best()

    def _change(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        for levels, rows in ((self.bids, bids), (self.asks, asks)):
            for price, size in rows:
                if Decimal(size):
                    levels[Decimal(price)] = (price, size)
                else:
                    levels.pop(Decimal(price), None)


def read_plainly(path: Path) -> PlainBook:
    lines = gzip.decompress(path.read_bytes()).splitlines()
    quotes = (_QUOTE_ID.search(line) for line in lines if b"@bookTicker" in line)
    book = PlainBook(frozenset(int(found[1]) for found in quotes if found))
    for line in lines:
        book.lines += 1
        book.take(json.loads(line.split(b" ", 1)[1]))
    for update_id in book.quoted.keys() & book.tops.keys():
        book.quote_checks += 1
        book.contradicted += book.quoted[update_id] != book.tops[update_id]
    return book
