"""What secrets look like, and how those that are known may be spelled.

Theory. Two questions are asked of bytes. *Is one of these keys in it?* has a sure answer, in every
spelling that an echo may give a key: as it is, escaped for JSON, encoded for a URL, in hex, and in
base64 at each of its three alignments (`spellings`). *Does something in it look like a secret?* has
a likely one, and must not cry wolf over an exchange's data, which is full of long random texts:
ids, hashes, addresses, checksums. So a pattern asks for what says "secret" beside what is random: a
name that only secrets have (`api_secret`, `listenKey`, `signature`), a form that only secrets have
(a PEM block, a token of three parts that begins as JSON, a header's `Bearer`), and at least the
length and the mixture of a key. What our own recorder puts in a secret's place is none.
"""

from __future__ import annotations

import base64
import math
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

KNOWN_BYTES_MIN = 4
WORD_BYTES_MAX = 7
"""A known key that is no longer counts only where it stands alone, as it is."""
ENTROPY_MIN = 3.0
"""Bits for each character: words and numbers are below it, keys above."""
STANDINS = (b"[redacted]", b"%5Bredacted%5D", b"%5bredacted%5d")


class Spelling(NamedTuple):
    """One way to write a known secret: `kind` says which."""

    kind: str
    content: bytes
    alone: bool = False


class Sight(NamedTuple):
    """Something that is, or looks like, a secret: where, and what kind."""

    kind: str
    begin: int
    end: int


def spellings(name: str, secret: str) -> Iterator[Spelling]:
    """Yield how a known secret may stand in a recording; nothing where it is too short."""
    plain = secret.encode("utf-8", "surrogateescape")
    if len(plain) < KNOWN_BYTES_MIN:
        return
    short = len(plain) <= WORD_BYTES_MAX
    yield Spelling(name, plain, alone=short)
    if short:
        return
    escaped = msgspec.json.encode(plain.decode("utf-8", "replace"))[1:-1]
    quoted = urllib.parse.quote_from_bytes(plain, safe="").encode()
    others = {
        f"{name}, escaped": {escaped, escaped.replace(b"/", b"\\/"), plain.replace(b"/", b"\\/")},
        f"{name}, encoded for a URL": {quoted, _lower_escapes(quoted), _plus(quoted)},
        f"{name}, in hex": {plain.hex().encode(), plain.hex().upper().encode()},
        f"{name}, in base64": set(_base64(plain)),
    }
    seen = {plain}
    for kind, forms in others.items():
        for form in sorted(forms - seen):
            seen.add(form)
            yield Spelling(kind, form)


