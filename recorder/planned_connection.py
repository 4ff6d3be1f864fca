"""From what a user wants to the connections that it takes.

Keys are tried here, before anything is made: each venue says itself which of them it needs, by
whether it can make its login of them.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from recorder.entry import now_ms
from recorder.errors import StreamSettingsError
from recorder.lifecycle import Lifecycle
from recorder.line_group import mergeable
from recorder.redaction import redacted_url
from recorder.stream_settings import KEY_PARTS, StreamSettings
from venues.channel import Subscription
from venues.errors import UNDECODABLE, CredentialsError
from venues.venue import ConnectionPlan, Credentials, Venue

LINES_MAX = 2

_ANY_KEY = "0" * 64
"""Stands for a key that is missing: it is well formed in base 64 and in hexadecimal."""


@dataclass(frozen=True, slots=True)
class PlannedConnection:
    """A connection to be made; `credentials` only where it is to log in."""

    venue: Venue
    plan: ConnectionPlan
    life: Lifecycle
    credentials: Credentials | None
    silence_limit_s: float | None
    line: int = 1


def plan_stream(stream: StreamSettings, venues: Callable[[str], Venue]) -> list[PlannedConnection]:
    """Return the connections that `stream` takes.

    Raises:
        UnknownVenueError, UnknownChannelError, UnknownSymbolError: in what was asked for.
        CredentialsError: a private channel is asked for, and keys that it needs are not there or
            cannot be used.
        StreamSettingsError: several lines are asked for that cannot be merged, or a limit that is
            none.
    """
    venue = venues(stream.venue)
    limit_s = stream.silence_limit_s
    if limit_s is not None and not 0 < limit_s < math.inf:
        raise StreamSettingsError(stream.venue, "silence_limit_s has to be above 0.")
    plans = venue.plan(stream.request(venue.traits.default_channels))
    private = [plan for plan in plans if plan.private]
    logging_in = plans if venue.traits.login_optional and _has_keys(stream) else private
    credentials = _tried(stream, venue, logging_in) if logging_in else None
    return [
        PlannedConnection(
            venue,
            plan,
            Lifecycle(plan.stream, redacted_url(plan.url), venue.name, line),
            credentials if plan in logging_in else None,
            stream.silence_limit_s,
            line,
        )
        for plan in plans
        for line in range(1, _lines(stream, venue, plan) + 1)
    ]


def plan_streams(
    streams: Sequence[StreamSettings], venues: Callable[[str], Venue]
) -> list[PlannedConnection]:
    """Return the connections that all of `streams` take, in their order.

    Raises:
        StreamSettingsError: two streams ask for the same, so that each trade would come twice.
        TickreelError: as `plan_stream` says.
    """
    planned: list[PlannedConnection] = []
    asked: set[tuple[str, Subscription]] = set()
    for stream in streams:
        connections = plan_stream(stream, venues)
        wanted = {
            (stream.venue, subscription)
            for connection in connections
            for subscription in connection.plan.subscriptions
            if not subscription.channel.private
        }
        for venue, twice in sorted(wanted & asked):
            raise StreamSettingsError(
                venue,
                f"{twice.channel} of {twice.symbol} is asked for by two streams: every message "
                "would be recorded and count twice. Ask once; with lines = 2 it comes on two "
                "connections and is kept once.",
            )
        asked |= wanted
        planned += connections
    return planned


def _lines(stream: StreamSettings, venue: Venue, plan: ConnectionPlan) -> int:
    """Return how many lines a plan gets: one's own account comes on one.

    Raises:
        StreamSettingsError: several are asked for that cannot be merged, or more than are.
    """
    if not 1 <= stream.lines <= LINES_MAX:
        raise StreamSettingsError(stream.venue, f"lines has to be 1 or {LINES_MAX}.")
    if plan.private or stream.lines == 1:
        return 1
    if not mergeable(venue, plan):
        raise StreamSettingsError(
            stream.venue,
            "its messages differ from connection to connection, so that two lines cannot be "
            "merged. Leave lines out; a second capture beside this one can be compared later.",
        )
    return stream.lines


def _has_keys(stream: StreamSettings) -> bool:
    credentials = stream.credentials()
    return any(getattr(credentials, part) for part in KEY_PARTS)


def _tried(stream: StreamSettings, venue: Venue, plans: Sequence[ConnectionPlan]) -> Credentials:
    """Return the stream's keys, after each plan's login was made with them.

    Raises:
        CredentialsError: one could not be; it says what is missing, and where it belongs.
    """
    credentials = stream.credentials()
    for plan in plans:
        try:
            _try_login(venue, plan, credentials)
        except CredentialsError as refusal:
            missing = _missing(venue, plan, credentials)
            if not missing:
                raise
            remedy = f"{refusal.remedy} {stream.remedy(missing)}"
            raise CredentialsError(venue.name, remedy) from None
    return credentials


def _try_login(venue: Venue, plan: ConnectionPlan, credentials: Credentials) -> None:
    """Make a login of the keys as far as that goes without asking the exchange.

    Raises:
        CredentialsError: it cannot be made.
    """
    if venue.access_request(plan, credentials, now_ms()) is None:
        with contextlib.suppress(*UNDECODABLE):
            venue.login(plan, credentials, now_ms(), b"")


def _missing(venue: Venue, plan: ConnectionPlan, credentials: Credentials) -> tuple[str, ...]:
    """Return the fewest parts, of those not given, with which a login could be made.

    Where none would do (what stands for one is no key to the venue, or one given is not), key and
    secret are what is usual.
    """
    absent = [part for part in KEY_PARTS if not getattr(credentials, part)]
    for parts in _choices(absent):
        filled = replace(credentials, **dict.fromkeys(parts, _ANY_KEY))
        try:
            _try_login(venue, plan, filled)
        except CredentialsError:
            continue
        return parts
    return tuple(part for part in absent if part != "passphrase")


def _choices(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(parts) + 1):
        yield from itertools.combinations(parts, count)
