"""Every frame of the real recordings decodes to what a plain reading of its JSON says."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import http_frame, text_frame
from venues.errors import DecodeError
from venues.event import BookDelta, BookSnapshot, Notice, NoticeKind, Quote, Side, Trade
from venues.registry import venue_named

pytestmark = needs_real_data

MS = 1_000_000


def lines(name: str) -> Iterator[bytes]:
    with gzip.open(REAL_DATA / "binance" / name) as file:
        for line in file:
            yield line.rstrip(b"\n").split(b" ", 1)[1]


def rows(levels: list[list[str]]) -> list[tuple[str, str]]:
    return [(price, size) for price, size in levels]


def fields(event: object) -> dict[str, Any]:
    told = msgspec.structs.asdict(event)  # type: ignore[arg-type]
    del told["receive_time_ns"]
    return told


def depth_by_hand(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": data["s"],
        "exchange_time_ns": data["E"] * MS,
        "bids": rows(data["b"]),
        "asks": rows(data["a"]),
        "first_sequence": data["U"],
        "sequence": data["u"],
        "previous_sequence": data.get("pu"),
        "checksum": None,
        "row_sequences": None,
        "level_ids": None,
    }


def quote_by_hand(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": data["s"],
        "exchange_time_ns": data["E"] * MS if "E" in data else None,
        "bid_price_text": data["b"],
        "bid_size_text": data["B"],
        "ask_price_text": data["a"],
        "ask_size_text": data["A"],
        "sequence": data["u"],
    }


def trade_by_hand(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": data["s"],
        "exchange_time_ns": data["T"] * MS,
        "price_text": data["p"],
        "size_text": data["q"],
        "aggressor_side": Side.SELL if data["m"] else Side.BUY,
        "trade_id": str(data["t"]),
        "trade_number": data["t"],
        "aggregate": False,
        "off_market": False,
        "history": False,
    }


def snapshot_by_hand(data: dict[str, Any], symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "exchange_time_ns": data["E"] * MS if "E" in data else None,
        "bids": rows(data["bids"]),
        "asks": rows(data["asks"]),
        "sequence": data["lastUpdateId"],
        "checksum": None,
        "unjoined": True,
        "level_ids": None,
        "alone": False,
    }


BY_HAND: dict[str, tuple[type[object], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "depth": (BookDelta, depth_by_hand),
    "bookTicker": (Quote, quote_by_hand),
    "trade": (Trade, trade_by_hand),
}


@pytest.mark.parametrize(
    ("venue", "file", "symbol", "counts"),
    [
        (
            "binance-spot",
            "spot_btcusdt_20240808.gz",
            "BTCUSDT",
            {"depth": 3451, "bookTicker": 28040, "trade": 9757, "snapshot": 1},
        ),
        (
            "binance-usdm",
            "usdm_btcusdt_20240808.gz",
            "BTCUSDT",
            {"depth": 6551, "bookTicker": 66089, "trade": 21313, "snapshot": 1},
        ),
        (
            "binance-coinm",
            "coinm_btcusd_perp_20240808.gz",
            "BTCUSD_PERP",
            {"depth": 26847, "bookTicker": 19136, "trade": 2286, "snapshot": 1},
        ),
    ],
)
def test_every_binance_frame_means_what_its_json_says(
    venue: str, file: str, symbol: str, counts: dict[str, int]
) -> None:
    decode = venue_named(venue).decode
    seen: Counter[str] = Counter()
    trade_numbers: list[int] = []
    for payload in lines(file):
        message = json.loads(payload)
        if "stream" not in message:
            (event,) = decode(http_frame(payload, symbol))
            assert type(event) is BookSnapshot
            assert fields(event) == snapshot_by_hand(message, symbol)
            seen["snapshot"] += 1
            continue
        stream, data = message["stream"].split("@")[1], message["data"]
        kind, by_hand = BY_HAND[stream]
        (event,) = decode(text_frame(payload))
        assert type(event) is kind
        assert fields(event) == by_hand(data)
        seen[stream] += 1
        if stream == "trade":
            trade_numbers.append(fields(event)["trade_number"])
    assert seen == counts
    first = trade_numbers[0]
    assert trade_numbers == list(range(first, first + counts["trade"]))


def test_the_level_updates_of_the_usdm_file_are_all_decoded() -> None:
    """What the depth messages hold; the 2,000 levels of the REST snapshot are not among them."""
    decode = venue_named("binance-usdm").decode
    updates, volume = 0, Decimal(0)
    for payload in lines("usdm_btcusdt_20240808.gz"):
        if not payload.startswith(b'{"stream"'):
            continue
        for event in decode(text_frame(payload)):
            if isinstance(event, BookDelta):
                updates += len(event.bids) + len(event.asks)
            elif isinstance(event, Trade):
                volume += event.size
    plain_updates, plain_volume = 0, Decimal(0)
    for payload in lines("usdm_btcusdt_20240808.gz"):
        data = json.loads(payload).get("data", {})
        if data.get("e") == "depthUpdate":
            plain_updates += len(data["b"]) + len(data["a"])
        elif data.get("e") == "trade":
            plain_volume += Decimal(data["q"])
    assert updates == plain_updates == 443_521
    assert volume == plain_volume


def test_the_bybit_capture_is_a_snapshot_and_eight_deltas_in_sequence() -> None:
    (path,) = (REAL_DATA / "captures").glob("bybit*.jsonl")
    decode = venue_named("bybit-spot").decode
    messages = path.read_bytes().splitlines()
    events = [event for message in messages for event in decode(text_frame(message))]
    assert isinstance(events[0], Notice)
    assert events[0].kind is NoticeKind.ACKNOWLEDGED
    assert [type(event) for event in events[1:]] == [BookSnapshot] + [BookDelta] * 8
    sequences = []
    for event, message in zip(events[1:], map(json.loads, messages[1:]), strict=True):
        assert isinstance(event, BookSnapshot | BookDelta)
        assert (event.symbol, event.sequence) == ("BTCUSDT", message["data"]["u"])
        assert event.exchange_time_ns == message["cts"] * MS
        assert event.bids == rows(message["data"]["b"])
        assert event.asks == rows(message["data"]["a"])
        sequences.append(event.sequence)
    assert sequences == list(range(217107084, 217107093))


def test_the_retired_protocol_of_2021_is_refused_or_passed_over_but_never_misread() -> None:
    decode = venue_named("bybit-inverse").decode
    counts: Counter[str] = Counter()
    with gzip.open(REAL_DATA / "feeds" / "BYBIT.ws.26.0.gz") as file:
        received = [line.split(b": ", 1)[1] for line in file if line[:1].isdigit()]
    for payload in received:
        try:
            events = decode(text_frame(payload.strip()))
        except (DecodeError, msgspec.MsgspecError):
            counts["refused"] += 1
            continue
        assert all(isinstance(event, Notice) for event in events)
        counts["passed over"] += 1
    assert sum(counts.values()) == len(received) > 100
