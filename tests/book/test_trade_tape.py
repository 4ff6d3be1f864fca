"""The tape against a list of all trades, looked through anew at every step."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.exact import NotANumberError
from book.settings import EngineSettings
from book.trade_tape import TradeTape
from tests.book.made_events import SECOND_NS, trade

WINDOW_S, SPIKE_S, RATIO, MOST = 10, 2, 3, 6


class Printed(NamedTuple):
    time_ns: int
    price: str
    size: str
    bought: bool


# Steps back are among them: a wall clock may run back, now may not.
steps_ns = st.integers(-3 * SECOND_NS, 4 * SECOND_NS)
prices = st.decimals("0.01", "99", places=2).map(str)
sizes = st.decimals("0", "9", places=3).map(str)
tapes = st.lists(st.tuples(steps_ns, prices, sizes, st.booleans()), max_size=25)


def _settings(spike_s: float) -> EngineSettings:
    return EngineSettings(
        tape_window_s=WINDOW_S, spike_window_s=spike_s, spike_ratio=RATIO, tape_trades_max=MOST
    )


@given(
    rows=tapes,
    looks=st.booleans(),
    precision=st.integers(1, 5),
    spike_s=st.sampled_from((2, WINDOW_S)),
)
@settings(max_examples=200)
def test_every_figure_is_what_the_list_of_trades_gives(
    rows: list[tuple[int, str, str, bool]], looks: bool, precision: int, spike_s: int
) -> None:
    tape = TradeTape(_settings(spike_s))
    printed: list[Printed] = []
    time_ns, now_ns = 1_000 * SECOND_NS, 0
    for step_ns, price, size, bought in rows:
        time_ns += step_ns
        now_ns = max(now_ns, time_ns)
        with decimal.localcontext() as context:
            context.prec = precision
            tape.add(trade(price, size, bought=bought, time_ns=time_ns))
            if looks:
                tape.advance(now_ns)
        printed.append(Printed(now_ns, price, size, bought))
        tape._check()
        _agree(tape, printed, now_ns, spike_s)
    tape.advance(now_ns + WINDOW_S * SECOND_NS)
    _agree(tape, printed, now_ns + WINDOW_S * SECOND_NS, spike_s)
    tape.advance(now_ns + (WINDOW_S + spike_s) * SECOND_NS + 1)
    assert len(tape) == 0
    assert tape.vwap() is None
    assert tape.net_delta() == 0


def _agree(tape: TradeTape, printed: list[Printed], now_ns: int, spike_s: int) -> None:
    since_ns = now_ns - WINDOW_S * SECOND_NS
    window = [each for each in printed if each.time_ns >= since_ns][-MOST:]
    bought = _sum(window, bought=True)
    sold = _sum(window, bought=False)
    assert len(tape) == len(window)
    assert (tape.buy_size(), tape.sell_size()) == (bought, sold)
    assert tape.net_delta() == bought - sold
    assert tape.cvd() == _sum(printed, bought=True) - _sum(printed, bought=False)
    assert tape.trades == len(printed)
    worth = sum((Decimal(each.price) * Decimal(each.size) for each in window), Decimal(0))
    if bought + sold:
        with decimal.localcontext() as context:
            context.prec = 34
            assert tape.vwap() == worth / (bought + sold)
    else:
        assert tape.vwap() is None
    recent = [each for each in window if each.time_ns >= now_ns - spike_s * SECOND_NS]
    recent_size = _sum(recent, bought=True) + _sum(recent, bought=False)
    cut = len([each for each in printed if each.time_ns >= since_ns]) > MOST
    first_ns = printed[0].time_ns if printed else now_ns
    known_from_ns = window[0].time_ns if cut else max(first_ns, since_ns)
    worth_of_spike = RATIO * (bought + sold) * spike_s * SECOND_NS
    assert tape.volume_spike() == (recent_size * (now_ns - known_from_ns) > worth_of_spike)


def _sum(printed: list[Printed], *, bought: bool) -> Decimal:
    return sum((Decimal(each.size) for each in printed if each.bought is bought), Decimal(0))


@given(rows=tapes)
@settings(max_examples=50)
def test_looking_at_the_tape_in_between_changes_nothing(
    rows: list[tuple[int, str, str, bool]],
) -> None:
    seen, unseen = TradeTape(_settings(2)), TradeTape(_settings(2))
    time_ns = now_ns = 1_000 * SECOND_NS
    for step_ns, price, size, bought in rows:
        time_ns += step_ns
        now_ns = max(now_ns, time_ns)
        seen.advance(now_ns)
        for tape in (seen, unseen):
            tape.add(trade(price, size, bought=bought, time_ns=time_ns), now_ns)
        seen.advance(now_ns)
    unseen.advance(now_ns)
    assert seen.state() == unseen.state()


def test_a_spike_is_more_than_the_ratio_and_not_equal_to_it() -> None:
    # Ten seconds hold 5; two seconds of them 1 in the mean; three times that is 3.
    for last, spike in (("3", False), ("3.000001", True)):
        tape = TradeTape(_settings(SPIKE_S))
        first = Decimal(5) - Decimal(last)
        tape.add(trade("1", str(first), time_ns=0))
        tape.add(trade("1", last, time_ns=10 * SECOND_NS))
        assert tape.volume_spike() is spike


def test_nothing_is_a_spike_before_there_is_enough_to_compare_it_with() -> None:
    tape = TradeTape(EngineSettings(tape_window_s=60, spike_window_s=5, spike_ratio=3))
    for second in range(15):
        tape.add(trade("1", "1", time_ns=second * SECOND_NS))
        assert not tape.volume_spike()
    tape.add(trade("1", "1000", time_ns=16 * SECOND_NS))
    assert tape.volume_spike()


@pytest.mark.parametrize(("price", "size"), [("x", "1"), ("1", "x"), ("1", "-1"), ("", "")])
def test_a_trade_that_is_no_number_leaves_the_tape_as_it_was(price: str, size: str) -> None:
    tape = TradeTape()
    tape.add(trade("2", "3"))
    before = tape.state()
    with pytest.raises(NotANumberError):
        tape.add(trade(price, size))
    assert tape.state() == before


def test_sums_of_the_greatest_and_the_smallest_numbers_are_exact() -> None:
    great, small = "9" * 61 + "e99", "0." + "0" * 55 + "1e-99"
    tape = TradeTape()
    for _ in range(1_000):
        tape.add(trade(great, great))
        tape.add(trade(small, small))
    tape._check()
    assert tape.vwap() is not None
    tape.advance(10**18)
    assert tape.buy_size() == 0
