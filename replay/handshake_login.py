"""Whether an exchange takes a login in the handshake itself, and in no other way."""

from __future__ import annotations

from functools import cache

from venues.errors import UNDECODABLE, TickreelError
from venues.registry import venue_named
from venues.venue import Credentials, StreamRequest, Venue

_ANY_KEYS = Credentials("YW55", "YW55", "YW55")
"""Keys that no one has, in the alphabet of every exchange."""


def needs_signed_handshake(venue: Venue, path: str) -> bool:
    """Return whether connections at `path` are refused unless their handshake is signed."""
    return venue.dialect.private_path(path.partition("?")[0]) and _signs_handshake(venue.name)


@cache
def _signs_handshake(venue_name: str) -> bool:
    """Ask the client's side of the venue how it would begin on a private connection."""
    venue = venue_named(venue_name)
    channels = tuple(channel for channel in sorted(venue.traits.channels) if channel.private)
    if not channels:
        return False
    try:
        plans = venue.plan(StreamRequest(venue.name, (), channels))
        logins = [venue.login(plan, _ANY_KEYS, 0, b"") for plan in plans if plan.private]
    except (TickreelError, *UNDECODABLE):
        return False
    return bool(logins) and all(login.headers and login.message is None for login in logins)
