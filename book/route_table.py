"""What the references of each connection mean: which subscription a channel id stands for.

Theory. Some exchanges answer a subscription with a short name, and say only that in the messages
which follow. Decoding is stateless, so what was answered is kept here, by connection, and handed in
with each frame. A reference means nothing on another connection. What an unknown one says is the
venue's to tell (a message may overtake the answer to its subscription).

Bounded: a connection is forgotten when it ends, the oldest one when there are too many; references
beyond `ROUTES_MAX` on one connection, more than any exchange allows, are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from venues.event import NO_ROUTES, Event, Subscribed
from venues.frame import Frame
from venues.venue import Venue

ROUTES_MAX = 10_000
CONNECTIONS_MAX = 256


class RouteTable:
    """The references of one venue's connections."""

    __slots__ = ("_routes", "_venue")

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._routes: dict[int, dict[str, Subscribed]] = {}

    def decode(self, frame: Frame) -> Sequence[Event]:
        """Decode a frame, knowing what its connection's references mean."""
        return self._venue.decode(frame, self._routes.get(frame.connection_id, NO_ROUTES))

    def add(self, subscribed: Subscribed, connection_id: int) -> None:
        """Note what a reference means from now on; does nothing where it names none."""
        if not subscribed.reference:
            return
        routes = self._routes.get(connection_id)
        if routes is None:
            routes = self._routes[connection_id] = {}
            if len(self._routes) > CONNECTIONS_MAX:
                del self._routes[next(iter(self._routes))]
        if len(routes) < ROUTES_MAX or subscribed.reference in routes:
            routes[subscribed.reference] = subscribed

    def forget(self, connection_id: int | None) -> None:
        """Forget a connection (None: all of them)."""
        if connection_id is None:
            self._routes.clear()
        else:
            self._routes.pop(connection_id, None)

    def state(self) -> list[tuple[int, dict[str, Subscribed]]]:
        """Return the canonical state, for the digest."""
        return sorted(self._routes.items())

    def parts(self) -> list[tuple[int, list[Subscribed]]]:
        """Return the references by connection, in the order in which they came."""
        return [(number, list(routes.values())) for number, routes in self._routes.items()]

    def take_parts(self, parts: list[tuple[int, list[Subscribed]]]) -> None:
        """Be what a checkpoint says."""
        self._routes = {
            number: {subscribed.reference: subscribed for subscribed in each}
            for number, each in parts
        }
