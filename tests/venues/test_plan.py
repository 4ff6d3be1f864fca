"""Planning connections to the first three exchanges; `test_conformance` has the laws for all."""

from __future__ import annotations

import json

import pytest

from tests.venues.sample_frames import BYBIT_NAMES, FIRST_NAMES, SAMPLES, as_bytes
from venues.channel import Channel, Subscription
from venues.errors import (
    AddressError,
    CredentialsError,
    TickreelError,
    UnknownChannelError,
    UnknownDepthError,
    UnknownSymbolError,
)
from venues.event import NoticeKind
from venues.registry import venue_named
from venues.venue import ConnectionPlan, Credentials, RequestKind, StreamRequest

KEYS = Credentials("key-1", "secret-1")
OTHER_KEYS = Credentials("key-1", "secret-2")
SYMBOL = {name: "BTCUSD_PERP" if name == "binance-coinm" else "BTCUSDT" for name in FIRST_NAMES}


def plans(name: str, *symbols: str, **wishes: object) -> list[ConnectionPlan]:
    venue = venue_named(name)
    wishes.setdefault("channels", ())
    request = StreamRequest(name, symbols or (SYMBOL[name],), **wishes)  # type: ignore[arg-type]
    return venue.plan(request)


def every_plan(name: str) -> list[ConnectionPlan]:
    return plans(name, SYMBOL[name], "ETHUSDT", channels=tuple(venue_named(name).traits.channels))


def spoken_plans(name: str) -> list[ConnectionPlan]:
    """Return the plans that name their topics; an account at Binance comes without being named."""
    return [one for one in every_plan(name) if not (one.private and name.startswith("binance"))]


def topics(plan: ConnectionPlan) -> list[str]:
    key = "params" if plan.stream.startswith("binance") else "args"
    return [topic for message in plan.subscribe_messages for topic in json.loads(message)[key]]


def login_message(name: str, keys: Credentials) -> str:
    (plan,) = venue_named(name).plan(StreamRequest(name, (), (Channel.ORDER,)))
    message = venue_named(name).login(plan, keys, 1_700_000_000_000, b"").message
    assert message is not None
    return message


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_defaults_are_offered_and_planned_for(name: str) -> None:
    traits = venue_named(name).traits
    assert set(traits.default_channels) <= traits.channels
    planned = {one.channel for plan in plans(name) for one in plan.subscriptions}
    assert planned == set(traits.default_channels)
    assert traits.detection_limits


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_every_topic_asked_for_is_understood_by_the_exchange(name: str) -> None:
    dialect = venue_named(name).dialect
    for plan in spoken_plans(name):
        understood: list[str] = []
        for message in plan.subscribe_messages:
            request = dialect.read_request(message.encode())
            assert request.kind is RequestKind.SUBSCRIBE
            understood.extend(request.topics)
        assert understood == topics(plan)
        assert len(understood) == len(set(understood)) == len(plan.subscriptions)


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_the_clients_words_and_the_exchanges_are_the_same_ones(name: str) -> None:
    """The topic of a sample message is one of those that a plan for its symbol asks for."""
    dialect = venue_named(name).dialect
    traits = venue_named(name).traits
    symbols = ("BTCUSDT", "ETHUSD_PERP") if name.startswith("binance") else ("BTCUSDT",)
    wanted = [one for one in traits.channels if not (one.private and name.startswith("binance"))]
    several = plans(name, *symbols, channels=tuple(wanted))
    asked = {topic for plan in several for topic in topics(plan)}
    # Bare Binance messages do not say their speed, aggTrade has no channel here, and spot venues
    # never send the liquidations that stand among the samples of all.
    asked |= {topic.replace("@depth@0ms", "@depth") for topic in asked}
    asked |= {"btcusdt@aggTrade", "allLiquidation.BTCUSDT", "account"}
    for payload in SAMPLES[name]:
        topic = dialect.topic(payload)
        if venue_named(name).read_notice(payload) is not None:
            assert topic is None
        else:
            assert topic in asked


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_answers_are_understood_by_the_client(name: str) -> None:
    venue = venue_named(name)
    for plan in spoken_plans(name):
        request = venue.dialect.read_request(plan.subscribe_messages[0].encode())
        (accepted,) = venue.dialect.answer(request, None)
        (refused,) = venue.dialect.answer(request, "unknown topic x")
        yes, no = venue.read_notice(as_bytes(accepted)), venue.read_notice(as_bytes(refused))
        assert yes is not None
        assert yes.kind is NoticeKind.ACKNOWLEDGED
        assert no is not None
        assert no.kind is NoticeKind.REJECTED
        assert "unknown topic x" in no.text


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_a_plan_reaches_paths_that_the_exchange_has(name: str) -> None:
    dialect = venue_named(name).dialect
    for plan in every_plan(name):
        path = "/" + plan.url.split("/", 3)[3]
        assert dialect.serves_path(path)
        if plan.private:
            assert dialect.private_path(path)
    assert not dialect.serves_path("/elsewhere")
    assert not dialect.serves_path("/")


