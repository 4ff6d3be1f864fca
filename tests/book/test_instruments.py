"""Instruments, what they make liquidations worth, and requests that were not answered."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.contract_value import notional
from book.engine import Engine
from book.finding import FindingKind
from book.liquidation_monitor import Cascade
from book.market import Market
from tests.book.made_events import delta
from tests.book.made_venue import MadeFeed
from venues.event import ContractKind, Instrument, LiquidatedSide, Liquidation

pytestmark = pytest.mark.usefixtures("made_venues")

DIGITS = st.decimals(min_value="0", max_value="1e30", places=8).map(lambda each: format(each, "f"))


def instrument(
    kind: ContractKind = ContractKind.LINEAR, contract: str | None = "0.01", tick: str = "0.1"
) -> Instrument:
    return Instrument("S", 0, None, tick, "1", kind, contract)


def forced(price: str = "60000", size: str = "3", worth: Decimal | None = None) -> Liquidation:
    return Liquidation("S", 0, None, price, size, LiquidatedSide.LONG, "sell", worth)


def market_of(engine: Engine) -> Market:
    (market,) = engine.markets.values()
    return market


def test_a_market_knows_the_instrument_that_was_told_of_last_and_subscribers_are_told() -> None:
    feed, engine = MadeFeed("made"), Engine()
    told: list[Instrument] = []
    engine.on(Instrument, lambda event, market: told.append(event))
    before = engine.state_digest()
    engine.apply(feed.http(instrument(tick="0.1"), purpose="instruments"))
    assert not engine.markets  # an exchange lists many that nobody listens to
    engine.apply(feed.text(forced()))
    assert market_of(engine).instrument == instrument(tick="0.1")
    engine.apply(feed.http(instrument(tick="0.5"), purpose="instruments"))
    assert market_of(engine).instrument == instrument(tick="0.5")
    assert told == [instrument(tick="0.1"), instrument(tick="0.5")]
    other = Engine()
    for frame in (MadeFeed("made").http(instrument(), purpose="instruments"),) * 2:
        other.apply(frame)
    assert len({before, engine.state_digest(), other.state_digest()}) == 3


@pytest.mark.parametrize(
    ("kind", "contract", "worth"),
    [
        # 3 contracts of 0.01 coins at 60,000; of 100 USD each; 3 coins at 60,000.
        (ContractKind.LINEAR, "0.01", "1800"),
        (ContractKind.INVERSE, "100", "300"),
        (ContractKind.COIN, None, "180000"),
    ],
)
def test_a_liquidation_in_contracts_is_worth_what_the_exchange_says_they_are(
    kind: ContractKind, contract: str | None, worth: str
) -> None:
    feed, engine = MadeFeed("made"), Engine()
    told: list[Liquidation] = []
    engine.on(Liquidation, lambda event, market: told.append(event))
    engine.apply(feed.http(instrument(kind, contract), purpose="instruments"))
    engine.apply(feed.text(forced()))
    market = market_of(engine)
    assert [each.notional for each in told] == [Decimal(worth)]
    assert market.liquidations.long_notional == Decimal(worth)
    assert (market.counters.liquidations, market.counters.liquidations_unpriced) == (1, 0)


@pytest.mark.parametrize("known", [None, instrument(contract=None)])
def test_one_that_nobody_can_price_is_counted_and_in_no_sum(known: Instrument | None) -> None:
    feed, engine = MadeFeed("made"), Engine()
    told: list[Liquidation] = []
    engine.on(Liquidation, lambda event, market: told.append(event))
    if known is not None:
        engine.apply(feed.http(known, purpose="instruments"))
    engine.apply(feed.text(forced(), forced(worth=Decimal(5))))
    market = market_of(engine)
    assert [each.notional for each in told] == [None, Decimal(5)]
    assert (market.counters.liquidations, market.counters.liquidations_unpriced) == (2, 1)
    assert market.liquidations.notional_total == Decimal(5)
    assert len(engine.findings) == 0


def test_priced_liquidations_add_up_to_a_cascade() -> None:
    feed, engine = MadeFeed("made"), Engine()
    cascades: list[Cascade] = []
    engine.on(Cascade, lambda event, market: cascades.append(event))
    engine.apply(feed.http(instrument(ContractKind.COIN, None), purpose="instruments"))
    for _ in range(3):
        engine.apply(feed.text(forced()))
    assert [(each.notional, each.liquidations) for each in cascades] == [(Decimal(540_000), 3)]


@given(kind=st.sampled_from(ContractKind), contract=DIGITS, price=DIGITS, size=DIGITS)
def test_the_worth_is_exact(kind: ContractKind, contract: str, price: str, size: str) -> None:
    def units(text: str) -> int:
        return int(text.replace(".", ""))

    factors = {
        ContractKind.COIN: (price, size),
        ContractKind.LINEAR: (contract, price, size),
        ContractKind.INVERSE: (contract, size),
    }[kind]
    product = 1
    for each in factors:
        product *= units(each)
    worth = notional(instrument(kind, contract), price, size)
    assert worth is not None
    _, digits, exponent = worth.as_tuple()
    assert isinstance(exponent, int)
    assert int("".join(map(str, digits))) * 10 ** (8 * len(factors) + exponent) == product


@pytest.mark.parametrize(
    "liquidation", [forced(price="1e40"), forced(size="1e-41"), forced(size="many")]
)
def test_a_liquidation_whose_digits_are_no_number_is_a_finding(liquidation: Liquidation) -> None:
    feed, engine = MadeFeed("made"), Engine()
    engine.apply(feed.http(instrument(), purpose="instruments"))
    engine.apply(feed.text(liquidation))
    assert [finding.kind for finding in engine.findings] == [FindingKind.BAD_NUMBER]
    assert market_of(engine).counters.liquidations == 0


@pytest.mark.parametrize("wrong", [instrument(tick="small"), instrument(contract="-1")])
def test_an_instrument_whose_digits_are_no_number_is_not_kept(wrong: Instrument) -> None:
    feed, engine = MadeFeed("made"), Engine()
    engine.apply(feed.text(forced()))
    engine.apply(feed.http(instrument(), purpose="instruments"))
    engine.apply(feed.http(wrong, purpose="instruments"))
    assert [finding.kind for finding in engine.findings] == [FindingKind.BAD_NUMBER]
    assert market_of(engine).instrument == instrument()


@pytest.mark.parametrize(
    ("purpose", "kind"),
    [
        ("book snapshot", FindingKind.SNAPSHOT_FAILED),
        ("instruments", FindingKind.REQUEST_FAILED),
        ("something of tomorrow", FindingKind.REQUEST_FAILED),
    ],
)
def test_a_request_that_failed_is_called_what_it_was(purpose: str, kind: FindingKind) -> None:
    feed, engine = MadeFeed("made"), Engine()
    engine.apply(feed.http(delta([], [], None), purpose=purpose, status=503))
    (finding,) = engine.findings
    assert (finding.kind, finding.text) == (kind, f"{purpose} was not answered: HTTP 503")
    assert engine.markets == {}
