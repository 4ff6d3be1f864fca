"""What Bitfinex says of one's own account, on channel 0, and the events that it becomes.

    {"event":"auth","apiKey":"…","authSig":"…","authPayload":"AUTH1700000000000000","authNonce":
     "1700000000000000","filter":["trading","wallet"]}
    {"event":"auth","status":"OK","chanId":0,"userId":1}
    {"event":"auth","status":"FAILED","chanId":0,"code":10100,"msg":"apikey: invalid"}
    [0,"on",[34930659963,null,1574955083558,"tETHUSD",1574955083558,1574955083573,0.201104,0.201104,
     "EXCHANGE LIMIT",null,null,null,0,"ACTIVE",null,null,120,0,0,0,null,null,null,0,0,null]]
    [0,"pu",["tBTCUSD","ACTIVE",-0.0195,8565.0267,0,0,-0.33,-0.0003,7045.8,0.0699]]
    [0,"wu",["exchange","BTC",1.61169184,0,1.5,"Exchange 0.01 BTC for USD",null]]

1. A login names the account at once: what follows comes without a subscription.
2. `os`, `ps` and `ws` state all there is, the others one change: `on`, `ou` and `oc` of an order,
   `pn`, `pu` and `pc` of a position, `wu` of a wallet.
3. Of an order the seventh column is what is left, the eighth what was asked for; a negative one
   sells. A position's size is negative where it is short.

Source: Bitfinex API v2, "WebSocket Authenticated Channels": Orders, Positions, Wallets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from venues.event import (
    Event,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    WalletUpdate,
)
from venues.signed_size import side_and_size
from venues.wire import NS_PER_MS, exact_number, number_text

CHANNEL = 0
_TIME_MS_MAX = 9_223_372_036_854

Content = list[Any]


def account_events(word: str, content: object, receive_time_ns: int) -> list[Event]:
    """Return the updates in a message of channel 0 (rule 2).

    Raises:
        ValueError: it is none.
    """
    reader = _READERS.get(word[:1]) if word[1:] in _CHANGES else None
    if reader is None:
        text = f"account: {word[:20]}"
        return [Notice("", receive_time_ns, None, NoticeKind.INFORMATION, text)]
    if type(content) is not list:
        raise ValueError("its content is not a list")
    rows = content if word[1:] == "s" else [content]
    return [reader(row, receive_time_ns) for row in rows]


def _columns(row: object, count: int, texts: tuple[int, ...]) -> Content:
    if type(row) is not list or len(row) < count:
        raise ValueError(f"a row has fewer than {count} columns")
    if not all(type(row[place]) is str for place in texts):
        raise ValueError("a name in a row is not a text")
    return row


def _order(row: object, receive_time_ns: int) -> Event:
    columns = _columns(row, 17, (3, 13))
    side, size = side_and_size(number_text(columns[7]))
    _, left = side_and_size(number_text(columns[6]))
    updated_ms = columns[5]
    if type(updated_ms) is not int or not 0 <= updated_ms <= _TIME_MS_MAX:
        raise ValueError("an order without the time of its change")
    return OrderUpdate(
        columns[3],
        receive_time_ns,
        updated_ms * NS_PER_MS,
        number_text(columns[0]),
        "" if columns[2] is None else number_text(columns[2]),
        side or Side.BUY,
        "" if columns[16] is None else number_text(columns[16]),
        size,
        f"{exact_number(size) - exact_number(left):f}",  # Rule 3.
        columns[13],
    )


def _position(row: object, receive_time_ns: int) -> Event:
    columns = _columns(row, 4, (0, 1))
    side, size = side_and_size(number_text(columns[2]))
    closed = columns[1] != "ACTIVE"
    price = "" if columns[3] is None else number_text(columns[3])
    return PositionUpdate(columns[0], receive_time_ns, None, None if closed else side, size, price)


def _wallet(row: object, receive_time_ns: int) -> Event:
    columns = _columns(row, 5, (0, 1))
    available = "" if columns[4] is None else number_text(columns[4])
    return WalletUpdate(columns[1], receive_time_ns, None, number_text(columns[2]), available)


_CHANGES = frozenset(("s", "n", "u", "c"))
_READERS: Mapping[str, Callable[[object, int], Event]] = {
    "o": _order,
    "p": _position,
    "w": _wallet,
}