@pytest.mark.parametrize("name", ["reference", *BYBIT_NAMES])
def test_a_login_is_valid_with_its_own_keys_and_no_others(name: str) -> None:
    venue = venue_named(name)
    request = venue.dialect.read_request(login_message(name, KEYS).encode())
    assert request.kind is RequestKind.LOGIN
    assert request.topics == ()
    assert venue.dialect.login_valid(request, KEYS)
    assert not venue.dialect.login_valid(request, OTHER_KEYS)
    assert not venue.dialect.login_valid(request, Credentials("key-2", "secret-1"))
    for refused, kind in ((None, NoticeKind.LOGGED_IN), ("no", NoticeKind.LOGIN_REFUSED)):
        (answer,) = venue.dialect.answer(request, refused)
        notice = venue.read_notice(as_bytes(answer))
        assert notice is not None
        assert notice.kind is kind


@pytest.mark.parametrize("name", ["reference", *BYBIT_NAMES])
@pytest.mark.parametrize(
    "payload",
    [
        b'{"op":"auth","args":[]}',
        b'{"op":"auth","args":["key-1",1]}',
        b'{"op":"auth","args":["key-1",1,"00"]}',
        b'{"op":"auth","args":["key-1",1,"\\u00e9"]}',
        b'{"op":"subscribe","args":["key-1",1,"00"]}',
        b"no JSON",
    ],
)
def test_a_malformed_login_is_not_valid(name: str, payload: bytes) -> None:
    dialect = venue_named(name).dialect
    assert not dialect.login_valid(dialect.read_request(payload), KEYS)


@pytest.mark.parametrize("name", ["reference", *BYBIT_NAMES])
def test_missing_or_unusable_keys_are_refused_without_being_shown(name: str) -> None:
    with pytest.raises(CredentialsError) as refusal:
        login_message(name, Credentials("key-1", ""))
    assert "key-1" not in str(refusal.value)


@pytest.mark.parametrize("name", ["reference", *BYBIT_NAMES])
def test_private_channels_have_a_connection_of_their_own(name: str) -> None:
    channels = (Channel.BOOK, Channel.ORDER, Channel.WALLET)
    public, private = plans(name, channels=channels)
    assert (public.stream, public.private) == (name, False)
    assert (private.stream, private.private) == (f"{name}/private", True)
    assert private.subscriptions == (
        Subscription(Channel.ORDER, ""),
        Subscription(Channel.WALLET, ""),
    )
    assert topics(private) == ["order", "wallet"]
    (alone,) = venue_named(name).plan(StreamRequest(name, (), (Channel.ORDER,)))
    assert alone.private


def test_usdm_has_two_connections_for_its_two_endpoints() -> None:
    public, market = plans("binance-usdm")
    assert (public.stream, public.url) == (
        "binance-usdm/public",
        "wss://fstream.binance.com/public/stream",
    )
    assert (market.stream, market.url) == (
        "binance-usdm/market",
        "wss://fstream.binance.com/market/stream",
    )
    assert topics(public) == ["btcusdt@depth@0ms", "btcusdt@trade", "btcusdt@bookTicker"]
    assert topics(market) == ["btcusdt@forceOrder"]
    (only_book,) = plans("binance-usdm", channels=(Channel.BOOK,))
    assert only_book.stream == "binance-usdm/public"


@pytest.mark.parametrize("written", ["btcusdt", "BtcUsdt", "BTCUSDT"])
@pytest.mark.parametrize("name", FIRST_NAMES)
def test_symbols_are_written_as_the_exchange_writes_them(name: str, written: str) -> None:
    for plan in plans(name, written, "BTCUSDT"):
        assert {one.symbol for one in plan.subscriptions} == {"BTCUSDT"}
        assert len(set(plan.subscriptions)) == len(plan.subscriptions)


