"""What a frame decodes to.

Prices and sizes are kept as the exchange's own digits: text, never a float. A checksum needs
"0.00000500", and a float has lost it. `*_text` fields hold the digits; the properties without
the suffix give a `Decimal` that keeps them.

Every event carries the receive time of its frame and, where the venue gives one, the exchange
time: `exchange_time_ns` is None where it does not, never 0.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

Row = tuple[str, str]
"""A level as the venue sent it: price and size, in its own digits. Size zero deletes the level."""


class Side(StrEnum):
    """Which side of the market an order or an aggressor is on."""

    BUY = "BUY"
    SELL = "SELL"


class LiquidatedSide(StrEnum):
    """Whose position was closed. Never to be confused with the side of the closing order."""

    LONG = "LONG"
    SHORT = "SHORT"


class NoticeKind(StrEnum):
    """What the exchange says about the connection instead of the market."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    LOGGED_IN = "logged in"
    LOGIN_REFUSED = "login refused"
    HEARTBEAT = "heartbeat"
    WILL_DISCONNECT = "will disconnect"
    INFORMATION = "information"


class _Event(msgspec.Struct, frozen=True, gc=False):
    symbol: str
    receive_time_ns: int
    exchange_time_ns: int | None


class BookSnapshot(_Event, frozen=True, gc=False):
    """A full statement of the book; discards what was there.

    Attributes:
        bids: rows, in the order sent.
        asks: rows, in the order sent.
        sequence: the venue's number of this state; None where it has none.
        checksum: the venue's hash of the resulting book; None where there is nothing to check.
        from_rest: True where it came by HTTP, and so has to be joined to the deltas.
    """

    bids: list[Row]
    asks: list[Row]
    sequence: int | None = None
    checksum: int | None = None
    from_rest: bool = False


class BookDelta(_Event, frozen=True, gc=False):
    """Level changes; each size is the new absolute size, and zero deletes the level.

    Attributes:
        bids: rows, in the order sent (a price may be repeated; the last one wins).
        asks: the same.
        first_sequence: the first update id in it (id range schemes); otherwise equal to `sequence`.
        sequence: the number of the state after it; None where the venue has none.
        previous_sequence: the number of the state it follows, where the message names it.
        checksum: the venue's hash of the resulting book; None where there is nothing to check.
    """

    bids: list[Row]
    asks: list[Row]
    first_sequence: int | None = None
    sequence: int | None = None
    previous_sequence: int | None = None
    checksum: int | None = None


class Trade(_Event, frozen=True, gc=False):
    """One trade. `aggressor_side` is the side that crossed the spread.

    `trade_number` is the venue's number where it counts its trades one by one, so that a missing
    trade shows; None elsewhere. `aggregate` marks a row that sums up several trades told of
    elsewhere too (Binance aggTrade), which a tape must not count twice. `off_market` marks what is
    numbered among the trades and was none of the open market (Binance: an insurance fund's or a
    deleveraging fill): it has its place in the numbers and none on a tape.
    """

    price_text: str
    size_text: str
    aggressor_side: Side
    trade_id: str
    trade_number: int | None = None
    aggregate: bool = False
    off_market: bool = False

    @property
    def price(self) -> Decimal:
        """The price, exact."""
        return Decimal(self.price_text)

    @property
    def size(self) -> Decimal:
        """The size, exact."""
        return Decimal(self.size_text)


class Liquidation(_Event, frozen=True, gc=False):
    """A forced close of a position.

    `raw_side` is the venue's word, which means different things at different venues;
    `liquidated_side` is what it means. `notional` is in the quote currency (USD for inverse
    contracts), by the venue's own contract rule.
    """

    price_text: str
    size_text: str
    liquidated_side: LiquidatedSide
    raw_side: str
    notional: Decimal

    @property
    def price(self) -> Decimal:
        """The price, exact. At some venues it is the bankruptcy price: see the venue's page."""
        return Decimal(self.price_text)

    @property
    def size(self) -> Decimal:
        """The size, exact."""
        return Decimal(self.size_text)


class Quote(_Event, frozen=True, gc=False):
    """Best bid and offer as a channel of their own.

    An empty side has texts ''. `sequence` is the number of the book state it shows, where the
    quote shares the book's numbering.
    """

    bid_price_text: str
    bid_size_text: str
    ask_price_text: str
    ask_size_text: str
    sequence: int | None = None


class Ticker(_Event, frozen=True, gc=False):
    """Statistics of an instrument; the fields that this message does not carry are None."""

    last_price_text: str | None = None
    mark_price_text: str | None = None
    index_price_text: str | None = None
    funding_rate_text: str | None = None
    open_interest_text: str | None = None


class OrderUpdate(_Event, frozen=True, gc=False):
    """A change of one of our own orders. `status` is the venue's word."""

    order_id: str
    client_order_id: str
    side: Side
    price_text: str
    size_text: str
    filled_size_text: str
    status: str


class PositionUpdate(_Event, frozen=True, gc=False):
    """A change of one of our own positions. `side` is None for a flat position."""

    side: Side | None
    size_text: str
    entry_price_text: str


class WalletUpdate(_Event, frozen=True, gc=False):
    """A change of one coin's balance; `symbol` is the coin."""

    balance_text: str
    available_text: str


class Notice(_Event, frozen=True, gc=False):
    """What the exchange says about the connection. `text` is its own word, for people."""

    kind: NoticeKind
    text: str = ""


MarketEvent = BookSnapshot | BookDelta | Trade | Liquidation | Quote | Ticker
PrivateEvent = OrderUpdate | PositionUpdate | WalletUpdate
Event = MarketEvent | PrivateEvent | Notice
