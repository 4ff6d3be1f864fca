"""Bitfinex: what its arrays mean, and that its numbers and checksums prove its books."""

from __future__ import annotations

import json
from decimal import Decimal
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import feed_frames
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, text_frame
from tests.venues.samples import bitfinex as samples
from venues.channel import Channel, Subscription
from venues.errors import UNDECODABLE, UnknownSymbolError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    FrameSequence,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    Routes,
    Side,
    Subscribed,
    Ticker,
    Trade,
)
from venues.frame import FrameKind
from venues.registry import venue_at, venue_named
from venues.venue import Credentials, RequestKind, StreamRequest

NAME, BTC = "bitfinex", samples.SYMBOL
R = RECEIVED_NS
BITFINEX = venue_named(NAME)
MS = 1_000_000


def events_of(payload: bytes, routes: Routes = samples.ROUTES) -> list[Event]:
    return list(BITFINEX.decode(text_frame(payload, NAME), routes))


def number(sequence: int, time_ms: int | None) -> FrameSequence:
    return FrameSequence("", R, None if time_ms is None else time_ms * MS, sequence)


def trade(time_ms: int, price: str, size: str, side: Side, trade_id: int, **marks: bool) -> Trade:
    return Trade(BTC, R, time_ms * MS, price, size, side, str(trade_id), **marks)


def test_a_list_of_rows_is_the_book_and_one_row_a_change() -> None:
    assert events_of(samples.BOOK) == [
        number(18, 1618677545571),
        BookSnapshot(
            BTC,
            R,
            1618677545571 * MS,
            [("277520", "0.00383141"), ("277510", "0.027"), ("2e-8", "5")],
            [("283460", "7")],
        ),
    ]
    assert events_of(samples.CHANGE)[1] == BookDelta(
        BTC, R, 1618677545572 * MS, [("277520", "0.09")], []
    )
    assert events_of(samples.ASK_DELETED)[1] == BookDelta(
        BTC, R, 1618677545573 * MS, [], [("283460", "0")]
    )
    assert events_of(b"[225206,[],5]") == [
        number(5, None),
        BookSnapshot(BTC, R, None, [], []),
    ]


@pytest.mark.parametrize(
    ("ending", "sequence", "time_ms"),
    [
        (b"", None, None),
        (b",18", 18, None),
        (b",1618677545571", None, 1618677545571),
        (b",18,1618677545571", 18, 1618677545571),
        (b",18,1618677545571,null", 18, 1618677545571),
    ],
)
def test_a_message_ends_in_its_number_its_time_both_or_none(
    ending: bytes, sequence: int | None, time_ms: int | None
) -> None:
    time_ns = None if time_ms is None else time_ms * MS
    for content in (b"[1,1,1]", b'"hb"', b'"cs",5'):
        *numbers, event = events_of(b"[225206," + content + ending + b"]")
        assert numbers == ([] if sequence is None else [FrameSequence("", R, time_ns, sequence)])
        assert event.exchange_time_ns == time_ns


def test_trades_are_told_once_and_those_of_before_are_history() -> None:
    assert events_of(samples.PAST_TRADES)[1:] == [
        trade(1618677442819, "60410", "0.00023057", Side.SELL, 670155031, history=True),
        trade(1618676938578, "60360", "2", Side.BUY, 670154206, history=True),
    ]
    assert events_of(samples.TRADE) == [
        number(24, 1618677545577),
        trade(1618677545570, "60411", "0.5", Side.BUY, 670155032),
    ]
    assert events_of(samples.BOOKED_TRADE) == [number(25, 1618677545578)]


def test_a_ticker_and_the_status_of_a_derivative() -> None:
    assert events_of(samples.TICKER)[1:] == [Ticker(BTC, R, 1618677545579 * MS, "0.076989")]
    assert len(events_of(b"[8,[1618677545571,null,1]]")) == 1
    assert events_of(samples.DERIVATIVE)[1:] == [
        Ticker(
            "tBTCF0:USTF0",
            R,
            1618677545571 * MS,
            "60410.1",
            "60406.5",
            "60405",
            "-0.0001",
            "1234.5",
        )
    ]