def test_a_coin_may_have_a_chinese_name_at_binance() -> None:
    (plan,) = plans("binance-spot", "币安人生usdt", channels=(Channel.BOOK,))
    assert topics(plan) == ["币安人生usdt@depth@100ms"]
    wish = venue_named("binance-spot").snapshot_request(plan, "币安人生USDT")
    assert wish is not None
    assert wish.url.isascii()
    path = wish.url.partition(".com")[2]
    assert venue_named("binance-spot").dialect.snapshot_symbol(path) == "币安人生USDT"


BAD_SYMBOLS = ("", " ", "BTC USDT", "BTC/USDT", "BTC\n", "../x", "A" * 41, 'B"', "BTC@X", "B\x00")


@pytest.mark.parametrize("symbol", BAD_SYMBOLS)
@pytest.mark.parametrize("name", FIRST_NAMES)
def test_what_cannot_be_a_symbol_is_refused(name: str, symbol: str) -> None:
    with pytest.raises(UnknownSymbolError) as refusal:
        plans(name, "BTCUSDT", symbol)
    assert refusal.value.symbol == symbol


@pytest.mark.parametrize("name", FIRST_NAMES)
def test_market_data_need_a_symbol(name: str) -> None:
    with pytest.raises(UnknownSymbolError, match="at least one symbol"):
        venue_named(name).plan(StreamRequest(name, (), (Channel.BOOK,)))


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("reference", Channel.QUOTES),
        ("bybit-spot", Channel.LIQUIDATIONS),
        ("bybit-linear", Channel.QUOTES),
        ("binance-spot", Channel.LIQUIDATIONS),
        ("binance-spot", Channel.POSITION),
    ],
)
def test_a_channel_that_is_not_offered_is_refused(name: str, channel: Channel) -> None:
    with pytest.raises(UnknownChannelError) as refusal:
        plans(name, channels=(Channel.BOOK, channel))
    assert refusal.value.channel == channel


@pytest.mark.parametrize(("name", "depth"), [("reference", 51), ("bybit-linear", 25)])
def test_a_depth_that_is_not_offered_is_refused_with_those_that_are(name: str, depth: int) -> None:
    with pytest.raises(UnknownDepthError, match=r"It offers: 1, ") as refusal:
        plans(name, depth=depth)
    assert refusal.value.depth == depth


def test_a_venue_without_depths_says_so() -> None:
    with pytest.raises(UnknownDepthError, match="leave it out"):
        plans("binance-spot", depth=50)


@pytest.mark.parametrize("depth", [1, 50, 200, 1000])
def test_the_depth_is_in_the_topic_and_in_the_plan(depth: int) -> None:
    (plan,) = plans("bybit-linear", channels=(Channel.BOOK,), depth=depth)
    assert topics(plan) == [f"orderbook.{depth}.BTCUSDT"]
    assert plan.depth == depth


@pytest.mark.parametrize(
    ("name", "url", "expected", "rest"),
    [
        ("reference", "ws://h:1", "ws://h:1/realtime", "http://h:1"),
        ("reference", "wss://h/", "wss://h/realtime", "https://h"),
        ("reference", "ws://h:1/other?x=1", "ws://h:1/other?x=1", "http://h:1"),
        ("bybit-spot", "ws://[::1]:9", "ws://[::1]:9/v5/public/spot", "http://[::1]:9"),
        ("bybit-spot", "ws://h/v5/public/spot", "ws://h/v5/public/spot", "http://h"),
        ("binance-coinm", "ws://h:1/stream", "ws://h:1/stream", "http://h:1"),
        ("binance-coinm", "ws://h:1/proxy", "ws://h:1/proxy", "http://h:1"),
    ],
)
def test_another_address_replaces_the_exchanges(
    name: str, url: str, expected: str, rest: str
) -> None:
    (plan,) = plans(name, channels=(Channel.BOOK,), url=url)
    assert (plan.url, plan.rest_url) == (expected, rest)


def test_each_part_keeps_its_path_at_an_address_that_shows_one_of_them() -> None:
    url = "ws://127.0.0.1:8765/v5/public/linear"
    public, private = plans("bybit-linear", channels=(Channel.BOOK, Channel.ORDER), url=url)
    assert public.url == url
    assert private.url == "ws://127.0.0.1:8765/v5/private"
    first, second = plans("binance-usdm", url="ws://127.0.0.1:1/public/stream")
    assert first.url == "ws://127.0.0.1:1/public/stream"
    assert second.url == "ws://127.0.0.1:1/market/stream"


BAD_ADDRESSES = (
    "127.0.0.1:8765",
    "http://h:1",
    "ws://",
    "ws://h:99999",
    "ws://h:x",
    "ws://h:0",
    "",
    "ws://a b",
    "ws://h\r\nx",
    "ws://[::1",
)


