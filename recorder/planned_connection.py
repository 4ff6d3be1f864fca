"""From what a user wants to the connections that it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recorder.lifecycle import Lifecycle
from recorder.redaction import redacted_url
from recorder.stream_settings import StreamSettings
from venues.venue import ConnectionPlan, Credentials, Venue


@dataclass(frozen=True, slots=True)
class PlannedConnection:
    """A connection to be made; `credentials` only where it is private."""

    venue: Venue
    plan: ConnectionPlan
    life: Lifecycle
    credentials: Credentials | None
    silence_limit_s: float | None


def plan_stream(stream: StreamSettings, venues: Callable[[str], Venue]) -> list[PlannedConnection]:
    """Return the connections that `stream` takes.

    Raises:
        UnknownVenueError, UnknownChannelError, UnknownSymbolError: in what was asked for.
        CredentialsError: a private channel is asked for and its keys are not there.
    """
    venue = venues(stream.venue)
    plans = venue.plan(stream.request(venue.traits.default_channels))
    credentials = stream.credentials() if any(plan.private for plan in plans) else None
    return [
        PlannedConnection(
            venue,
            plan,
            Lifecycle(plan.stream, redacted_url(plan.url)),
            credentials if plan.private else None,
            stream.silence_limit_s,
        )
        for plan in plans
    ]
