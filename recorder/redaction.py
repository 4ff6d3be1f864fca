"""What is taken out before anything is queued, written or logged.

Theory. Secrets are removed where they enter, not where they would leave:

- A login message never becomes a frame; `LOGIN_STANDIN` does.
- Of a URL, user info and the values of query parameters are removed, but for those in
  `QUERY_SHOWN`: what is not known to be harmless is taken to be a key.
- An exchange may echo what it was sent. On a private connection every payload is searched for the
  keys and for what was derived from them (the signature), and those bytes are replaced. It is the
  one case in which a recorded payload is not what came.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator

import msgspec

from venues.venue import Credentials

LOGIN_STANDIN = b'{"redacted":"login"}'
STANDIN = b"[redacted]"
SECRET_CHARACTERS_MIN = 8
"""Shorter texts in a login message are its words, not keys."""
DERIVED_CHARACTERS_MIN = 20
"""A text in a login message of this length is a key or a signature."""

QUERY_SHOWN = frozenset(
    {
        *("category", "instType", "symbol", "symbols", "stream", "streams", "channels", "depth"),
        *("level", "limit", "type", "timeUnit", "compress", "format", "snapshot", "speed"),
        *("v", "version"),
    }
)


def redacted_url(url: str) -> str:
    """Return `url` without user info and without the values of unknown query parameters."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "[unreadable address]"
    shown = [
        f"{name}={value if name in QUERY_SHOWN else STANDIN.decode()}" for name, value in pairs
    ]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "&".join(shown), ""))


class Redaction:
    """Replaces the secrets of one login in payloads and texts."""

    def __init__(self, credentials: Credentials | None = None) -> None:
        self._secrets: list[bytes] = []
        if credentials is not None:
            for text in (credentials.key, credentials.secret, credentials.passphrase):
                self._add(text, 4)

    def __repr__(self) -> str:
        """Return a text without the secrets."""
        return f"Redaction({len(self._secrets)} secrets)"

    def learn(self, login_message: str) -> None:
        """Add what was derived from the keys: the long texts in the login message."""
        try:
            login = msgspec.json.decode(login_message)
        except msgspec.DecodeError:
            self._add(login_message, SECRET_CHARACTERS_MIN)
            return
        for text in _texts(login):
            self._add(text, DERIVED_CHARACTERS_MIN)

    def payload(self, payload: bytes) -> bytes:
        """Return `payload` with every secret replaced; the same object where there is none."""
        for secret in self._secrets:
            if secret in payload:
                payload = payload.replace(secret, STANDIN)
        return payload

    def text(self, text: str) -> str:
        """Return `text` with every secret replaced."""
        return self.payload(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def _add(self, text: str, characters_min: int) -> None:
        if len(text) < characters_min:
            return
        # An echo may escape what it echoes (a slash of base64 as \/), or encode it for a URL.
        plain = text.encode()
        spellings = {
            plain,
            msgspec.json.encode(text)[1:-1],
            plain.replace(b"/", b"\\/"),
            urllib.parse.quote(text, safe="").encode(),
        }
        self._secrets.extend(spelling for spelling in spellings if spelling not in self._secrets)
        self._secrets.sort(key=len, reverse=True)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