def _lower_escapes(quoted: bytes) -> bytes:
    return re.sub(rb"%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)


def _plus(quoted: bytes) -> bytes:
    return quoted.replace(b"%20", b"+")


def _base64(plain: bytes) -> Iterator[bytes]:
    """Yield what is the same in base64 whatever stands before and after, at each alignment."""
    for before in range(3):
        padded = b"\0" * before + plain
        whole = base64.b64encode(padded + b"\0" * (-len(padded) % 3))
        first = math.ceil(before * 8 / 6)
        last = (len(padded) * 8) // 6
        middle = whole[first:last]
        yield middle
        yield middle.translate(bytes.maketrans(b"+/", b"-_"))


_NAMES = (
    rb"api[-_]?key|apikey|api[-_]?secret|secret(?:[-_]?key)?|access[-_]?key|private[-_]?key|"
    rb"pass(?:phrase|word)|signature|listen[-_]?key|(?:access|auth|session|bearer|refresh)"
    rb"[-_]?token|x-[a-z-]*(?:sign|signature|key|token|passphrase)|[a-z]+-access-(?:key|sign|"
    rb"passphrase)"
)
_KEYLIKE = rb"[A-Za-z0-9+/=_.~%-]"
_NAMED = (b"key", b"secret", b"pass", b"sign", b"token")
_ADDRESS = (b"://", b":\\/\\/")


class _Rule(NamedTuple):
    """A pattern whose first group, if it has one, is the secret.

    `hints` are texts in small letters one of which it needs: far quicker to look for than it.
    """

    kind: str
    hints: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


_RULES = (
    _Rule(
        "a private key (PEM)",
        (b"private key",),
        re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ),
    _Rule(
        "a token (JWT)",
        (b"eyj",),
        re.compile(
            rb"(?<![A-Za-z0-9_-])"
            rb"(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,})"
        ),
    ),
    _Rule(
        "a key of AWS",
        (b"akia", b"asia"),
        re.compile(rb"(?<![A-Z0-9])((?:AKIA|ASIA)[A-Z0-9]{16})(?![A-Z0-9])"),
    ),
    _Rule(
        "an Authorization header",
        (b"authorization",),
        re.compile(
            rb"(?i)authorization\"?\s*[:=]\s*\"?"
            rb"((?:bearer|basic|token|digest|aws4-hmac-sha256)\s+[^\s\",]{8,})"
        ),
    ),
    _Rule(
        "a value named as a secret",
        _NAMED,
        re.compile(
            rb"(?i)[\"'](?:" + _NAMES + rb")\\?[\"']\s*:\s*\\?[\"']"
            rb"(" + _KEYLIKE + rb"{16,})\\?[\"']"
        ),
    ),
    _Rule(
        "a header named as a secret",
        _NAMED,
        re.compile(rb"(?im)^[ \t]*(?:" + _NAMES + rb")[ \t]*:[ \t]*(" + _KEYLIKE + rb"{16,})"),
    ),
    _Rule(
        "a secret in an address or a form",
        (b"key=", b"secret=", b"pass", b"sign", b"token=", b"auth="),
        re.compile(
            rb"(?i)[?&;\s\"'](?:" + _NAMES + rb"|token|sign|key|auth)=(" + _KEYLIKE + rb"{16,})"
        ),
    ),
    _Rule(
        "a listen key in an address",
        _ADDRESS,
        re.compile(
            rb"(?i)wss?:(?:\\?/){2}[^\s\"?]{1,200}?/"
            rb"(?:ws|stream)?\\?/?([A-Za-z0-9]{60,70})(?![A-Za-z0-9])"
        ),
    ),
    _Rule(
        "a random value in an address",
        _ADDRESS,
        re.compile(
            rb"(?i)(?:wss?|https?):(?:\\?/){2}[^\s\"'<>]{0,400}?[?&][a-z0-9_.-]{1,40}=("
            rb"[A-Za-z0-9+/_~-]{24,})(?![A-Za-z0-9+/_~.,@%-])"
        ),
    ),
)


def sights(content: bytes) -> Iterator[Sight]:
    """Yield what in `content` looks like a secret."""
    small = content.lower()
    for kind, hints, pattern in _RULES:
        if not any(hint in small for hint in hints):
            continue
        for match in pattern.finditer(content):
            group = 1 if pattern.groups else 0
            if group == 0 or _random(match[1]):
                yield Sight(kind, *match.span(group))


def known_sights(content: bytes, known: tuple[Spelling, ...]) -> Iterator[Sight]:
    """Yield where known secrets are in `content`."""
    for kind, secret, alone in known:
        begin = content.find(secret)
        while begin >= 0:
            end = begin + len(secret)
            if not alone or _stands_alone(content, begin, end):
                yield Sight(kind, begin, end)
            begin = content.find(secret, end)


def _stands_alone(content: bytes, begin: int, end: int) -> bool:
    around = content[begin - 1 : begin] if begin else b""
    around += content[end : end + 1]
    return not any(chr(byte).isalnum() for byte in around)


def _random(text: bytes) -> bool:
    """Say whether a text is as mixed as a key, and none of the texts that stand for one."""
    if any(standin in text for standin in STANDINS):
        return False
    word = text.rpartition(b" ")[2]
    return entropy(word) >= ENTROPY_MIN and not word.isalpha()


def entropy(text: bytes) -> float:
    """Return how many bits a character of `text` has by its own distribution."""
    if not text:
        return 0.0
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
