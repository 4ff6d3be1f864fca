"""What is taken out before anything is queued, written or logged."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.redaction import QUERY_SHOWN, Redaction, redacted_url
from venues.venue import Credentials

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
