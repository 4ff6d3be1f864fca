"""Whether an exchange takes a login in the handshake itself, and in no other way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from venues.channel import Channel
from venues.errors import UNDECODABLE, TickreelError
from venues.registry import venue_named
from venues.venue import ConnectionPlan, Credentials, StreamRequest, Venue

_ANY_KEYS = Credentials("YW55", "YW55", "YW55")
"""Keys that no one has, in the alphabet of every exchange."""

_PAIRS = ("BTC-USDT", "BTC-USD", "BTC-USDT-PERP", "BTC-USD-PERP")
"""Something that every exchange of the kind lists, to be told where its market data are."""


def needs_signed_handshake(venue: Venue, path: str) -> bool:
    """Return whether connections at `path` are refused unless their handshake is signed."""
    bare = path.partition("?")[0]
    return venue.dialect.private_path(bare) and bare in _signed_paths(venue.name)


@cache
def _signed_paths(venue_name: str) -> frozenset[str]:
    """Ask the client's side of the venue how it begins, and where only a signed one does."""
    venue = venue_named(venue_name)
    private = _plans(venue, "", lambda channel: channel.private)
    public = [
        plan for pair in _PAIRS for plan in _plans(venue, pair, lambda channel: not channel.private)
    ]
    signed = {_path(plan) for plan in private if _signs_handshake(venue, plan)}
    return frozenset(signed - set(map(_path, public)))


def _plans(venue: Venue, pair: str, wanted: Callable[[Channel], bool]) -> list[ConnectionPlan]:
    channels = tuple(filter(wanted, sorted(venue.traits.channels)))
    symbols = (pair,) if pair else ()
    try:
        return venue.plan(StreamRequest(venue.name, symbols, channels)) if channels else []
    except TickreelError:
        return []


def _signs_handshake(venue: Venue, plan: ConnectionPlan) -> bool:
    try:
        login = venue.login(plan, _ANY_KEYS, 0, b"")
    except (TickreelError, *UNDECODABLE):
        return False
    return bool(login.headers) and login.message is None


def _path(plan: ConnectionPlan) -> str:
    return urlsplit(plan.url).path
