"""What the fake exchange answers to HTTP requests that are the exchange's own.

A request does not say whose it is: the client of that venue that is furthest on is taken, as a
snapshot ahead of a client joins when it gets there, and one behind it never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from websockets.http11 import Request, Response

from replay.feed import Feed
from replay.http_response import json_response, text_response
from replay.playback import Playback
from replay.server_session import ServerSession
from replay.source_survey import VenueSurvey
from venues.venue import Venue


def headers_by_name(request: Request) -> dict[str, str]:
    """Return the headers of a request by their names in lower case."""
    return {name.lower(): value for name, value in request.headers.raw_items()}


class HttpSide:
    """Answers from the pass that is played now."""

    def __init__(
        self,
        sessions: Sequence[ServerSession],
        playback: Callable[[], Playback],
        url: Callable[[], str],
    ) -> None:
        """Answer for the clients in `sessions`; `url` is where WebSocket clients are sent."""
        self._sessions = sessions
        self._playback = playback
        self._url = url

    async def answer(
        self, surveys: Sequence[VenueSurvey], path: str, headers: Mapping[str, str]
    ) -> Response:
        """Answer a request for `path`, query and all; `headers` are those that came with it."""
        is_book = False
        bodies: list[bytes] = []
        for met in surveys:
            dialect = met.venue.dialect
            access = dialect.access_body(path, self._websocket_address(met), headers)
            if access is not None:
                return json_response(access)
            is_book = is_book or dialect.snapshot_symbol(path) is not None
            body = await self._feed_asked(met.venue).http_body(path)
            if body is not None:
                bodies.append(self._playback().times.moved(dialect, body))
        if bodies:
            # A list that is empty at one venue of an exchange may be full at another.
            return json_response(max(bodies, key=len))
        if is_book:
            text = "no snapshot of this book can be vouched for now\n"
            return text_response(text, HTTPStatus.SERVICE_UNAVAILABLE)
        return text_response("no such HTTP path here\n", HTTPStatus.NOT_FOUND)

    def _websocket_address(self, met: VenueSurvey) -> str:
        """Return where clients of a venue are sent that ask where to connect."""
        return self._url() + next((path.partition("?")[0] for path in met.addresses), "/")

    def _feed_asked(self, venue: Venue) -> Feed:
        """Return the feed to answer a request from; a fresh one where nobody is connected."""
        feeds = [each.feed for each in self._sessions if each.feed.venue is venue]
        furthest = max(feeds, key=lambda feed: feed.position, default=None)
        if furthest is not None and furthest.position >= 0:
            return furthest
        playback = self._playback()
        return playback.front(venue) or furthest or playback.feed(venue)
