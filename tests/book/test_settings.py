"""What the engine is set to: the guide's defaults, and whatever a user writes instead."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.engine import Engine
from book.errors import EngineSettingsError
from book.settings import EngineSettings
from tests.book.feed_frames import simulated_frames
from venues.channel import Channel
from venues.registry import venue_named

SECONDS = st.floats(min_value=0.001, max_value=1e6)
LIMITS = st.dictionaries(st.sampled_from(Channel), SECONDS)


def test_the_defaults_are_those_of_the_guide() -> None:
    usual = EngineSettings()
    assert (usual.tape_window_s, usual.tape_trades_max) == (60, 10_000)
    assert (usual.spike_window_s, usual.spike_ratio) == (5, 3)
    assert usual.cascade_notional == 500_000
    assert (usual.cascade_window_s, usual.cascade_cooldown_s) == (10, 30)
    traits = venue_named("reference").traits
    assert traits.stale_limits_s == {
        Channel.BOOK: 5, Channel.TRADES: 10, Channel.LIQUIDATIONS: 120,
    }  # fmt: skip
    assert traits.depth == 50
    assert traits.checksum is not None
    assert traits.checksum.levels == 25


def test_a_setting_left_out_is_the_usual_one() -> None:
    assert EngineSettings.read({}, "night.toml") == EngineSettings()
    assert EngineSettings().described() == {}
    assert EngineSettings(spike_ratio=2).described() == {"spike_ratio": 2}


@given(
    window_s=SECONDS,
    notional=st.decimals(min_value="0.01", max_value="1e12", places=4),
    limits_s=LIMITS,
)
def test_what_is_kept_with_a_recording_is_read_back_exactly(
    window_s: float, notional: Decimal, limits_s: dict[Channel, float]
) -> None:
    chosen = EngineSettings(
        tape_window_s=window_s,
        spike_window_s=window_s,
        cascade_notional=notional,
        stale_limits_s=limits_s,
    )
    kept = json.loads(json.dumps(chosen.described()))
    assert EngineSettings.read(kept, "recording.json") == chosen


@pytest.mark.parametrize("written", [[], 5, "fast", None, {"tape_window_s": None}, {"": 1}])
def test_what_is_no_setting_is_refused_with_its_place(written: object) -> None:
    with pytest.raises(EngineSettingsError, match=r"^night\.toml: "):
        EngineSettings.read(written, "night.toml")


def test_a_limit_for_one_channel_leaves_the_others_as_they_are() -> None:
    engine = Engine(EngineSettings(stale_limits_s={Channel.TRADES: 7.0}))
    for frame in simulated_frames(200):
        engine.apply(frame)
    for market in engine.markets.values():
        limits_s = {channel: watch.limit_ns / 1e9 for channel, watch in market.watches.items()}
        assert limits_s == {Channel.BOOK: 5, Channel.TRADES: 7}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"tape_window_s": 0.0}, "tape_window_s has to be above 0"),
        ({"spike_window_s": 90.0}, "spike_window_s has to be within tape_window_s"),
        ({"cascade_notional": 500_000.5}, "cascade_notional has to be a Decimal, not a float"),
        ({"stale_limits_s": {Channel.BOOK: float("nan")}}, "stale_limits_s.book has to be"),
        ({"dice_step": Decimal(7)}, "dice_low has to be whole steps"),
    ],
)
def test_settings_made_in_python_are_checked_like_those_of_a_file(
    values: dict[str, object], reason: str
) -> None:
    with pytest.raises(EngineSettingsError, match=f"^EngineSettings: {reason}"):
        EngineSettings(**values)  # type: ignore[arg-type]
