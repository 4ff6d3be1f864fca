"""Coinbase Advanced Trade: numbered connections, each message, the token of private channels."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from book.engine import Engine
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import coinbase as samples
from venues.channel import Channel, Subscription
from venues.errors import UNDECODABLE, CredentialsError
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    FrameSequence,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    Ticker,
    Trade,
)
from venues.frame import Frame, FrameKind
from venues.registry import venue_named
from venues.traits import LossDetection
from venues.venue import ConnectionPlan, Credentials, Purpose, RequestKind, StreamRequest

NAME = "coinbase"
VENUE = venue_named(NAME)
R = RECEIVED_NS
S = 1_775_572_200  # 2026-04-07T14:30:00Z
NS = 1_000_000_000
MESSAGES = REAL_DATA / "messages" / "coinbase"
BUY, SELL = Side.BUY, Side.SELL
TIME_MS = 1_775_572_200_500


def plans(*symbols: str, **wishes: Any) -> list[ConnectionPlan]:
    wishes.setdefault("channels", ())
    return VENUE.plan(StreamRequest(NAME, symbols, **wishes))


def number(sequence: int) -> FrameSequence:
    return FrameSequence("", R, None, sequence)


def notice(kind: NoticeKind, time_ns: int | None, text: str = "") -> Notice:
    return Notice("", R, time_ns, kind, text)


FILES: dict[str, list[Event]] = {
    "ws_l2_data_snapshot": [
        number(0),
        BookSnapshot(
            "BTC-USD",
            R,
            S * NS + 123_456_000,
            [("68900.00", "1.50000000"), ("68899.50", "0.75000000"), ("68899.00", "2.30000000")],
            [("68901.00", "0.50000000"), ("68901.50", "1.20000000"), ("68902.00", "0.80000000")],
        ),
    ],
    "ws_l2_data_update": [
        number(1),
        BookDelta(
            "BTC-USD",
            R,
            (S + 1) * NS + 456_789_000,
            [("68900.00", "2.00000000")],
            [("68901.00", "0.00000000")],
        ),
    ],
    "ws_market_trades": [
        number(5),
        Trade(
            "BTC-USD",
            R,
            (S + 2) * NS + 789_012_000,
            "68900.50",
            "0.00150000",
            SELL,
            "995098700",
        ),
        Trade(
            "BTC-USD",
            R,
            (S + 2) * NS + 800_000_000,
            "68900.00",
            "0.05000000",
            BUY,
            "995098701",
        ),
    ],
    "ws_ticker": [number(12), Ticker("BTC-USD", R, (S + 3) * NS, "68900.50")],
    "ws_heartbeats": [number(0), notice(NoticeKind.HEARTBEAT, (S + 10) * NS)],
    "ws_subscriptions": [number(0), notice(NoticeKind.ACKNOWLEDGED, S * NS)],
    "ws_candles": [number(3), notice(NoticeKind.INFORMATION, (S + 5) * NS, "candles")],
    "ws_user": [
        number(1),
        OrderUpdate(
            "BTC-USD",
            R,
            (S + 6) * NS,
            "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "11111-000000-000001",
            BUY,
            "",
            "0.001",
            "0",
            "OPEN",
        ),
    ],
}


@needs_real_data
@pytest.mark.parametrize("name", sorted(FILES))
def test_every_message_at_hand_means_what_was_written_down(name: str) -> None:
    assert decoded(NAME, (MESSAGES / f"{name}.json").read_bytes()) == FILES[name]


@needs_real_data
def test_no_message_at_hand_is_left_out() -> None:
    assert {path.stem for path in MESSAGES.iterdir()} == set(FILES)


def test_trades_are_told_oldest_first_and_those_of_a_snapshot_are_history() -> None:
    sequence, *trades = decoded(NAME, samples.ADVANCED_TRADES)
    assert sequence == number(3)
    assert [trade.trade_id for trade in trades if isinstance(trade, Trade)] == [
        "995098700",
        "995098701",
    ]
    assert not any(isinstance(trade, Trade) and trade.history for trade in trades)
    (_, past) = decoded(NAME, samples.ADVANCED_HISTORY)
    assert past == Trade(
        "BTC-USD", R, (S - 58) * NS, "68900.50", "1", SELL, "1", None, history=True
    )


def test_an_account_message_tells_of_orders_and_of_both_kinds_of_positions() -> None:
    time_ns = (S + 6) * NS
    assert decoded(NAME, samples.ADVANCED_USER) == [
        number(6),
        OrderUpdate("BTC-USD", R, time_ns, "o-1", "c-1", SELL, "68000.00", "1.75", "0.5", "OPEN"),
        PositionUpdate("BTC-PERP-INTX", R, time_ns, BUY, "0.02", "68100"),
        PositionUpdate("BIT-28JUN26-CDE", R, time_ns, SELL, "3", "69000"),
    ]


def test_a_short_position_is_told_without_its_sign_and_a_flat_one_without_a_side() -> None:
    """Of `net_size` positive values reflect a long position and negative ones a short one."""
    short = samples.ADVANCED_USER.replace(
        b'"Long","net_size":"0.02"', b'"Short","net_size":"-0.02"'
    ).replace(b'"number_of_contracts":"3"', b'"number_of_contracts":"0"')
    time_ns = (S + 6) * NS
    assert decoded(NAME, short)[2:] == [
        PositionUpdate("BTC-PERP-INTX", R, time_ns, SELL, "0.02", "68100"),
        PositionUpdate("BIT-28JUN26-CDE", R, time_ns, None, "0", "69000"),
    ]


def test_what_is_left_of_a_market_order_is_not_added_to_what_was_filled() -> None:
    """`leaves_quantity` is in the currency that the order was placed in, quote or base."""
    payload = samples.ADVANCED_USER.replace(b'"status"', b'"order_type":"Market","status"')
    order = decoded(NAME, payload)[1]
    assert isinstance(order, OrderUpdate)
    assert (order.size_text, order.filled_size_text) == ("", "0.5")
    (done,) = (
        event
        for event in decoded(NAME, payload.replace(b'"1.25"', b'"0"'))
        if isinstance(event, OrderUpdate)
    )
    assert done.size_text == "0.5"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("authentication failure", NoticeKind.LOGIN_REFUSED),
        ("channel field required", NoticeKind.REJECTED),
    ],
)
def test_an_error_is_a_refusal_without_a_number(message: str, kind: NoticeKind) -> None:
    payload = json.dumps({"type": "error", "message": message}).encode()
    assert decoded(NAME, payload) == [notice(kind, None, message)]
    assert VENUE.read_notice(payload) == Notice("", 0, None, kind, message)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"sequence_num":2,', b""),
        (b'"sequence_num":2', b'"sequence_num":-2'),
        (b'"bid"', b'"buy"'),
        (b'"68900.00"', b"68900.00"),
        (b"2026-04-07T14:30:01.456789123Z", b"now"),
        (b'"update"', b'"delta"'),
    ],
)
def test_a_book_that_is_not_written_as_it_should_be_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        decoded(NAME, samples.ADVANCED_UPDATE.replace(old, new))


def frames(*payloads: bytes) -> list[Frame]:
    return [
        Frame(place, 1, NAME, FrameKind.TEXT, R + place, None, payload)
        for place, payload in enumerate(payloads)
    ]


def renumbered(payload: bytes, sequence: int) -> bytes:
    message = json.loads(payload)
    return json.dumps(message | {"sequence_num": sequence}).encode()


def test_a_number_left_out_on_any_channel_puts_the_books_of_the_connection_in_doubt() -> None:
    assert VENUE.traits.loss_detection is LossDetection.EVERY_MESSAGE
    spoken = [
        samples.ADVANCED_SUBSCRIPTIONS,
        samples.ADVANCED_SNAPSHOT,
        samples.ADVANCED_HEARTBEAT,
        samples.ADVANCED_TRADES,
        samples.ADVANCED_UPDATE,
    ]
    whole = [renumbered(payload, place) for place, payload in enumerate(spoken)]
    proven = Engine()
    for frame in frames(*whole):
        proven.apply(frame)
    assert proven.markets[NAME, "BTC-USD"].book.proven
    assert not proven.findings.counts
    holed = Engine()
    for frame in frames(*whole[:2], *whole[3:]):
        holed.apply(frame)
    assert not holed.markets[NAME, "BTC-USD"].book.proven
    assert sum(holed.findings.counts.values()) >= 1
    assert [request.symbol for request in holed.take_snapshot_requests()] == ["BTC-USD"]


def test_each_channel_has_its_message_and_the_heartbeats_theirs() -> None:
    (plan,) = plans("BTC-USD", "eth-usd", channels=(Channel.BOOK, Channel.TRADES, Channel.TICKERS))
    assert plan.url == "wss://advanced-trade-ws.coinbase.com"
    assert not plan.private
    products = ["BTC-USD", "ETH-USD"]
    assert [json.loads(message) for message in plan.subscribe_messages] == [
        {"type": "subscribe", "channel": "level2", "product_ids": products},
        {"type": "subscribe", "channel": "market_trades", "product_ids": products},
        {"type": "subscribe", "channel": "ticker", "product_ids": products},
        {"type": "subscribe", "channel": "heartbeats"},
    ]
    assert VENUE.resubscribe_messages(plan, "BTC-USD") == [
        '{"type":"unsubscribe","channel":"level2","product_ids":["BTC-USD"]}',
        '{"type":"subscribe","channel":"level2","product_ids":["BTC-USD"]}',
    ]


def test_a_connection_carries_sixteen_books_and_more_of_other_channels() -> None:
    """`too many L2 streams requested in a single session` is what 32 of them are answered."""
    names = [f"COIN{number}-USD" for number in range(40)]
    books = [
        len([one for one in plan.subscriptions if one.channel is Channel.BOOK])
        for plan in plans(*names, channels=(Channel.BOOK, Channel.TRADES))
    ]
    assert books == [16, 16, 8]
    assert len(plans(*names, channels=(Channel.TRADES, Channel.TICKERS))) == 1


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("BTC-USD", "BTC-USD"),
        ("btc-usdc-perp", "BTC-PERP-INTX"),
        ("BIT-28JUN26-CDE", "BIT-28JUN26-CDE"),
    ],
)
def test_a_pair_is_spelled_as_the_exchange_does(text: str, native: str) -> None:
    (plan,) = plans(text, channels=(Channel.BOOK,))
    assert plan.subscriptions == (Subscription(Channel.BOOK, native),)


def test_what_is_asked_is_acknowledged_by_the_exchanges_side() -> None:
    (plan,) = plans("BTC-USD")
    for message in plan.subscribe_messages:
        request = VENUE.dialect.read_request(message.encode())
        (answer,) = VENUE.dialect.answer(request, None)
        assert isinstance(answer, str)
        told = VENUE.read_notice(answer.encode())
        assert told is not None
        assert told.kind is NoticeKind.ACKNOWLEDGED
    assert VENUE.dialect.topic(samples.ADVANCED_UPDATE) == "level2:BTC-USD"
    assert VENUE.dialect.topic(samples.ADVANCED_TRADES) == "market_trades:BTC-USD"
    assert VENUE.dialect.topic(samples.ADVANCED_SUBSCRIPTIONS) is None


# The token.

EC_KEY = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
OTHER_EC_KEY = ec.derive_private_key(0xFEDCBA0987654321, ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


EC_KEYS = Credentials("organizations/o/apiKeys/k", pem(EC_KEY))
ED_KEYS = Credentials(
    "key-id", base64.b64encode(bytes(range(32)) + ED_KEY.public_key().public_bytes_raw()).decode()
)


def parts(token: str) -> list[Any]:
    header, claims, signature = (
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
    )
    return [json.loads(header), json.loads(claims), signature]


def private_message(keys: Credentials) -> tuple[dict[str, Any], str]:
    (plan,) = plans(channels=(Channel.ORDER, Channel.POSITION))
    assert plan.url == "wss://advanced-trade-ws-user.coinbase.com"
    login = VENUE.login(plan, keys, TIME_MS, b"")
    user, heartbeats = VENUE.subscribe_messages(plan, login, "", TIME_MS)
    assert json.loads(heartbeats) == {"type": "subscribe", "channel": "heartbeats"}
    assert "jwt" not in plan.subscribe_messages[0]
    return json.loads(user), user


def test_the_token_of_an_ec_key_is_signed_as_the_public_key_confirms() -> None:
    message, _ = private_message(EC_KEYS)
    assert {name: message[name] for name in ("type", "channel")} == {
        "type": "subscribe",
        "channel": "user",
    }
    header, claims, signature = parts(message["jwt"])
    assert (header["alg"], header["kid"]) == ("ES256", EC_KEYS.key)
    assert len(header["nonce"]) == 32
    assert claims == {"iss": "cdp", "sub": EC_KEYS.key, "nbf": S, "exp": S + 120}
    assert len(signature) == 64
    numbers = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    unsigned = message["jwt"].rpartition(".")[0].encode()
    # Raises where it is not the key's signature.
    EC_KEY.public_key().verify(utils.encode_dss_signature(*numbers), unsigned, ec.ECDSA(SHA256()))


def test_the_token_of_an_ed25519_key_is_signed_as_the_public_key_confirms() -> None:
    message, _ = private_message(ED_KEYS)
    header, claims, signature = parts(message["jwt"])
    assert header["alg"] == "EdDSA"
    assert claims["sub"] == "key-id"
    ED_KEY.public_key().verify(signature, message["jwt"].rpartition(".")[0].encode())


def test_an_ed25519_key_may_come_as_pem_too() -> None:
    text = ED_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    message, _ = private_message(Credentials("key-id", text))
    header, _, signature = parts(message["jwt"])
    assert header["alg"] == "EdDSA"
    ED_KEY.public_key().verify(signature, message["jwt"].rpartition(".")[0].encode())


def test_a_pem_may_have_its_line_breaks_written_out() -> None:
    private_message(Credentials("k", pem(EC_KEY).replace("\n", "\\n")))


def test_the_exchanges_side_tells_its_keys_from_others() -> None:
    for keys in (EC_KEYS, ED_KEYS):
        request = VENUE.dialect.read_request(private_message(keys)[1].encode())
        assert request.kind is RequestKind.SUBSCRIBE
        assert request.topics == ("user",)
        assert VENUE.dialect.login_valid(request, keys)
        assert not VENUE.dialect.login_valid(request, Credentials(keys.key, pem(OTHER_EC_KEY)))
        assert not VENUE.dialect.login_valid(request, Credentials("another", keys.secret))
    bare = VENUE.dialect.read_request(b'{"type":"subscribe","channel":"user"}')
    assert not VENUE.dialect.login_valid(bare, EC_KEYS)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "not a key",
        base64.b64encode(b"too short").decode(),
        "-----BEGIN EC PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END EC PRIVATE KEY-----\n",
        pem(ec.derive_private_key(7, ec.SECP384R1())),
    ],
    ids=["none", "text", "short", "broken", "another curve"],
)
def test_a_secret_that_is_no_key_is_told_without_being_repeated(secret: str) -> None:
    (plan,) = plans(channels=(Channel.ORDER,))
    with pytest.raises(CredentialsError) as refusal:
        VENUE.login(plan, Credentials("key-1", secret), TIME_MS, b"")
    assert not secret or secret not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_without_the_package_that_signs_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (plan,) = plans(channels=(Channel.ORDER,))
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)
    with pytest.raises(CredentialsError, match=r"pip install 'tickreel\[coinbase\]'"):
        VENUE.login(plan, EC_KEYS, TIME_MS, b"")


def test_a_product_tells_its_steps_and_a_future_its_contract() -> None:
    spot = (
        b'{"product_id":"BTC-USD","price":"68900","base_increment":"0.00000001",'
        b'"quote_increment":"0.01","price_increment":"0.01","product_type":"SPOT"}'
    )
    future = (
        b'{"product_id":"BIT-28JUN26-CDE","base_increment":"1","quote_increment":"0.01",'
        b'"price_increment":"5","product_type":"FUTURE",'
        b'"future_product_details":{"contract_size":"0.01"}}'
    )
    (one,) = decoded_http(NAME, http_frame(spot, "BTC-USD", purpose=Purpose.INSTRUMENTS))
    assert one == Instrument("BTC-USD", R, None, "0.01", "0.00000001")
    (two,) = decoded_http(NAME, http_frame(future, "BIT", purpose=Purpose.INSTRUMENTS))
    assert two == Instrument("BIT-28JUN26-CDE", R, None, "5", "1", ContractKind.LINEAR, "0.01")
    (plan,) = plans("BTC-USD")
    (request,) = VENUE.instrument_requests(plan)
    assert request.url == "https://api.coinbase.com/api/v3/brokerage/market/products/BTC-USD"
