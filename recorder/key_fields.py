"""Fields of messages whose texts are keys, tokens or signatures, by their names.

For messages that others have recorded: of our own we know the keys themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from recorder.redaction import STANDIN

_NAMES = frozenset(
    (
        *("key", "apikey", "accesskey", "accesskeyid", "clientid", "passphrase", "password"),
        *("secret", "clientsecret", "sign", "sig", "signature", "signedchallenge"),
        *("originalchallenge", "jwt", "token", "accesstoken", "refreshtoken", "auth", "authsig"),
        *("authpayload", "listenkey", "authorization", "bearer"),
    )
)
_NO_LETTER = re.compile(r"[^a-z]")
_CHARACTERS_MIN = 6
"""A shorter text in such a field is a word of the protocol."""


def without_keys(payload: bytes) -> bytes:
    """Return a message with the texts of such fields replaced; the same where there are none."""
    try:
        message = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        return payload
    for text in set(_keys_in(message)):
        plain = msgspec.json.encode(text)[1:-1]
        for spelling in (plain, plain.replace(b"/", b"\\/")):
            payload = payload.replace(b'"' + spelling + b'"', b'"' + STANDIN + b'"')
    return payload


def _keys_in(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _keys_in(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str):
                named = _NO_LETTER.sub("", str(name).lower()) in _NAMES
                if named and len(each) >= _CHARACTERS_MIN:
                    yield each
            else:
                yield from _keys_in(each)
