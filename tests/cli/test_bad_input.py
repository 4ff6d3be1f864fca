"""Bad input gets a clear sentence, exit code 2, no traceback; and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from recorder.recording_folder import FolderLock
from replay.market_simulator import SimulationSettings
from replay.venue_server import VenueServer
from tests.cli.commands import Done, flip_byte, run, run_async
from venues.venue import Credentials

CAPTURE = ("capture", "reference", "BTCUSDT")
AGENT = f"{Path(__file__).parents[2]}/examples/signal_agent.py:SignalAgent"


def told(done: Done) -> str:
    """Check that a command ended as bad input must; return what it said, on one line."""
    assert done.code == 2, done
    assert done.out == ""
    assert "Traceback" not in done.err
    lines = [line for line in done.err.splitlines() if not line.startswith("capturing ")]
    assert lines[0].startswith("error: "), done.err
    assert done.err.count("error:") == 1, done.err
    return " ".join(line.strip() for line in lines)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("captur", "there is no command 'captur' (did you mean 'capture'?)"),
        ("capture", "Missing argument 'VENUE|FILE.toml'"),
        ("capture bybit-liner BTCUSDT -o x", "did you mean 'bybit-linear'?"),
        ("capture bybit-linear BTC/USDT -o x", "'BTC/USDT' cannot be a symbol of bybit-linear"),
        ("capture bybit-linear -o x", "error: bybit-linear: market data needs at least one symbol"),
        ("capture bybit-linear BTCUSDT --channels bok -o x", "(did you mean 'book'?)"),
        ("capture bybit-linear BTCUSDT --depth 7 -o x", "7"),
        ("capture bybit-linear BTCUSDT", "give the folder to record into: -o DIR"),
        ("capture bybit-linear BTCUSDT -o x --duration 8x", "such as 90s, 15m, 8h"),
        ("capture bybit-linear BTCUSDT -o x --agent a.py:A --no-engine", "needs the engine"),
        ("capture bybit-linear BTCUSDT -o x --signals s.jsonl", "--signals needs an --agent"),
        ("capture bybit-linear BTCUSDT -o x --agent none.py:A", "there is no file none.py"),
        (
            "capture bybit-linear BTCUSDT -o x --agent {agent} --signals no/s.jsonl",
            "error: no/s.jsonl: No such file or directory.",
        ),
        ("capture reference BTCUSDT --channels order -o x", "TICKREEL_REFERENCE_KEY"),
        ("capture reference BTCUSDT -o x --url http://127.0.0.1:1", "is no WebSocket address"),
        ("capture none.toml", "none.toml: cannot be read: No such file or directory"),
        ("replay nowhere", "nowhere: no such folder"),
        ("replay {night} --speed 0x", "time would stand still"),
        ("replay {night} --speed -1", "cannot be played backwards"),
        ("replay {night} --speed fast", "'fast' cannot be a speed"),
        ("replay {night} --from noon", "write 2026-11-22T02:14:00Z"),
        ("replay {night} --from +9h", "the recording runs from"),
        ("replay {night} --streams bybit-liner", "did you mean 'bybit-linear'?"),
        ("replay {night} --streams binance-spot", "there is no frame of binance-spot"),
        ("replay {night} {night}", "every trade in it would count twice"),
        ("replay {night} --signals s.jsonl", "--signals needs an --agent"),
        ("audit {night} --streams binance-spot", "--streams can be one of: reference."),
        ("replay {night} --agent none.py:A", "there is no file none.py"),
        ("audit nowhere", "nowhere: no such folder"),
        ("info nowhere", "nowhere: no such folder"),
        ("recover nowhere", "nowhere: no such folder"),
        ("serve", "give either the recordings to serve, or --simulate SCENARIO"),
        ("serve --simulate ruogh", "did you mean 'rough'?"),
        ("serve {night} --speed fast", "'fast' cannot be a speed"),
        ("serve {night} --host 0.0.0.0", "Give --insecure"),
        ("import none.gz --format hftbacktest --venue binance-usdm -o x", "none.gz"),
        ("import none.gz --format hftbactest --venue binance-usdm -o x", "mean 'hftbacktest'?"),
        ("import none.gz --format cryptofeed --venue bynance -o x", "unknown venue 'bynance'"),
        ("venues bybit", "unknown venue 'bybit'"),
    ],
)
def test_what_cannot_run_says_so(
    captured: Path, tmp_path: Path, arguments: str, sentence: str
) -> None:
    done = run(*arguments.format(night=captured, agent=AGENT).split(), cwd=tmp_path)
    assert sentence in told(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("symbols", [("",), ("BTC-USDT", " ")])
def test_an_empty_symbol_is_told_of_as_that(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    done = run("capture", "okx", *symbols, "-o", str(tmp_path / "night"))
    assert told(done).startswith("error: okx: one of the symbols is empty (a shell variable")


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    arguments = (*CAPTURE, "--url", "ws://127.0.0.1:1", "-o", ".")
    assert "is not empty and holds no recording" in told(run(*arguments, cwd=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_settings_file_with_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    text = '[[stream]]\nvenue = "bybit-linear"\nsymbol = ["BTCUSDT"]\n'
    (tmp_path / "night.toml").write_text(text)
    said = told(run("capture", "night.toml", cwd=tmp_path))
    assert "unknown key 'symbol' (did you mean 'symbols'?)" in said
    assert "number 1" in said


def test_a_settings_file_that_is_no_toml_is_told_where(tmp_path: Path) -> None:
    (tmp_path / "night.toml").write_text("[[stream]\n")
    assert "line 1" in told(run("capture", "night.toml", cwd=tmp_path))


def test_an_escape_sequence_in_an_argument_is_not_obeyed(tmp_path: Path) -> None:
    done = run("replay", "\x1b[2Jnowhere", cwd=tmp_path)
    assert "\x1b" not in done.err
    assert "\\x1b[2Jnowhere" in told(done)


# Hosts.


async def test_a_host_that_is_not_there_is_named(tmp_path: Path) -> None:
    url = "ws://no-such-host.invalid:80"
    done = await run_async(*CAPTURE, "--url", url, "-o", str(tmp_path / "x"))
    assert "no host 'no-such-host.invalid'" in told(done)


async def test_a_port_where_nobody_answers_is_named(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{closed.getsockname()[1]}"
        done = await run_async(*CAPTURE, "--url", url, "-o", str(tmp_path / "x"))
    assert f"nothing answers at {url}" in told(done)


@asynccontextmanager
async def exchange(status: HTTPStatus | None = None) -> AsyncIterator[str]:
    """An exchange that refuses every handshake with `status`."""

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        return None if status is None else connection.respond(status, "not today\n")

    async def nothing(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(nothing, "127.0.0.1", 0, process_request=refuse) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (HTTPStatus.FORBIDDEN, "HTTP 403, it does not serve this address or this place"),
        (HTTPStatus.TOO_MANY_REQUESTS, "HTTP 429, too many requests came from this address"),
    ],
)
async def test_a_refused_handshake_is_told_with_the_exchanges_words(
    tmp_path: Path, status: HTTPStatus, sentence: str
) -> None:
    async with exchange(status) as address:
        done = await run_async(*CAPTURE, "--url", f"ws://{address}", "-o", str(tmp_path / "x"))
    said = told(done)
    assert sentence in said
    assert "not today" in said


async def test_a_capture_that_nothing_came_to_says_so(tmp_path: Path) -> None:
    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(-1)
        finally:
            writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done = await run_async(
            *CAPTURE, "--url", url, "-o", str(tmp_path / "x"), "--duration", "1s"
        )
    assert "warning: reference: never connected" in done.err
    async with exchange() as address:
        done = await run_async(
            *CAPTURE, "--url", f"ws://{address}", "-o", str(tmp_path / "y"), "--duration", "1s"
        )
    assert "warning: reference: connected, but no message came" in done.err


async def test_a_tls_handshake_that_fails_is_told(tmp_path: Path) -> None:
    async def answer_in_plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer_in_plain, "127.0.0.1", 0) as server:
        url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done = await run_async(*CAPTURE, "--url", url, "-o", str(tmp_path / "x"))
    assert f"no safe connection to {url}" in told(done)


async def test_a_refused_subscription_is_told_with_the_exchanges_words(tmp_path: Path) -> None:
    async with VenueServer(SimulationSettings()) as server:
        done = await run_async(
            "capture", "reference", "XRPUSDT", "--url", server.url, "-o", str(tmp_path / "x")
        )
    said = told(done)
    assert "refused the subscription" in said
    assert "XRPUSDT" in said


async def test_a_refused_login_is_told_and_the_keys_are_not(tmp_path: Path) -> None:
    keys = {"TICKREEL_REFERENCE_KEY": "mykey-1", "TICKREEL_REFERENCE_SECRET": "hush-hush-2"}
    async with VenueServer(SimulationSettings(), credentials=Credentials("a", "b")) as server:
        done = await run_async(
            "capture", "reference", "BTCUSDT", "--channels", "order", "--url", server.url,
            "-o", str(tmp_path / "x"), env=keys,
        )  # fmt: skip
    said = told(done)
    assert "the login was refused" in said
    kept = everything_in(tmp_path)
    for secret in keys.values():
        assert secret not in said
        assert secret.encode() not in kept


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


# Recordings.


def largest_segment(recording: Path) -> Path:
    return max(recording.rglob("*.parquet"), key=lambda path: path.stat().st_size)


def test_a_newer_format_is_not_guessed_at(recording: Path) -> None:
    path = recording / "recording.json"
    description = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(description | {"format_version": 99}))
    assert "format version 99; this tickreel reads up to version" in told(
        run("replay", str(recording))
    )


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_a_damaged_segment_is_named_and_played_around(recording: Path, damage: str) -> None:
    whole = run("replay", str(recording), "--json").json
    path = largest_segment(recording)
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        os.truncate(path, path.stat().st_size // 2)
    else:
        flip_byte(path, path.stat().st_size // 3)
    said = told(run("replay", str(recording)))
    assert path.name in said
    assert "frames 0 to" in said or "frames 1 to" in said
    assert "--skip-damaged" in said
    around = run("replay", str(recording), "--skip-damaged", "--json")
    assert around.code == 0, around.err
    assert around.json["findings"]["lost"] == 1
    assert around.json["state_digest"] != whole["state_digest"]
    audited = run("audit", str(recording))
    assert audited.code == 1
    assert path.name in audited.out


def test_a_second_capture_into_the_same_folder_is_refused(recording: Path) -> None:
    with FolderLock(recording / ".lock"):
        said = told(run(*CAPTURE, "--url", "ws://127.0.0.1:1", "-o", str(recording)))
    assert "another tickreel is writing into this folder" in said
