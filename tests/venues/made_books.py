"""Books of venues of which no recording is at hand: messages that follow each other by its rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from venues.compression import packed
from venues.marker import HttpResponse, http_payload
from venues.registry import venue_named

LENGTH = 12


def _chain(make: Callable[[int], dict[str, object]]) -> list[bytes]:
    return [json.dumps(make(number)).encode() for number in range(LENGTH)]


def _rows(number: int) -> tuple[list[list[str]], list[list[str]]]:
    """The n-th change: a level that no other change touches, and the one before it deleted."""
    bids = [[f"{100 - number}.5", f"{number + 1}"]]
    asks = [[f"{200 + number}.5", f"{number + 2}"]]
    return bids, asks


def _bybit() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = _rows(number)
        kind = "delta" if number else "snapshot"
        fields = {"s": "BTCUSDT", "b": bids, "a": asks, "u": 50 + number, "seq": 7 * number}
        return {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1, "data": fields}

    return _chain(message)


def _cryptocom() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = ([[*row, "1"] for row in rows] for rows in _rows(number))
        levels: dict[str, object] = {"bids": bids, "asks": asks}
        numbers = {"t": 1, "u": 10 + 3 * number}
        if number:
            levels, numbers = {"update": levels}, numbers | {"pu": 7 + 3 * number}
        result = {
            "instrument_name": "BTC_USDT",
            "subscription": "book.BTC_USDT.50",
            "channel": "book.update" if number else "book",
            "data": [levels | numbers],
        }
        return {"id": -1, "method": "subscribe", "code": 0, "result": result}

    return _chain(message)


def _dydx() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = _rows(number)
        return {
            "type": "channel_data" if number else "subscribed",
            "message_id": number + 1,
            "channel": "v4_orderbook",
            "id": "BTC-USD",
            "contents": {"bids": bids, "asks": asks},
        }

    # A number may come late by as many frames as the venue says: a hole shows only after them.
    reordered = venue_named("dydx").traits.sequence_reorder_max
    last = {"type": "channel_data", "channel": "v4_block_height", "contents": {}}
    more = [{**last, "message_id": LENGTH + 1 + each} for each in range(reordered + 2)]
    return _chain(message) + [json.dumps(each).encode() for each in more]


def _coinbase() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = _rows(number)
        sides = [("bid", row) for row in bids] + [("offer", row) for row in asks]
        updates = [
            {"side": side, "event_time": _TIME, "price_level": price, "new_quantity": size}
            for side, (price, size) in sides
        ]
        kind = "update" if number else "snapshot"
        event = {"type": kind, "product_id": "BTC-USD", "updates": updates}
        return {
            "channel": "l2_data",
            "client_id": "",
            "timestamp": _TIME,
            "sequence_num": number,
            "events": [event],
        }

    return _chain(message)


_TIME = "2026-11-22T10:00:00.000000Z"


def _okx() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = ([[*row, "0", "1"] for row in rows] for rows in _rows(number))
        numbers = {"seqId": 10 + 3 * number, "prevSeqId": 7 + 3 * number if number else -1}
        fields = {"bids": bids, "asks": asks, "ts": "1", "checksum": 0, **numbers}
        arg = {"channel": "books", "instId": "BTC-USD"}
        return {"arg": arg, "action": "update" if number else "snapshot", "data": [fields]}

    return _chain(message)


def _bitget() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = _rows(number)
        numbers = {"seq": 10 + 3 * number, "pseq": 7 + 3 * number if number else 0}
        fields = {"b": bids, "a": asks, "ts": "1", "checksum": 0, **numbers}
        arg = {"instType": "usdt-futures", "topic": "books", "symbol": "BTCUSDT"}
        action = "update" if number else "snapshot"
        return {"arg": arg, "action": action, "data": [fields], "ts": 1}

    return _chain(message)


def _gemini() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = _rows(number)
        last = 10 + 3 * number
        first = last - 3 if number else last
        ids = {"U": first, "u": last}
        return {"e": "depthUpdate", "E": 1, "s": "btcusd", **ids, "b": bids, "a": asks}

    return _chain(message)


def _gateio_futures() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = (
            [{"p": price, "s": int(size)} for price, size in rows] for rows in _rows(number)
        )
        ids = {"U": 10 + 3 * number, "u": 12 + 3 * number}
        result = {"t": 1, "s": "BTC_USDT", **ids, "b": bids, "a": asks}
        head = {"time": 1, "channel": "futures.order_book_update", "event": "update"}
        return {**head, "result": result}

    body = {"id": 11, "current": 1.5, "update": 1.5, "asks": [], "bids": [{"p": "1.5", "s": 7}]}
    head = HttpResponse("GET", "", 200, "book snapshot", "BTC_USDT")
    first, *rest = _chain(message)
    return [first, http_payload(head, json.dumps(body).encode()), *rest]


def _htx() -> list[bytes]:
    def message(number: int) -> dict[str, object]:
        bids, asks = ([[float(each) for each in row] for row in rows] for rows in _rows(number))
        ids = {"seqNum": 13 + 3 * number, "prevSeqNum": 10 + 3 * number}
        return {
            "ch": "market.btcusdt.mbp.150",
            "ts": 1,
            "tick": {**ids, "bids": bids, "asks": asks},
        }

    book = {"seqNum": 13, "bids": [[1.5, 7]], "asks": [[999.5, 7]]}
    answer = {"id": "1", "status": "ok", "ts": 1, "rep": "market.btcusdt.mbp.150", "data": book}
    first, *rest = _chain(message)
    return [packed(each) for each in (first, json.dumps(answer).encode(), *rest)]


def _htx_swap() -> list[bytes]:
    channel = "market.BTC-USDT.depth.size_150.high_freq"

    def message(number: int) -> dict[str, object]:
        bids, asks = ([[float(each) for each in row] for row in rows] for rows in _rows(number))
        event = "update" if number else "snapshot"
        ids = {"ch": channel, "event": event, "version": 30 + number, "ts": 1}
        return {"ch": channel, "ts": 1, "tick": {**ids, "bids": bids, "asks": asks}}

    return [packed(each) for each in _chain(message)]


MADE: Mapping[str, Callable[[], list[bytes]]] = {
    "bybit-spot": _bybit,
    "bybit-linear": _bybit,
    "bybit-inverse": _bybit,
    "cryptocom": _cryptocom,
    "dydx": _dydx,
    "coinbase": _coinbase,
    "okcoin": _okx,
    "bitget": _bitget,
    "gemini": _gemini,
    "gateio-futures": _gateio_futures,
    "htx": _htx,
    "htx-swap": _htx_swap,
}
"""Books of venues of which no recording is at hand."""