def test_a_liquidation_is_told_when_it_begins_and_not_for_each_trade_of_it() -> None:
    assert events_of(samples.LIQUIDATIONS)[1:] == [
        Liquidation(
            "tBTCF0:USTF0",
            R,
            1618677545571 * MS,
            "60404",
            "0.25",
            LiquidatedSide.LONG,
            "+",
            Decimal(15101),
        )
    ]
    short = samples.LIQUIDATIONS.replace(
        b",0.25,61000,null,0,1,null,60404", b",-2,61000,null,0,1,null,null"
    )
    (liquidation,) = events_of(short)[1:]
    assert isinstance(liquidation, Liquidation)
    assert (liquidation.liquidated_side, liquidation.size_text, liquidation.price_text) == (
        LiquidatedSide.SHORT,
        "2",
        "61000",
    )


def test_what_nothing_announced_is_a_heartbeat_or_a_notice_and_keeps_its_number() -> None:
    heartbeat = Notice("", R, 1618677545575 * MS, NoticeKind.HEARTBEAT)
    for routes in (samples.ROUTES, {}):
        assert events_of(samples.HEARTBEAT, routes) == [number(22, 1618677545575), heartbeat]
    for payload in (samples.BOOK, samples.TRADE, samples.CHECKSUM):
        numbered, notice = events_of(payload, {})
        assert isinstance(numbered, FrameSequence)
        assert isinstance(notice, Notice)
        assert notice.kind is NoticeKind.INFORMATION
        assert "which nothing announced" in notice.text
    (funding,) = events_of(b"[9,[[1,1580268444802,4.2,0.1244,12]]]")
    assert isinstance(funding, Notice)
    assert funding.text == "trades/fUSD"


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"[1]",
        b'["x",[1,1,1]]',
        b"[true,[1,1,1]]",
        b"[225206,[1,1]]",
        b"[225206,[[1,1.5,1]]]",
        b"[225206,[1,1,null]]",
        b'[225206,[1,1,1],"x"]',
        b"[225206,[1,1,1],-1]",
        b"[225206,[1,1,1],1,99999999999999]",
        b'[225206,"cs",4294967295]',
        b'[225206,"cs"]',
        b'[232959,"te"]',
        b'[232959,"te",[1,2,3]]',
        b'[232959,"te",[1,1618677442819000,3,4]]',
        b"[232949,[1,2]]",
        b"[7,[[1,2,3]]]",
        b"[" + b"9" * 5000 + b",[1,1,1]]",
    ],
)
def test_what_is_no_such_array_is_refused(payload: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        events_of(payload)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.sampled_from(["hb", "cs", "te", "tu", "pos", "x"]),
    lambda inner: st.lists(inner, max_size=13),
    max_leaves=30,
)


@settings(max_examples=150)
@given(st.sampled_from(sorted(samples.ROUTES)), st.lists(_VALUES, max_size=4))
def test_no_array_breaks_the_decoder(channel_id: str, rest: list[object]) -> None:
    payload = json.dumps([int(channel_id), *rest]).encode()
    try:
        events = events_of(payload)
    except UNDECODABLE:
        return
    assert all(isinstance(event, Event) for event in events)


@settings(max_examples=150)
@given(st.sampled_from(samples.ARRAYS), st.data())
def test_no_damaged_array_breaks_the_decoder(payload: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(payload)))
    length = data.draw(st.integers(0, 6))
    put = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b"[]", b"-1", b'"x"']))
    try:
        events_of(payload[:place] + put + payload[place + length :])
    except UNDECODABLE:
        return


