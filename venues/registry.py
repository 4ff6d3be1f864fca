"""The venues by name. Adding a venue is one new file (or folder) and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from urllib.parse import urlsplit

from venues.errors import UnknownVenueError
from venues.venue import Venue

_FOUND_IN: Mapping[str, str] = {
    "reference": "venues.reference",
    "bybit-spot": "venues.bybit",
    "bybit-linear": "venues.bybit",
    "bybit-inverse": "venues.bybit",
    "binance-spot": "venues.binance",
    "binance-usdm": "venues.binance",
    "binance-coinm": "venues.binance",
    "okx": "venues.okx",
    "okcoin": "venues.okx",
    "bitget": "venues.bitget",
    "bitget-v1": "venues.bitget",
    "hyperliquid": "venues.hyperliquid",
    "dydx": "venues.dydx",
    "cryptocom": "venues.cryptocom",
    "purpleflea": "venues.purpleflea",
    "kucoin": "venues.kucoin",
    "gateio": "venues.gateio",
    "gateio-futures": "venues.gateio",
    "htx": "venues.htx",
    "htx-swap": "venues.htx",
    "bitfinex": "venues.bitfinex",
    "bitmex": "venues.bitmex",
    "deribit": "venues.deribit",
    "coinbase": "venues.coinbase",
    "coinbase-exchange": "venues.coinbase",
    "bitstamp": "venues.bitstamp",
    "kraken": "venues.kraken",
    "kraken-v1": "venues.kraken",
    "kraken-futures": "venues.kraken",
    "gemini": "venues.gemini",
    "gemini-v2": "venues.gemini",
    "upbit": "venues.upbit",
}
"""Where each is: a module with `VENUES`. It is imported when it is asked for."""

_OF_FILES: Mapping[str, str] = {"tardis-csv": "venues.tardis_csv"}
"""Venues that only files are of: they are known by name, and no one can connect to them."""


def venue_names() -> list[str]:
    """Return all registry names, in the order in which they are shown."""
    return list(_FOUND_IN)


@cache
def venue_named(name: str) -> Venue:
    """Return the venue called `name`.

    Raises:
        UnknownVenueError: there is none.
    """
    try:
        module = import_module(_FOUND_IN.get(name) or _OF_FILES[name])
    except KeyError:
        raise UnknownVenueError(name, _FOUND_IN) from None
    every: Mapping[str, Venue] = {venue.name: venue for venue in module.VENUES}
    return every[name]


@cache
def venues() -> Mapping[str, Venue]:
    """Return all venues by registry name, in the order in which they are shown."""
    return {name: venue_named(name) for name in _FOUND_IN}


def same_exchange(one: str, other: str) -> bool:
    """Return whether two venues are of one exchange, whose protocols they are."""
    return _FOUND_IN.get(one) is not None and _FOUND_IN.get(one) == _FOUND_IN.get(other)


def venue_at(url: str) -> Venue | None:
    """Return the venue that a recorded address belongs to; None where none is known.

    Of several beginnings that fit, the longest one decides.
    """
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname or ''}{parts.path}"
    except ValueError:
        return None
    fitting = [
        (len(address), venue)
        for venue in venues().values()
        for address in venue.traits.addresses
        if place.startswith(address)
    ]
    return max(fitting, key=lambda each: each[0])[1] if fitting else None
