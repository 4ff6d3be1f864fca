"""What a frame decodes to.

Prices and sizes are kept as the exchange's own digits: text, never a float. A checksum needs
"0.00000500", and a float has lost it. `*_text` fields hold the digits; the properties without
the suffix give a `Decimal` that keeps them.

Every event carries the receive time of its frame and, where the venue gives one, the exchange
time: `exchange_time_ns` is None where it does not, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from venues.channel import Channel

Row = tuple[str, str]
"""A level as the venue sent it: price and size, in its own digits. Size zero deletes the level."""

LevelIds = tuple[list[str], list[str]]
"""The venue's names of the levels in a message: of the bids, of the asks."""

RowSequences = tuple[list[int], list[int]]
"""The venue's numbers of the single changes in a message: of the bids, of the asks."""


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
        unjoined: True where it was asked for apart from the deltas (by HTTP, or by a request on
            the socket), and so has to be joined to them.
        level_ids: where the venue names levels by ids, the id of each bid and of each ask.
        alone: True where its channel sends whole books and nothing else: no delta goes on from it,
            and nothing shows that one is missing.
    """

    bids: list[Row]
    asks: list[Row]
    sequence: int | None = None
    checksum: int | None = None
    unjoined: bool = False
    level_ids: LevelIds | None = None
    alone: bool = False


class BookDelta(_Event, frozen=True, gc=False):
    """Level changes; each size is the new absolute size, and zero deletes the level.

    Attributes:
        bids: rows, in the order sent (a price may be repeated; the last one wins).
        asks: the same.
        first_sequence: the first update id in it (id range schemes); otherwise equal to `sequence`.
        sequence: the number of the state after it; None where the venue has none.
        previous_sequence: the number of the state it follows, where the message names it.
        checksum: the venue's hash of the resulting book; None where there is nothing to check.
        row_sequences: where each row has a number of its own, those of the bids and of the asks.
            When the delta joins a snapshot, rows up to the snapshot's number are in it already.
        level_ids: where the venue names levels by ids, the id of each bid and of each ask. A row
            of a known level may leave its price or its size '': unchanged.
    """

    bids: list[Row]
    asks: list[Row]
    first_sequence: int | None = None
    sequence: int | None = None
    previous_sequence: int | None = None
    checksum: int | None = None
    row_sequences: RowSequences | None = None
    level_ids: LevelIds | None = None


class Trade(_Event, frozen=True, gc=False):
    """One trade. `aggressor_side` is the side that crossed the spread.

    `trade_number` is the venue's number where it counts its trades one by one, so that a missing
    trade shows; None elsewhere. `aggregate` marks a row that sums up several trades told of
    elsewhere too (Binance aggTrade), which a tape must not count twice. `off_market` marks what is
    numbered among the trades and was none of the open market (Binance: an insurance fund's or a
    deleveraging fill): it has its place in the numbers and none on a tape. `history` marks what
    the exchange repeats of the time before the subscription: it is counted, and never on a tape.
    """

    price_text: str
    size_text: str
    aggressor_side: Side
    trade_id: str
    trade_number: int | None = None
    aggregate: bool = False
    off_market: bool = False
    history: bool = False

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
    contracts), by the venue's own contract rule; None where that takes the contract's size, which
    the engine knows once the venue's `Instrument` came. `trade_number` is that of the trade that it
    is, behind which it comes, where the venue tells of both at once and counts its trades: of a
    trade that came before it is no new liquidation.
    """

    price_text: str
    size_text: str
    liquidated_side: LiquidatedSide
    raw_side: str
    notional: Decimal | None
    trade_number: int | None = None

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
    """A change of one of our own orders. `status` is the venue's word.

    Where a message leaves out what did not change, its symbol and texts are '' and its side None.
    """

    order_id: str
    client_order_id: str
    side: Side | None
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


class ContractKind(StrEnum):
    """What one unit of size is.

    - COIN: of the base currency (spot, and contracts counted in coins).
    - LINEAR: a contract of `contract_size` coins: notional is size x contract size x price.
    - INVERSE: a contract of `contract_size` of the quote currency: notional is size x that.
    """

    COIN = "coin"
    LINEAR = "linear"
    INVERSE = "inverse"


class Instrument(_Event, frozen=True, gc=False):
    """What the exchange's own endpoint says of a symbol; texts that it doesn't say are None.

    Attributes:
        tick_size_text: the smallest price step.
        lot_size_text: the smallest size step, in the unit of sizes.
        kind: what one unit of size is.
        contract_size_text: of LINEAR and INVERSE contracts; None else.
    """

    tick_size_text: str | None
    lot_size_text: str | None
    kind: ContractKind = ContractKind.COIN
    contract_size_text: str | None = None


class Game(StrEnum):
    """A game of chance whose results a venue publishes."""

    CRASH = "crash"
    COINFLIP = "coinflip"
    DICE = "dice"


class GameResult(_Event, frozen=True, gc=False):
    """One result of a game; `symbol` is the venue's name of the channel.

    `outcome_text` is the venue's own: the multiplier of a crash, `heads` or `tails`, the number
    that a die or a roll shows. `result_id` is '' where it has none.
    """

    game: Game
    outcome_text: str
    result_id: str = ""


class Subscribed(_Event, frozen=True, gc=False):
    """The exchange says what a subscription got us.

    Attributes:
        channel: what will come; None for one that is not read.
        depth: levels a side of the book that will come; None where it doesn't say.
        reference: the short name (a channel id) by which later messages of this connection mean
            this subscription; '' where they spell it out.
        topic: the venue's own words for it.
    """

    channel: Channel | None
    depth: int | None = None
    reference: str = ""
    topic: str = ""


Routes = Mapping[str, Subscribed]
"""What the references of one connection mean, so far."""

NO_ROUTES: Routes = {}


class FrameSequence(_Event, frozen=True, gc=False):
    """The frame's number among all that the exchange sent on this connection. `symbol` is ''."""

    sequence: int


MarketEvent = (
    BookSnapshot | BookDelta | Trade | Liquidation | Quote | Ticker | Instrument | GameResult
)
PrivateEvent = OrderUpdate | PositionUpdate | WalletUpdate
Event = MarketEvent | PrivateEvent | Notice | Subscribed | FrameSequence
