"""What dYdX's market messages are, and the events they become.

    {"type":"subscribed","connection_id":"c","message_id":1,"channel":"v4_orderbook","id":"BTC-USD",
     "contents":{"bids":[{"price":"43240.0","size":"1.5"}],"asks":[{"price":"43250.0","size":"1"}]}}
    {"type":"channel_data","connection_id":"c","message_id":2,"id":"BTC-USD","channel":
     "v4_orderbook","version":"1.0.0","contents":{"bids":[["43240.0","2.0"]],"asks":[]}}
    {"type":"channel_data","connection_id":"c","message_id":3,"id":"BTC-USD","channel":"v4_trades",
     "version":"1.0.0","contents":{"trades":[{"id":"trade-002","side":"SELL","size":"1.2","price":
     "43248.0","type":"LIMIT","createdAt":"2024-01-01T00:00:01.000Z"}]}}
    {"type":"channel_data","connection_id":"c","message_id":5,"channel":"v4_markets","contents":{
     "oraclePrices":{"BTC-USD":{"oraclePrice":"43300.00"}}}}

1. `subscribed` states the whole book; rows have names there, and none in what follows.
2. A delta's sizes are absolute; zero removes the level. Under `channel_batch_data` the contents are
   a list of such deltas, to be applied in order.
3. The trades in `subscribed` are older than the subscription.
4. A trade's `side` is the taker's. Of type LIQUIDATED the taker was liquidated: SELL closed a long.
   Of type DELEVERAGED it was no trade of the open market.
5. A market's `oraclePrice` is its index price.

Source: dYdX docs, "Indexer: Websocket API".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from venues.dydx.account import SubaccountContents, subaccount_events
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    FrameSequence,
    Instrument,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.wire import Counter, exact_product, iso_time_ns

_BUY, _SELL = Side.BUY, Side.SELL
_Type = Literal["subscribed", "channel_data", "channel_batch_data", "unsubscribed"]


class _Level(msgspec.Struct, gc=False):
    price: str
    size: str


class _Levels(msgspec.Struct, gc=False):
    bids: list[_Level | Row] = []
    asks: list[_Level | Row] = []


class _TradeRow(msgspec.Struct, gc=False):
    trade_id: str = field(name="id")
    side: Literal["BUY", "SELL"]
    price: str
    size: str
    created_at: str = field(name="createdAt")
    type: str = "LIMIT"


class _Trades(msgspec.Struct, gc=False):
    trades: list[_TradeRow]


class _Market(msgspec.Struct, gc=False):
    oracle_price: str | None = field(name="oraclePrice", default=None)
    funding_rate: str | None = field(name="nextFundingRate", default=None)
    open_interest: str | None = field(name="openInterest", default=None)
    tick_size: str | None = field(name="tickSize", default=None)
    step_size: str | None = field(name="stepSize", default=None)


class _Markets(msgspec.Struct, gc=False):
    markets: dict[str, _Market] = {}
    trading: dict[str, _Market] = {}
    oracle_prices: dict[str, _Market] = field(name="oraclePrices", default={})


class _Headed(msgspec.Struct, gc=False, tag_field="channel"):
    type: _Type
    message_id: Counter | None = None
    id: str = ""


class BookMessage(_Headed, gc=False, tag="v4_orderbook"):
    """A book, a delta or several."""

    contents: _Levels | list[_Levels] | UnsetType = UNSET


class TradesMessage(_Headed, gc=False, tag="v4_trades"):
    """Trades, or several messages of them."""

    contents: _Trades | list[_Trades] | UnsetType = UNSET


class MarketsMessage(_Headed, gc=False, tag="v4_markets"):
    """What changed of any of the markets."""

    contents: _Markets | list[_Markets] | UnsetType = UNSET


class SubaccountMessage(_Headed, gc=False, tag="v4_subaccounts"):
    """What changed in one's own subaccount."""

    contents: SubaccountContents | list[SubaccountContents] | UnsetType = UNSET


Message = BookMessage | TradesMessage | MarketsMessage | SubaccountMessage
MESSAGE = msgspec.json.Decoder(Message)
CHANNELS = frozenset(("v4_orderbook", "v4_trades", "v4_markets", "v4_subaccounts"))


