"""What is taken out before anything is queued, written or logged.

Theory. Secrets are removed where they enter, not where they would leave:

- A login message never becomes a frame; `LOGIN_STANDIN` does. Nor does the answer to a request
  for access, of which only the head is recorded.
- Of a URL, user info and the values of query parameters are removed, but for those in
  `QUERY_SHOWN`: what is not known to be harmless is taken to be a key.
- An exchange may echo what it was sent, and answers a login with new tokens. Where there are
  secrets (on every private connection, and on a public one whose address holds a token), every
  payload is searched for them and for what was derived from them, and those bytes are replaced.
  What is known: the keys; of the request for access and its answer, of the login and its answer and
  of what was sent to subscribe, the tokens and all texts long enough to be one; the unknown values
  of the login's address and headers. What the plan itself says openly is never taken for a secret.
- A packed payload (gzip) hides what is in it: it is unpacked for the search, and recorded as it
  came where nothing is found. Where something is, the unpacked text is recorded, cleaned. One that
  cannot be unpacked cannot be searched, and `STANDIN` stands for it.

The last two are the only cases in which a recorded payload is not what came.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Iterator

import msgspec

from venues.compression import unpacked
from venues.venue import Credentials, HttpRequest, Login

LOGIN_STANDIN = b'{"redacted":"login"}'
STANDIN = b"[redacted]"
SECRET_CHARACTERS_MIN = 8
"""Shorter texts in a login message are its words, not keys."""
DERIVED_CHARACTERS_MIN = 20
"""A text in a login message of this length is a key or a signature."""
KEY_CHARACTERS_MIN = 4
"""A key or token that is shorter is no secret, and would be found everywhere."""

QUERY_SHOWN = frozenset(
    {
        *("category", "instType", "symbol", "symbols", "stream", "streams", "channels", "depth"),
        *("level", "limit", "type", "timeUnit", "compress", "format", "snapshot", "speed"),
        *("v", "version", "group", "with_id"),
        # An instrument, as each exchange says it.
        *("contract", "contract_code", "currency_pair", "instId", "instrument_name", "market"),
        *("markets", "pair", "product_id", "ticker"),
    }
)
HEADERS_SHOWN = frozenset(
    {"accept", "cache-control", "content-type", "host", "origin", "user-agent"}
)

_BETWEEN_WORDS = re.compile(r"[\s\"'=&,;?]+")
_ADDRESS = re.compile(r"(?:wss?|https?)://")


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
    """Replaces the secrets of one login in payloads and texts.

    `known` are messages and addresses that hold no secret: their texts are never replaced.
    """

    def __init__(self, credentials: Credentials | None = None, known: Iterable[str] = ()) -> None:
        self._secrets: list[bytes] = []
        self._escaped: list[re.Pattern[bytes]] = []
        self._known: set[str] = set()
        for message in known:
            self._known.update(_texts(message), _path_words(message))
        if credentials is not None:
            for text in (credentials.key, credentials.secret, credentials.passphrase):
                if len(text) >= KEY_CHARACTERS_MIN:
                    self._add_spellings(text)

    def __repr__(self) -> str:
        """Return a text without the secrets."""
        return f"Redaction({len(self._secrets)} secrets)"

    def __bool__(self) -> bool:
        """Return whether there is any secret to look for."""
        return bool(self._secrets)

    def learn(self, message: str) -> None:
        """Add what may be secret in a message that we send: its long texts."""
        texts = _texts(message)
        if texts == [message]:
            self._add(message, SECRET_CHARACTERS_MIN)
            texts = _BETWEEN_WORDS.split(message)
        for text in texts:
            # A topic with one's number behind it is a topic still.
            for part in self._unknown_parts(text):
                self._add(part, DERIVED_CHARACTERS_MIN)

    def learn_request(self, request: HttpRequest) -> None:
        """Add what may be secret in a request for access."""
        self._learn_address(request.url)
        self._learn_headers(request.headers)
        if request.body:
            self.learn(request.body.decode("utf-8", "replace"))

    def learn_answer(self, answer: bytes) -> None:
        """Add the tokens in the answer to a request for access or to a login."""
        try:
            content = unpacked(answer)
        except ValueError:
            return  # nor will it be recorded
        for text in _texts(content.decode("utf-8", "replace")):
            if _ADDRESS.match(text):
                self._learn_address(text)
            elif " " not in text:  # a sentence is no token
                self._add(text, DERIVED_CHARACTERS_MIN)

    def learn_login(self, login: Login) -> None:
        """Add what may be secret in how a connection begins."""
        self._add(login.token, KEY_CHARACTERS_MIN)
        self._learn_address(login.url)
        self._learn_headers(login.headers)
        if login.message is not None:
            self.learn(login.message)

    def payload(self, payload: bytes) -> bytes:
        """Return `payload` with every secret replaced; the same object where there is none."""
        if not self._secrets:
            return payload
        try:
            content = unpacked(payload)
        except ValueError:
            return STANDIN
        cleaned = self._cleaned(content)
        return payload if cleaned is content else cleaned

    def text(self, text: str) -> str:
        """Return `text` with every secret replaced."""
        return self._cleaned(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def _cleaned(self, content: bytes) -> bytes:
        for secret in self._secrets:
            if secret in content:
                content = content.replace(secret, STANDIN)
        if b"\\u00" in content:
            for escaped in self._escaped:
                content = escaped.sub(STANDIN, content) if escaped.search(content) else content
        return content

    def _unknown_parts(self, text: str) -> list[str]:
        """Return what is left of `text` without what the plan says openly."""
        parts = [text]
        for known in self._known:
            if len(known) >= SECRET_CHARACTERS_MIN and known in text:
                parts = [piece for part in parts for piece in part.split(known)]
        return parts

    def _learn_address(self, url: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            pairs = urllib.parse.parse_qsl(parts.query)
        except ValueError:
            self._add(url, SECRET_CHARACTERS_MIN)
            return
        for name, value in pairs:
            if name not in QUERY_SHOWN:
                self._add(value, SECRET_CHARACTERS_MIN)
        for word in parts.path.split("/"):
            self._add(word, DERIVED_CHARACTERS_MIN)

    def _learn_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        for name, value in headers:
            if name.lower() not in HEADERS_SHOWN:
                self._add(value, SECRET_CHARACTERS_MIN)
                self._add(value.rpartition(" ")[2], SECRET_CHARACTERS_MIN)

    def _add(self, text: str, characters_min: int) -> None:
        if len(text) < characters_min or text in self._known:
            return
        counts = len(text) < DERIVED_CHARACTERS_MIN and text.isdigit()
        if counts and characters_min == SECRET_CHARACTERS_MIN:
            return  # a time or a number, found in many payloads
        self._add_spellings(text)

    def _add_spellings(self, text: str) -> None:
        # An echo may escape what it echoes (a slash of base64 as \/), or encode it for a URL. Which
        # signs are escaped as \u003d or \u002B is each JSON library's own affair.
        plain = text.encode("utf-8", "surrogatepass")
        escaped = re.compile(b"".join(map(_plain_or_escaped, plain)))
        if not plain.isalnum() and escaped not in self._escaped:
            self._escaped.append(escaped)
        spellings = {
            plain,
            msgspec.json.encode(plain.decode("utf-8", "replace"))[1:-1],
            plain.replace(b"/", b"\\/"),
            urllib.parse.quote_from_bytes(plain, safe="").encode(),
        }
        self._secrets.extend(spelling for spelling in spellings if spelling not in self._secrets)
        self._secrets.sort(key=len, reverse=True)


def _plain_or_escaped(byte: int) -> bytes:
    sign = re.escape(bytes((byte,)))
    if byte >= 0x80 or sign.isalnum():
        return sign
    return b"(?:\\\\{0,8}%b|\\\\{1,8}u00(?i:%02x))" % (sign, byte)


def _texts(message: str) -> list[str]:
    """Return all texts in a JSON message, names left out; the message itself if it is none."""
    try:
        return list(_texts_in(msgspec.json.decode(message)))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return [message]


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts_in(item)


def _path_words(url: str) -> list[str]:
    return url.partition("?")[0].split("/") if _ADDRESS.match(url) else []
