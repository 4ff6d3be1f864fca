"""BitMEX: every message file, field by field."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)

NAME, XBT = "bitmex", "XBTUSD"
R = RECEIVED_NS
S, MS = 1_000_000_000, 1_000_000
# 2024-11-24T00:00:00Z, by `date -u -d 2024-11-24 +%s`.
NOV_24 = 1_732_406_400 * S
NOV_25 = NOV_24 + 86_400 * S


def at(day_ns: int, hours: int, minutes: int, seconds: int, milliseconds: int) -> int:
    return day_ns + ((hours * 60 + minutes) * 60 + seconds) * S + milliseconds * MS


def information(text: str) -> Notice:
    return Notice("", R, None, NoticeKind.INFORMATION, text)


TEN_BIDS = (
    ("98490.3", "22400"),
    ("98485.4", "26000"),
    ("98485.3", "60000"),
    ("98482.2", "1600"),
    ("98482.1", "5000"),
    ("98480.8", "300"),
    ("98480.0", "7800"),
    ("98479.9", "20500"),
    ("98476.7", "2000"),
    ("98476.6", "2000"),
)
TEN_ASKS = (
    ("98490.4", "17600"),
    ("98490.6", "7200"),
    ("98493.5", "300"),
    ("98499.7", "2400"),
    ("98499.8", "8100"),
    ("98499.9", "6700"),
    ("98500.0", "200"),
    ("98501.0", "22400"),
    ("98504.8", "1000"),
    ("98504.9", "6200"),
)
# By file: table, action, and the events of its row.
FILES: dict[str, tuple[str, str, list[Event]]] = {
    "ws_execution": ("execution", "insert", [information("execution")]),
    "ws_execution_cancel_reject": ("execution", "insert", [information("execution")]),
    "ws_funding_rate": (
        "funding",
        "partial",
        [Ticker(XBT, R, at(NOV_25, 4, 0, 0, 0), None, None, None, "0.0001")],
    ),
    "ws_instrument": (
        "instrument",
        "partial",
        [
            Ticker(
                XBT,
                R,
                at(NOV_25, 12, 0, 0, 0),
                "95123.5",
                "95125.7",
                "95126.0",
                None,
                "123456789",
            )
        ],
    ),
    "ws_instrument_index_update": (
        "instrument",
        "update",
        # 2026-05-27T11:00:00Z is 1779879600, by `date -u`.
        [Ticker(XBT, R, 1_779_879_600 * S + 500 * MS, None, None, "75847.62")],
    ),
    "ws_instrument_mark_update": (
        "instrument",
        "update",
        [Ticker("DOTUSDT", R, 1_779_886_600 * S + 500 * MS, None, "1.2669")],
    ),
    "ws_liquidation": (
        "liquidation",
        "insert",
        [Liquidation(XBT, R, None, "95000.0", "1000", LiquidatedSide.SHORT, "Buy", Decimal(1000))],
    ),
    "ws_margin": (
        "margin",
        "partial",
        [WalletUpdate("XBt", R, at(NOV_25, 10, 35, 0, 789), "100005180", "99994411")],
    ),
    "ws_order": (
        "order",
        "insert",
        [
            OrderUpdate(
                XBT,
                R,
                at(NOV_25, 10, 30, 0, 123),
                "550e8400-e29b-41d4-a716-446655440001",
                "mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA",
                Side.BUY,
                "98000",
                "100",
                "0",
                "New",
            )
        ],
    ),
    "ws_orderbook_10": (
        "orderBook10",
        "update",
        [
            BookSnapshot(
                XBT, R, at(NOV_24, 8, 19, 13, 513), list(TEN_BIDS), list(TEN_ASKS), alone=True
            )
        ],
    ),
    "ws_orderbook_l2": (
        "orderBookL2",
        "insert",
        [
            BookDelta(
                XBT,
                R,
                at(NOV_24, 8, 26, 22, 275),
                [],
                [("98459.9", "33000")],
                level_ids=([], ["62400580205"]),
            )
        ],
    ),
    "ws_position": (
        "position",
        "partial",
        [PositionUpdate(XBT, R, at(NOV_25, 10, 35, 0, 789), Side.BUY, "1000", "98039.5")],
    ),
    "ws_quote": (
        "quote",
        "insert",
        # 2024-11-22T22:44:25Z, a day and some before the 24th.
        [
            Quote(
                "BCHUSDT",
                R,
                at(NOV_24 - 2 * 86_400 * S, 22, 44, 25, 85),
                "487.55",
                "103000",
                "488.25",
                "50000",
            )
        ],
    ),
    "ws_trade": (
        "trade",
        "insert",
        [
            Trade(
                XBT,
                R,
                at(NOV_24, 8, 15, 38, 704),
                "98570.9",
                "100",
                Side.SELL,
                "00000000-006d-1000-0000-000e8737d536",
            )
        ],
    ),
    "ws_trade_bin_1m": ("tradeBin1m", "insert", [information("tradeBin1m")]),
    "ws_wallet": (
        "wallet",
        "partial",
        [WalletUpdate("XBt", R, at(NOV_25, 10, 35, 0, 789), "100005180", "")],
    ),
}


@needs_real_data
@pytest.mark.parametrize("name", FILES)
def test_the_row_of_every_message_file_decodes_to_what_it_says(name: str) -> None:
    table, action, events = FILES[name]
    row = (REAL_DATA / "messages" / "bitmex" / f"{name}.json").read_bytes()
    head = f'{{"table":"{table}","action":"{action}","data":['.encode()
    assert decoded(NAME, head + row + b"]}") == events


@needs_real_data
def test_no_message_file_is_left_out() -> None:
    assert {path.stem for path in (REAL_DATA / "messages" / "bitmex").iterdir()} == set(FILES)
