"""What Bitfinex' market messages are, and the events they become.

Every one is an array that begins with the channel id and, as we ask for it, ends in the number of
the frame and the time at which it was made:

    [225206,[[277520,1,0.00383141],[283460,1,-0.5]],18,1618677545571]   a book: price, count, amount
    [225206,[215350,0,1],19,1618677545572]                              a change of it
    [225206,"cs",-1043226871,20,1618677545573]                          a checksum of it
    [232959,[[669899159,1618665870435,166.391496,0.076989]],21,…]        past trades, newest first
    [232959,"te",[670155031,1618677442819,-0.00023057,60410],22,…]       a trade
    [232959,"tu",[670155031,1618677442819,-0.00023057,60410],23,…]       the same trade, booked
    [232949,[0.068965,60157.36,0.0774,48578.50,0.001969,0.0262,0.076989,…],24,…]        a ticker
    [232950,[1618677545571,null,60410.1,60405,null,…],25,…]             status of a derivative
    [232951,[["pos",145511476,1618677545571,null,"tBTCF0:USTF0",-0.1,60410,null,0,1,null,60405]],…]
    [225206,"hb",26,1618677545574]                                       nothing happened

1. What a message means is said by the answer that gave out its channel id (`routes`). Some come
   before it, heartbeats among them: they have a number and no other meaning.
2. One counter runs over all arrays of a connection, heartbeats too: each is the last plus one.
3. A list of rows is the whole book, a single row a change. (Messages with several changes would
   look like a book: they come only to who sets a flag that we never set.)
4. A count of 0 deletes the level, and the sign of the amount says of which side: above zero bids.
5. A checksum covers the 25 best levels of each side of the book as it is by then.
6. Trades: `te` is told at once and `tu`, with the same id, once it is booked: `te` is taken.
   Above zero the aggressor bought.
7. Liquidations: rows of two kinds, a position that is to be closed (`is_match` 0) and the trades
   that close it (1): the former is taken. An amount above zero was a long position.

How many numbers end a message depends on flags that it does not repeat. The order is fixed, the
frame's number and then the time, and alone they cannot be confused: a time in ms has 13 digits, and
no connection carries 10^11 frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from venues.bitfinex.account import CHANNEL, account_events
from venues.channel import Channel
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    FrameSequence,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    Routes,
    Row,
    Side,
    Subscribed,
    Ticker,
    Trade,
)
from venues.wire import NS_PER_MS, exact_product, number_text

SEQUENCES_END = 10**11
"""Below it a lone number at the end is the frame's, from it on a time in ms (1973 and later)."""

_TIME_MS_MAX = 9_223_372_036_854
_COUNTER_MAX = 2**63 - 1
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1
_HEARTBEAT = "hb"
_DERIVATIVE_COLUMNS = 18
_BUY, _SELL = Side.BUY, Side.SELL

_MESSAGE = msgspec.json.Decoder(list[Any], float_hook=str)

Content = list[Any]