@pytest.mark.parametrize("url", BAD_ADDRESSES)
@pytest.mark.parametrize("name", ["reference", "bybit-linear", "binance-usdm"])
def test_what_is_no_address_is_refused(name: str, url: str) -> None:
    with pytest.raises(AddressError, match="no WebSocket address"):
        plans(name, url=url)


def test_an_address_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(AddressError) as refusal:
        plans("reference", url="ws://user:hunter2@h:1")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", BYBIT_NAMES)
def test_a_symbol_that_bybit_refuses_takes_no_other_one_with_it(name: str) -> None:
    """It refuses requests as a whole: `"success":false,"ret_msg":"…,topic:publicTrade.NONE"`."""
    symbols = [f"COIN{number}USDT" for number in range(8)]
    (plan,) = plans(name, *symbols, channels=tuple(Channel(word) for word in ("book", "trades")))
    asked = [json.loads(message) for message in plan.subscribe_messages]
    assert [each["args"] for each in asked] == [
        [f"orderbook.50.{symbol}", f"publicTrade.{symbol}"] for symbol in symbols
    ]
    assert len({each["req_id"] for each in asked}) == len(symbols)


def test_topics_beyond_21000_characters_go_to_another_connection() -> None:
    symbols = [f"A{number:035d}USDT" for number in range(200)]
    several = plans("bybit-linear", *symbols)
    assert [plan.stream for plan in several] == ["bybit-linear", "bybit-linear/2"]
    for plan in several:
        args = json.dumps(topics(plan), separators=(",", ":"))
        assert len(args) <= 21_000
    _no_symbol_is_divided(several, len(symbols))


def test_more_than_200_streams_go_to_another_connection() -> None:
    symbols = [f"COIN{number}USDT" for number in range(80)]
    several = plans("binance-spot", *symbols)
    assert [len(topics(plan)) for plan in several] == [198, 42]
    assert [plan.stream for plan in several] == ["binance-spot", "binance-spot/2"]
    ids = [json.loads(message)["id"] for message in several[0].subscribe_messages]
    assert ids == [1, 2, 3, 4]
    _no_symbol_is_divided(several, len(symbols))


def _no_symbol_is_divided(several: list[ConnectionPlan], count: int) -> None:
    symbols = [{one.symbol for one in plan.subscriptions} for plan in several]
    assert sum(len(each) for each in symbols) == len(set.union(*symbols)) == count


@pytest.mark.parametrize("name", ["reference", *BYBIT_NAMES])
def test_subscribing_anew_withdraws_the_book_and_asks_for_it_again(name: str) -> None:
    venue = venue_named(name)
    (plan,) = plans(name, channels=(Channel.BOOK,))
    requests = [
        venue.dialect.read_request(message.encode())
        for message in venue.resubscribe_messages(plan, "BTCUSDT")
    ]
    assert [request.kind for request in requests] == [
        RequestKind.UNSUBSCRIBE,
        RequestKind.SUBSCRIBE,
    ]
    assert all(request.topics == ("orderbook.50.BTCUSDT",) for request in requests)


@pytest.mark.parametrize(
    ("name", "symbol", "url"),
    [
        (
            "binance-spot",
            "BTCUSDT",
            "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=5000",
        ),
        (
            "binance-usdm",
            "BTCUSDT",
            "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000",
        ),
        (
            "binance-coinm",
            "BTCUSD_PERP",
            "https://dapi.binance.com/dapi/v1/depth?symbol=BTCUSD_PERP&limit=1000",
        ),
    ],
)
def test_a_snapshot_is_asked_for_where_the_exchange_gives_it(
    name: str, symbol: str, url: str
) -> None:
    venue = venue_named(name)
    plan = plans(name)[0]
    wish = venue.snapshot_request(plan, symbol)
    assert wish is not None
    assert (wish.url, wish.symbol, wish.purpose) == (url, symbol, "book snapshot")
    assert venue.resubscribe_messages(plan, symbol) == []
    assert venue.dialect.snapshot_symbol(url.partition(".com")[2]) == symbol


@pytest.mark.parametrize("name", BYBIT_NAMES)
def test_bybit_has_no_rest_snapshot_to_join(name: str) -> None:
    assert venue_named(name).snapshot_request(plans(name)[0], "BTCUSDT") is None


def test_all_refusals_are_errors_of_ours() -> None:
    for error in (AddressError, UnknownDepthError, UnknownSymbolError, UnknownChannelError):
        assert issubclass(error, TickreelError)
