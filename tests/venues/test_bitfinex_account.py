"""Bitfinex: one's own account, which a login names and channel 0 tells of."""

from __future__ import annotations

import json

from tests.venues.sample_frames import RECEIVED_NS, as_bytes, decoded
from tests.venues.samples import bitfinex as samples
from venues.channel import Channel
from venues.event import NoticeKind, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.registry import venue_named
from venues.venue import Credentials, RequestKind, StreamRequest

NAME = "bitfinex"
BITFINEX = venue_named(NAME)
SIGNED = (
    "ea41e6809cda3555ad859e8deb8e8fc8226e1d546c9be18f"
    "496c1ca54b255e645b542ea184464129136fc0c8e5df6a73"
)


def test_a_login_names_the_account_at_once() -> None:
    (plan,) = BITFINEX.plan(StreamRequest(NAME, (), (Channel.ORDER, Channel.WALLET)))
    assert (plan.private, plan.subscribe_messages) == (True, ())
    keys = Credentials("key-1", "secret-1")
    message = BITFINEX.login(plan, keys, 1_700_000_000_000, b"").message
    assert message is not None
    said = json.loads(message)
    # HMAC-SHA384 with secret-1 of AUTH1700000000000000, by another program.
    assert said["authSig"] == SIGNED
    assert (said["authPayload"], said["authNonce"]) == ("AUTH1700000000000000", "1700000000000000")
    request = BITFINEX.dialect.read_request(message.encode())
    assert (request.kind, request.topics) == (RequestKind.LOGIN, ("account",))
    assert BITFINEX.dialect.login_valid(request, keys)
    assert not BITFINEX.dialect.login_valid(request, Credentials("key-1", "secret-2"))
    for refused, kind in ((None, NoticeKind.LOGGED_IN), ("bad key", NoticeKind.LOGIN_REFUSED)):
        (answer,) = BITFINEX.dialect.answer(request, refused)
        notice = BITFINEX.read_notice(as_bytes(answer))
        assert notice is not None
        assert notice.kind is kind


def test_updates_of_an_account_are_read_from_channel_0() -> None:
    assert decoded(NAME, samples.ORDER) == [
        OrderUpdate(
            "tETHUSD",
            RECEIVED_NS,
            1574955083573 * 1_000_000,
            "34930659963",
            "1574955083558",
            Side.SELL,
            "120.5",
            "0.50",
            "0.30",
            "PARTIALLY FILLED",
        )
    ]
    assert decoded(NAME, samples.POSITION) == [
        PositionUpdate("tBTCUSD", RECEIVED_NS, None, Side.SELL, "0.0195", "8565.0267")
    ]
    assert decoded(NAME, samples.POSITION.replace(b'"ACTIVE"', b'"CLOSED"')) == [
        PositionUpdate("tBTCUSD", RECEIVED_NS, None, None, "0.0195", "8565.0267")
    ]
    assert decoded(NAME, samples.WALLETS) == [
        WalletUpdate("BTC", RECEIVED_NS, None, "1.61169184", "1.5"),
        WalletUpdate("UST", RECEIVED_NS, None, "7", ""),
    ]
