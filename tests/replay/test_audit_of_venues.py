"""What an audit says of feeds that nothing can prove, and of messages known by a reference."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import pytest

from cli.audit_text import audit_lines
from replay.audit import audit
from replay.audit_report import AuditReport
from tests.replay.exchange_client import Piece, opened, recording, text
from tests.venues.samples import bitfinex
from venues.frame import FrameKind
from venues.marker import Closed, marker_payload

BOOK = (
    b'{"channel":"l2Book","data":{"coin":"BTC","time":170387520%d000,"levels":'
    b'[[{"px":"98450.50","sz":"2.5","n":12}],[{"px":"98451.00","sz":"1","n":3}]]}}'
)
TRADE = (
    b'{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"98450","sz":"0.1","hash":"0x1",'
    b'"time":%d,"tid":%d}]}'
)


def audit_of(name: str, pieces: Sequence[Piece]) -> AuditReport:
    return audit(recording([piece._replace(venue=name) for piece in pieces]))


@pytest.mark.parametrize("ended", [False, True], ids=["goes on", "ended by us"])
def test_a_book_that_nothing_can_prove_is_unverifiable_and_never_clean(ended: bool) -> None:
    books = [text(BOOK % number) for number in range(5)]
    stopped = Closed(1000, "stopped", by_us=True, stopped=True)
    ending = [Piece(FrameKind.CLOSED, marker_payload(stopped))] if ended else []
    report = audit_of("hyperliquid", [opened("/ws"), *books, *ending])
    assert [book.state for book in report.books] == ["unverifiable"]
    assert (report.clean, report.faults) == (False, {"unverifiable book": 1})
    assert report.books[0].proven_ns == 0


def kraken_book(size: int, *, hashed: bool) -> bytes:
    """A book of one bid: as a whole, and as a change of it with or without its checksum."""
    levels = b'[["99.9","%d.0","1.000000"]]' % size
    if size == 1:
        return b'[1,{"as":[],"bs":%s},"book-10","XBT/USD"]' % levels
    checksum = b',"c":"%d"' % crc32(b"999%d0" % size) if hashed else b""
    return b'[1,{"b":%s%s},"book-10","XBT/USD"]' % (levels, checksum)


@pytest.mark.parametrize("hashed", [True, False])
def test_a_book_that_nothing_could_prove_for_a_time_is_not_clean_for_being_proven_again(
    hashed: bool,
) -> None:
    sizes = [(1, True), (2, True), (3, hashed), (4, True)]
    books = [text(kraken_book(size, hashed=whether)) for size, whether in sizes]
    report = audit_of("kraken-v1", [opened("/"), *books])
    assert report.books[0].state == "proven"
    assert report.clean is hashed
    assert report.faults == ({} if hashed else {"unverifiable book": 1})
    said = "kraken-v1 XBT/USD had nothing to be proven by (no checksum) from "
    assert any(said in line for line in audit_lines(report, None)) is not hashed


def test_messages_that_name_their_subscription_by_a_number_are_understood() -> None:
    messages = [
        bitfinex.BOOK_SUBSCRIBED,
        bitfinex.BOOK,
        bitfinex.CHANGE,
        bitfinex.HEARTBEAT,
    ]
    report = audit_of("bitfinex", [opened("/ws/2"), *map(text, messages)])
    assert [(venue.known, venue.unknown) for venue in report.recognised] == [(2, 0)]


def test_what_the_exchange_repeated_of_the_past_is_a_note_and_no_trade() -> None:
    # The first message of the channel tells of the time before the subscription, unmarked.
    past, live = TRADE % (1_700_000_000_000, 1), TRADE % (1_800_000_000_100, 2)
    report = audit_of("hyperliquid", [opened("/ws"), text(past), text(live)])
    assert [row.rows for row in report.trades] == [1]
    assert any("of the time before the subscription" in note for note in report.notes)
