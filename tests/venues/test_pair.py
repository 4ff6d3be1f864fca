"""One spelling of a pair, and each venue's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.errors import UnknownSymbolError
from venues.pair import QUOTES, Pair, read_pair
from venues.registry import venue_named
from venues.venue import StreamRequest


@given(
    st.from_regex(r"[A-Z0-9]{1,15}", fullmatch=True), st.sampled_from(sorted(QUOTES)), st.booleans()
)
def test_a_pair_is_read_as_it_is_written(base: str, quote: str, perpetual: bool) -> None:
    pair = Pair(base, quote, perpetual)
    assert read_pair(str(pair)) == read_pair(str(pair).lower()) == pair


@pytest.mark.parametrize(
    "text",
    ["BTCUSDT", "BTC-PERP", "BTC-27MAR26", "BTC-USDT-SWAP", "BTC-PERPETUAL", "BTC_USDT", "-USDT"],
)
def test_a_venues_own_symbol_is_no_pair(text: str) -> None:
    assert read_pair(text) is None


@pytest.mark.parametrize(
    ("venue", "text", "native"),
    [
        ("bybit-spot", "BTC-USDT", "BTCUSDT"),
        ("bybit-linear", "btc-usdt-perp", "BTCUSDT"),
        ("bybit-linear", "BTC-USDC-PERP", "BTCPERP"),
        ("bybit-inverse", "BTC-USD-PERP", "BTCUSD"),
        ("bybit-linear", "BTC-27MAR26", "BTC-27MAR26"),
        ("binance-spot", "ETH-BTC", "ETHBTC"),
        ("binance-usdm", "BTC-USDT-PERP", "BTCUSDT"),
        ("binance-coinm", "BTC-USD-PERP", "BTCUSD_PERP"),
        ("reference", "BTC-USDT", "BTCUSDT"),
    ],
)
def test_a_venue_spells_a_pair_in_its_own_way(venue: str, text: str, native: str) -> None:
    plans = venue_named(venue).plan(StreamRequest(venue, (text,), ()))
    assert {one.symbol for plan in plans for one in plan.subscriptions} == {native}


@pytest.mark.parametrize(
    ("venue", "text"),
    [
        ("bybit-spot", "BTC-USDT-PERP"),
        ("binance-spot", "BTC-USD-PERP"),
        ("binance-usdm", "BTC-USD"),
    ],
)
def test_a_pair_that_a_venue_does_not_list_is_refused(venue: str, text: str) -> None:
    with pytest.raises(UnknownSymbolError):
        venue_named(venue).plan(StreamRequest(venue, (text,), ()))
