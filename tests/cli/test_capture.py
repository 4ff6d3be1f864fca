"""Capture with the engine beside it: whatever befalls the engine, the recording is whole."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
from websockets.asyncio.server import ServerConnection, serve

from replay.market_simulator import SimulationSettings
from replay.recording import Recording
from replay.venue_server import VenueServer
from tests.cli.commands import Done, run, run_async, serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "signal_agent.py"


async def capture(folder: Path, *more: str, duration: str = "1.5s", speed: str = "15x") -> Done:
    """Capture a simulated market for a while."""
    async with VenueServer(SimulationSettings(), speed=speed) as server:
        return await run_async(
            "capture", "reference", "BTCUSDT", "ETHUSDT", "--url", server.url,
            "-o", str(folder), "--duration", duration, "--json", *more,
        )  # fmt: skip


def agent(folder: Path, body: str) -> str:
    path = folder / "agent.py"
    path.write_text(body)
    return f"{path}:Agent"


def received(folder: Path) -> int:
    return sum(frame.received for frame in Recording.open(folder))


def whole(done: Done, folder: Path, code: int = 0) -> None:
    """Check that all that came by the sockets is in the recording, whatever else went wrong."""
    assert done.code == code, done.err
    messages = sum(connection["messages"] for connection in done.json["connections"])
    assert done.json["lost"] == 0
    assert received(folder) == messages
    assert messages > 100


def test_live_and_replayed_are_one_state_and_one_agent(tmp_path: Path) -> None:
    folder, live = tmp_path / "night", tmp_path / "live.jsonl"
    example = f"{EXAMPLE}:SignalAgent"
    with serving("--simulate", "rough", "--speed", "15x") as url:
        done = run(
            "capture", "reference", "BTCUSDT", "ETHUSDT", "--url", url, "-o", str(folder),
            "--duration", "3s", "--agent", example, "--signals", str(live), "--json",
        )  # fmt: skip
    assert done.code == 0, done.err
    captured = done.json
    assert captured["findings"]["gap"] == 1
    assert captured["findings"]["checksum failed"] == 1
    assert live.read_bytes().count(b"\n") == captured["signals"] > 100
    assert b'"signal":"cascade"' in live.read_bytes()
    for number, (speed, environment_) in enumerate(
        [("max", {}), ("20x", {"PYTHONHASHSEED": "7"}), ("max", {"TZ": "Asia/Kolkata"})]
    ):
        replayed = tmp_path / f"replayed-{number}.jsonl"
        again = run(
            "replay", str(folder), "--speed", speed, "--agent", example,
            "--signals", str(replayed), "--json", env=environment_,
        ).json  # fmt: skip
        assert again["state_digest"] == captured["state_digest"]
        assert again["frames"] == captured["frames"]
        assert again["books"] == captured["books"]
        assert replayed.read_bytes() == live.read_bytes()
    assert run("replay", str(folder), "--digest").out == captured["state_digest"] + "\n"
    audited = run("audit", str(folder), "--json")
    assert audited.code == 1
    assert audited.json["state_digest"] == captured["state_digest"]


ODD = [
    b"<html>502 Bad Gateway</html>",
    b'{"topic":"publicTrade.BTCUSDT","data":[{"T":"\xff\xfe"}]}',
    b'{"data":' + b"[" * 30 + b"]" * 30 + b"}",
    b'{"topic":"' + b"x" * 8_000_000 + b'"}',
    b"",
    b"[1,2,3]",
    b'{"topic":"orderbook.50.BTCUSDT","type":"delta","data":{"seq":"NaN"}}',
    b'{"topic":"publicTrade.\x1b[2J","data":[]}',
]


async def odd_exchange(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send('{"success":true,"op":"subscribe","ret_msg":""}')
    for payload in ODD:
        await connection.send(payload, text=True)
        await connection.send(payload, text=False)
    trade = {"T": 1, "p": "1.50", "v": "2", "S": "Buy", "i": "1"}
    message = {"topic": "publicTrade.BTCUSDT", "data": [trade]}
    await connection.send(msgspec.json.encode(message), text=True)
    await connection.wait_closed()


async def test_frames_that_cannot_be_read_are_kept_and_capture_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    async with serve(odd_exchange, "127.0.0.1", 0, max_size=None, compression=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done = await run_async(
            "capture", "reference", "BTCUSDT", "--url", url, "-o", str(folder),
            "--duration", "2s", "--json",
        )  # fmt: skip
    assert done.code == 0, done.err
    payloads = [frame.payload for frame in Recording.open(folder) if frame.received]
    expected = [payload for payload in ODD for _ in range(2)]
    assert payloads[1:-1] == expected
    assert done.json["findings"]["undecodable"] >= len(ODD)
    audited = run("audit", str(folder), "--json").json
    assert audited["trades"] == [{"venue": "reference", "symbol": "BTCUSDT", "rows": 1}]
    assert audited["undecodable"] == done.json["findings"]["undecodable"]
    assert audited["state_digest"] == done.json["state_digest"]
    assert "\x1b" not in run("audit", str(folder)).out


# Agents that go wrong.


async def test_an_agent_that_raises_is_told_of_and_detached_after_ten(tmp_path: Path) -> None:
    text = (
        "class Agent:\n"
        "    def on_trade(self, trade, market):\n"
        "        raise ValueError('no \\x1b[2J')\n"
    )
    done = await capture(tmp_path / "night", "--agent", agent(tmp_path, text))
    whole(done, tmp_path / "night", code=1)
    assert (done.json["agent_failures"], done.json["agent_detached"]) == (10, True)
    assert done.err.count("the agent failed at frame") == 10
    assert done.err.count("It was detached") == 1
    assert "(on_trade, agent.py line 3): ValueError: no \\x1b[2J" in done.err
    again = run("replay", str(tmp_path / "night"), "--json").json
    assert again["state_digest"] == done.json["state_digest"]


async def test_a_slow_agent_holds_up_nothing(tmp_path: Path) -> None:
    text = (
        "import time\n"
        "class Agent:\n"
        "    def on_trade(self, trade, market):\n"
        "        time.sleep(0.5)\n"
    )
    done = await capture(tmp_path / "night", "--agent", agent(tmp_path, text))
    whole(done, tmp_path / "night", code=1)
    assert done.json["state_digest"] is None
    assert "did not come to an end within" in done.err


async def test_an_engine_that_ends_before_its_last_word_fails_the_capture(tmp_path: Path) -> None:
    text = (
        "import os, time\n"
        "begun_s = time.monotonic()\n"
        "class Agent:\n"
        "    def on_trade(self, trade, market):\n"
        "        time.sleep(max(0, 1.9 - (time.monotonic() - begun_s)))\n"
        "        os._exit(3)\n"
    )
    done = await capture(tmp_path / "night", "--agent", agent(tmp_path, text))
    whole(done, tmp_path / "night", code=1)
    assert done.err.count("the engine's process ended by itself") == 1


async def test_an_agent_that_ends_its_process_ends_nothing_else(tmp_path: Path) -> None:
    text = "import os\nclass Agent:\n    def on_trade(self, trade, market):\n        os._exit(3)\n"
    done = await capture(tmp_path / "night", "--agent", agent(tmp_path, text))
    whole(done, tmp_path / "night", code=1)
    assert "the engine's process ended by itself" in done.err
    assert done.json["state_digest"] is None


async def test_an_agent_may_print_and_read_without_disturbing_anyone(tmp_path: Path) -> None:
    text = (
        "class Agent:\n"
        "    def on_trade(self, trade, market):\n"
        "        print('a trade')\n"
        "        try:\n"
        "            input()\n"
        "        except EOFError:\n"
        "            return 'asked'\n"
    )
    done = await capture(tmp_path / "night", "--agent", agent(tmp_path, text))
    whole(done, tmp_path / "night")
    assert done.json["signals"] > 10
    assert done.json["agent_failures"] == 0
    again = run(
        "replay", str(tmp_path / "night"), "--agent", f"{tmp_path / 'agent.py'}:Agent", "--json"
    )
    assert again.json["signals"] == done.json["signals"]


async def test_a_signal_that_json_cannot_say_detaches_the_agent(tmp_path: Path) -> None:
    text = "class Agent:\n    def on_trade(self, trade, market):\n        return object()\n"
    arguments = ("--agent", agent(tmp_path, text), "--signals", str(tmp_path / "signals.jsonl"))
    done = await capture(tmp_path / "night", *arguments)
    whole(done, tmp_path / "night", code=1)
    assert done.err.count("a signal cannot be written") == 1


async def test_an_async_agent_says_the_same_live_and_replayed(tmp_path: Path) -> None:
    text = (
        "import asyncio\n"
        "class Agent:\n"
        "    async def on_trade(self, trade, market):\n"
        "        await asyncio.sleep(0)\n"
        "        return [trade.price, market.tape.net_delta()]\n"
    )
    live, replayed = tmp_path / "live.jsonl", tmp_path / "replayed.jsonl"
    reference = agent(tmp_path, text)
    folder = tmp_path / "night"
    done = await capture(folder, "--agent", reference, "--signals", str(live))
    whole(done, folder)
    again = run("replay", str(folder), "--agent", reference, "--signals", str(replayed), "--json")
    assert again.json["state_digest"] == done.json["state_digest"]
    assert live.read_bytes() == replayed.read_bytes() != b""


async def test_an_agent_that_cannot_be_loaded_is_told_before_anything_is_recorded(
    tmp_path: Path,
) -> None:
    done = await capture(tmp_path / "night", "--agent", agent(tmp_path, "import nothing_such\n"))
    assert done.code == 2
    assert "line 1 raised ModuleNotFoundError" in done.err
    assert not (tmp_path / "night").exists()


async def test_without_the_engine_there_is_no_digest_and_the_same_recording(tmp_path: Path) -> None:
    done = await capture(tmp_path / "night", "--no-engine")
    whole(done, tmp_path / "night")
    assert done.json["state_digest"] is None
    assert done.json["books"] is None


async def test_a_recording_is_continued_where_it_stopped(tmp_path: Path) -> None:
    first = await capture(tmp_path / "night", duration="1s")
    second = await capture(tmp_path / "night", duration="1s")
    assert second.json["first_frame_number"] == first.json["frames"]
    frames = list(Recording.open(tmp_path / "night"))
    assert [frame.frame_number for frame in frames] == list(range(len(frames)))
    assert len(frames) == first.json["frames"] + second.json["frames"]


SAYING = "class Agent:\n    def on_trade(self, trade, market):\n        return 1\n"


async def test_the_signals_of_a_recording_that_is_continued_are_continued(tmp_path: Path) -> None:
    night, signals = tmp_path / "night", tmp_path / "signals.jsonl"
    more = ("--agent", agent(tmp_path, SAYING), "--signals", str(signals))
    first = await capture(night, *more, duration="1s")
    whole(first, night)
    before = signals.read_bytes()
    signals.write_bytes(before[:-5])  # as a kill may leave it
    second = await capture(night, *more, duration="1s")
    assert second.code == 0, second.err
    lines = signals.read_bytes().split(b"\n")
    told = first.json["signals"]
    assert b"\n".join(lines[:told]) == before[:-5]
    assert len(lines) == told + second.json["signals"] + 1
    assert msgspec.json.decode(lines[told])["frame_number"] >= first.json["frames"]


async def test_signals_of_something_else_are_not_written_over(tmp_path: Path) -> None:
    night, signals = tmp_path / "night", tmp_path / "signals.jsonl"
    signals.write_text("of last week\n")
    refused = await capture(
        night, "--agent", agent(tmp_path, SAYING), "--signals", str(signals), duration="1s"
    )
    assert refused.code == 2
    assert "is there already" in refused.err
    assert signals.read_text() == "of last week\n"
    assert not night.exists()


async def test_a_folder_whose_name_is_no_utf8_is_captured_into(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/night\xff"))
    signals = f"{folder}.jsonl"
    example = f"{EXAMPLE}:SignalAgent"
    log = ("--log-file", f"{folder}.log")
    whole(await capture(folder, "--agent", example, "--signals", signals, *log), folder)


def test_a_capture_to_which_nothing_comes_leaves_the_recording_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    wanted = ("capture", "reference", "BTCUSDT", "-o", str(folder))
    with serving("--simulate", "calm", "--speed", "4x") as url:
        assert run(*wanted, "--url", url, "--duration", "1s").code == 0

    def held() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = held()
    nobody = "ws://127.0.0.1:1"
    failed = run(*wanted, "--url", nobody)
    assert failed.code == 2
    assert "nothing answers at" in failed.err
    assert held() == before
    waited = run(*wanted, "--url", nobody, "--wait", "--duration", "1s", "--json")
    assert waited.code == 0
    assert waited.json["frames"] == 0
    assert held() == before


def test_the_last_line_keeps_what_a_run_added_apart_from_what_the_recording_has(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    with serving("--simulate", "calm", "--speed", "4x") as url:
        wanted = ("capture", "reference", "BTCUSDT", "--url", url, "-o", str(folder))
        first = run(*wanted, "--duration", "1s").out
        held = Recording.open(folder).totals.frames
        second = run(*wanted, "--duration", "1s").out
    assert re.fullmatch(
        rf"2 segments, {held:,} frames, 0 lost, \S+ kB on disk, digest \S+\n", first
    )
    added = Recording.open(folder).totals.frames - held
    assert re.fullmatch(
        rf"in this run {added:,} frames, 0 lost, digest \S+; "
        r"the recording has 4 segments, \S+ kB on disk\n",
        second,
    )


def test_a_recording_that_is_continued_with_other_streams_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    told = []
    with serving("--simulate", "calm", "--speed", "4x") as url:
        for symbol in ("BTCUSDT", "BTCUSDT", "ETHUSDT"):
            done = run(
                "capture", "reference", symbol, "--url", url, "-o", str(folder), "--duration", "1s"
            )
            assert done.code == 0, done.err
            told.append("was begun for other streams" in done.err)
    assert told == [False, False, True]
    begun_for = f"begun for    reference BTCUSDT (the usual channels) at {url}\n"
    assert begun_for in run("info", str(folder)).out
    scanned = run("info", str(folder), "--scan").out
    assert begun_for in scanned
    channels = "(book, trades, liquidations)"
    assert f"subscribed   reference BTCUSDT, ETHUSDT {channels} at {url}\n" in scanned
