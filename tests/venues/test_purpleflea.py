"""Purple Flea: results are events, and a token is used where there is one."""

from __future__ import annotations

import json

import pytest

from tests.venues.sample_frames import RECEIVED_NS, decoded
from tests.venues.samples import purpleflea as samples
from venues.event import Game, GameResult
from venues.registry import venue_named
from venues.venue import Credentials, StreamRequest

NAME = "purpleflea"
R = RECEIVED_NS
MS = 1_000_000


def test_a_crash_keeps_the_digits_of_its_multiplier() -> None:
    assert decoded(NAME, samples.CRASH) == [GameResult("crash.result", R, None, Game.CRASH, "2.31")]
    message = samples.CRASH.replace(b"2.31", b"1.00")
    assert decoded(NAME, message) == [GameResult("crash.result", R, None, Game.CRASH, "1.00")]


def test_flips_and_dice_are_results_too() -> None:
    flip, dice = samples.SAMPLES[NAME][1:3]
    assert decoded(NAME, flip) == [
        GameResult("coinflip.result", R, None, Game.COINFLIP, "heads", "f-1")
    ]
    assert decoded(NAME, dice) == [
        GameResult("dice.result", R, 1763800000000 * MS, Game.DICE, "57")
    ]


def test_a_result_without_an_outcome_is_undecodable() -> None:
    with pytest.raises(ValueError, match="without an outcome"):
        decoded(NAME, b'{"channel":"crash.result","data":{"players":3}}')


def test_channels_are_symbols_and_short_names_do() -> None:
    (plan,) = venue_named(NAME).plan(StreamRequest(NAME, ("crash", "dice.result"), ()))
    (message,) = plan.subscribe_messages
    assert json.loads(message) == {"op": "subscribe", "channels": ["crash.result", "dice.result"]}
    assert plan.url == "wss://purpleflea.com/ws/games"


def test_a_token_logs_in_and_without_one_nothing_is_said() -> None:
    venue = venue_named(NAME)
    (plan,) = venue.plan(StreamRequest(NAME, ("crash",), ()))
    assert venue.login(plan, None, 1, b"").message is None
    message = venue.login(plan, Credentials("token-1", ""), 1, b"").message
    assert message == '{"op":"auth","token":"token-1"}'
    request = venue.dialect.read_request(message.encode())
    assert venue.dialect.login_valid(request, Credentials("token-1", ""))
    assert not venue.dialect.login_valid(request, Credentials("token-2", ""))
