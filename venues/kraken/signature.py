"""How Kraken's keys sign: a REST request of the spot exchange, and a challenge of the futures one.

Both secrets are base64, and both signatures are base64 of an HMAC-SHA512 with the decoded secret:
of a request over its path and SHA256(nonce + body), of a challenge over SHA256(challenge).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from venues.errors import CredentialsError
from venues.venue import Credentials


def signing_key(venue: str, credentials: Credentials | None) -> bytes:
    """Return the decoded secret.

    Raises:
        CredentialsError: there is none, there is no key to it, or it is not base64.
    """
    if credentials is None or not credentials.key or not credentials.secret:
        raise CredentialsError(venue, "Both the key and the secret are needed.")
    try:
        return base64.b64decode(credentials.secret, validate=True)
    except (binascii.Error, ValueError):
        raise CredentialsError(venue, "The secret is not base64, as Kraken's are.") from None


def signed_request(key: bytes, path: str, nonce: str, body: str) -> str:
    """Return the `API-Sign` header of a spot REST request."""
    return _signature(key, path.encode() + hashlib.sha256(f"{nonce}{body}".encode()).digest())


def signed_challenge(key: bytes, challenge: str) -> str:
    """Return the answer to a challenge of the futures exchange."""
    return _signature(key, hashlib.sha256(challenge.encode()).digest())


def _signature(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha512).digest()).decode()
