"""What every venue checks of a `StreamRequest` before it plans connections."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from venues.channel import Channel
from venues.errors import UnknownChannelError, UnknownDepthError, UnknownSymbolError
from venues.pair import read_pair
from venues.traits import VenueTraits
from venues.venue import StreamRequest, Venue

SYMBOL_CHARACTERS_MAX = 40


def checked_channels(venue: str, request: StreamRequest, traits: VenueTraits) -> list[Channel]:
    """Return the channels asked for, each once; the default ones where none is named.

    Raises:
        UnknownChannelError: one that the venue does not offer.
    """
    wanted = list(dict.fromkeys(request.channels or traits.default_channels))
    for channel in wanted:
        if channel not in traits.channels:
            raise UnknownChannelError(venue, channel, traits.channels)
    return wanted


def checked_symbol(
    venue: Venue, symbol: str, pattern: re.Pattern[str], spelled: Callable[[str], str] = str.upper
) -> str:
    """Return `symbol`, a pair or the venue's own symbol, as the venue writes it.

    `spelled` gives a symbol of the venue's the case that its exchange wants.

    Raises:
        UnknownSymbolError: it cannot be a symbol there.
    """
    if not symbol.strip():
        reason = "one of the symbols is empty (a shell variable that was never set, perhaps)"
        raise UnknownSymbolError(venue.name, symbol, reason)
    if len(symbol) > SYMBOL_CHARACTERS_MAX:
        reason = f"it is longer than {SYMBOL_CHARACTERS_MAX} characters"
        raise UnknownSymbolError(venue.name, symbol, reason)
    pair = read_pair(symbol)
    native = None if pair is None else venue.native_symbol(pair)
    if pair is not None and pair.perpetual and native is None:
        raise UnknownSymbolError(venue.name, symbol, "it lists no such perpetual")
    written = spelled(symbol) if native is None else native
    if pattern.fullmatch(written) is None:
        raise UnknownSymbolError(venue.name, symbol, "it holds characters that no symbol there has")
    return written


def checked_symbols(
    venue: Venue,
    request: StreamRequest,
    pattern: re.Pattern[str],
    spelled: Callable[[str], str] = str.upper,
) -> list[str]:
    """Return the symbols asked for as the venue writes them, each once, in order.

    Raises:
        UnknownSymbolError: one of them cannot be a symbol there.
    """
    written = (checked_symbol(venue, symbol, pattern, spelled) for symbol in request.symbols)
    return list(dict.fromkeys(written))


def require_symbols(venue: str, symbols: list[str]) -> None:
    """Refuse a request for public channels without any symbol.

    Raises:
        UnknownSymbolError: `symbols` is empty.
    """
    if not symbols:
        raise UnknownSymbolError(venue, "", "market data needs at least one symbol")


def checked_depth(venue: str, request: StreamRequest, traits: VenueTraits) -> int | None:
    """Return the depth asked for, or the venue's default.

    Raises:
        UnknownDepthError: one that the venue does not offer.
    """
    if request.depth is None:
        return traits.depth
    if request.depth not in traits.depths:
        raise UnknownDepthError(venue, request.depth, traits.depths)
    return request.depth


class CheckedRequest(NamedTuple):
    """What is asked for, as the venue says it: channels by where they go, symbols, book depth."""

    public: list[Channel]
    private: list[Channel]
    symbols: list[str]
    depth: int | None


def checked_request(
    venue: Venue,
    request: StreamRequest,
    pattern: re.Pattern[str],
    spelled: Callable[[str], str] = str.upper,
) -> CheckedRequest:
    """Return all that `request` asks for, checked.

    Raises:
        UnknownChannelError, UnknownDepthError: the venue does not offer one of them.
        UnknownSymbolError: one cannot be a symbol there, or market data is asked for of none.
    """
    channels = checked_channels(venue.name, request, venue.traits)
    depth = checked_depth(venue.name, request, venue.traits)
    symbols = checked_symbols(venue, request, pattern, spelled)
    public = [channel for channel in channels if not channel.private]
    if public:
        require_symbols(venue.name, symbols)
    return CheckedRequest(public, [one for one in channels if one.private], symbols, depth)
