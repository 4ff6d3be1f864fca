"""100,000 damaged messages a venue: each a finding or a clean decode, and never anything else.

Hypothesis draws seeds; each damages `BATCH` messages. What is damaged are samples of all kinds,
in the ways that break decoders: bytes, tokens, lengths, places, depth, packing; and what the
exchange answers over HTTP about books and instruments.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.engine import Engine
from tests.venues.http_bodies import HTTP_BODIES
from tests.venues.sample_frames import ALL_NAMES, SAMPLES
from venues.compression import packed, unpacked
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, http_payload
from venues.registry import venue_named

MESSAGES = 100_000
BATCH = 2_000

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[\[\]{}]')
_HOSTILE = (
    *(b"null", b"true", b"{}", b"[]", b"[[]]", b'""', b'"\\ud800"', b'"NaN"', b'"-1"', b'"1e999"'),
    *(b"-1", b"0", b"1e400", b"1.5", b"9223372036854775808", b"9" * 400, b'"' + b"9" * 400 + b'"'),
    *(b"[" * 2000, b'{"a":' * 1500, b'"\xff"', b'"\x00"', b"NaN", b'"0x10"', b'" 1"', b'"1_0"'),
    *(b'"2021-13-45T99:99:99Z"', b'"9999-12-31T23:59:59.999999999Z"', b'"snapshot"', b'"update"'),
)
Damage = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _some_bytes(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    damaged = bytearray(payload)
    for _each in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def _cut(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    return payload[: chance.randrange(len(payload))]


def _repeated(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(payload))
    end = min(len(payload), start + chance.randint(1, 60))
    return payload[:end] + payload[start:end] * chance.randint(1, 3) + payload[end:]


def _left_out(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(payload))
    return payload[:start] + payload[start + chance.randint(1, 40) :]


def _token(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    tokens = [match.span() for match in _TOKEN.finditer(payload)]
    if not tokens:
        return payload + b"x"
    start, end = chance.choice(tokens)
    return payload[:start] + chance.choice(_HOSTILE) + payload[end:]


def _swapped(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    tokens = [match.span() for match in _TOKEN.finditer(payload)]
    if len(tokens) < 2:
        return payload * 2
    (one, one_end), (two, two_end) = sorted(chance.sample(tokens, 2))
    first, second = payload[one:one_end], payload[two:two_end]
    return payload[:one] + second + payload[one_end:two] + first + payload[two_end:]


def _spliced(chance: random.Random, payload: bytes, all_of_it: Sequence[bytes]) -> bytes:
    other = chance.choice(all_of_it)
    return payload[: chance.randrange(len(payload))] + other[chance.randrange(len(other)) :]


DAMAGES: Sequence[Damage] = (
    *(_some_bytes, _cut, _repeated, _left_out, _spliced, _swapped),
    *(_token, _token, _token),
)


def _damaged_answer(chance: random.Random, name: str, message: bytes) -> bytes:
    """Return an HTTP frame's payload: a damaged body with its head, or a message without one."""
    bodies = HTTP_BODIES.get(name, ())
    if not bodies or chance.random() < 0.2:
        return message
    purpose, symbol, body = chance.choice(bodies)
    damaged = chance.choice(DAMAGES)(chance, body, [each for _, _, each in bodies])
    return http_payload(HttpResponse("GET", "", 200, purpose, symbol), damaged)


def try_batch(name: str, seed: int, count: int) -> None:
    """Damage `count` messages and let the engine have each of them, whole ones in between."""
    chance = random.Random(seed)
    samples = SAMPLES[name]
    plain = [unpacked(sample) for sample in samples]
    venue, engine = venue_named(name), Engine()
    for number in range(count):
        which = chance.randrange(len(samples))
        is_packed = plain[which] is not samples[which]
        payload = chance.choice(DAMAGES)(chance, plain[which], plain)
        if is_packed:
            # The packing itself is damaged in one of four.
            payload = packed(payload)
            if chance.random() < 0.25:
                payload = _some_bytes(chance, payload, ())
        if chance.random() < 0.05:
            payload, kind = _damaged_answer(chance, name, payload), FrameKind.HTTP
        else:
            kind = FrameKind.TEXT
        engine.apply(Frame(number, 1, name, kind, number + 1, None, payload))
        if number % 8 == 0:
            venue.read_notice(payload)
            venue.reply(payload)
            venue.dialect.topic(payload)
            request = venue.dialect.read_request(payload)
            venue.dialect.answer(request, None)
            engine.apply(Frame(number, 1, name, FrameKind.TEXT, number + 1, None, samples[which]))
    assert engine.frames >= count
    engine.state_digest()


@pytest.mark.parametrize("name", ALL_NAMES)
def test_damaged_messages_are_findings_and_never_faults(name: str) -> None:
    @settings(max_examples=MESSAGES // BATCH)
    @given(st.integers(0, 2**64 - 1))
    def law(seed: int) -> None:
        try_batch(name, seed, BATCH)

    law()