class _RestBook(msgspec.Struct, gc=False):
    bids: list[_Level | Row]
    asks: list[_Level | Row]


class _MarketsAnswer(msgspec.Struct, gc=False):
    markets: dict[str, _Market]


_MARKETS_ANSWER = msgspec.json.Decoder(_MarketsAnswer)
_REST_BOOK = msgspec.json.Decoder(_RestBook)


def message_events(message: Message, receive_time_ns: int) -> Sequence[Event]:
    """Return the number of the frame and what it says."""
    events: list[Event] = []
    if message.message_id is not None:
        events.append(FrameSequence("", receive_time_ns, None, message.message_id))
    contents = message.contents
    if contents is UNSET:
        return (*events, answered(message.type, receive_time_ns))
    begins = message.type == "subscribed"
    if begins:
        events.append(answered(message.type, receive_time_ns))
    each = contents if isinstance(contents, list) else [contents]
    for one in each:
        if isinstance(one, _Levels):
            events.append(_book(message.id, one, receive_time_ns, begins=begins))
        elif isinstance(one, _Trades):
            events += _trades(message.id, one, receive_time_ns, history=begins)
        elif isinstance(one, SubaccountContents):
            events += subaccount_events(one, receive_time_ns)
        else:
            events += _tickers(one, receive_time_ns)
    return events


def answered(kind: str, receive_time_ns: int) -> Notice:
    """Return the notice of an answer to a request."""
    return Notice("", receive_time_ns, None, NoticeKind.ACKNOWLEDGED, kind)


def _rows(levels: Sequence[_Level | Row]) -> list[Row]:
    return [(level.price, level.size) if isinstance(level, _Level) else level for level in levels]


def _book(symbol: str, levels: _Levels, receive_time_ns: int, *, begins: bool) -> Event:
    bids, asks = _rows(levels.bids), _rows(levels.asks)
    if begins:  # Rule 1.
        return BookSnapshot(symbol, receive_time_ns, None, bids, asks)
    return BookDelta(symbol, receive_time_ns, None, bids, asks)  # Rule 2.


def _trades(
    symbol: str, trades: _Trades, receive_time_ns: int, *, history: bool
) -> Sequence[Event]:
    events: list[Event] = []
    for row in trades.trades:
        time_ns = iso_time_ns(row.created_at)
        events.append(
            Trade(
                symbol,
                receive_time_ns,
                time_ns,
                row.price,
                row.size,
                _BUY if row.side == "BUY" else _SELL,
                row.trade_id,
                off_market=row.type == "DELEVERAGED",
                history=history,  # Rule 3.
            )
        )
        if row.type == "LIQUIDATED" and not history:  # Rule 4.
            events.append(
                Liquidation(
                    symbol,
                    receive_time_ns,
                    time_ns,
                    row.price,
                    row.size,
                    LiquidatedSide.LONG if row.side == "SELL" else LiquidatedSide.SHORT,
                    row.side,
                    exact_product(row.price, row.size),
                )
            )
    return events


def _tickers(contents: _Markets, receive_time_ns: int) -> Sequence[Event]:
    changed = {**contents.markets, **contents.trading, **contents.oracle_prices}
    tickers: list[Event] = [
        Ticker(
            symbol,
            receive_time_ns,
            None,
            None,
            None,
            market.oracle_price,  # Rule 5.
            market.funding_rate,
            market.open_interest,
        )
        for symbol, market in changed.items()
    ]
    return [*tickers, *_instruments(contents.markets, receive_time_ns)]


def _instruments(markets: dict[str, _Market], receive_time_ns: int) -> list[Event]:
    return [
        Instrument(
            symbol, receive_time_ns, None, market.tick_size, market.step_size, ContractKind.COIN
        )
        for symbol, market in markets.items()
    ]


def rest_book_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot:
    """Return the book of an HTTP answer: nothing joins it to what the socket brings.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    levels = _REST_BOOK.decode(body)
    bids, asks = _rows(levels.bids), _rows(levels.asks)
    return BookSnapshot(symbol, receive_time_ns, None, bids, asks, unjoined=True)


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instruments in the answer of `/v4/perpetualMarkets`.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _instruments(_MARKETS_ANSWER.decode(body).markets, receive_time_ns)
