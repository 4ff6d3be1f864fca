"""What single messages of Kraken mean, where no file shows it or more than one field decides."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import kraken as samples
from venues.errors import UNDECODABLE
from venues.event import (
    BookDelta,
    ContractKind,
    Instrument,
    LiquidatedSide,
    Liquidation,
    Notice,
    OrderUpdate,
    PositionUpdate,
    Side,
    Trade,
    WalletUpdate,
)

R = RECEIVED_NS
MS = 1_000_000
XBT = "PI_XBTUSD"


@pytest.mark.parametrize(
    ("product", "side", "liquidated", "notional"),
    [
        # An inverse contract is 1 USD; of the others one contract is a coin.
        (b"PI_XBTUSD", b"sell", LiquidatedSide.LONG, Decimal(15000)),
        (b"FI_XBTUSD_210924", b"buy", LiquidatedSide.SHORT, Decimal(15000)),
        (b"PF_XBTUSD", b"buy", LiquidatedSide.SHORT, Decimal("524542500.0")),
        (b"XX_XBTUSD", b"sell", LiquidatedSide.LONG, None),
    ],
)
def test_a_trade_of_type_liquidation_is_a_trade_and_a_liquidation(
    product: bytes, side: bytes, liquidated: LiquidatedSide, notional: Decimal | None
) -> None:
    payload = samples.FUTURES_LIQUIDATION.replace(b"PI_XBTUSD", product).replace(
        b'"sell"', b'"%s"' % side
    )
    trade, liquidation = decoded("kraken-futures", payload)
    assert isinstance(trade, Trade)
    assert (trade.trade_number, trade.off_market) == (653355, False)
    assert liquidation == Liquidation(
        product.decode(),
        R,
        1_612_266_317_519 * MS,
        "34969.5",
        "15000",
        liquidated,
        side.decode(),
        notional,
        653355,
    )


@pytest.mark.parametrize("kind", [b"assignment", b"termination", b"block"])
def test_a_trade_outside_the_book_keeps_its_number_and_is_marked(kind: bytes) -> None:
    (trade,) = decoded("kraken-futures", samples.FUTURES_TRADE.replace(b"fill", kind))
    assert isinstance(trade, Trade)
    assert (trade.trade_number, trade.off_market) == (653355, True)


def test_both_objects_of_one_message_are_one_change_with_its_checksum() -> None:
    (delta,) = decoded("kraken-v1", samples.V1_BOTH_SIDES)
    assert delta == BookDelta(
        "XBT/USD",
        R,
        1_618_678_145_920_708_000,
        [("0.042990", "0.00000000")],
        [("0.042990", "364630.28272081")],
        None,
        None,
        None,
        4105471083,
    )


def test_a_republished_level_says_nothing_of_when_the_message_was_made() -> None:
    (delta,) = decoded("kraken-v1", samples.V1_UPDATE)
    assert isinstance(delta, BookDelta)
    assert delta.bids == [("354.12000000", "0.00000000"), ("354.10000000", "2.00000000")]
    assert delta.exchange_time_ns == 1_618_678_133_366_461_000
    alone = samples.V1_UPDATE.replace(b'["354.12000000","0.00000000","1618678133.366461"],', b"")
    (delta,) = decoded("kraken-v1", alone)
    assert delta.exchange_time_ns is None


def test_past_trades_are_told_apart_from_new_ones() -> None:
    for payload, history in ((samples.V2_TRADES, False), (samples.V2_PAST_TRADES, True)):
        (trade,) = decoded("kraken", payload)
        assert isinstance(trade, Trade)
        assert (trade.history, trade.price_text, trade.trade_number) == (history, "105910.50", None)


def test_the_later_messages_of_a_spot_order_leave_out_what_did_not_change() -> None:
    assert decoded("kraken", samples.V2_EXECUTION) == [
        OrderUpdate(
            "BTC/USD",
            R,
            1_695_378_785_709_950_000,
            "OK4GJX-KSTLS-7DZZO5",
            "",
            Side.SELL,
            "26500.0",
            "0.005",
            "",
            "pending_new",
        )
    ]
    assert decoded("kraken", samples.V2_EXECUTION_SHORT) == [
        OrderUpdate(
            "",
            R,
            1_695_378_785_709_982_000,
            "OK4GJX-KSTLS-7DZZO5",
            "",
            None,
            "",
            "",
            "",
            "new",
        )
    ]


def test_each_wallet_is_told_apart() -> None:
    time_ns = 1_640_995_200_000 * MS
    assert decoded("kraken", samples.V2_BALANCES) == [
        WalletUpdate("BTC", R, None, "1.2", ""),
        WalletUpdate("MATIC", R, None, "300", ""),
        WalletUpdate("earn/flex/MATIC", R, None, "200", ""),
    ]
    assert decoded("kraken", samples.V2_BALANCE) == [
        WalletUpdate("BTC", R, 1_695_378_785_709_993_000, "1.195", "")
    ]
    assert decoded("kraken-futures", samples.FUTURES_BALANCES) == [
        WalletUpdate("USDT", R, time_ns, "4997.5012493753", ""),
        WalletUpdate("F-XBT:USD", R, time_ns, "0.5", "0.25"),
        WalletUpdate("flex/USD", R, time_ns, "2000.0", "1990.0"),
    ]


def test_a_position_below_zero_is_short_and_one_of_zero_is_flat() -> None:
    time_ns = 1_700_000_000_000 * MS
    assert decoded("kraken-futures", samples.FUTURES_POSITIONS) == [
        PositionUpdate(XBT, R, time_ns, Side.BUY, "1.0", "40012.5"),
        PositionUpdate("PF_ETHUSD", R, time_ns, Side.SELL, "0.25", "2005.2"),
        PositionUpdate("PF_SOLUSD", R, time_ns, None, "0.0", ""),
    ]


PAIRS_BODY = (
    b'{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","pair_decimals":1,'
    b'"lot_decimals":8,"ordermin":"0.00005","tick_size":"0.1","status":"online"}%s}}'
)
DOGE = b',"XDGUSD":{"wsname":"XDG/USD","pair_decimals":7,"lot_decimals":0}'


@pytest.mark.parametrize(
    ("venue", "asked", "more", "names"),
    [
        ("kraken", "BTC/USD", b"", ["BTC/USD"]),
        ("kraken-v1", "XBT/USD", b"", ["XBT/USD"]),
        ("kraken", "", DOGE, ["BTC/USD", "DOGE/USD"]),
        ("kraken-v1", "", DOGE, ["XBT/USD", "XDG/USD"]),
    ],
)
def test_the_sizes_of_spot_pairs(venue: str, asked: str, more: bytes, names: list[str]) -> None:
    frame = http_frame(PAIRS_BODY % more, asked, purpose="instruments")
    sizes = [("0.1", "0.00000001"), ("0.0000001", "1")]
    assert decoded_http(venue, frame) == [
        Instrument(name, R, None, tick, lot)
        for name, (tick, lot) in zip(names, sizes, strict=False)
    ]


def test_a_pair_that_the_exchange_does_not_know_is_said() -> None:
    body = b'{"error":["EQuery:Unknown asset pair"]}'
    (notice,) = decoded_http("kraken", http_frame(body, "XX/YY", purpose="instruments"))
    assert isinstance(notice, Notice)
    assert notice.text == "no instruments: EQuery:Unknown asset pair"


def test_the_sizes_of_contracts() -> None:
    body = (
        b'{"result":"success","instruments":[{"symbol":"PF_XBTUSD","type":"flexible_futures",'
        b'"tickSize":1,"contractSize":1,"contractValueTradePrecision":4},{"symbol":"PF_PENGUUSD",'
        b'"type":"flexible_futures","tickSize":1.0E-6,"contractSize":1,'
        b'"contractValueTradePrecision":-1},{"symbol":"PI_XBTUSD","type":"futures_inverse",'
        b'"tickSize":0.5,"contractSize":1,"contractValueTradePrecision":0},{"symbol":"rr_xbtusd",'
        b'"type":"spot index"}]}'
    )
    assert decoded_http("kraken-futures", http_frame(body, purpose="instruments")) == [
        Instrument("PF_XBTUSD", R, None, "1", "0.0001", ContractKind.LINEAR, "1"),
        Instrument("PF_PENGUUSD", R, None, "1.0E-6", "10", ContractKind.LINEAR, "1"),
        Instrument("PI_XBTUSD", R, None, "0.5", "1", ContractKind.INVERSE, "1"),
    ]


@pytest.mark.parametrize(
    ("venue", "sample", "part", "other"),
    [
        ("kraken", samples.V2_UPDATE, b"2416540570", b"4294967296"),
        ("kraken", samples.V2_UPDATE, b"78858.8", b"true"),
        ("kraken", samples.V2_TRADES, b'"sell"', b'"none"'),
        ("kraken-v1", samples.V1_UPDATE, b"1822697057", b"4294967296"),
        ("kraken-v1", samples.V1_UPDATE, b"1822697057", b"-1"),
        ("kraken-v1", samples.V1_BOTH_SIDES, b',"XBT/USD"', b""),
        ("kraken", samples.V2_BOOK_ACK, b'"depth":10', b'"depth":-10'),
        ("kraken-v1", samples.V1_SNAPSHOT, b"book-10", b"book-x"),
        ("kraken-v1", samples.V1_SNAPSHOT, b"book-10", b"book-0"),
        ("kraken-futures", samples.FUTURES_DELTA, b"326072250", b"-1"),
        ("kraken-futures", samples.FUTURES_DELTA, b'"qty":0', b'"qty":null'),
        ("kraken-futures", samples.FUTURES_CANCEL, b'"660c6b23"', b'""'),
    ],
)
def test_what_breaks_the_protocol_is_refused(
    venue: str, sample: bytes, part: bytes, other: bytes
) -> None:
    assert part in sample
    assert decoded(venue, sample)
    with pytest.raises(UNDECODABLE):
        decoded(venue, sample.replace(part, other))
