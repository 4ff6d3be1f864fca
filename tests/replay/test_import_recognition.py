"""Files say who wrote them and whose messages they hold, and bring what lies beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay.import_errors import (
    DifferentVenuesError,
    UnknownAddressError,
    UnrecognisedImportError,
    VenueNotNamedError,
)
from replay.import_recognition import venue_in
from replay.import_recording import ImportReport, import_recording
from replay.recording import Recording
from tests.cli.commands import run
from tests.feed_recordings import FEEDS
from tests.real_data import REAL_DATA, needs_real_data
from venues.frame import FrameKind
from venues.marker import read_http

OPENED = "wss://{host} <-> 1641343690.598303\n"
MESSAGE = '1641343691.5: {"n":1}\n'
HEARTBEAT = '1641343691.5: {"event":"bts:heartbeat","channel":"","data":{"status":"success"}}\n'
BODY = 'https://www.bitstamp.net/api/v2/order_book/ethusd -> 1641343696.2: {"bids":[]}\n'

VENUES_OF_FEEDS = {
    "BITFINEX.ws.11.0": "bitfinex",
    "BITGET.ws.1.0": "bitget-v1",
    "BITMEX.ws.1.0": "bitmex",
    "BITSTAMP.ws.1.0": "bitstamp",
    "BYBIT.ws.26.0": "bybit-inverse",
    "COINBASE.ws.28.0": "coinbase-exchange",
    "DERIBIT.ws.1.0": "deribit",
    "GATEIO.ws.1.0": "gateio",
    "GEMINI.ws.1.0": "gemini-v2",
    "HUOBI_SWAP.ws.1.0": "htx-swap",
    "KRAKEN.ws.48.0": "kraken-v1",
    "KRAKEN.ws.50.0": "kraken-v1",
    "KRAKEN_FUTURES.ws.1.0": "kraken-futures",
    "KUCOIN.ws.1.0": "kucoin",
    "OKCOIN.ws.1.0": "okcoin",
    "OKX.ws.1.0": "okx",
    "BITSTAMP.http.0.0": "bitstamp",
    "GATEIO.http.0.0": "gateio",
    "KUCOIN.http.0.0": "kucoin",
}


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("".join(lines))
    return path


def imported(folder: Path, *files: Path, http_beside: bool = True) -> ImportReport:
    return import_recording(files, None, None, folder / "out", http_beside=http_beside)


@needs_real_data
def test_every_recorded_feed_says_whose_it_is() -> None:
    found = {
        path.name.removesuffix(".gz"): venue_in([path], "cryptofeed").name
        for path in FEEDS.glob("*.gz")
    }
    assert found == VENUES_OF_FEEDS


@needs_real_data
def test_a_feeds_http_file_comes_with_its_websocket_file_and_names_its_symbols(
    tmp_path: Path,
) -> None:
    report = imported(tmp_path, FEEDS / "GATEIO.ws.1.0.gz")
    assert (report.venue, [path.name for path in report.files]) == (
        "gateio",
        ["GATEIO.ws.1.0.gz", "GATEIO.http.0.0.gz"],
    )
    http = [
        frame for frame in Recording.open(report.folder).frames() if frame.kind is FrameKind.HTTP
    ]
    heads = [read_http(frame)[0] for frame in http]
    assert {head.purpose for head in heads} == {"book snapshot"}
    assert [head.symbol for head in heads][:3] == ["HAI_ETH", "QTUM3S_USDT", "FAST_USDT"]


def test_http_files_are_taken_once_and_can_be_left_out(tmp_path: Path) -> None:
    socket = written(tmp_path, "BITSTAMP.ws.1.0", OPENED.format(host="ws.bitstamp.net/"), HEARTBEAT)
    http = written(tmp_path, "BITSTAMP.http.0.0", BODY)
    written(tmp_path, "BITSTAMP2.http.0.0", BODY)
    written(
        tmp_path, "BITSTAMP.http.0.0.gz", "of another kind: plain files have plain files beside"
    )
    report = imported(tmp_path, socket)
    assert report.files == (socket, http)
    assert report.kinds[FrameKind.HTTP] == 1
    assert len(report.notes) == 1
    assert str(http) in report.notes[0]
    both = import_recording([socket, http], None, None, tmp_path / "both")
    assert (both.files, both.notes) == ((socket, http), ())
    alone = import_recording([socket], None, None, tmp_path / "alone", http_beside=False)
    assert alone.files == (socket,)


def test_the_address_in_the_files_chooses_among_the_venues_of_one_exchange(tmp_path: Path) -> None:
    line = "1624493666.5: {}\n"
    for url, given, taken in (
        ("wss://api.gemini.com/v2/marketdata/", "gemini", "gemini-v2"),
        ("wss://ws.kraken.com", "kraken", "kraken-v1"),
        ("wss://ws.kraken.com", "okx", "okx"),
        ("wss://proxy.example/x", "kraken", "kraken"),
    ):
        path = tmp_path / f"{given}-{taken}.ws.1.0"
        path.write_text(f"{url} <-> 1624493666.4\n{line}")
        report = import_recording([path], None, given, tmp_path / f"{given}-{taken}-{len(url)}")
        assert report.venue == taken
        assert any("not as" in note for note in report.notes) is (given != taken)


def test_an_address_that_is_no_known_venues_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "f", OPENED.format(host="ws.example.org/feed?token=s3cr3t"), MESSAGE)
    with pytest.raises(UnknownAddressError) as refused:
        imported(tmp_path, path)
    assert "wss://ws.example.org/feed" in str(refused.value)
    assert "--venue" in str(refused.value)
    assert "s3cr3t" not in str(refused.value)
    assert not (tmp_path / "out").exists()
    given = import_recording([path], None, "reference", tmp_path / "given")
    assert (given.venue, given.frames) == ("reference", 2)


def test_files_without_an_address_and_files_of_two_venues_are_refused(tmp_path: Path) -> None:
    bare = written(tmp_path, "bare", MESSAGE)
    collected = written(tmp_path, "collected", '1723161253937085768 {"n":1}\n')
    for path in (bare, collected):
        with pytest.raises(VenueNotNamedError, match="Give --venue"):
            imported(tmp_path, path)
    okx = written(tmp_path, "okx", OPENED.format(host="ws.okx.com:8443/ws/v5/public"), MESSAGE)
    kraken = written(tmp_path, "kraken", OPENED.format(host="ws.kraken.com"), MESSAGE)
    with pytest.raises(DifferentVenuesError, match="kraken-v1, okx"):
        imported(tmp_path, okx, kraken)


@pytest.mark.parametrize("line", ["", "no time at all\n", '{"n":1}\n', "17 {}\n"])
def test_a_file_of_no_known_format_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UnrecognisedImportError, match="Give --format"):
        imported(tmp_path, written(tmp_path, "f", line))


def test_the_formats_are_told_apart_by_their_first_line(tmp_path: Path) -> None:
    collected = written(tmp_path, "c", '\n1723161253937085768 {"e":"x"}\n')
    report = import_recording([collected], None, "binance-spot", tmp_path / "c-out")
    assert report.first_receive_time_ns == 1_723_161_253_937_085_768
    captured = written(tmp_path, "f", MESSAGE)
    report = import_recording([captured], None, "binance-spot", tmp_path / "f-out")
    assert report.first_receive_time_ns == 1_641_343_691_500_000_000


def test_the_command_says_what_it_took_and_found(tmp_path: Path) -> None:
    socket = written(tmp_path, "BITSTAMP.ws.1.0", OPENED.format(host="ws.bitstamp.net/"), MESSAGE)
    written(tmp_path, "BITSTAMP.http.0.0", BODY)
    done = run("import", str(socket), "-o", str(tmp_path / "out"), "--json")
    assert (done.json["venue"], done.json["frames"], len(done.json["files"])) == ("bitstamp", 3, 2)
    assert "BITSTAMP.http.0.0: lies beside" in done.err
    done = run("import", str(socket), "--no-http", "-o", str(tmp_path / "again"))
    assert "2 frames of bitstamp" in done.out


@needs_real_data
def test_real_hftbacktest_files_need_the_venue_and_nothing_else(tmp_path: Path) -> None:
    path = REAL_DATA / "binance" / "spot_btcusdt_20240808.gz"
    with pytest.raises(VenueNotNamedError):
        imported(tmp_path, path)


TRADE = '1723161253937085768 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161253930,'
TRADE += '"T":1723161253929,"s":"BTCUSDT","t":1,"p":"61000.1","q":"0.002","X":"MARKET","m":true}}\n'
HELD = "Nothing was understood: of 3 messages none says anything about a market as "


def test_an_import_as_a_venue_that_understands_nothing_of_it_says_so(tmp_path: Path) -> None:
    collected = written(tmp_path, "collected", TRADE * 3)
    right = run("import", str(collected), "--venue", "binance-usdm", "-o", str(tmp_path / "right"))
    assert right.code == 0, right.err
    assert right.err == ""
    wrong = run("import", str(collected), "--venue", "okx", "-o", str(tmp_path / "wrong"))
    assert wrong.code == 0
    said = " ".join(wrong.err.split())
    assert f"{HELD}okx does." in said
    assert "give --venue; `tickreel venues` lists them" in said


def test_an_import_that_understands_nothing_names_the_venue_of_the_address(tmp_path: Path) -> None:
    okx = OPENED.format(host="ws.okx.com:8443/ws/v5/public")
    feed = written(tmp_path, "feed", okx, MESSAGE * 3)
    report = import_recording([feed], None, "deribit", tmp_path / "wrong")
    assert report.notes == (
        f"{HELD}deribit does. The files name an address of okx: import them with --venue okx.",
    )


def test_answers_and_heartbeats_alone_are_nothing_that_was_not_understood(tmp_path: Path) -> None:
    pong = '1723161253937085768 {"op":"pong"}\n'
    path = written(tmp_path, "pongs", pong * 3)
    assert import_recording([path], None, "reference", tmp_path / "out").notes == ()
