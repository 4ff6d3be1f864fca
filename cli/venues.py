"""`tickreel venues`: what each venue offers, and what of it can be proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import json_option
from cli.report_text import aligned, folded
from cli.terminal import line_width, print_json

if TYPE_CHECKING:
    from venues.venue import Venue


@click.command(short_help="List the venues and what each can prove.")
@click.argument("name", required=False)
@json_option
def venues(name: str | None, as_json: bool) -> None:
    """List the venues and what each can prove; with NAME, all about that one.

    LOSS is which lost book messages show, SIZE in what a loss is then counted, CHECKSUM over how
    many levels the exchange itself vouches for the book. What a feed cannot reveal is told with its
    NAME.
    """
    from venues.registry import venue_named
    from venues.registry import venues as all_venues

    if name is None:
        every = [_facts(venue) for venue in all_venues().values()]
        if as_json:
            print_json({"venues": every})
        else:
            click.echo("\n".join(_table(every, line_width())))
        return
    facts = _facts(venue_named(name))
    if as_json:
        print_json(facts)
    else:
        click.echo("\n".join(_page(facts, line_width())))


def _facts(venue: Venue) -> dict[str, object]:
    from replay.time_move import times_movable
    from venues.channel import Channel

    traits = venue.traits
    checksum, size = traits.checksum, traits.loss_size
    has_book = Channel.BOOK in traits.channels
    return {
        "venue": venue.name,
        "channels": sorted(channel.value for channel in traits.channels),
        "default_channels": [channel.value for channel in traits.default_channels],
        "has_book": has_book,
        "depths": list(traits.depths),
        "default_depth": traits.depth,
        "loss_detection": traits.loss_detection.value,
        "loss_size": None if size is None else size.value,
        "continuity": traits.continuity.value,
        "sequence_scope": traits.sequence_scope.value,
        "checksum_levels": None if checksum is None else checksum.levels,
        "snapshot_source": traits.snapshot_source.value,
        "resync": "REST" if traits.rest_resync else "a new subscription",
        "quotes_check_book": traits.quote_shares_sequence,
        "private": any(channel.private for channel in traits.channels),
        "login_optional": traits.login_optional,
        "stale_limits_s": {
            channel.value: limit_s
            for channel, limit_s in traits.stale_limits_s.items()
            if channel in traits.channels
        },
        "lifetime_s": traits.limits.lifetime_s,
        "times_movable": times_movable(venue),
        "detection_limits": list(traits.detection_limits),
        "addresses": list(traits.addresses),
    }


def _table(every: list[dict[str, object]], width: int | None) -> list[str]:
    head = ("VENUE", "LOSS", "SIZE", "CHECKSUM", "SNAPSHOT", "DEPTH", "LIQUIDATIONS", "PRIVATE")
    return aligned([head, *(_row(facts) for facts in every)], width=width, keys=1)


def _row(facts: dict[str, object]) -> tuple[str, ...]:
    book = (
        (
            str(facts["loss_detection"]),
            str(facts["loss_size"] or "-"),
            _checksum_text(facts),
            str(facts["snapshot_source"]),
            _depth_text(facts),
        )
        if facts["has_book"]
        else ("no books", "-", "none", "-", "-")
    )
    liquidations = "yes" if "liquidations" in _texts(facts["channels"]) else "no"
    return str(facts["venue"]), *book, liquidations, "yes" if facts["private"] else "no"


def _page(facts: dict[str, object], width: int | None) -> list[str]:
    stale = facts["stale_limits_s"]
    assert isinstance(stale, dict)
    stale_text = ", ".join(f"{name} {limit:g} s" for name, limit in stale.items())
    rows = [
        ("channels", ", ".join(_texts(facts["channels"]))),
        ("by default", ", ".join(_texts(facts["default_channels"]))),
        *(_book_rows(facts) if facts["has_book"] else ()),
        ("stale after", stale_text if stale else "no time that is known"),
        ("serve --shift-time", "moves its times" if facts["times_movable"] else "cannot move them"),
        ("private channels", "yes" if facts["private"] else "no"),
        ("recorded addresses", ", ".join(_texts(facts["addresses"])) or "any"),
    ]
    limits = _texts(facts["detection_limits"])
    lines = [str(facts["venue"]), *(f"  {line}" for line in aligned(rows))]
    if limits:
        lines += ["  what this feed cannot reveal:", *(f"  - {limit}" for limit in limits)]
    return [each for line in lines for each in folded(line, width, 4)]


def _book_rows(facts: dict[str, object]) -> list[tuple[str, str]]:
    size = facts["loss_size"]
    counted = "" if size is None else f"; its size: {_SIZES[str(size)]}"
    return [
        ("book depth", _depth_text(facts) + _other_depths(facts)),
        ("a loss shows", f"{_LOSSES[str(facts['loss_detection'])]}{counted}"),
        ("continuity", f"{facts['continuity']}, per {facts['sequence_scope']}"),
        ("checksum", _checksum_text(facts)),
        ("snapshot", f"{facts['snapshot_source']}; a fresh one by {facts['resync']}"),
        ("quotes", "check the book" if facts["quotes_check_book"] else "are not tied to the book"),
    ]


_LOSSES = {
    "every message": "for every message",
    "checked levels": "where it changes the levels that the checksum covers",
    "none": "never: its books are unverifiable",
}
_SIZES = {
    "messages": "how many messages",
    "updates": "how many updates",
    "unknown": "not known",
}


def _checksum_text(facts: dict[str, object]) -> str:
    levels = facts["checksum_levels"]
    return "none" if levels is None else f"top {levels}"


def _depth_text(facts: dict[str, object]) -> str:
    depth = facts["default_depth"]
    return "all" if depth is None else str(depth)


def _other_depths(facts: dict[str, object]) -> str:
    depths = _texts(facts["depths"])
    return f" (of {', '.join(depths)})" if depths else ""


def _texts(values: object) -> list[str]:
    assert isinstance(values, list)
    return [str(value) for value in values]
