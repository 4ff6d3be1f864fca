"""A Bybit v5 linear stream made by an exchange of a few lines, with a plain book of its own."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from tests.replay.exchange_client import Piece, opened, text
from venues.frame import FrameKind
from venues.marker import HttpResponse, http_payload

VENUE = "bybit-linear"
PATH = "/v5/public/linear"
TOPIC = "orderbook.50.BTCUSDT"
START_MS = 1_800_000_000_000
FIRST_UPDATE_ID = 1_000
INSTRUMENTS = {
    "retCode": 0,
    "retMsg": "OK",
    "result": {
        "category": "linear",
        "list": [
            {
                "symbol": "BTCUSDT",
                "contractType": "LinearPerpetual",
                "status": "Trading",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "settleCoin": "USDT",
                "launchTime": "1585526400000",
                "deliveryTime": "0",
                "priceScale": "2",
                "priceFilter": {"minPrice": "0.10", "maxPrice": "199999.80", "tickSize": "0.10"},
                "lotSizeFilter": {
                    "maxOrderQty": "100.000",
                    "minOrderQty": "0.001",
                    "qtyStep": "0.001",
                },
                "leverageFilter": {
                    "minLeverage": "1",
                    "maxLeverage": "100",
                    "leverageStep": "0.01",
                },
            }
        ],
    },
}


class MadeExchange:
    """One market: prices in tenths, sizes in thousandths."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._mid = 650_000
        self._update_id = FIRST_UPDATE_ID
        self.bids = {self._mid - 1 - step: self._size() for step in range(60)}
        self.asks = {self._mid + 1 + step: self._size() for step in range(60)}

    def _size(self) -> int:
        return self._random.randint(1, 90_000)

    def snapshot(self) -> bytes:
        return self._message("snapshot", *self._window(), 0)

    def messages(self, deltas: int) -> Iterator[bytes]:
        for number in range(1, deltas + 1):
            yield self.delta(number)
            if number % 7 == 0:
                yield self.trade(number)

    def delta(self, number: int) -> bytes:
        before = self._window()
        self._mid += self._random.choice((-2, -1, 0, 0, 0, 1, 2))
        for _ in range(4):
            self.bids[self._mid - self._random.randint(1, 70)] = self._size()
            self.asks[self._mid + self._random.randint(1, 70)] = self._size()
        self.bids = {price: size for price, size in self.bids.items() if price < self._mid}
        self.asks = {price: size for price, size in self.asks.items() if price > self._mid}
        for step in range(1, 61):
            self.bids.setdefault(self._mid - step, self._size())
            self.asks.setdefault(self._mid + step, self._size())
        self._update_id += 1
        changes = [_changes(*sides) for sides in zip(before, self._window(), strict=True)]
        return self._message("delta", changes[0], changes[1], number)

    def trade(self, number: int) -> bytes:
        row = {
            "T": START_MS + 20 * number,
            "s": "BTCUSDT",
            "S": self._random.choice(("Buy", "Sell")),
            "v": _digits(self._size(), 3),
            "p": _digits(self._mid, 1),
            "L": "PlusTick",
            "i": f"trade-{number}",
            "BT": False,
        }
        body = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": row["T"], "data": [row]}
        return json.dumps(body, separators=(",", ":")).encode()

    def book(self) -> tuple[list[list[float]], list[list[float]]]:
        """Return both sides as floats, best first, as clients of it keep them."""
        bids, asks = self._window()
        return (
            [[price / 10, size / 1000] for price, size in bids.items()],
            [[price / 10, size / 1000] for price, size in asks.items()],
        )

    def _window(self) -> tuple[dict[int, int], dict[int, int]]:
        bids = sorted(self.bids.items(), reverse=True)[:50]
        asks = sorted(self.asks.items())[:50]
        return dict(bids), dict(asks)

    def _message(self, kind: str, bids: dict[int, int], asks: dict[int, int], number: int) -> bytes:
        time_ms = START_MS + 20 * number
        state = {
            "s": "BTCUSDT",
            "b": [[_digits(price, 1), _digits(size, 3)] for price, size in bids.items()],
            "a": [[_digits(price, 1), _digits(size, 3)] for price, size in asks.items()],
            "u": self._update_id,
            "seq": 7_000_000 + 3 * self._update_id,
        }
        body = {"topic": TOPIC, "type": kind, "ts": time_ms, "data": state, "cts": time_ms - 3}
        return json.dumps(body, separators=(",", ":")).encode()


def _changes(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    gone = {price: 0 for price in before if price not in after}
    return gone | {price: size for price, size in after.items() if before.get(price) != size}


def _digits(value: int, decimals: int) -> str:
    whole, part = divmod(value, 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if value else "0"


def pieces(exchange: MadeExchange, deltas: int) -> list[Piece]:
    """Return a recording of it: opened, instruments, asked, acknowledged, messages."""
    url = "https://api.bybit.com/v5/market/instruments-info?category=linear&symbol=BTCUSDT"
    head = HttpResponse("GET", url, 200, "instruments", "BTCUSDT")
    answer = http_payload(head, json.dumps(INSTRUMENTS).encode())
    asked = json.dumps({"op": "subscribe", "args": [TOPIC, "publicTrade.BTCUSDT"]}).encode()
    taken = b'{"success":true,"ret_msg":"","conn_id":"c","req_id":"","op":"subscribe"}'
    made = [
        opened(PATH),
        Piece(FrameKind.HTTP, answer),
        Piece(FrameKind.SENT, asked),
        text(taken),
        text(exchange.snapshot()),
        *map(text, exchange.messages(deltas)),
    ]
    return [piece._replace(venue=VENUE) for piece in made]
