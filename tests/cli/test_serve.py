"""`tickreel serve`, as a user calls it: each of its options reaches the server that it starts."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.cli.commands import run, serving
from tests.replay.exchange_client import (
    ALL_TOPICS,
    PATH,
    client,
    get,
    next_message,
    received,
    status_of,
)
from tests.replay.test_venue_server_requests import login_message
from venues.venue import Credentials

CALM = str(Path(__file__).parents[2] / "sample_data" / "calm")
TOKEN = "a-token.of_17~signs"


def http_url(url: str) -> str:
    return "http" + url.removeprefix("ws")


async def post(url: str) -> dict[str, Any]:
    def send() -> dict[str, Any]:
        request = urllib.request.Request(url, method="POST")
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: dict[str, Any] = json.loads(response.read())
            return answer

    return await asyncio.to_thread(send)


async def test_a_served_recording_that_starts_paused_is_played_when_it_is_resumed() -> None:
    with serving(CALM, "--speed", "100x", "--start-paused") as url:
        control = f"{http_url(url)}/tickreel"
        async with client(url, ALL_TOPICS) as connection:
            assert len(await received(connection)) == 1, "the acknowledgement alone"
            assert json.loads(await get(f"{control}/status"))["paused"] is True
            assert (await post(f"{control}/resume"))["paused"] is False
            assert b"snapshot" in await next_message(connection)


async def test_times_are_moved_to_now_where_that_was_asked_for() -> None:
    with serving(CALM, "--speed", "max", "--shift-time") as url:
        async with client(url, ALL_TOPICS) as connection:
            while b"publicTrade" not in (message := await next_message(connection)):
                pass
        status = json.loads(await get(f"{http_url(url)}/tickreel/status"))
    traded_ms = json.loads(message)["data"][0]["T"]
    assert abs(traded_ms / 1000 - time.time()) < 60
    assert status["times_moved_by_s"] is not None


async def test_a_token_is_wanted_of_everyone_and_never_shown() -> None:
    with serving(CALM, "--token-env", "REEL_TOKEN", env={"REEL_TOKEN": TOKEN}) as shown:
        assert TOKEN not in shown
        url = shown.removesuffix("/$REEL_TOKEN")
        assert shown != url
        with pytest.raises(InvalidStatus, match="401"):
            async with connect(url + PATH):
                pass
        assert await status_of(f"{http_url(url)}/tickreel/status") == 401
        async with client(f"{url}/{TOKEN}", ALL_TOPICS) as connection:
            assert b"success" in await next_message(connection)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with connect(url + PATH, additional_headers=bearer):
            pass


async def test_a_token_opens_a_server_to_other_machines() -> None:
    with serving(
        CALM, "--bind", "0.0.0.0", "--token-env", "REEL_TOKEN", env={"REEL_TOKEN": TOKEN}
    ) as shown:
        port = shown.removesuffix("/$REEL_TOKEN").rpartition(":")[2]
        async with client(f"ws://127.0.0.1:{port}/{TOKEN}", ALL_TOPICS) as connection:
            assert b"success" in await next_message(connection)


async def test_logins_are_signed_with_the_keys_that_the_environment_names() -> None:
    keys = {"REEL_KEY": "key-of-a-test", "REEL_SECRET": "secret-of-a-test"}
    with serving(CALM, "--credentials-env", "REEL_KEY,REEL_SECRET", env=keys) as url:
        answers = []
        for secret in ("another", keys["REEL_SECRET"]):
            login = login_message(Credentials(keys["REEL_KEY"], secret))
            async with client(url) as connection:
                await connection.send(login)
                answers.append(json.loads(await next_message(connection))["success"])
    assert answers == [False, True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--bind", "0.0.0.0"), "--insecure if that is what you want, or set a token"),
        (("--token-env", "NOT_THERE"), "the environment has no NOT_THERE"),
        (("--token-env", "SHORT"), "SHORT holds cannot be a token"),
        (("--credentials-env", "SHORT"), "name two variables"),
        (("--credentials-env", "SHORT,NOT_THERE"), "the environment has no NOT_THERE"),
        (("--venue", "bybit-linear"), "bybit-linear"),
        (("--simulate", "calm"), "either the recordings to serve, or --simulate"),
        (("--fault", "drop=2"), "drop"),
    ],
)
def test_what_cannot_be_served_is_said(arguments: tuple[str, ...], sentence: str) -> None:
    done = run("serve", CALM, *arguments, env={"SHORT": "secret"})
    assert done.code == 2
    assert sentence in re.sub(r"\s+", " ", done.err)
    assert "secret" not in re.sub(r"secret \(and|the secret", "", done.err)
    assert "Traceback" not in done.err
