"""The venues that exist in tests alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from book import engine
from tests.book import made_venue
from venues.registry import venue_named
from venues.venue import Venue


@pytest.fixture(scope="module")
def made_venues() -> Iterator[None]:
    """Let engines know the venues of `made_venue` too, for the tests of one file."""
    made = {venue.name: venue for venue in made_venue.VENUES}

    def named(name: str) -> Venue:
        return made.get(name) or venue_named(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "venue_named", named)
        yield
