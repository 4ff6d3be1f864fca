"""Gate.io: how it is asked, and how its subscriptions are signed."""

from __future__ import annotations

import json

from venues.channel import Channel
from venues.registry import venue_named
from venues.venue import ConnectionPlan, Credentials, Login, StreamRequest

SPOT, FUTURES = "gateio", "gateio-futures"
KEYS = Credentials("key-1", "secret-1")
TIME_MS = 1_700_000_000_123


def plans(venue: str, *symbols: str, channels: tuple[Channel, ...] = ()) -> list[ConnectionPlan]:
    return venue_named(venue).plan(StreamRequest(venue, symbols, channels))


def test_each_request_says_when_it_is_made() -> None:
    (plan,) = plans(SPOT, "BTC_USDT", "ETH_USDT")
    venue = venue_named(SPOT)
    login = venue.login(plan, None, TIME_MS, b"")
    sent = [json.loads(each) for each in venue.subscribe_messages(plan, login, "", TIME_MS)]
    head = {"time": 1_700_000_000, "event": "subscribe"}
    book = {**head, "channel": "spot.order_book_update"}
    trades = {**head, "channel": "spot.trades"}
    assert sent == [
        {**book, "payload": ["BTC_USDT", "100ms"]},
        {**trades, "payload": ["BTC_USDT"]},
        {**book, "payload": ["ETH_USDT", "100ms"]},
        {**trades, "payload": ["ETH_USDT"]},
    ]
    beat = venue.heartbeat(TIME_MS)
    assert beat is not None
    assert json.loads(beat) == {"time": 1_700_000_000, "channel": "spot.ping"}


def test_a_symbol_that_is_listed_no_more_takes_no_other_one_with_it() -> None:
    """`unknown currency pair: LUNARLENS_USDT` is the answer to the whole of a request."""
    symbols = ("BTC_USDT", "LUNARLENS_USDT", "ETH_USDT")
    common = (Channel.TRADES, Channel.QUOTES, Channel.TICKERS)
    every = {SPOT: common, FUTURES: (*common, Channel.LIQUIDATIONS)}
    for name, channels in every.items():
        (plan,) = plans(name, *symbols, channels=channels)
        asked = [json.loads(message)["payload"] for message in plan.subscribe_messages]
        assert asked == [[symbol] for symbol in symbols for _ in channels]


def test_futures_of_two_settlements_are_two_connections_and_ask_for_decimals() -> None:
    linear, inverse = plans(FUTURES, "BTC_USDT", "BTC-USD-PERP")
    assert (linear.stream, linear.url) == (FUTURES, "wss://fx-ws.gateio.ws/v4/ws/usdt")
    assert (inverse.stream, inverse.url) == (
        f"{FUTURES}/btc",
        "wss://fx-ws.gateio.ws/v4/ws/btc",
    )
    venue = venue_named(FUTURES)
    decimals = (("X-Gate-Size-Decimal", "1"),)
    assert venue.login(linear, None, TIME_MS, b"") == Login(linear.url, decimals)
    wish = venue.snapshot_request(inverse, "BTC_USD")
    assert wish is not None
    assert wish.headers == decimals
    assert wish.url == (
        "https://api.gateio.ws/api/v4/futures/btc/order_book?contract=BTC_USD&limit=100"
        "&with_id=true"
    )


def test_subscriptions_of_ones_own_spot_account_are_signed_one_by_one() -> None:
    (plan,) = plans(SPOT, channels=(Channel.ORDER, Channel.WALLET))
    venue = venue_named(SPOT)
    assert venue.access_request(plan, KEYS, TIME_MS) is None
    login = venue.login(plan, KEYS, TIME_MS, b"")
    orders, balances = venue.subscribe_messages(plan, login, "", TIME_MS + 500)
    assert json.loads(orders) == {
        "time": 1_700_000_000,
        "channel": "spot.orders",
        "event": "subscribe",
        "payload": ["!all"],
        "auth": {
            "method": "api_key",
            "KEY": "key-1",
            # openssl dgst -sha512 -hmac secret-1, over
            # channel=spot.orders&event=subscribe&time=1700000000
            "SIGN": "99c1c9ea1a34f4d3bbe1f48647f8dddc000eaa6a8921944576ec90b116974e51"
            "5308495a595ec02bd69436288b5864592bc0cea8cf7b4fe28d623c7353774a78",
        },
    }
    assert json.loads(balances)["payload"] == []
    for message in (orders, balances):
        request = venue.dialect.read_request(message.encode())
        assert venue.dialect.login_valid(request, KEYS)
        assert not venue.dialect.login_valid(request, Credentials("key-1", "secret-2"))
        assert not venue.dialect.login_valid(request, Credentials("key-2", "secret-1"))
    unsigned = venue.dialect.read_request(plan.subscribe_messages[0].encode())
    assert not venue.dialect.login_valid(unsigned, KEYS)


def test_subscriptions_of_ones_own_futures_name_the_account_that_the_exchange_told() -> None:
    (plan,) = plans(FUTURES, channels=(Channel.ORDER, Channel.POSITION, Channel.WALLET))
    venue = venue_named(FUTURES)
    request = venue.access_request(plan, KEYS, TIME_MS)
    assert request is not None
    assert request.url == "https://api.gateio.ws/api/v4/account/detail"
    # The same, over GET, /api/v4/account/detail, '', the SHA-512 of nothing and 1700000000.
    assert dict(request.headers) == {
        "KEY": "key-1",
        "Timestamp": "1700000000",
        "SIGN": "244b8efa0b13b4fbf9fe41806c86567023b87d4e837aec2f85f599daef6feb32"
        "f337fc0d29823101ab63816de64919f6d61854dadff491b53620936a4cbaee58",
    }
    answer = venue.dialect.access_body("/api/v4/account/detail", "ws://127.0.0.1:9", {})
    assert answer is not None
    login = venue.login(plan, KEYS, TIME_MS, answer)
    assert KEYS.secret not in login.token
    sent = [json.loads(each) for each in venue.subscribe_messages(plan, login, "", TIME_MS)]
    assert [(each["channel"], each["payload"]) for each in sent] == [
        ("futures.orders", ["20011", "!all"]),
        ("futures.positions", ["20011", "!all"]),
        ("futures.balances", ["20011"]),
    ]
