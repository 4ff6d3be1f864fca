"""Dividing what was asked for among connections, each within what the exchange allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from venues.channel import Subscription
from venues.venue import ConnectionPlan


@dataclass(frozen=True, slots=True)
class Topic:
    """A subscription and the venue's own word for it."""

    subscription: Subscription
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """What the connections of one part of a venue have in common."""

    stream: str
    url: str
    rest_url: str
    depth: int | None
    private: bool = False


def plan_line(
    line: Line,
    topics_by_symbol: Iterable[Sequence[Topic]],
    fits: Callable[[Sequence[str]], bool],
    messages: Callable[[Sequence[str]], Sequence[str]],
) -> list[ConnectionPlan]:
    """Return the connections that carry all topics, those of one symbol always on one connection.

    A book and the quotes that check it must not come by two connections, as nothing orders these.
    `fits` says whether one connection may carry these topics, `messages` how they are asked for.
    """
    loads: list[list[Topic]] = []
    for topics in topics_by_symbol:
        if loads and fits([topic.text for topic in (*loads[-1], *topics)]):
            loads[-1].extend(topics)
        elif topics:
            loads.append(list(topics))
    return [
        ConnectionPlan(
            stream=line.stream if number == 1 else f"{line.stream}/{number}",
            url=line.url,
            subscriptions=tuple(dict.fromkeys(topic.subscription for topic in load)),
            subscribe_messages=tuple(messages([topic.text for topic in load])),
            private=line.private,
            rest_url=line.rest_url,
            depth=line.depth,
        )
        for number, load in enumerate(loads, start=1)
    ]


def chunks(topics: Sequence[str], size: int) -> list[Sequence[str]]:
    """Return `topics` in pieces of at most `size`."""
    return [topics[start : start + size] for start in range(0, len(topics), size)]
