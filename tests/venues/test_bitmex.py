"""BitMEX: what its tables mean, books whose levels have names, and how it is asked."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from book.engine import Engine
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import (
    RECEIVED_NS,
    decoded,
    decoded_http,
    http_frame,
    text_frame,
)
from tests.venues.samples import bitmex as samples
from venues.channel import Channel
from venues.errors import UNDECODABLE, CredentialsError, UnknownSymbolError
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Instrument,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    Trade,
)
from venues.frame import FrameKind
from venues.op_args import signature
from venues.registry import venue_at, venue_named
from venues.venue import Credentials, Purpose, RequestKind, StreamRequest

NAME, XBT = "bitmex", samples.SYMBOL
R = RECEIVED_NS
BITMEX = venue_named(NAME)
KEYS = Credentials("key-1", "secret-1")
S, MS = 1_000_000_000, 1_000_000
# 2024-11-25T10:30:00Z, by `date -u`.
NOV_25_10_30_NS = (1_732_492_800 + 37_800) * S


def test_rows_say_what_changed_and_nothing_else() -> None:
    assert decoded(NAME, samples.BOOK) == [
        BookSnapshot(
            XBT,
            R,
            None,
            [("31800.5", "100")],
            [("1000000", "600000")],
            level_ids=(["8796820000"], ["8700000000"]),
        )
    ]
    assert decoded(NAME, samples.UPDATE) == [
        BookDelta(
            XBT,
            R,
            None,
            [("", "2104")],
            [("", "7")],
            level_ids=(["8796820000"], ["8700000000"]),
        )
    ]
    assert decoded(NAME, samples.DELETE) == [
        BookDelta(XBT, R, None, [("", "0")], [], level_ids=(["8796820000"], []))
    ]
    moved = samples.UPDATE.replace(b'"size":2104', b'"price":31801')
    (delta,) = decoded(NAME, moved)
    assert isinstance(delta, BookDelta)
    assert delta.bids == [("31801", "")]


def test_an_empty_partial_empties_the_book_that_it_was_filtered_by() -> None:
    head, _, _ = samples.BOOK.partition(b'"data":')
    assert decoded(NAME, head + b'"data":[]}') == [BookSnapshot(XBT, R, None, [], [])]


def test_rows_of_several_symbols_are_an_event_each() -> None:
    both = samples.DELETE.replace(
        b'"side":"Buy"}]}',
        b'"side":"Buy"},{"symbol":"ETHUSD","id":7,"side":"Sell"}]}',
    )
    assert [event.symbol for event in decoded(NAME, both)] == [XBT, "ETHUSD"]


@pytest.mark.parametrize(
    "payload",
    [
        samples.INSERT.replace(b',"price":98459.9', b""),
        samples.BOOK.replace(b'"size":100,', b""),
        samples.LIQUIDATION.replace(b'"side":"Sell",', b""),
        samples.TRADE.replace(b'"Sell"', b'"Both"'),
        samples.QUOTE.replace(b"2024-11-22T22:44:25.085Z", b"yesterday"),
        b'{"success":null}',
    ],
)
def test_what_breaks_the_protocol_is_refused(payload: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        decoded(NAME, payload)


def test_the_trade_before_the_subscription_is_history() -> None:
    (trade,) = decoded(NAME, samples.TRADE.replace(b"insert", b"partial"))
    assert isinstance(trade, Trade)
    assert trade.history


@pytest.mark.parametrize(
    ("symbol", "notional"),
    [("XBTUSD", Decimal(1000)), ("XBTZ26", Decimal(1000)), ("ETHUSD", None), ("XBTUSDT", None)],
)
def test_a_liquidation_is_worth_its_size_where_a_contract_is_one_dollar(
    symbol: str, notional: Decimal | None
) -> None:
    payload = samples.LIQUIDATION.replace(b"XBTUSD", symbol.encode())
    (liquidation,) = decoded(NAME, payload)
    assert isinstance(liquidation, Liquidation)
    assert liquidation.liquidated_side is LiquidatedSide.LONG
    assert liquidation.notional == notional
    assert decoded(NAME, samples.LIQUIDATION_UPDATE) == []
    assert decoded(NAME, payload.replace(b"insert", b"partial")) == []


INSTRUMENTS = {
    # Fields as the exchange's endpoint names them; the numbers are its contracts' specifications.
    "XBTUSD": (
        '"lotSize":100,"tickSize":0.1,"multiplier":-100000000,"isInverse":true,'
        '"underlyingToSettleMultiplier":-100000000',
        ContractKind.INVERSE,
        "0.1",
        "100",
        "1",
    ),
    "XBTUSDT": (
        '"lotSize":1000,"tickSize":0.5,"multiplier":1,"underlyingToPositionMultiplier":1000000',
        ContractKind.LINEAR,
        "0.5",
        "1000",
        "0.000001",
    ),
    "ETHUSD": (
        '"lotSize":1,"tickSize":0.05,"multiplier":100,"isQuanto":true,'
        '"underlyingToPositionMultiplier":null',
        ContractKind.LINEAR,
        "0.05",
        "1",
        None,
    ),
    "ODDUSDT": (
        '"lotSize":1,"tickSize":1e-7,"multiplier":1,"underlyingToPositionMultiplier":3',
        ContractKind.LINEAR,
        "1e-7",
        "1",
        None,
    ),
}


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_what_a_contract_is(symbol: str) -> None:
    fields, kind, tick, lot, size = INSTRUMENTS[symbol]
    body = f'[{{"symbol":"{symbol}",{fields}}}]'.encode()
    events = decoded_http(NAME, http_frame(body, symbol, purpose=Purpose.INSTRUMENTS))
    assert events == [Instrument(symbol, R, None, tick, lot, kind, size)]


def test_an_order_s_update_leaves_out_what_did_not_change() -> None:
    assert decoded(NAME, samples.ORDER) == [
        OrderUpdate(XBT, R, NOV_25_10_30_NS + 123 * MS, "o-1", "c-1", None, "", "", "100", "Filled")
    ]
    (position,) = decoded(NAME, samples.POSITION)
    assert isinstance(position, PositionUpdate)
    assert (position.side, position.size_text) == (Side.SELL, "300")
    assert decoded(NAME, samples.POSITION.replace(b'"currentQty":-300,', b"")) == []
    (flat,) = decoded(NAME, samples.POSITION.replace(b"-300", b"0"))
    assert isinstance(flat, PositionUpdate)
    assert flat.side is None


@needs_real_data
def test_the_recorded_books_are_those_of_a_plain_reader() -> None:
    frames = feed_frames(NAME, "BITMEX.ws.1.0")
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    assert engine.undecodable == 0
    assert not engine.findings.counts
    received = [frame.payload for frame in frames if frame.kind is FrameKind.TEXT]
    books = plain_books(received)
    assert len(books) == 10
    for symbol, levels in books.items():
        bids = [row for side, *row in levels.values() if side == "Buy"]
        asks = [row for side, *row in levels.values() if side == "Sell"]
        assert book_rows(engine.markets[(NAME, symbol)].book) == (
            [tuple(row) for row in sorted(bids, reverse=True)],
            [tuple(row) for row in sorted(asks)],
        )
    counters = [engine.markets[(NAME, symbol)].counters for symbol in books]
    # Counted in the file: 226 inserts, 438 updates, 226 deletes; ten partials of a trade each.
    assert sum(each.deltas for each in counters) == 890
    assert sum(each.trades_history for each in counters) == 10
    assert sum(each.crossed for each in counters) == 0


def plain_books(payloads: list[bytes]) -> dict[str, dict[int, tuple[str, Decimal, Decimal]]]:
    """Rebuild the books with nothing but JSON and dictionaries."""
    books: dict[str, dict[int, tuple[str, Decimal, Decimal]]] = {}
    for payload in payloads:
        message = json.loads(payload, parse_float=Decimal)
        if message.get("table") != "orderBookL2":
            continue
        for row in message["data"]:
            book = books.setdefault(row["symbol"], {})
            if message["action"] == "delete":
                del book[row["id"]]  # KeyError: an id that nobody held
            else:
                price = row.get("price", book.get(row["id"], ("", None))[1])
                book[row["id"]] = (row["side"], Decimal(price), Decimal(row["size"]))
    return books


def test_a_change_of_a_level_that_nobody_holds_is_a_loss() -> None:
    engine = Engine()
    for payload in (samples.BOOK, samples.DELETE, samples.DELETE):
        engine.apply(text_frame(payload, NAME))
    assert engine.findings.counts
    assert not engine.markets[(NAME, XBT)].book.proven


def test_topics_are_tables_of_symbols() -> None:
    public, private = BITMEX.plan(
        StreamRequest(
            NAME,
            ("BTC-USD-PERP",),
            (Channel.BOOK, Channel.TRADES, Channel.QUOTES, Channel.ORDER, Channel.WALLET),
            depth=25,
        )
    )
    assert public.subscribe_messages == (
        '{"op":"subscribe","args":["orderBookL2_25:XBTUSD","trade:XBTUSD","quote:XBTUSD"]}',
    )
    assert private.subscribe_messages == ('{"op":"subscribe","args":["order","margin"]}',)
    assert (private.private, private.url) == (True, "wss://ws.bitmex.com/realtime")
    assert BITMEX.resubscribe_messages(public, XBT) == [
        '{"op":"unsubscribe","args":["orderBookL2_25:XBTUSD"]}',
        '{"op":"subscribe","args":["orderBookL2_25:XBTUSD"]}',
    ]
    (request,) = BITMEX.instrument_requests(public)
    assert request.url == "https://www.bitmex.com/api/v1/instrument?symbol=XBTUSD"
    assert venue_at("wss://www.bitmex.com/realtime") is BITMEX


def test_no_request_holds_more_topics_than_the_exchange_takes() -> None:
    symbols = tuple(f"1000000COIN{number}USDT" for number in range(30))
    (plan,) = BITMEX.plan(StreamRequest(NAME, symbols, ()))
    counts = [len(json.loads(message)["args"]) for message in plan.subscribe_messages]
    assert sum(counts) == len(plan.subscriptions) == 90
    # "Too many args sent. Max length is 20." is what it says of more.
    assert max(counts) <= 20


@pytest.mark.parametrize(
    ("pair", "native"),
    [
        ("BTC-USD-PERP", "XBTUSD"),
        ("ETH-USDT-PERP", "ETHUSDT"),
        ("BTC-USDT", "XBT_USDT"),
        ("xbtz26", "XBTZ26"),
    ],
)
def test_pairs_and_native_symbols(pair: str, native: str) -> None:
    (plan,) = BITMEX.plan(StreamRequest(NAME, (pair,), (Channel.TRADES,)))
    assert {one.symbol for one in plan.subscriptions} == {native}


def test_a_perpetual_in_euros_is_not_guessed() -> None:
    with pytest.raises(UnknownSymbolError):
        BITMEX.plan(StreamRequest(NAME, ("BTC-EUR-PERP",), ()))


def test_a_login_signs_its_expiry() -> None:
    (plan,) = BITMEX.plan(StreamRequest(NAME, (), (Channel.POSITION,)))
    # Keys and a signature of the exchange's own documentation.
    documented = Credentials(
        "LAqUlngMIQkIUjXMUreyu3qn", "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO"
    )
    login = BITMEX.login(plan, documented, 1_700_000_000_999, b"")
    assert login.message is not None
    asked = json.loads(login.message)
    assert (asked["op"], asked["args"][:2]) == (
        "authKeyExpires",
        ["LAqUlngMIQkIUjXMUreyu3qn", 1_700_000_060],
    )
    assert asked["args"][2] == signature(documented.secret, "GET/realtime1700000060")
    assert signature(documented.secret, "GET/api/v1/instrument1518064236") == (
        "c7682d435d0cfe87c16098df34ef2eb5a549d4c5a3c2b1f0f77b8af73423bf00"
    )
    dialect = BITMEX.dialect
    request = dialect.read_request(login.message.encode())
    assert (request.kind, request.topics) == (RequestKind.LOGIN, ())
    assert dialect.login_valid(request, documented)
    assert not dialect.login_valid(request, KEYS)
    for refused, kind in ((None, NoticeKind.LOGGED_IN), ("no", NoticeKind.LOGIN_REFUSED)):
        (answer,) = dialect.answer(request, refused)
        notice = BITMEX.read_notice(str(answer).encode())
        assert notice is not None
        assert notice.kind is kind
    with pytest.raises(CredentialsError):
        BITMEX.login(plan, Credentials("key-1", ""), 1, b"")


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (samples.WELCOME, NoticeKind.INFORMATION, "Welcome to the BitMEX Realtime API."),
        (samples.ACKNOWLEDGED, NoticeKind.ACKNOWLEDGED, "trade:XBTUSD"),
        (
            samples.REFUSED,
            NoticeKind.REJECTED,
            "Unknown or expired symbol: NONE (status 400)",
        ),
        (samples.LOGGED_IN, NoticeKind.LOGGED_IN, ""),
        (samples.LOGIN_REFUSED, NoticeKind.LOGIN_REFUSED, "Invalid API Key. (status 401)"),
        (b"pong", NoticeKind.HEARTBEAT, ""),
    ],
)
def test_what_it_says_of_the_connection(payload: bytes, kind: NoticeKind, text: str) -> None:
    assert decoded(NAME, payload) == [Notice("", R, None, kind, text)]
    assert BITMEX.read_notice(payload) == Notice("", 0, None, kind, text)


def test_both_sides_use_the_same_words() -> None:
    dialect = BITMEX.dialect
    request = dialect.read_request(b'{"op":"subscribe","args":["trade:XBTUSD","order"]}')
    answers = dialect.answer(request, None)
    assert [BITMEX.read_notice(str(each).encode()) for each in answers] == [
        Notice("", 0, None, NoticeKind.ACKNOWLEDGED, topic) for topic in request.topics
    ]
    topics = [dialect.topic(payload) for payload in (samples.BOOK, samples.DELETE, samples.ORDER)]
    assert topics == ["orderBookL2:XBTUSD", "orderBookL2:XBTUSD", "order"]
    assert dialect.topic(samples.ACKNOWLEDGED) is None
    ping = BITMEX.heartbeat(1)
    assert ping is not None
    assert dialect.answer(dialect.read_request(ping.encode()), None) == ["pong"]
    single = dialect.read_request(b'{"op":"subscribe","args":"trade:XBTUSD"}')
    assert single.topics == ("trade:XBTUSD",)
    assert dialect.read_request(b"hello").kind is RequestKind.UNREADABLE
