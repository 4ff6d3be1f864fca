"""A real network that goes away without a word: a link to a namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from recorder.connection import ConnectSettings
from recorder.recorder_settings import RecorderSettings
from tests.recorder.test_stalls import near, stalls, times
from tests.recorder.tiny_venue import capturing, frames_of, tiny_stream, until
from tests.recorder.topic_venue import TopicVenue
from venues.channel import Channel
from venues.frame import FrameKind
from venues.marker import Closed, read_marker

EXCHANGE = Path(__file__).with_name("netns_exchange.py")
PORT = 9_000
_USED = count()


@dataclass(frozen=True)
class Link:
    """A link to a namespace: the interfaces at both its ends, and the address of the far one."""

    here: str
    far: str
    namespace: str
    host: str

    def switch(self, state: str) -> None:
        """Let the far end go `up` or `down`."""
        ip("netns", "exec", self.namespace, "ip", "link", "set", self.far, state)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def link() -> Iterator[Link]:
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need the ip command and root")
    # A namespace goes some time after it was deleted, with its links: names are used once.
    number = (os.getpid() + next(_USED)) % 250
    made = Link(f"tkh{number}", f"tkf{number}", f"tickreel-test-{number}", f"10.213.{number}.2")
    try:
        ip("netns", "add", made.namespace)
    except subprocess.CalledProcessError as fault:
        pytest.skip(f"no network namespace can be made here: {fault.stderr.decode().strip()}")
    try:
        ip("link", "add", made.here, "type", "veth", "peer", "name", made.far)
        ip("link", "set", made.far, "netns", made.namespace)
        ip("addr", "add", f"10.213.{number}.1/24", "dev", made.here)
        ip("link", "set", made.here, "up")
        inside = ("netns", "exec", made.namespace, "ip")
        ip(*inside, "addr", "add", f"{made.host}/24", "dev", made.far)
        ip(*inside, "link", "set", made.far, "up")
        yield made
    finally:
        ip("netns", "del", made.namespace)


@pytest.fixture
def exchange(link: Link) -> Iterator[str]:
    command = ["ip", "netns", "exec", link.namespace, sys.executable, str(EXCHANGE)]
    with subprocess.Popen(
        [*command, link.host, str(PORT)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield f"ws://{link.host}:{PORT}"
        process.kill()


@pytest.mark.parametrize("cut", ["link down", "blackhole"])
async def test_a_network_that_goes_away_is_found_and_told_from_the_last_message_on(
    link: Link, exchange: str, cut: str, tmp_path: Path
) -> None:
    settings = RecorderSettings(connect=ConnectSettings(quiet_limit_s=0.5))
    stream = tiny_stream(exchange, Channel.TRADES)
    async with capturing(tmp_path, stream, venue=TopicVenue(), settings=settings) as recorder:
        life = recorder.connections[0]
        await until(lambda: life.messages > 50)
        if cut == "link down":
            link.switch("down")
        else:
            ip("route", "add", "blackhole", f"{link.host}/32")
        await until(lambda: life.disconnects == 1, 20.0)
        if cut == "link down":
            link.switch("up")
        else:
            ip("route", "del", "blackhole", f"{link.host}/32")
        await until(lambda: life.connects == 2, 30.0)
    frames = frames_of(tmp_path)
    closed = next(frame for frame in frames if frame.kind is FrameKind.CLOSED)
    before = [frame for frame in frames if frame.frame_number < closed.frame_number]
    told = stalls(before)
    assert near(told[0].from_ns, max(times(before, "trades BTC")))
    assert closed.receive_time_ns - told[-1].to_ns < 100_000_000
    assert read_marker(closed, Closed).by_us