# Frames with which Bitfinex tests its own Go client (bitfinex-api-go, TestOrderbook): a book of
# XRP in BTC, a change of it, and the checksum that the exchange sent.
XRP_BOOK = (
    b"[81757,[[0.0000011,13,271510.49],[0.00000109,4,500793.10790141],[0.00000108,5,776367.43],"
    b"[0.00000107,1,23329.54842056],[0.00000106,3,116868.87735849],[0.00000105,3,205000],"
    b"[0.00000103,3,227308.25386407],[0.00000102,2,105000],[0.00000101,1,2970],[0.000001,2,21000],"
    b"[7e-7,1,10000],[6.6e-7,1,10000],[6e-7,1,100000],[4.9e-7,1,10000],[2.5e-7,1,2000],"
    b"[6e-8,1,100000],[5e-8,1,200000],[1e-8,4,640000],[0.00000111,1,-4847.13],"
    b"[0.00000112,7,-528102.69042633],[0.00000113,5,-302397.07],[0.00000114,3,-339088.93],"
    b"[0.00000126,4,-245944.06],[0.00000127,1,-5000],[0.0000013,1,-5000],[0.00000134,1,-8249.18938656],"
    b"[0.00000136,1,-13161.25184766],[0.00000145,1,-2914],[0.0000015,3,-54448.5],"
    b"[0.00000152,2,-5538.54849594],[0.00000153,1,-62691.75475079],[0.00000159,1,-2914],"
    b"[0.0000016,1,-52631.10296831],[0.00000164,1,-4000],[0.00000166,1,-3831.46784605],"
    b"[0.00000171,1,-14575.17730379],[0.00000174,1,-3124.81815395],[0.0000018,1,-18000],"
    b"[0.00000182,1,-16000],[0.00000186,1,-4000],[0.00000189,1,-10000.686624],[0.00000191,1,-14500],"
    b"[0.00000193,1,-2422]]"
)
XRP_CHANGE = b"[81757,[0.0000011,12,266122.94]"
XRP_CHECKSUM = b'[81757,"cs",-1175357890'
XRP_SUBSCRIBED = (
    b'{"event":"subscribed","channel":"book","chanId":81757,"symbol":"tXRPBTC","prec":"P0",'
    b'"freq":"F0","len":"25","subId":"1","pair":"XRPBTC"}'
)
XRP = (NAME, "tXRPBTC")


def engine_after(*payloads: bytes) -> Engine:
    engine = Engine()
    for payload in payloads:
        engine.apply(text_frame(payload, NAME))
    return engine


def test_a_checksum_that_the_exchange_sent_verifies() -> None:
    payloads = (XRP_BOOK, XRP_CHANGE, XRP_CHECKSUM)
    numbered = [each + b",%d]" % count for count, each in enumerate(payloads, start=1)]
    engine = engine_after(XRP_SUBSCRIBED, *numbered)
    counters = engine.markets[XRP].counters
    assert (counters.checksums_verified, counters.checksums_failed) == (1, 0)
    assert not engine.findings.counts
    assert engine.markets[XRP].book.proven


def test_the_same_checksum_of_another_book_fails() -> None:
    engine = engine_after(XRP_SUBSCRIBED, XRP_BOOK + b",1]", XRP_CHECKSUM + b",2]")
    assert engine.findings.counts[FindingKind.CHECKSUM_FAILED] == 1
    assert not engine.markets[XRP].book.proven


def test_where_a_side_is_shorter_the_other_goes_on_alone() -> None:
    text = "277520:0.00383141:283460:-7:277510:0.027:2e-8:5"
    value = crc32(text.encode())
    signed = value - 2**32 if value >= 2**31 else value
    checksum = b'[225206,"cs",%d,19]' % signed
    engine = engine_after(samples.BOOK_SUBSCRIBED, samples.BOOK, checksum)
    assert engine.markets[(NAME, BTC)].counters.checksums_verified == 1
    assert not engine.findings.counts


def test_a_number_that_is_missing_befalls_the_books_of_the_connection() -> None:
    later = samples.CHANGE.replace(b",19,", b",20,")
    engine = engine_after(samples.BOOK_SUBSCRIBED, samples.BOOK, later)
    assert engine.findings.counts[FindingKind.GAP] == 1
    assert not engine.markets[(NAME, BTC)].book.proven


@needs_real_data
def test_the_recorded_feed_is_whole_and_its_books_are_those_of_a_plain_reader() -> None:
    frames = feed_frames(NAME, "BITFINEX.ws.11.0")
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    assert engine.undecodable == 0
    assert not engine.findings.counts
    books = plain_books([frame.payload for frame in frames if frame.kind is FrameKind.TEXT])
    assert len(books) == 7
    for symbol, (bids, asks) in books.items():
        book = engine.markets[(NAME, symbol)].book
        assert book.proven
        assert book_rows(book) == (
            sorted(bids.items(), reverse=True),
            sorted(asks.items()),
        )
    # Counted in the file: 707 single rows of books, seven lists of 30 past trades.
    counters = [engine.markets[(NAME, symbol)].counters for symbol in books]
    assert sum(each.deltas for each in counters) == 707
    assert sum(each.trades_history for each in counters) == 210
    assert sum(each.crossed for each in counters) == 0


