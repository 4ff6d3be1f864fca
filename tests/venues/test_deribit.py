"""Deribit: chained books, liquidations among the trades, heartbeats that want an answer."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from book.engine import Engine
from book.finding import FindingKind
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
from tests.venues.samples import deribit as samples
from venues.channel import Channel, Subscription
from venues.errors import UNDECODABLE, CredentialsError, UnknownSymbolError
from venues.event import (
    BookSnapshot,
    ContractKind,
    Instrument,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Side,
    Trade,
)
from venues.frame import FrameKind
from venues.registry import venue_at, venue_named
from venues.venue import Credentials, Purpose, RequestKind, StreamRequest

NAME, BTC = "deribit", samples.SYMBOL
R = RECEIVED_NS
DERIBIT = venue_named(NAME)
KEYS = Credentials("key-1", "secret-1")
LONG, SHORT = LiquidatedSide.LONG, LiquidatedSide.SHORT


@pytest.mark.parametrize(
    ("direction", "who", "sides"),
    [
        ("buy", "T", [SHORT]),
        ("sell", "T", [LONG]),
        ("buy", "M", [LONG]),
        ("sell", "M", [SHORT]),
        ("sell", "MT", [LONG, SHORT]),
        ("buy", "none", []),
    ],
)
def test_a_liquidation_is_the_takers_the_makers_or_both(
    direction: str, who: str, sides: list[LiquidatedSide]
) -> None:
    payload = samples.TRADES.replace(b'"sell"', f'"{direction}"'.encode())
    trade, *liquidations = decoded(NAME, payload.replace(b'"MT"', f'"{who}"'.encode()))
    assert isinstance(trade, Trade)
    assert [one.liquidated_side for one in liquidations if isinstance(one, Liquidation)] == sides
    assert len(liquidations) == len(sides)


@pytest.mark.parametrize(
    ("symbol", "notional"),
    [
        ("BTC-PERPETUAL", "10.0"),
        ("BTC-27MAR26", "10.0"),
        ("BTC_USDC-PERPETUAL", "922945.00"),
        ("BTC-27MAR26-90000-C", "922945.00"),
    ],
)
def test_what_a_liquidation_is_worth(symbol: str, notional: str) -> None:
    payload = samples.TRADES.replace(b"BTC-PERPETUAL", symbol.encode())
    liquidation = decoded(NAME, payload)[1]
    assert isinstance(liquidation, Liquidation)
    assert liquidation.notional == Decimal(notional)


def test_positions_of_a_change_are_taken_and_its_orders_are_not() -> None:
    assert decoded(NAME, samples.CHANGES) == [
        PositionUpdate(BTC, R, None, Side.SELL, "20.0", "87000.5")
    ]
    (order,) = decoded(NAME, samples.ORDER)
    several = samples.notification(
        "user.orders.any.any.100ms", b"[" + samples.ORDER_DATA + b"," + samples.ORDER_DATA + b"]"
    )
    assert decoded(NAME, several) == [order, order]
    assert isinstance(order, OrderUpdate)
    assert (order.client_order_id, order.status) == ("mine", "open")


def test_a_quote_without_a_bid_has_an_empty_side() -> None:
    empty = samples.QUOTE.replace(b'"best_bid_price":92288.0', b'"best_bid_price":0.0').replace(
        b'"best_bid_amount":133440.0', b'"best_bid_amount":0.0'
    )
    (quote,) = decoded(NAME, empty)
    assert isinstance(quote, Quote)
    assert (quote.bid_price_text, quote.bid_size_text, quote.ask_price_text) == ("", "", "92288.5")


@pytest.mark.parametrize(
    "payload",
    [
        samples.CHANGE.replace(b'"prev_change_id":13169025645,', b""),
        samples.CHANGE.replace(b"13169031288", b"-1"),
        samples.BOOK.replace(b'["new",42500.0,1000.0]', b'["new",42500.0]'),
        samples.BOOK.replace(b"42500.0", b"null"),
        samples.TRADES.replace(b'"trade_seq":271252854,', b""),
        samples.TRADES.replace(b'"MT"', b'"X"'),
        samples.TRADES.replace(b"1765531356452", b"1765531356452000"),
        b'{"jsonrpc":"2.0","method":"subscription","params":{}}',
        b'{"jsonrpc":"2.0","id":4}',
        b'{"id":4,"result":{"order":{"price":1}}}',
    ],
)
def test_what_breaks_the_protocol_is_refused(payload: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        decoded(NAME, payload)


INSTRUMENTS = {
    "BTC-PERPETUAL": ("future", "reversed", ContractKind.INVERSE, "1"),
    "BTC_USDC-PERPETUAL": ("future", "linear", ContractKind.COIN, None),
    "BTC-27MAR26-90000-C": ("option", "reversed", ContractKind.COIN, None),
    "BTC_USDC": ("spot", "linear", ContractKind.COIN, None),
}


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_sizes_are_amounts_of_dollars_or_of_coins(symbol: str) -> None:
    family, type_name, kind, size = INSTRUMENTS[symbol]
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "result": {
                "instrument_name": symbol,
                "kind": family,
                "instrument_type": type_name,
                "tick_size": 0.5,
                "min_trade_amount": 10,
                "contract_size": 10,
            },
        }
    ).encode()
    frame = http_frame(body, symbol, purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [Instrument(symbol, R, None, "0.5", "10", kind, size)]


@needs_real_data
def test_the_recorded_chains_hold_and_the_books_are_those_of_a_plain_reader() -> None:
    frames = feed_frames(NAME, "DERIBIT.ws.1.0")
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    assert engine.undecodable == 0
    assert not engine.findings.counts
    books = plain_books([frame.payload for frame in frames if frame.kind is FrameKind.TEXT])
    assert len(books) == 10
    for symbol, (bids, asks) in books.items():
        book = engine.markets[(NAME, symbol)].book
        assert book.proven
        assert book_rows(book) == (sorted(bids.items(), reverse=True), sorted(asks.items()))
    counters = [engine.markets[(NAME, symbol)].counters for symbol in books]
    # Counted in the file: ten snapshots, 36 changes, 89 tickers, no trade.
    assert sum(each.snapshots for each in counters) == 10
    assert sum(each.deltas for each in counters) == 36
    assert sum(each.tickers for each in counters) == 89
    assert sum(each.gaps + each.crossed for each in counters) == 0


def plain_books(
    payloads: list[bytes],
) -> dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]:
    """Rebuild the books with nothing but JSON and dictionaries."""
    books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
    for payload in payloads:
        message = json.loads(payload, parse_float=Decimal)
        if not message.get("params", {}).get("channel", "").startswith("book."):
            continue
        data = message["params"]["data"]
        sides = books.setdefault(data["instrument_name"], ({}, {}))
        for side, rows in zip(sides, (data["bids"], data["asks"]), strict=True):
            for action, price, size in rows:
                side.pop(price, None)
                if action != "delete":
                    side[price] = size
    return books


def test_a_broken_chain_is_a_gap() -> None:
    engine = Engine()
    later = samples.CHANGE.replace(b"13169025645", b"13169025646")
    for payload in (samples.BOOK, later):
        engine.apply(text_frame(payload, NAME))
    assert engine.findings.counts[FindingKind.GAP] == 1
    assert not engine.markets[(NAME, BTC)].book.proven


def test_a_test_request_is_answered_and_nothing_else_is() -> None:
    reply = DERIBIT.reply(samples.TEST_REQUEST)
    assert reply is not None
    assert json.loads(reply)["method"] == "public/test"
    pretty = json.dumps(json.loads(samples.TEST_REQUEST), indent=4).encode()
    assert DERIBIT.reply(pretty) == reply
    others = [each for each in samples.SAMPLES[NAME] if each != samples.TEST_REQUEST]
    assert [DERIBIT.reply(payload) for payload in (*others, b"", b"\xff")] == [None] * (
        len(others) + 2
    )
    dialect = DERIBIT.dialect
    beat = dialect.heartbeat(1)
    assert isinstance(beat, str)
    assert DERIBIT.reply(beat.encode()) == reply
    request = dialect.read_request(reply.encode())
    assert request.kind is RequestKind.PING
    (answer,) = dialect.answer(request, None)
    notice = DERIBIT.read_notice(str(answer).encode())
    assert notice is not None
    assert notice.kind is NoticeKind.HEARTBEAT


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (samples.ACKNOWLEDGED, NoticeKind.ACKNOWLEDGED),
        (samples.NOTHING_KNOWN, NoticeKind.REJECTED),
        (samples.HEARTBEAT_SET, NoticeKind.ACKNOWLEDGED),
        (samples.TESTED, NoticeKind.HEARTBEAT),
        (samples.HEARTBEAT, NoticeKind.HEARTBEAT),
        (samples.REFUSED, NoticeKind.REJECTED),
        (samples.LOGGED_IN, NoticeKind.LOGGED_IN),
        (samples.LOGIN_REFUSED, NoticeKind.LOGIN_REFUSED),
        (b'{"id":7000,"result":[]}', NoticeKind.ACKNOWLEDGED),
        (b'{"id":5,"result":7}', NoticeKind.INFORMATION),
    ],
)
def test_what_it_says_of_the_connection(payload: bytes, kind: NoticeKind) -> None:
    (notice,) = decoded(NAME, payload)
    assert isinstance(notice, Notice)
    assert notice.kind is kind
    said = DERIBIT.read_notice(payload)
    assert said is not None
    assert (said.kind, said.text) == (kind, notice.text)
    assert "1MbQ" not in notice.text
    assert DERIBIT.read_notice(samples.BOOK) is None


def test_trades_and_liquidations_are_asked_for_once() -> None:
    public, private = DERIBIT.plan(
        StreamRequest(NAME, ("BTC-USD-PERP",), (*DERIBIT.traits.default_channels, Channel.WALLET))
    )
    assert public.subscribe_messages == (
        '{"jsonrpc":"2.0","id":8000,"method":"public/set_heartbeat","params":{"interval":10}}',
        '{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":'
        '["book.BTC-PERPETUAL.100ms","trades.BTC-PERPETUAL.100ms"]}}',
    )
    assert set(public.subscriptions) == {
        Subscription(channel, BTC) for channel in DERIBIT.traits.default_channels
    }
    assert (
        '"private/subscribe","params":{"channels":["user.portfolio.any"]}'
        in (private.subscribe_messages[1])
    )
    withdrawn, anew = DERIBIT.resubscribe_messages(public, BTC)
    requests = [DERIBIT.dialect.read_request(each.encode()) for each in (withdrawn, anew)]
    assert [(each.kind, each.topics) for each in requests] == [
        (RequestKind.UNSUBSCRIBE, ("book.BTC-PERPETUAL.100ms",)),
        (RequestKind.SUBSCRIBE, ("book.BTC-PERPETUAL.100ms",)),
    ]
    (request,) = DERIBIT.instrument_requests(public)
    assert request.url == (
        "https://www.deribit.com/api/v2/public/get_instrument?instrument_name=BTC-PERPETUAL"
    )
    assert venue_at("wss://streams.deribit.com/ws/api/v2") is DERIBIT


@pytest.mark.parametrize(
    ("pair", "native"),
    [
        ("BTC-USD-PERP", "BTC-PERPETUAL"),
        ("ETH-USDC-PERP", "ETH_USDC-PERPETUAL"),
        ("BTC-USDC", "BTC_USDC"),
        ("btc-27mar26-90000-c", "BTC-27MAR26-90000-C"),
        ("XRP_USDC-30AUG24-0d5-C", "XRP_USDC-30AUG24-0d5-C"),
        ("BTC-24DEC26", "BTC-24DEC26"),
    ],
)
def test_pairs_and_native_symbols(pair: str, native: str) -> None:
    (plan,) = DERIBIT.plan(StreamRequest(NAME, (pair,), (Channel.TRADES,)))
    assert plan.subscriptions == (Subscription(Channel.TRADES, native),)


def test_a_perpetual_in_euros_is_not_listed() -> None:
    with pytest.raises(UnknownSymbolError):
        DERIBIT.plan(StreamRequest(NAME, ("BTC-EUR-PERP",), ()))


def test_a_login_names_its_keys() -> None:
    (plan,) = DERIBIT.plan(StreamRequest(NAME, (), (Channel.ORDER,)))
    login = DERIBIT.login(plan, KEYS, 1_700_000_000_000, b"")
    assert login.message is not None
    dialect = DERIBIT.dialect
    request = dialect.read_request(login.message.encode())
    assert (request.kind, request.topics) == (RequestKind.LOGIN, ())
    assert dialect.login_valid(request, KEYS)
    assert not dialect.login_valid(request, Credentials("key-1", "secret-2"))
    for refused, kind in ((None, NoticeKind.LOGGED_IN), ("no", NoticeKind.LOGIN_REFUSED)):
        (answer,) = dialect.answer(request, refused)
        notice = DERIBIT.read_notice(str(answer).encode())
        assert notice is not None
        assert notice.kind is kind
    with pytest.raises(CredentialsError):
        DERIBIT.login(plan, Credentials("", ""), 1, b"")


def test_both_sides_use_the_same_words() -> None:
    dialect = DERIBIT.dialect
    (plan,) = DERIBIT.plan(StreamRequest(NAME, (BTC,), (Channel.BOOK, Channel.QUOTES)))
    setting, request = (dialect.read_request(each.encode()) for each in plan.subscribe_messages)
    assert (setting.kind, setting.topics) == (RequestKind.SETTING, ())
    for one in (setting, request):
        (answer,) = dialect.answer(one, None)
        notice = DERIBIT.read_notice(str(answer).encode())
        assert notice is not None
        assert notice.kind is NoticeKind.ACKNOWLEDGED
        assert json.loads(str(answer))["id"] == one.request_id
    assert request.topics == tuple(map(dialect.topic, (samples.BOOK, samples.QUOTE)))
    assert dialect.topic(samples.ACKNOWLEDGED) is None
    (refusal,) = dialect.answer(request, "unknown topic")
    refused = DERIBIT.read_notice(str(refusal).encode())
    assert refused is not None
    assert (refused.kind, refused.text) == (NoticeKind.REJECTED, "unknown topic (code -32602)")


def test_a_served_book_is_read_back() -> None:
    path = "/api/v2/public/get_order_book?instrument_name=BTC-PERPETUAL&depth=20"
    assert DERIBIT.dialect.snapshot_symbol(path) == BTC
    assert DERIBIT.dialect.snapshot_symbol("/elsewhere") is None
    bids, asks = [("100.50", "2"), ("1e-7", "1.0")], [("100.60", "0.500")]
    body = DERIBIT.dialect.snapshot_body(BTC, bids, asks, 42, 1_700_000_000_123)
    assert decoded_http(NAME, http_frame(body, BTC)) == [
        BookSnapshot(BTC, R, 1_700_000_000_123_000_000, bids, asks, 42, None, True)
    ]
