from __future__ import annotations

import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.import_errors import ImportFormatError
from replay.import_recording import ImportReport, import_recording
from replay.recording import Recording
from tests.real_data import REAL_DATA, needs_real_data
from venues.frame import Frame, FrameKind
from venues.marker import Opened, read_http, read_marker

URL = b"wss://stream.bybit.com/v5/public/linear"


def imported(folder: Path, *contents: bytes, venue: str = "bybit-linear") -> ImportReport:
    files = []
    for number, content in enumerate(contents):
        files.append(folder / f"file-{number}")
        files[-1].write_bytes(content)
    return import_recording(files, "cryptofeed", venue, folder / "recording")


def frames_of(report: ImportReport) -> list[Frame]:
    return list(Recording.open(report.folder).frames())


def test_each_form_of_line_becomes_its_kind_of_frame(tmp_path: Path) -> None:
    content = b"\n".join(
        [
            URL + b" <-> 1618678132.368463",
            URL + b' <- 1618678132.83097: {"op":"subscribe"}',
            b'1618678132.8434298: {"topic": "a: b"}',
            rb"1618678133: b'\x1f\x8b\n\''",
            b"https://api.bybit.com/v5/market/orderbook?category=linear&symbol=BTCUSDT"
            b' -> 1618678133.1: {"x":1}',
            b"",
        ]
    )
    opened, sent, text, binary, http = frames_of(imported(tmp_path, content))
    assert read_marker(opened, Opened) == Opened("bybit-linear", URL.decode())
    assert (sent.kind, sent.payload) == (FrameKind.SENT, b'{"op":"subscribe"}')
    assert (text.kind, text.payload) == (FrameKind.TEXT, b'{"topic": "a: b"}')
    assert text.receive_time_ns == 1_618_678_132_843_429_800
    assert (binary.kind, binary.payload) == (FrameKind.BINARY, b"\x1f\x8b\n'")
    assert binary.receive_time_ns == 1_618_678_133 * 10**9
    head, body = read_http(http)
    assert (head.symbol, head.purpose, body) == ("BTCUSDT", "book snapshot", b'{"x":1}')
    assert {frame.connection_id for frame in (opened, sent, text, binary, http)} == {1}


@given(st.integers(min_value=10**18, max_value=2**63 - 1))
def test_seconds_in_decimal_text_are_read_to_the_nanosecond(time_ns: int) -> None:
    from replay.import_cryptofeed import _nanoseconds

    text = str(Decimal(time_ns).scaleb(-9)).encode()
    assert _nanoseconds(text) == time_ns


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(messages=st.lists(st.binary(), min_size=1, max_size=5))
def test_any_binary_message_is_read_back_from_its_literal(
    tmp_path_factory: pytest.TempPathFactory, messages: list[bytes]
) -> None:
    content = b"".join(b"1618678133.5: %b\n" % repr(message).encode() for message in messages)
    report = imported(tmp_path_factory.mktemp("import"), content)
    assert [frame.payload for frame in frames_of(report)] == messages


def test_an_opening_begins_a_connection_and_lines_belong_to_their_files_last(
    tmp_path: Path,
) -> None:
    first = (
        URL + b" <-> 1618678130.1\n1618678130.4: a\n" + URL + b" <-> 1618678130.7\n1618678130.8: b"
    )
    second = URL + b" <-> 1618678130.2\n1618678130.3: c\n1618678130.9: d"
    http = b"https://api.bybit.com/x -> 1618678130.35: e\n"
    frames = frames_of(imported(tmp_path, first, second, http))
    seen = [(frame.payload, frame.connection_id) for frame in frames]
    opened = [payload for payload, _ in seen if payload.startswith(b'{"stream"')]
    assert len(opened) == 3
    told = {payload: number for payload, number in seen if len(payload) == 1}
    assert told == {b"c": 2, b"a": 1, b"b": 3, b"d": 2}
    assert [number for payload, number in seen if payload.endswith(b"e")] == [2]


def test_a_login_and_a_token_are_not_kept(tmp_path: Path) -> None:
    content = (
        b"wss://host/v5/private?token=SECRETTOKEN <-> 1618678130.1\n"
        b'wss://host/v5/private <- 1618678130.2: {"op":"auth","args":["SECRETKEY",1,"SECRETSIGN"]}'
    )
    report = imported(tmp_path, content)
    for frame in frames_of(report):
        assert b"SECRET" not in frame.payload
    everything = b"".join(p.read_bytes() for p in report.folder.rglob("*") if p.is_file())
    assert b"SECRET" not in everything


@pytest.mark.parametrize(
    "message",
    [
        b'{"type":"subscribe","channels":["user"],"key":"SECRETKEY","signature":"SECRET/SIGN="}',
        b'{"channel":"spot.orders","auth":{"method":"api_key","KEY":"SECRETKEY","SIGN":"SECRET1"}}',
        b'{"event":"bts:subscribe","data":{"channel":"private-my","auth":"SECRETTOKEN"}}',
        b'{"event":"subscribe","api_key":"SECRETKEY","signed_challenge":"SECRET\\/SIGN=="}',
    ],
)
def test_a_subscription_that_is_signed_is_kept_without_its_keys(
    tmp_path: Path, message: bytes
) -> None:
    content = b"wss://host/x <-> 1618678130.1\nwss://host/x <- 1618678130.2: " + message
    _, sent = frames_of(imported(tmp_path, content))
    assert b"SECRET" not in sent.payload
    assert json.loads(sent.payload).keys() == json.loads(message).keys()


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"wss://host <> 1618678130.1",
        b"wss://host <-> 1618678130.1: text",
        b"wss://host <- 1618678130.1",
        b"wss://host -> now: body",
        b"1618678130.1",
        b"1e9: {}",
        b"1618678130.1234567891: {}",
        b"12: {}",
        rb"1618678133.5: b'\x1f",
        rb"1618678133.5: b'a' + b'b'",
        b"1618678133.5: b'a', 1",
    ],
)
def test_a_bad_line_is_named_with_its_number_and_nothing_is_left(
    tmp_path: Path, line: bytes
) -> None:
    with pytest.raises(ImportFormatError) as refused:
        imported(tmp_path, URL + b" <-> 1618678130.0\n\n" + line + b"\n")
    assert refused.value.line_number == 3
    assert "expected" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file-0"]


def told_as_lines(frames: list[Frame]) -> Counter[bytes]:
    """What the frames were made from, as far as their payloads say."""
    told: Counter[bytes] = Counter()
    for frame in frames:
        if frame.kind is FrameKind.HTTP:
            told[read_http(frame)[1]] += 1
        elif frame.kind is FrameKind.BINARY:
            told[repr(frame.payload).encode()] += 1
        elif frame.kind is not FrameKind.OPENED:
            told[frame.payload] += 1
    return told


@needs_real_data
@pytest.mark.parametrize("path", sorted((REAL_DATA / "feeds").glob("*.gz")), ids=lambda p: p.stem)
def test_a_real_capture_is_imported_line_by_line(tmp_path: Path, path: Path) -> None:
    lines = [line for line in gzip.decompress(path.read_bytes()).split(b"\n") if line.strip()]
    report = import_recording(
        [path], "cryptofeed", "reference", tmp_path / "recording", http_beside=False
    )
    assert report.frames == len(lines)
    bodies = Counter(line.split(b": ", 1)[1] for line in lines if b" <-> " not in line)
    assert told_as_lines(frames_of(report)) == bodies
