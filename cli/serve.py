"""`tickreel serve`: a recording, or a simulated market, as the exchange that it came from."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING

import click

from cli.fault_options import fault_options, read_faults, tell_faults
from cli.options import json_option, skip_damaged_option, speed_option
from cli.report_text import counted
from cli.side_by_side import refuse_twice, warn_of_shared_feeds
from cli.stop_signals import stop_signals
from cli.terminal import print_json, say, warn
from venues.errors import nearest

if TYPE_CHECKING:
    from replay.frame_source import FrameSource
    from replay.market_simulator import SimulationSettings
    from replay.venue_server import VenueServer
    from venues.venue import Credentials


@click.command(short_help="Serve a recording as its exchange.")
@click.argument("folders", metavar="[DIR...]", nargs=-1, type=click.Path())
@speed_option("1x")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes a free one."
)
@click.option("--host", "--bind", default="127.0.0.1", show_default=True, help="The address.")
@click.option(
    "--insecure", is_flag=True, help="Allow a --host that other machines reach; nobody is asked."
)
@click.option(
    "--token-env",
    metavar="NAME",
    help="Let in only who shows the token in this environment variable, as the first part of the "
    "path or as a bearer token.",
)
@click.option(
    "--credentials-env",
    metavar="KEY,SECRET",
    help="The environment variables with the key and secret (and passphrase) that logins here "
    "must be signed with.",
)
@click.option("--start-paused", is_flag=True, help="Play nothing before it is resumed, over HTTP.")
@click.option(
    "--shift-time",
    is_flag=True,
    help="Move every time in the messages to now, by one constant. Refused where it is not known "
    "where a venue's messages have times: `tickreel venues NAME` says so.",
)
@click.option(
    "--simulate",
    metavar="SCENARIO",
    help="Serve a simulated market instead: calm, rough (every fault once) or endless.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="Which simulated market, and which faults. Default: 1."
)
@fault_options
@click.option("--venue", help="Of several venues in a recording, serve this one alone.")
@click.option(
    "--at-end",
    type=click.Choice(["silent", "close"]),
    default="silent",
    show_default=True,
    help="When all is sent: keep the connection and say nothing, or close it.",
)
@skip_damaged_option
@json_option
def serve(
    folders: tuple[str, ...],
    speed: str,
    port: int,
    host: str,
    insecure: bool,
    token_env: str | None,
    credentials_env: str | None,
    start_paused: bool,
    shift_time: bool,
    simulate: str | None,
    seed: int | None,
    fault_file: str | None,
    fault_words: tuple[str, ...],
    venue: str | None,
    at_end: str,
    skip_damaged: bool,
    as_json: bool,
) -> None:
    """Serve a recording over WebSockets, as the exchange that it came from.

    Any client of that exchange can be pointed at it, and is sent what it subscribed to, byte for
    byte. At a speed there is one time for all of them: it begins with the first subscription, and
    who comes later is told the books first. At max, each client is played all from the start.
    Snapshots that the exchange serves over HTTP are served on the same port, where the time is
    controlled too: /tickreel/status, and by POST /tickreel/pause, resume, speed?x=10, seek?to=+90s.
    A seek closes every connection (1012), and who comes back is told the books as of then. With
    --fault or --faults, every client meets the same faults, and they are listed at the end.
    """
    from replay.fault_steps import ServedFaults
    from replay.server_session import AtEnd
    from replay.venue_server import VenueServer

    asked_for = read_faults(fault_file, fault_words, seed)
    if bool(folders) == bool(simulate):
        raise click.UsageError("give either the recordings to serve, or --simulate SCENARIO.")
    faults = None
    if asked_for is not None:
        faults = ServedFaults(asked_for, lambda: [each.venue for each in server.endpoints])
    server = VenueServer(
        _simulation(simulate, 1 if seed is None else seed)
        if simulate
        else _recordings(folders, skip_damaged=skip_damaged),
        speed=speed,
        host=host,
        port=port,
        insecure=insecure,
        at_end=AtEnd(at_end),
        credentials=_credentials(credentials_env),
        venue=venue,
        start_paused=start_paused,
        token=_token(token_env),
        shift_time=shift_time,
        change=None if faults is None else faults.new_change,
    )
    said = Said(server, token_env, start_paused=start_paused, shift_time=shift_time)
    asyncio.run(_serve(server, said, as_json=as_json))
    if faults is not None:
        tell_faults(faults.done)


def _token(name: str | None) -> str | None:
    if name is None:
        return None
    token = _from_environment("--token-env", name)
    if not re.fullmatch(r"[A-Za-z0-9._~-]{8,200}", token):
        raise click.BadParameter(
            f"what {name} holds cannot be a token: it takes 8 to 200 letters, digits and . _ ~ -",
            param_hint="--token-env",
        )
    return token


def _credentials(names: str | None) -> Credentials | None:
    if names is None:
        return None
    parts = [name.strip() for name in names.split(",")]
    if not 2 <= len(parts) <= 3:
        raise click.BadParameter(
            "name two variables, for the key and the secret, or three, with the passphrase.",
            param_hint="--credentials-env",
        )
    from venues.venue import Credentials

    return Credentials(*(_from_environment("--credentials-env", name) for name in parts))


def _from_environment(option: str, name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise click.BadParameter(f"the environment has no {name}.", param_hint=option)
    return value


def _recordings(folders: tuple[str, ...], *, skip_damaged: bool) -> FrameSource:
    from replay.frame_merge import MergedRecording
    from replay.frame_source import AroundDamage
    from replay.recording import Recording

    recordings = [Recording.open(folder) for folder in folders]
    refuse_twice(recordings)
    warn_of_shared_feeds(recordings)
    source = recordings[0] if len(recordings) == 1 else MergedRecording(recordings)
    return AroundDamage(source) if skip_damaged else source


def _simulation(name: str, seed: int) -> SimulationSettings:
    from replay.market_scenario import SCENARIOS
    from replay.market_simulator import SimulationSettings
    from replay.simulated_feed import starting_now

    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise click.UsageError(
            f"there is no scenario {name!r}{nearest(name, SCENARIOS)}. "
            f"Scenarios: {', '.join(SCENARIOS)}."
        )
    return starting_now(SimulationSettings(seed=seed, scenario=scenario))


async def _serve(server: VenueServer, said: Said, *, as_json: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, stopped.set)
    async with server:
        said.announce(as_json=as_json)
        await stopped.wait()
    frames = sum(ledger.frames for ledger in server.sent)
    connections = counted(len(server.sent), "connection")
    say(f"stopped; {counted(frames, 'message')} sent to {connections}")
    for fault in server.faults:
        warn(str(fault))


class Said:
    """What is said of a server when it begins. A token is shown by its variable's name."""

    def __init__(
        self, server: VenueServer, token_env: str | None, *, start_paused: bool, shift_time: bool
    ) -> None:
        self._server = server
        self._token_env = token_env
        self._start_paused = start_paused
        self._shift_time = shift_time

    def announce(self, *, as_json: bool) -> None:
        """Say where clients find what."""
        server, rest_url = self._server, self._shown(self._server.rest_url)
        endpoints = [(each.venue, self._shown(each.url)) for each in server.endpoints]
        if as_json:
            print_json(
                {
                    "url": self._shown(server.url),
                    "rest_url": rest_url,
                    "control_url": f"{rest_url}/tickreel/",
                    "endpoints": [{"venue": venue, "url": url} for venue, url in endpoints],
                }
            )
            return
        if not endpoints:
            shown = self._shown(server.url)
            warn(f"{shown}: the recording does not show at which path its exchange is")
        for name in server.hidden:
            warn(f"{name} has the same address as another venue of this recording: --venue {name}")
        for venue, url in endpoints:
            click.echo(f"{url}   looks like {venue}; point any client at it")
        if self._shift_time:
            say(
                "every time in the messages is moved to now, by one constant: times_moved_by_s in "
                f"{rest_url}/tickreel/status"
            )
        if self._start_paused:
            say(f"paused: curl -X POST {rest_url}/tickreel/resume")

    def _shown(self, url: str) -> str:
        if self._token_env is None:
            return url
        scheme, _, rest = url.partition("://")
        authority, _, path = rest.partition("/")
        parts = path.split("/")[1:]
        return "/".join([f"{scheme}://{authority}", f"${self._token_env}", *parts])
