"""Bytes as they are after something happened to them, in the ways that break readers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Damage = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def some_bytes(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    damaged = bytearray(payload)
    for _each in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def cut(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    return payload[: chance.randrange(len(payload))]


def repeated(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(payload))
    end = min(len(payload), start + chance.randint(1, 60))
    return payload[:end] + payload[start:end] * chance.randint(1, 3) + payload[end:]


def left_out(chance: random.Random, payload: bytes, _: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(payload))
    return payload[:start] + payload[start + chance.randint(1, 40) :]


def spliced(chance: random.Random, payload: bytes, all_of_it: Sequence[bytes]) -> bytes:
    other = chance.choice(all_of_it)
    return payload[: chance.randrange(len(payload))] + other[chance.randrange(len(other)) :]


DAMAGES: Sequence[Damage] = (some_bytes, cut, repeated, left_out, spliced)
