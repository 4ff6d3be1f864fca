"""What is taken out before anything is queued, written or logged."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.redaction import QUERY_SHOWN, Redaction, redacted_url
from venues.compression import packed
from venues.venue import Credentials, HttpRequest, Login, Purpose

SIGNATURE = base64.b64encode(bytes(range(200, 232))).decode()
KEYS = Credentials("canary-key/+=", "canary-secret", "canary-pass")
LOGIN = json.dumps({"op": "auth", "args": [KEYS.key, 1700000000000, SIGNATURE]})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://h:1/p", "wss://h:1/p"),
        ("wss://user:word@h/p", "wss://h/p"),
        ("wss://h/p?streams=a/b&apiKey=x", "wss://h/p?streams=a/b&apiKey=[redacted]"),
        ("wss://h/p?unheard=x&symbol=BTC", "wss://h/p?unheard=[redacted]&symbol=BTC"),
        ("https://h/p?token=x#token", "https://h/p?token=[redacted]"),
        ("ws://[::1/", "[unreadable address]"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redacted_url(url) == shown


@given(st.text(min_size=1), st.text(min_size=6).filter(lambda text: text.isascii()))
def test_a_parameter_that_is_not_known_to_be_harmless_is_never_shown(name: str, value: str) -> None:
    canary = f"canary{value}"
    shown = redacted_url("wss://h/p?" + urllib.parse.urlencode({name: canary}))
    assert name in QUERY_SHOWN or "canary" not in shown


@pytest.mark.parametrize("secret", [KEYS.key, KEYS.secret, KEYS.passphrase, SIGNATURE])
@pytest.mark.parametrize(
    "spell",
    [
        str.encode,
        lambda text: json.dumps(text).encode(),
        lambda text: text.replace("/", "\\/").encode(),
        lambda text: urllib.parse.quote(text, safe="").encode(),
        lambda text: text.replace("+", "\\u002B").replace("-", "\\u002D").encode(),
        lambda text: text.replace("/", "\\/").replace("=", "\\u003d").encode(),
        lambda text: text.replace("=", "\\\\u003D").encode(),
    ],
)
def test_an_echo_is_cleaned_however_it_is_spelled(secret: str, spell: object) -> None:
    redaction = Redaction(KEYS)
    redaction.learn(LOGIN)
    assert callable(spell)
    payload = b'{"ret_msg":"bad ' + spell(secret) + b' here"}'
    cleaned = redaction.payload(payload)
    assert spell(secret).strip(b'"') not in cleaned
    assert b"[redacted]" in cleaned


def test_what_holds_no_secret_is_the_same_object() -> None:
    payload = b'{"topic":"order"}'
    assert Redaction(KEYS).payload(payload) is payload
    assert Redaction().payload(payload) is payload


def test_the_words_of_a_login_are_not_taken_for_secrets() -> None:
    redaction = Redaction(KEYS)
    redaction.learn(LOGIN)
    assert redaction.payload(b'{"op":"auth","success":true}') == b'{"op":"auth","success":true}'


def test_a_login_that_is_no_json_is_a_secret_as_a_whole() -> None:
    redaction = Redaction()
    redaction.learn("LOGIN me canary-word")
    assert b"canary" not in redaction.payload(b"you said LOGIN me canary-word")


def test_a_redaction_shows_no_secret() -> None:
    redaction = Redaction(KEYS)
    assert "canary" not in repr(redaction)


TOKEN = "canary-token-abcdefghijklmnop"


@pytest.mark.parametrize(
    "login",
    [
        Login("wss://h/p", token=TOKEN),
        Login(f"wss://h/p?token={TOKEN}"),
        Login(f"wss://h/ws/{TOKEN}"),
        Login("wss://h/p", (("Authorization", f"Bearer {TOKEN}"),)),
        Login("wss://h/p", (("X-Token", TOKEN),)),
        Login("wss://h/p", message=json.dumps({"op": "login", "token": TOKEN})),
        Login("wss://h/p", message=f"LOGIN me {TOKEN}"),
    ],
)
def test_wherever_a_login_has_its_token_it_is_known(login: Login) -> None:
    redaction = Redaction(None, ["wss://h/p"])
    redaction.learn_login(login)
    assert b"canary" not in redaction.payload(b"you are " + TOKEN.encode())


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest(f"https://h/p?sign={TOKEN}", "", Purpose.ACCESS),
        HttpRequest("https://h/p", "", Purpose.ACCESS, "POST", (("Sign", TOKEN),)),
        HttpRequest("https://h/p", "", Purpose.ACCESS, "POST", (), f"nonce=1&s={TOKEN}".encode()),
        HttpRequest("https://h/p", "", Purpose.ACCESS, "POST", (), f'{{"s":"{TOKEN}"}}'.encode()),
    ],
)
def test_what_a_request_for_access_holds_is_known(request_: HttpRequest) -> None:
    redaction = Redaction()
    redaction.learn_request(request_)
    assert b"canary" not in redaction.payload(b"bad " + TOKEN.encode())
    assert "canary" not in repr(request_)


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"result": {"access_token": TOKEN}}).encode(),
        json.dumps({"servers": [{"endpoint": f"wss://h/endpoint?token={TOKEN}"}]}).encode(),
        packed(json.dumps({"token": TOKEN}).encode()),
    ],
)
def test_the_tokens_of_an_answer_are_known_and_its_sentences_are_not_taken_for_one(
    answer: bytes,
) -> None:
    redaction = Redaction()
    redaction.learn_answer(answer)
    redaction.learn_answer(json.dumps({"msg": "welcome to the real-time feed"}).encode())
    assert b"canary" not in redaction.payload(TOKEN.encode())
    kept = b"welcome to the real-time feed at wss://h/endpoint"
    assert redaction.payload(kept) is kept


def test_what_the_plan_says_openly_is_no_secret() -> None:
    own = '{"topic":"/spotMarket/tradeOrdersV2","id":1}'
    redaction = Redaction(KEYS, ["wss://stream.example.org/a-long-path-of-their-own", own])
    redaction.learn(own.replace("}", f',"token":"{TOKEN}"}}'))
    redaction.learn_login(Login("wss://stream.example.org/a-long-path-of-their-own"))
    update = b'{"topic":"/spotMarket/tradeOrdersV2","at":"a-long-path-of-their-own"}'
    assert redaction.payload(update) is update
    assert b"canary" not in redaction.payload(TOKEN.encode())


def test_a_topic_with_ones_number_behind_it_is_no_secret() -> None:
    own = '{"event":"subscribe","data":{"channel":"private-my_orders_btcusd"}}'
    redaction = Redaction(KEYS, [own])
    channel = "private-my_orders_btcusd-1234567"
    redaction.learn(json.dumps({"data": {"channel": channel, "auth": TOKEN}}))
    update = json.dumps({"channel": channel, "data": {}}).encode()
    assert redaction.payload(update) is update
    assert b"canary" not in redaction.payload(TOKEN.encode())
    redaction.learn(json.dumps({"channel": f"private-my_orders_btcusd?{TOKEN}-too"}))
    assert b"canary" not in redaction.payload(f"at {TOKEN}-too".encode())


def test_counts_and_common_words_in_headers_are_no_secrets() -> None:
    redaction = Redaction()
    headers = (("Timestamp", "1700000000000"), ("Content-Type", "application/json"))
    redaction.learn_login(Login("wss://h/p", headers))
    assert not redaction


def test_a_packed_payload_is_searched_and_kept_as_it_came_where_nothing_is_in_it() -> None:
    redaction = Redaction(KEYS)
    kept = packed(b'{"topic":"orders"}')
    assert redaction.payload(kept) is kept
    assert redaction.payload(packed(b'{"you":"canary-secret"}')) == b'{"you":"[redacted]"}'


@given(st.integers(0, 60), st.integers(0, 255))
def test_no_damage_to_a_packed_payload_lets_a_secret_through(place: int, value: int) -> None:
    redaction = Redaction(KEYS)
    damaged = bytearray(packed(b'{"you said":"canary-secret"}'))
    damaged[place % len(damaged)] = value
    kept = redaction.payload(bytes(damaged))
    assert kept in (b"[redacted]", b'{"you said":"[redacted]"}', bytes(damaged))
    if kept == bytes(damaged):
        assert not kept.startswith(b"\x1f\x8b")


def test_where_there_is_no_secret_damage_is_recorded_as_it_came() -> None:
    damaged = packed(b"a trade")[:-3]
    assert Redaction().payload(damaged) is damaged
