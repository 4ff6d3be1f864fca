r"""The tokens that Advanced Trade's private channels ask for, signed with the user's own key.

    {"alg":"ES256","typ":"JWT","kid":"organizations/…/apiKeys/…","nonce":"32 hex digits"}
    {"iss":"cdp","sub":"organizations/…/apiKeys/…","nbf":1724000000,"exp":1724000120}

Python's standard library cannot sign with elliptic curves: the package `cryptography` does, which
comes with `pip install 'tickreel[coinbase]'` and is imported when a private channel is asked for.
A key is what the exchange hands out: a PEM text of an EC key (ES256), or an Ed25519 key (EdDSA) as
PEM text or as 64 bytes in base64. A PEM's line breaks may be written as `\n`, as in an environment
variable.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from venues.errors import CredentialsError
from venues.json_web_token import Claims, base64url, base64url_content, signing_input
from venues.nonce import nonce_hex
from venues.venue import Credentials

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey

_LIFETIME_S = 120
_ED25519_SEED_BYTES, _ED25519_KEY_BYTES = 32, 64
_P256_NUMBER_BYTES = 32
_REMEDY = (
    "Signing takes the package `cryptography`: install it with pip install 'tickreel[coinbase]' ."
)
_MALFORMED = (
    "The secret must be the private key that the exchange handed out: a PEM text of an EC key "
    "(P-256) or an Ed25519 key, or 64 bytes in base64."
)


def key_token(venue: str, keys: Credentials, time_ms: int) -> str:
    """Return a token for one message, good for two minutes from `time_ms`.

    Raises:
        CredentialsError: the secret is no key, or the package that signs is not installed.
    """
    private_key = _private_key(venue, keys.secret)
    algorithm = "ES256" if hasattr(private_key, "curve") else "EdDSA"
    nonce = nonce_hex(keys.secret, time_ms)
    header = {"alg": algorithm, "typ": "JWT", "kid": keys.key, "nonce": nonce}
    now_s = time_ms // 1000
    until_s = now_s + _LIFETIME_S
    claims: Claims = {"iss": "cdp", "sub": keys.key, "nbf": now_s, "exp": until_s}
    unsigned = signing_input(header, claims)
    return f"{unsigned}.{base64url(_signature(private_key, unsigned.encode()))}"


def token_signed(venue: str, token: str, keys: Credentials) -> bool:
    """Return whether a token was signed with these keys, whenever that was.

    Raises:
        CredentialsError: the secret is no key, or the package that signs is not installed.
    """
    from cryptography.exceptions import InvalidSignature

    private_key = _private_key(venue, keys.secret)
    unsigned, _, signed = token.rpartition(".")
    try:
        _verify(private_key, base64url_content(signed), unsigned.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _private_key(venue: str, secret: str) -> PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise CredentialsError(venue, _REMEDY) from error
    try:
        if "PRIVATE KEY" in secret:
            pem = secret.replace("\\n", "\n").encode()
            key = load_pem_private_key(pem, password=None)
            if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
                return key
            if isinstance(key, Ed25519PrivateKey):
                return key
        else:
            content = base64.b64decode(secret, validate=True)
            if len(content) == _ED25519_KEY_BYTES:
                return Ed25519PrivateKey.from_private_bytes(content[:_ED25519_SEED_BYTES])
    except (ValueError, TypeError, binascii.Error):
        pass
    # Without the cause: its text may repeat the key.
    raise CredentialsError(venue, _MALFORMED) from None


def _signature(private_key: PrivateKey, content: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    if not isinstance(private_key, EllipticCurvePrivateKey):
        return private_key.sign(content)
    numbers = decode_dss_signature(private_key.sign(content, ECDSA(SHA256())))
    # RFC 7518, 3.4: both numbers one behind the other, each of 32 bytes.
    return b"".join(number.to_bytes(_P256_NUMBER_BYTES, "big") for number in numbers)


def _verify(private_key: PrivateKey, signature: bytes, content: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    if not isinstance(private_key, EllipticCurvePrivateKey):
        private_key.public_key().verify(signature, content)
        return
    first = int.from_bytes(signature[:_P256_NUMBER_BYTES], "big")
    second = int.from_bytes(signature[_P256_NUMBER_BYTES:], "big")
    signed = encode_dss_signature(first, second)
    private_key.public_key().verify(signed, content, ECDSA(SHA256()))
