"""Tokens and numbers used once, which several exchanges ask for at a login."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.json_web_token import (
    base64url,
    base64url_content,
    hs512_signed,
    hs512_token,
    token_claims,
)
from venues.nonce import nonce_hex, nonce_uuid

CLAIMS = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(0, 2**53))
SECRETS = st.text(st.characters(codec="ascii"), min_size=1, max_size=20)


@given(st.binary(max_size=80))
def test_base64_for_urls_needs_no_escaping_and_gives_back_what_went_in(content: bytes) -> None:
    text = base64url(content)
    assert re.fullmatch(r"[A-Za-z0-9_-]*", text)
    assert base64url_content(text) == content


def test_a_token_is_signed_as_another_program_signs_it() -> None:
    # printf '{"alg":"HS512","typ":"JWT"}' | base64, of the claims likewise; both with a point
    # between | openssl dgst -sha512 -hmac secret-1 -binary | base64
    token = hs512_token({"a": "b"}, "secret-1")
    header, claims, signature = token.split(".")
    assert (header, claims) == ("eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9", "eyJhIjoiYiJ9")
    assert signature == (
        "GrhFcOQeVkBeRKUYPeVevihrsRO5Dufvdhh1gRMDHeRXnBft7gyRG8dH6IwgFY6-w2684NbnrkPfiT6DmlPlyQ"
    )


@given(CLAIMS, SECRETS, SECRETS)
def test_a_token_tells_its_claims_to_all_and_its_signer_to_who_has_the_secret(
    claims: dict[str, str | int], secret: str, other: str
) -> None:
    token = hs512_token(claims, secret)
    assert token_claims(token) == claims
    assert hs512_signed(token, secret)
    # HMAC fills a short key up with zeros, so these alone are the same.
    assert hs512_signed(token, other) is (other.rstrip("\0") == secret.rstrip("\0"))


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.!.c", "a.e30.c.d", "a.W10.c", "é.é.é"])
def test_what_is_no_token_has_no_claims(token: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  msgspec's errors are among them
        token_claims(token)


@given(SECRETS, st.integers(0, 2**43), st.integers(0, 2**43))
def test_a_nonce_is_of_its_time_and_of_its_secret(secret: str, one_ms: int, other_ms: int) -> None:
    first = nonce_hex(secret, one_ms)
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert (first == nonce_hex(secret, other_ms)) is (one_ms == other_ms)
    assert first != nonce_hex(secret, one_ms, "another purpose")
    assert uuid.UUID(nonce_uuid(secret, one_ms)).version == 4
