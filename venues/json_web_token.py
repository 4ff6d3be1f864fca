"""JSON Web Tokens (RFC 7519), as far as exchanges ask for them: compact, signed, short-lived."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

Claims = Mapping[str, str | int]


def base64url(content: bytes) -> str:
    """Return base64 for URLs, without the padding (RFC 7515)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def base64url_content(text: str) -> bytes:
    """Return what base64 for URLs holds.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(f"it is no base64 ({error})") from error


def signing_input(header: Claims, claims: Claims) -> str:
    """Return the text that a token's signature is of: header and claims."""
    parts = (base64url(msgspec.json.encode(dict(part))) for part in (header, claims))
    return ".".join(parts)


def hs512_token(claims: Claims, secret: str) -> str:
    """Return a token signed with HMAC-SHA512."""
    unsigned = signing_input({"alg": "HS512", "typ": "JWT"}, claims)
    return f"{unsigned}.{_hs512(unsigned, secret)}"


def hs512_signed(token: str, secret: str) -> bool:
    """Return whether a token was signed so with this secret."""
    unsigned, _, signed = token.rpartition(".")
    return hmac.compare_digest(signed.encode(), _hs512(unsigned, secret).encode())


def _hs512(unsigned: str, secret: str) -> str:
    return base64url(hmac.new(secret.encode(), unsigned.encode(), hashlib.sha512).digest())


def token_claims(token: str) -> dict[str, str | int]:
    """Return the claims of a token, whoever signed it.

    Raises:
        ValueError: it is no token.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("a token has three parts")
    return msgspec.json.decode(base64url_content(parts[1]), type=dict[str, str | int])
