"""Games of chance: the figures against a plain oracle, and the same signals in every replay."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.agent import AgentFailure, Signal, attach_agent
from book.engine import Engine
from book.errors import EngineSettingsError
from book.exact import NotANumberError
from book.finding import FindingKind
from book.game_monitor import GameMonitor
from book.market import Market
from book.settings import EngineSettings
from tests.book.made_events import SECOND_NS
from tests.book.made_venue import MadeFeed
from venues.event import Game, GameResult
from venues.frame import Frame, FrameKind

pytestmark = pytest.mark.usefixtures("made_venues")

MULTIPLIERS = st.integers(100, 100_000).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
FACES = st.integers(1, 100).map(str)


def result(game: Game, outcome: str, time_ns: int = 0, symbol: str = "S") -> GameResult:
    return GameResult(symbol, time_ns, None, game, outcome)


def filled(game: Game, outcomes: list[str], settings: EngineSettings | None = None) -> GameMonitor:
    monitor = GameMonitor(game, settings)
    for outcome in outcomes:
        monitor.add(result(game, outcome))
        monitor._check()
    return monitor


def near(number: Decimal | None, exact: Fraction) -> bool:
    """Say whether a number rounded to 34 digits is `exact`."""
    return number is not None and abs(Fraction(number) - exact) <= abs(exact) / 10**32


@given(outcomes=st.lists(MULTIPLIERS, min_size=1, max_size=60), share=st.integers(0, 20))
def test_mean_quantiles_and_shares_are_those_of_a_plain_list(
    outcomes: list[str], share: int
) -> None:
    monitor = filled(Game.CRASH, outcomes)
    plain = sorted(Fraction(outcome) for outcome in outcomes)
    assert near(monitor.mean(), statistics.mean(plain))
    wanted = Fraction(share, 20)
    quantile = monitor.quantile(Decimal(share) / 20)
    assert quantile is not None
    assert Fraction(quantile) == min(
        each for each in plain if Fraction(sum(o <= each for o in plain), len(plain)) >= wanted
    )
    above = Fraction(sum(each >= 2 for each in plain), len(plain))
    assert near(monitor.share_from(Decimal(2)), above)
    assert near(monitor.observed_edge(), 1 - 2 * above)
    counts = Counter(plain)
    assert [(Fraction(o), n) for o, n in monitor.distribution()] == sorted(counts.items())
    assert monitor.heads_share() is None


@given(
    outcomes=st.lists(MULTIPLIERS, min_size=1, max_size=60),
    edge=st.integers(0, 99).map(lambda hundredths: Decimal(hundredths) / 100),
)
def test_a_crash_drifts_from_the_share_that_its_edge_leaves(
    outcomes: list[str], edge: Decimal
) -> None:
    drift = filled(Game.CRASH, outcomes, EngineSettings(games_edge=edge)).drift()
    assert drift is not None
    chance = (1 - Fraction(edge)) / 2
    observed = Fraction(sum(Fraction(each) >= 2 for each in outcomes), len(outcomes))
    assert near(drift.expected, chance)
    assert near(drift.observed, observed)
    error = math.sqrt(chance * (1 - chance) / len(outcomes))
    assert float(drift.standard_error) == pytest.approx(error)
    assert drift.standard_errors is not None
    assert float(drift.standard_errors) == pytest.approx(float(observed - chance) / error)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_coin_drifts_from_one_half(heads: list[bool]) -> None:
    monitor = filled(Game.COINFLIP, ["Heads" if each else "tails" for each in heads])
    share = Fraction(sum(heads), len(heads))
    assert near(monitor.heads_share(), share)
    drift = monitor.drift()
    assert drift is not None
    assert near(drift.observed, share)
    assert drift.standard_errors is not None
    away = float(2 * share - 1) * math.sqrt(len(heads))
    assert float(drift.standard_errors) == pytest.approx(away)
    assert monitor.observed_edge() is None


@given(
    outcomes=st.lists(st.integers(0, 40), min_size=1, max_size=60),
    low=st.integers(0, 5),
    faces=st.integers(1, 12),
    step=st.sampled_from(("1", "0.01", "2.5")),
)
def test_dice_drift_from_the_mean_of_equally_likely_faces(
    outcomes: list[int], low: int, faces: int, step: str
) -> None:
    high = low + (faces - 1) * Decimal(step)
    settings = EngineSettings(dice_low=Decimal(low), dice_high=high, dice_step=Decimal(step))
    written = EngineSettings.read(settings.described(), "engine.toml")
    drift = filled(Game.DICE, [str(each) for each in outcomes], written).drift()
    assert drift is not None
    shown = [low + each * Fraction(step) for each in range(faces)]
    assert near(drift.expected, statistics.mean(shown))
    assert near(drift.observed, statistics.mean([Fraction(each) for each in outcomes]))
    error = math.sqrt(statistics.pvariance(shown) / len(outcomes))
    assert float(drift.standard_error) == pytest.approx(error)
    assert (drift.standard_errors is None) == (faces == 1)


def test_figures_that_were_worked_out_by_hand() -> None:
    """Of 4 crashes one is at 2 or above: 0.25 of 0.495; sqrt(0.495 x 0.505 / 4) = 0.24998750."""
    monitor = filled(Game.CRASH, ["1.00", "2.00", "1.50", "1.10"])
    drift = monitor.drift()
    assert drift is not None
    assert (drift.expected, drift.observed) == (Decimal("0.495"), Decimal("0.25"))
    assert f"{drift.standard_error:.8f}" == "0.24998750"
    assert f"{drift.standard_errors:.4f}" == "-0.9800"
    assert monitor.mean() == Decimal("1.4")
    assert monitor.quantile(Decimal("0.5")) == Decimal("1.10")


@given(
    steps=st.lists(st.tuples(st.integers(0, 4), FACES), max_size=40),
    results_max=st.integers(1, 8),
)
def test_the_window_holds_the_latest_results_by_time_and_by_number(
    steps: list[tuple[int, str]], results_max: int
) -> None:
    settings = EngineSettings(games_window_s=5.0, games_results_max=results_max)
    monitor, came, now_s = GameMonitor(Game.DICE, settings), [], 0
    for step_s, outcome in steps:
        now_s += step_s
        monitor.add(result(Game.DICE, outcome), now_s * SECOND_NS)
        monitor._check()
        came.append((now_s, Decimal(outcome)))
        held = [each for time_s, each in came if time_s >= now_s - 5][-results_max:]
        assert monitor.distribution() == sorted(Counter(held).items())
        assert (len(monitor), monitor.results) == (len(held), len(came))
    monitor.advance((now_s + 6) * SECOND_NS)
    assert (len(monitor), monitor.mean(), monitor.drift()) == (0, None, None)
    assert monitor.quantile(Decimal(1)) is None
    assert monitor.share_from(Decimal(1)) is None


@pytest.mark.parametrize("share", ["-0.1", "1.1"])
def test_a_quantile_of_what_is_no_share_is_our_callers_fault(share: str) -> None:
    with pytest.raises(ValueError, match="a share is from 0 to 1"):
        GameMonitor(Game.CRASH).quantile(Decimal(share))


@pytest.mark.parametrize(
    ("game", "outcome", "sentence"),
    [
        (Game.CRASH, "high", "not a number: 'high'"),
        (Game.CRASH, "-2", "not a number: '-2'"),
        (Game.DICE, "", "not a number: ''"),
        (Game.COINFLIP, "edge", "neither heads nor tails: 'edge'"),
    ],
)
def test_an_outcome_that_is_none_is_a_finding_and_not_counted(
    game: Game, outcome: str, sentence: str
) -> None:
    with pytest.raises(NotANumberError):
        GameMonitor(game).add(result(game, outcome))
    engine = Engine()
    engine.apply(MadeFeed("made").text(result(game, outcome)))
    (finding,) = engine.findings
    assert (finding.kind, finding.text) == (FindingKind.BAD_NUMBER, sentence)
    (market,) = engine.markets.values()
    assert (market.games, market.counters.game_results) == (None, 0)


def test_a_channel_is_one_game() -> None:
    feed, engine = MadeFeed("made"), Engine()
    engine.apply(feed.text(result(Game.DICE, "4"), result(Game.CRASH, "2")))
    (finding,) = engine.findings
    assert finding.kind is FindingKind.MARKET_REFUSED
    assert finding.text == "its results are of another game, dice"
    (market,) = engine.markets.values()
    assert market.games is not None
    assert market.games.results == 1


def test_results_are_part_of_the_state_and_so_is_when_they_came() -> None:
    digests = set()
    for outcomes in (["2.00", "3"], ["2.0", "3"], ["3", "2.00"], ["2.00"], []):
        feed, engine = MadeFeed("made"), Engine()
        for outcome in [*outcomes, *["1"] * (2 - len(outcomes))]:
            engine.apply(feed.text(result(Game.CRASH, outcome)))
        digests.add(engine.state_digest())
        assert json.dumps(engine.markets["made", "S"].state()[-1]) is not None
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"games_edge": 1}, "games_edge has to be below 1"),
        ({"games_edge": -0.1}, "games_edge has to be from 0 to"),
        ({"games_window_s": 0}, "games_window_s has to be above 0"),
        ({"dice_low": 101}, "whole steps"),
        ({"dice_step": "0.7"}, "whole steps"),
        ({"dice_step": "1e-5000"}, "whole steps"),
        ({"dice_step": 0}, "dice_step has to be above 0"),
    ],
)
def test_settings_of_games_that_cannot_be_are_refused(
    written: dict[str, object], sentence: str
) -> None:
    with pytest.raises(EngineSettingsError, match=sentence):
        EngineSettings.read(written, "engine.toml")


class Gambler:
    """Says so whenever the last crashes are two standard errors from what the house promises."""

    def on_game(self, event: GameResult, market: Market) -> str | None:
        assert market.games is not None
        drift = market.games.drift()
        away = None if drift is None else drift.standard_errors
        return f"{away:.20f}" if away is not None and abs(away) > 1 else None


def signals(frames: list[tuple[str, Game]]) -> list[Signal]:
    feed, engine = MadeFeed("made"), Engine(EngineSettings(games_window_s=0.02))
    made: list[Signal] = []
    failures: list[AgentFailure] = []
    attach_agent(engine, Gambler(), made.append, failures.append)
    for outcome, game in frames:
        engine.apply(feed.text(result(game, outcome, symbol=game)))
    assert failures == []
    return made


@given(
    st.lists(
        st.one_of(
            st.tuples(MULTIPLIERS, st.just(Game.CRASH)),
            st.tuples(st.sampled_from(("heads", "tails")), st.just(Game.COINFLIP)),
            st.tuples(FACES, st.just(Game.DICE)),
        ),
        max_size=30,
    )
)
def test_a_statistical_agent_gives_the_same_signals_in_every_replay(
    frames: list[tuple[str, Game]],
) -> None:
    assert signals(frames) == signals(frames)


def test_a_house_that_keeps_too_much_is_noticed_at_the_frame_that_shows_it() -> None:
    """Of n crashes none at 2: away is -sqrt(n p / (1 - p)), which passes -1 with the second one."""
    found = signals([("1.01", Game.CRASH)] * 3)
    assert [(each.frame_number, each.symbol) for each in found] == [(1, "crash"), (2, "crash")]
    assert [str(each.signal)[:6] for each in found] == ["-1.400", "-1.714"]


def test_results_as_an_exchange_sends_them_fill_the_monitor_of_their_channel() -> None:
    engine = Engine()
    payloads = (
        b'{"channel":"crash.result","data":{"multiplier":2.31}}',
        b'{"channel":"coinflip.result","data":{"result":"heads"}}',
        b'{"channel":"crash.result","data":{"multiplier":1.50}}',
        b'{"channel":"dice.result","data":{"roll":57}}',
    )
    for number, payload in enumerate(payloads):
        engine.apply(Frame(number, 1, "purpleflea", FrameKind.TEXT, number, None, payload))
    monitors = {symbol: market.games for (_, symbol), market in engine.markets.items()}
    crash, coin = monitors["crash.result"], monitors["coinflip.result"]
    assert crash is not None
    assert coin is not None
    assert crash.distribution() == [(Decimal("1.50"), 1), (Decimal("2.31"), 1)]
    assert (coin.heads_share(), crash.mean()) == (Decimal(1), Decimal("1.905"))
    assert len(engine.findings) == 0
