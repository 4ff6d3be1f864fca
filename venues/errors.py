"""The root of all errors of tickreel, and the errors of venues.

    TickreelError                 every error of ours; holds its facts, then composes the sentence
    ├── UnknownVenueError         a name that is in no registry
    ├── UnknownChannelError       a channel that the venue does not offer
    ├── UnknownSymbolError        a symbol that cannot be one at this venue
    ├── UnknownDepthError         a book depth that the venue does not offer
    ├── AddressError              an address to use instead of the exchange's that is none
    ├── CredentialsError          keys that a private channel needs are missing or malformed
    └── DecodeError               a payload that is not what the venue's protocol says (a finding,
                                  once it reaches the engine; never a reason to stop recording)

`recorder.errors` and `replay.errors` hang their own below `TickreelError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec


class TickreelError(Exception):
    """An error whose text says what happened, to what, and what to do next."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the clause ` (did you mean 'x'?)` for the known name nearest to `name`, or ''."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    # str(): the name of an enumeration's member is its value, its repr is not.
    return f" (did you mean {str(found[0])!r}?)" if found else ""


class UnknownVenueError(TickreelError):
    """A venue name that the registry does not hold."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(
            f"unknown venue {name!r}{nearest(name, self.known)}. "
            f"Known venues: {', '.join(self.known)}."
        )


class UnknownChannelError(TickreelError):
    """A channel that is no channel, or that this venue does not offer."""

    def __init__(self, venue: str, channel: str, offered: Iterable[str]) -> None:
        self.venue = venue
        self.channel = str(channel)  # the name of an enumeration's member is its value
        self.offered = sorted(offered)
        super().__init__(
            f"{venue} has no channel {self.channel!r}{nearest(channel, self.offered)}. "
            f"It offers: {', '.join(self.offered)}."
        )


class UnknownSymbolError(TickreelError):
    """A symbol that cannot be one at this venue, before the exchange is even asked.

    `symbol` is '' where one is missing.
    """

    def __init__(self, venue: str, symbol: str, reason: str) -> None:
        self.venue = venue
        self.symbol = symbol
        self.reason = reason
        what = f"{symbol!r} cannot be a symbol of {venue}" if symbol.strip() else venue
        super().__init__(f"{what}: {reason}.")


class UnknownDepthError(TickreelError):
    """A book depth that the venue does not offer."""

    def __init__(self, venue: str, depth: int, offered: Iterable[int]) -> None:
        self.venue = venue
        self.depth = depth
        self.offered = sorted(offered)
        choice = (
            f"It offers: {', '.join(map(str, self.offered))}."
            if self.offered
            else "Its books have no depth to choose; leave it out."
        )
        super().__init__(f"{venue} has no book of depth {depth}. {choice}")


class AddressError(TickreelError):
    """An address, given to be used instead of the exchange's own, that cannot be connected to."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"{url!r} is no WebSocket address: {reason}. Give one such as ws://127.0.0.1:8765 ."
        )


class CredentialsError(TickreelError):
    """Keys that a private channel needs are missing or malformed. Never holds the keys."""

    def __init__(self, venue: str, remedy: str) -> None:
        self.venue = venue
        self.remedy = remedy
        super().__init__(f"{venue}: no usable credentials for its private channels. {remedy}")


class DecodeError(TickreelError):
    """A payload that is not what the venue's protocol says.

    `reason` says which rule it breaks; `excerpt` is the beginning of the payload.
    """

    EXCERPT_CHARACTERS = 240

    def __init__(self, venue: str, reason: str, payload: bytes) -> None:
        self.venue = venue
        self.reason = reason
        self.excerpt = payload[: self.EXCERPT_CHARACTERS].decode("utf-8", "backslashreplace")
        super().__init__(f"{venue}: {reason}; the payload begins {self.excerpt!r}")


MALFORMED = (msgspec.MsgspecError, ValueError, RecursionError)
"""What msgspec and tomllib raise where bytes are not what they should be."""

UNDECODABLE = (DecodeError, *MALFORMED)
"""What `Venue.decode` may raise: the payload is not what the protocol says. Nothing else."""


def undecodable_reason(error: Exception) -> str:
    """Return why a payload could not be decoded, for people."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply to be read"
    # msgspec says so in an error of its own since 0.23.
    if isinstance(error, UnicodeDecodeError) or str(error).startswith("Invalid UTF-8"):
        return "it is not UTF-8"
    return str(error)