def plain_books(
    payloads: list[bytes],
) -> dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]:
    """Rebuild the books with nothing but JSON and dictionaries."""
    symbols: dict[int, str] = {}
    books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
    for payload in payloads:
        message = json.loads(payload, parse_float=Decimal)
        if isinstance(message, dict):
            if message.get("channel") == "book" and message["event"] == "subscribed":
                symbols[message["chanId"]] = message["symbol"]
        elif message[0] in symbols and message[1] != "hb":
            rows = message[1] if isinstance(message[1][0], list) else [message[1]]
            sides = books.setdefault(symbols[message[0]], ({}, {}))
            for price, count, amount in rows:
                side = sides[amount < 0]
                side.pop(Decimal(price), None)
                if count:
                    side[Decimal(price)] = abs(Decimal(amount))
    return books


@needs_real_data
def test_every_line_of_the_message_file_decodes() -> None:
    file = REAL_DATA / "messages" / "gct_bitfinex" / "wsAllTrades.json"
    route = Subscribed(BTC, 0, None, Channel.TRADES, None, "18788", "trades/tBTCUSD")
    past, told, booked, funding, funding_booked = (
        events_of(line, {"18788": route}) for line in file.read_bytes().splitlines()
    )
    assert past == [
        number(1, None),
        trade(1580268444802, "176.3", "11.1998", Side.BUY, 412685577, history=True),
        trade(1580268484802, "176.29952759", "5", Side.SELL, 412685578, history=True),
        # A row of a funding trade, which the file has put among those of a pair.
        trade(1580269005757, "0.1244", "4.2", Side.BUY, 412685579, history=True),
    ]
    assert told == [
        number(2, None),
        trade(1734237017719, "102570", "0.00991467", Side.BUY, 5690221201),
    ]
    assert booked == [number(3, None)]
    for events, word in ((funding, "fte"), (funding_booked, "ftu")):
        (notice,) = events[1:]
        assert isinstance(notice, Notice)
        assert notice.text == f"trades/tBTCUSD: {word}"


def test_each_channel_is_asked_for_by_itself_after_the_flags() -> None:
    (plan,) = BITFINEX.plan(
        StreamRequest(
            NAME, ("BTC-USD", "BTC-USDT-PERP"), (Channel.BOOK, Channel.TICKERS), depth=250
        )
    )
    assert plan.url == "wss://api-pub.bitfinex.com/ws/2"
    assert plan.subscribe_messages == (
        '{"event":"conf","flags":229376}',
        '{"event":"subscribe","channel":"book","symbol":"tBTCUSD","prec":"P0","freq":"F0",'
        '"len":"250"}',
        '{"event":"subscribe","channel":"ticker","symbol":"tBTCUSD"}',
        '{"event":"subscribe","channel":"book","symbol":"tBTCF0:USTF0","prec":"P0","freq":"F0",'
        '"len":"250"}',
        '{"event":"subscribe","channel":"status","key":"deriv:tBTCF0:USTF0"}',
    )


def test_a_connection_carries_25_channels_and_no_symbol_is_divided() -> None:
    symbols = tuple(f"tAA{chr(65 + number)}USD" for number in range(13))
    plans = BITFINEX.plan(
        StreamRequest(NAME, symbols, (Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS))
    )
    # The flags and 24 channels; the flags, two channels of the 13th symbol, and liquidations once.
    assert [len(plan.subscribe_messages) for plan in plans] == [25, 4]
    assert set(plans[1].subscriptions[2:]) == {
        Subscription(Channel.LIQUIDATIONS, symbol) for symbol in symbols
    }
    assert all(plan.subscribe_messages[0].startswith('{"event":"conf"') for plan in plans)


@pytest.mark.parametrize(
    ("pair", "native"),
    [
        ("BTC-USD", "tBTCUSD"),
        ("BTC-USDT", "tBTCUST"),
        ("DOGE-USD", "tDOGE:USD"),
        ("BTC-USDT-PERP", "tBTCF0:USTF0"),
        ("tTESTBTC:TESTUSD", "tTESTBTC:TESTUSD"),
        ("TBTCUSD", "tBTCUSD"),
    ],
)
def test_pairs_and_native_symbols(pair: str, native: str) -> None:
    (plan,) = BITFINEX.plan(StreamRequest(NAME, (pair,), (Channel.TRADES,)))
    assert plan.subscriptions == (Subscription(Channel.TRADES, native),)


@pytest.mark.parametrize("symbol", ["BTC-EUR-PERP", "fUSD", "BTCUSD", "tBTC/USD"])
def test_funding_and_what_is_not_listed_is_refused(symbol: str) -> None:
    with pytest.raises(UnknownSymbolError):
        BITFINEX.plan(StreamRequest(NAME, (symbol,), (Channel.TRADES,)))


