"""The venues by name. Adding a venue is one new file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from venues.errors import UnknownVenueError
from venues.venue import Venue


@cache
def venues() -> Mapping[str, Venue]:
    """Return all venues by registry name, in the order in which they are shown."""
    from venues import binance, bybit, reference

    every = (*reference.VENUES, *bybit.VENUES, *binance.VENUES)
    return {venue.name: venue for venue in every}


def venue_named(name: str) -> Venue:
    """Return the venue called `name`.

    Raises:
        UnknownVenueError: there is none.
    """
    try:
        return venues()[name]
    except KeyError:
        raise UnknownVenueError(name, venues()) from None