def array_events(payload: bytes, receive_time_ns: int, routes: Routes) -> Sequence[Event]:
    """Return the events of an array message, the frame's number first (rules 1 and 2).

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    message = _MESSAGE.decode(payload)
    if len(message) < 2 or type(message[0]) is not int:
        raise ValueError("it does not begin with a channel id and something")
    content = message[1]
    word = content if type(content) is str else None
    sequence, time_ns = _ending(message, 2 if word is None or word == _HEARTBEAT else 3)
    route = routes.get(str(message[0]))
    if word == _HEARTBEAT:
        events: list[Event] = [Notice("", receive_time_ns, time_ns, NoticeKind.HEARTBEAT)]
    elif message[0] == CHANNEL and word is not None:
        events = account_events(word, message[2] if len(message) > 2 else None, receive_time_ns)
    elif route is None:
        text = f"a message of channel {str(message[0])[:20]}, which nothing announced"
        events = [Notice("", receive_time_ns, time_ns, NoticeKind.INFORMATION, text)]
    else:
        events = _routed_events(message, word, route, receive_time_ns, time_ns)
    if sequence is None:
        return events
    return [FrameSequence("", receive_time_ns, time_ns, sequence), *events]


def _ending(message: Content, start: int) -> tuple[int | None, int | None]:
    ending = message[start : start + 2]
    for number in ending:
        if type(number) is not int or not 0 <= number <= _COUNTER_MAX:
            raise ValueError("it ends in what is neither a number of a frame nor a time")
    if not ending:
        return None, None
    if len(ending) == 2:
        return ending[0], _time_ns(ending[1])
    if ending[0] < SEQUENCES_END:
        return ending[0], None
    return None, _time_ns(ending[0])


def _time_ns(time_ms: object) -> int:
    if type(time_ms) is not int or not 0 <= time_ms <= _TIME_MS_MAX:
        raise ValueError(f"{time_ms!r:.40} is not a time in ms")
    return time_ms * NS_PER_MS


def _routed_events(
    message: list[Any],
    word: str | None,
    route: Subscribed,
    receive_time_ns: int,
    time_ns: int | None,
) -> list[Event]:
    content = message[1] if word is None else message[2] if len(message) > 2 else None
    if word == "cs" and route.channel is Channel.BOOK:
        return [_checksum_event(route.symbol, content, receive_time_ns, time_ns)]
    reader = None if route.channel is None else _READERS.get((route.channel, word))
    if reader is None:
        text = route.topic if word is None else f"{route.topic}: {word[:20]}"
        return [Notice(route.symbol, receive_time_ns, time_ns, NoticeKind.INFORMATION, text)]
    if type(content) is not list:
        raise ValueError("its content is not a list")
    return reader(route.symbol, content, receive_time_ns, time_ns)


def _book_events(
    symbol: str, content: Content, receive_time_ns: int, time_ns: int | None
) -> list[Event]:
    # Rule 3.
    if content and type(content[0]) is not list:
        bids, asks = _sides([content])
        return [BookDelta(symbol, receive_time_ns, time_ns, bids, asks)]
    bids, asks = _sides(content)
    return [BookSnapshot(symbol, receive_time_ns, time_ns, bids, asks)]


def _sides(rows: Content) -> tuple[list[Row], list[Row]]:
    bids: list[Row] = []
    asks: list[Row] = []
    for row in rows:
        if type(row) is not list or len(row) < 3 or type(row[1]) is not int:
            raise ValueError("a row is not a price, a count and an amount")
        price, count, amount = row[:3]
        # Nearly all are fractions, which come as texts: a call for each would cost more than it.
        if type(price) is not str:
            price = number_text(price)
        if type(amount) is not str:
            amount = number_text(amount)
        # Rule 4.
        if amount[:1] == "-":
            asks.append((price, amount[1:] if count else "0"))
        else:
            bids.append((price, amount if count else "0"))
    return bids, asks


def _checksum_event(
    symbol: str, checksum: object, receive_time_ns: int, time_ns: int | None
) -> Event:
    if type(checksum) is not int or not _INT32_MIN <= checksum <= _INT32_MAX:
        raise ValueError("its checksum is not a signed number of 32 bits")
    # Rule 5: a change of nothing, and what the book is by then.
    return BookDelta(symbol, receive_time_ns, time_ns, [], [], None, None, None, checksum)


def _past_trade_events(
    symbol: str, content: Content, receive_time_ns: int, time_ns: int | None
) -> list[Event]:
    return [_trade(symbol, row, receive_time_ns, history=True) for row in content]


def _trade_events(
    symbol: str, content: Content, receive_time_ns: int, time_ns: int | None
) -> list[Event]:
    return [_trade(symbol, content, receive_time_ns, history=False)]


def _trade(symbol: str, row: object, receive_time_ns: int, *, history: bool) -> Event:
    if type(row) is not list or len(row) < 4 or type(row[0]) is not int:
        raise ValueError("a trade is not an id, a time, an amount and a price")
    amount = number_text(row[2])
    sold = amount.startswith("-")
    return Trade(
        symbol,
        receive_time_ns,
        _time_ns(row[1]),
        number_text(row[3]),
        amount[1:] if sold else amount,
        # Rule 6.
        _SELL if sold else _BUY,
        str(row[0]),
        None,
        False,
        False,
        history,
    )


def _booked_trade_events(
    symbol: str, content: Content, receive_time_ns: int, time_ns: int | None
) -> list[Event]:
    # Rule 6: told already.
    return []


def _ticker_events(
    symbol: str, content: Content, receive_time_ns: int, time_ns: int | None
) -> list[Event]:
    if content and type(content[0]) is int and content[0] >= SEQUENCES_END:
        return [_derivative_ticker(symbol, content, receive_time_ns)]
    if len(content) < 7:
        raise ValueError("a ticker is too short to tell the last price")
    return [Ticker(symbol, receive_time_ns, time_ns, _text_or_none(content[6]))]


def _derivative_ticker(symbol: str, content: Content, receive_time_ns: int) -> Event:
    columns = [*content, *[None] * (_DERIVATIVE_COLUMNS - len(content))]
    return Ticker(
        symbol,
        receive_time_ns,
        _time_ns(columns[0]),
        last_price_text=_text_or_none(columns[2]),
        mark_price_text=_text_or_none(columns[14]),
        index_price_text=_text_or_none(columns[3]),
        funding_rate_text=_text_or_none(columns[11]),
        open_interest_text=_text_or_none(columns[17]),
    )


def _text_or_none(token: object) -> str | None:
    return None if token is None else number_text(token)


def _liquidation_events(
    symbol: str, content: Content, receive_time_ns: int, time_ns: int | None
) -> list[Event]:
    rows = content if not content or type(content[0]) is list else [content]
    events: list[Event] = []
    for row in rows:
        if type(row) is not list or len(row) < 12 or type(row[4]) is not str:
            raise ValueError("a liquidation has fewer than 12 columns")
        if row[8] == 0:  # Rule 7.
            events.append(_liquidation(row, receive_time_ns))
    return events


def _liquidation(row: Content, receive_time_ns: int) -> Event:
    amount = number_text(row[5])
    short = amount.startswith("-")
    size = amount[1:] if short else amount
    # Until the position is taken over there is only the price at which it was entered.
    price = number_text(row[6] if row[11] is None else row[11])
    return Liquidation(
        row[4],
        receive_time_ns,
        _time_ns(row[2]),
        price,
        size,
        LiquidatedSide.SHORT if short else LiquidatedSide.LONG,
        "-" if short else "+",
        exact_product(price, size),
    )


_Reader = Callable[[str, Content, int, int | None], list[Event]]

_READERS: Mapping[tuple[Channel, str | None], _Reader] = {
    (Channel.BOOK, None): _book_events,
    (Channel.TRADES, None): _past_trade_events,
    (Channel.TRADES, "te"): _trade_events,
    (Channel.TRADES, "tu"): _booked_trade_events,
    (Channel.TICKERS, None): _ticker_events,
    (Channel.LIQUIDATIONS, None): _liquidation_events,
}
