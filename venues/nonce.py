"""Numbers used once, made of what is at hand: venues draw no random numbers.

Each is taken from the time and the secret, so that no two logins share one and none can be guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid


def nonce_hex(secret: str, time_ms: int, purpose: str = "") -> str:
    """Return 32 hexadecimal digits, others for each time and purpose."""
    text = f"{time_ms} {purpose}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()[:32]


def nonce_uuid(secret: str, time_ms: int, purpose: str = "") -> str:
    """Return the same in the shape of a random UUID (version 4), in lower case."""
    return str(uuid.UUID(hex=nonce_hex(secret, time_ms, purpose), version=4))
