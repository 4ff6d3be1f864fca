"""`tickreel venues`: what each venue offers, and what of it can be proved."""

from __future__ import annotations

import click

from cli.options import json_option
from cli.report_text import aligned
from cli.terminal import print_json


@click.command(short_help="List the venues and what each can prove.")
@click.argument("name", required=False)
@json_option
def venues(name: str | None, as_json: bool) -> None:
    """List the venues and what each can prove; with NAME, all about that one.

    CONTINUITY is how a lost book message shows; CHECKSUM over how many levels the exchange itself
    vouches for the book; SNAPSHOT where a fresh book comes from. What a feed cannot reveal is told
    with its NAME.
    """
    from venues.registry import venue_named
    from venues.registry import venues as all_venues

    if name is None:
        every = [_facts(venue.name, venue.traits) for venue in all_venues().values()]
        if as_json:
            print_json({"venues": every})
        else:
            click.echo("\n".join(_table(every)))
        return
    facts = _facts(name, venue_named(name).traits)
    if as_json:
        print_json(facts)
    else:
        click.echo("\n".join(_page(facts)))


def _facts(name: str, traits: object) -> dict[str, object]:
    from venues.traits import VenueTraits

    assert isinstance(traits, VenueTraits)
    checksum = traits.checksum
    return {
        "venue": name,
        "channels": sorted(channel.value for channel in traits.channels),
        "default_channels": [channel.value for channel in traits.default_channels],
        "depths": list(traits.depths),
        "default_depth": traits.depth,
        "continuity": traits.continuity.value,
        "sequence_scope": traits.sequence_scope.value,
        "checksum_levels": None if checksum is None else checksum.levels,
        "snapshot_source": traits.snapshot_source.value,
        "resync": "REST" if traits.rest_resync else "resubscribe",
        "quotes_check_book": traits.quote_shares_sequence,
        "private": any(channel.private for channel in traits.channels),
        "stale_limits_s": {
            channel.value: limit_s for channel, limit_s in traits.stale_limits_s.items()
        },
        "lifetime_s": traits.limits.lifetime_s,
        "detection_limits": list(traits.detection_limits),
    }


def _table(every: list[dict[str, object]]) -> list[str]:
    head = ("VENUE", "CONTINUITY", "CHECKSUM", "SNAPSHOT", "DEPTH", "LIQUIDATIONS", "PRIVATE")
    rows = [
        (
            str(facts["venue"]),
            str(facts["continuity"]),
            _checksum_text(facts),
            str(facts["snapshot_source"]),
            _depth_text(facts),
            "yes" if "liquidations" in _texts(facts["channels"]) else "no",
            "yes" if facts["private"] else "no",
        )
        for facts in every
    ]
    return aligned([head, *rows])


def _page(facts: dict[str, object]) -> list[str]:
    stale = facts["stale_limits_s"]
    assert isinstance(stale, dict)
    rows = [
        ("channels", ", ".join(_texts(facts["channels"]))),
        ("by default", ", ".join(_texts(facts["default_channels"]))),
        ("book depth", _depth_text(facts) + _other_depths(facts)),
        ("continuity", f"{facts['continuity']}, per {facts['sequence_scope']}"),
        ("checksum", _checksum_text(facts)),
        ("snapshot", f"{facts['snapshot_source']}; a fresh one by {facts['resync']}"),
        ("quotes", "check the book" if facts["quotes_check_book"] else "are not tied to the book"),
        ("stale after", ", ".join(f"{name} {limit:g} s" for name, limit in stale.items())),
        ("private channels", "yes" if facts["private"] else "no"),
    ]
    limits = _texts(facts["detection_limits"])
    lines = [str(facts["venue"]), *(f"  {line}" for line in aligned(rows))]
    if limits:
        lines += ["  what this feed cannot reveal:", *(f"  - {limit}" for limit in limits)]
    return lines


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
