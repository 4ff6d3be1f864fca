"""What the files to import say of themselves: who wrote them, whose messages they hold.

A cryptofeed file names its addresses, and an address is some venue's (`venues.registry.venue_at`).
A file by hftbacktest's collector names none. Cryptofeed writes what it fetched by HTTP to a file
of its own beside the one of the connection, `NAME.http.N.M` beside `NAME.ws.N.M`: without it, a
book that begins by REST has no beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from recorder.redaction import redacted_url
from replay.import_errors import (
    DifferentVenuesError,
    UnknownAddressError,
    UnrecognisedImportError,
    VenueNotNamedError,
)
from replay.import_lines import read_lines
from venues.registry import same_exchange, venue_at, venue_named
from venues.venue import Venue

HFTBACKTEST = "hftbacktest"
CRYPTOFEED = "cryptofeed"
TARDIS = "tardis"

_LINES_READ = 1_000
"""Where an address is met, it is met among so many first lines."""
_HFTBACKTEST_LINE = re.compile(rb"[0-9]{19} .", re.DOTALL)
_CRYPTOFEED_LINE = re.compile(
    rb"[0-9]{10}(?:\.[0-9]{1,9})?: .|\S+ (?:<->|<-|->) [0-9.]+", re.DOTALL
)
_TARDIS_LINE = re.compile(rb"exchange,symbol,timestamp,local_timestamp,[a-z_,]+")
_ADDRESS = re.compile(rb"([a-z]+://\S+) (?:<->|<-|->) ")
_WEBSOCKET_FILE = re.compile(r"(.+)\.ws\.[0-9]+\.[0-9]+(\.gz)?")


def format_of(paths: Sequence[Path]) -> str:
    """Return the name of the format that the first line of all the files is of.

    Raises:
        UnrecognisedImportError: the first file that has a line begins as none.
        ImportSourceError: a file cannot be read.
    """
    for path in paths:
        for _, line in islice(read_lines(path), 1):
            if _HFTBACKTEST_LINE.match(line):
                return HFTBACKTEST
            if _CRYPTOFEED_LINE.match(line):
                return CRYPTOFEED
            if _TARDIS_LINE.fullmatch(line):
                return TARDIS
            raise UnrecognisedImportError(path, line)
    raise UnrecognisedImportError(paths[0], b"")


def venue_in(paths: Sequence[Path], format_name: str) -> Venue:
    """Return the venue whose addresses the files name.

    Raises:
        VenueNotNamedError: none of them names an address.
        UnknownAddressError: no address in them is known to be a venue's.
        DifferentVenuesError: they are of two venues, which an import does not mix.
        ImportSourceError: a file cannot be read.
    """
    if format_name == TARDIS:
        return venue_named("tardis-csv")
    if format_name != CRYPTOFEED:
        raise VenueNotNamedError(paths[0], format_name)
    found: dict[str, Venue] = {}
    unknown = ""
    for url in _addresses(paths):
        venue = venue_at(url)
        if venue is None:
            unknown = unknown or url
        else:
            found[venue.name] = venue
    if len(found) > 1:
        raise DifferentVenuesError(found)
    if found:
        return next(iter(found.values()))
    if unknown:
        raise UnknownAddressError(redacted_url(unknown))
    raise VenueNotNamedError(paths[0], format_name)


def venue_said(paths: Sequence[Path], format_name: str) -> Venue | None:
    """Return the venue whose addresses the files name; None where they say nothing certain.

    Raises:
        ImportSourceError: a file cannot be read.
    """
    try:
        return venue_in(paths, format_name)
    except (VenueNotNamedError, UnknownAddressError, DifferentVenuesError):
        return None


def sibling_in(paths: Sequence[Path], format_name: str, given: Venue) -> Venue | None:
    """Return the other venue of the same exchange that the files are really of, if they say so.

    Exchanges speak several protocols at several addresses (Kraken's two versions, Gemini's): the
    name of the exchange is easily given for that of the venue.

    Raises:
        ImportSourceError: a file cannot be read.
    """
    said = venue_said(paths, format_name)
    if said is None or said.name == given.name or not same_exchange(said.name, given.name):
        return None
    return said


def http_files_beside(paths: Sequence[Path]) -> list[Path]:
    """Return the HTTP files that lie beside the WebSocket files and are not among them."""
    given = {path.resolve() for path in paths}
    found: dict[Path, None] = {}
    for path in paths:
        match = _WEBSOCKET_FILE.fullmatch(path.name)
        if match is None:
            continue
        beside = re.compile(re.escape(match[1]) + r"\.http\.[0-9]+\.[0-9]+" + (match[2] or ""))
        for other in sorted(path.parent.iterdir()):
            if beside.fullmatch(other.name) and other.resolve() not in given:
                found[other] = None
    return list(found)


def _addresses(paths: Sequence[Path]) -> Iterable[str]:
    """Yield the addresses that each file names at its beginning, each once."""
    for path in paths:
        met: set[str] = set()
        for _, line in islice(read_lines(path), _LINES_READ):
            match = _ADDRESS.match(line)
            url = "" if match is None else match[1].decode("utf-8", "backslashreplace")
            if url and url not in met:
                met.add(url)
                yield url