def test_both_sides_use_the_same_words_for_a_channel() -> None:
    dialect = BITFINEX.dialect
    every = (Channel.BOOK, Channel.TRADES, Channel.TICKERS, Channel.LIQUIDATIONS)
    (plan,) = BITFINEX.plan(StreamRequest(NAME, (BTC, "tBTCF0:USTF0"), every))
    conf, *requests = [dialect.read_request(text.encode()) for text in plan.subscribe_messages]
    assert (conf.kind, conf.topics) == (RequestKind.SETTING, ())
    routes: dict[str, Subscribed] = {}
    # Liquidations are two subscriptions, and one channel for all symbols.
    for request, subscription in zip(requests, plan.subscriptions[:-1], strict=True):
        assert request.kind is RequestKind.SUBSCRIBE
        (answer,) = dialect.answer(request, None)
        notice, subscribed = events_of(str(answer).encode())
        assert isinstance(notice, Notice)
        assert notice.kind is NoticeKind.ACKNOWLEDGED
        assert isinstance(subscribed, Subscribed)
        assert subscribed.channel is subscription.channel
        everyone = subscription.channel is Channel.LIQUIDATIONS
        assert subscribed.symbol == ("" if everyone else subscription.symbol)
        assert (subscribed.topic,) == request.topics
        assert subscribed.depth == (100 if subscription.channel is Channel.BOOK else None)
        routes[subscribed.reference] = subscribed
    assert len(routes) == len(requests)
    for reference, route in routes.items():
        payload = f"[{reference},[],7]".encode()
        assert dialect.topic(payload, routes) == route.topic
    assert dialect.topic(samples.BOOK, {}) is None
    assert dialect.topic(samples.CONF, routes) is None


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (samples.INFO, NoticeKind.INFORMATION),
        (samples.CONF, NoticeKind.ACKNOWLEDGED),
        (samples.BOOK_SUBSCRIBED, NoticeKind.ACKNOWLEDGED),
        (samples.REFUSAL, NoticeKind.REJECTED),
        (samples.HEARTBEAT, NoticeKind.HEARTBEAT),
        (b'{"event":"conf","status":"FAILED"}', NoticeKind.REJECTED),
        (b'{"event":"info","code":20051,"msg":"Stopping"}', NoticeKind.WILL_DISCONNECT),
        (b'{"event":"info","code":20060,"msg":"Maintenance"}', NoticeKind.INFORMATION),
        (b'{"event":"info","code":20061,"msg":"Resume"}', NoticeKind.WILL_DISCONNECT),
        (b'{"event":"pong","cid":7,"ts":1511545528111}', NoticeKind.HEARTBEAT),
    ],
)
def test_what_it_says_of_the_connection(payload: bytes, kind: NoticeKind) -> None:
    notice = BITFINEX.read_notice(payload)
    assert notice is not None
    assert notice.kind is kind
    assert any(isinstance(event, Notice) and event.kind is kind for event in events_of(payload))


def test_answers_of_the_other_side_are_understood() -> None:
    dialect = BITFINEX.dialect
    request = dialect.read_request(b'{"event":"subscribe","channel":"trades","symbol":"tBTCUSD"}')
    (refusal,) = dialect.answer(request, "symbol: invalid")
    notice = BITFINEX.read_notice(str(refusal).encode())
    assert notice is not None
    assert (notice.kind, notice.text) == (NoticeKind.REJECTED, "symbol: invalid (code 10300)")
    ping = BITFINEX.heartbeat(1_700_000_000_123)
    assert ping == '{"event":"ping","cid":1700000000}'
    request = dialect.read_request(ping.encode())
    assert request.kind is RequestKind.PING
    assert dialect.answer(request, None) == ['{"event":"pong","cid":1700000000}']
    (greeting,) = dialect.greeting()
    assert BITFINEX.read_notice(greeting.encode()) is not None


def test_public_connections_do_not_log_in_and_old_addresses_are_known() -> None:
    (plan,) = BITFINEX.plan(StreamRequest(NAME, (BTC,), ()))
    login = BITFINEX.login(plan, Credentials("key-1", "secret-1"), 1, b"")
    assert (login.url, login.message) == (plan.url, None)
    assert BITFINEX.resubscribe_messages(plan, BTC) == []
    assert venue_at("wss://api.bitfinex.com/ws/2") is BITFINEX
