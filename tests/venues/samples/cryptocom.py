"""What Crypto.com sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def pushed(channel: str, subscription: str, data: bytes, symbol: str = "BTCUSD-PERP") -> bytes:
    """Return a message that the exchange pushes."""
    return (
        b'{"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"%b","subscription":'
        b'"%b","channel":"%b","data":%b}}'
        % (symbol.encode(), subscription.encode(), channel.encode(), data)
    )


BOOK = pushed(
    "book",
    "book.BTCUSD-PERP.50",
    b'[{"asks":[["30082.5","0.1689","1"],["30083.0","0.1288","1"]],"bids":[["30079.0","0.0505","1"]'
    b'],"t":1654780033786,"tt":1654780033755,"u":542048017824,"cs":0}]',
)
UPDATE = pushed(
    "book.update",
    "book.BTCUSD-PERP.50",
    b'[{"update":{"asks":[["30082.5","0","0"]],"bids":[["30077.5","1.0527","2"]]},'
    b'"t":1654780034101,"tt":1654780033969,"u":542048017825,"pu":542048017824,"cs":0}]',
)
TRADES = pushed(
    "trade",
    "trade.BTCUSD-PERP",
    b'[{"d":"4611686018455979971","t":1613581138463,"tn":"1613581138463000001","q":"0.000200",'
    b'"p":"51327.600000","s":"BUY","i":"BTCUSD-PERP"},{"d":"4611686018455979970",'
    b'"t":1613581138462,"q":"0.000100","p":"51327.500000","s":"SELL","i":"BTCUSD-PERP"}]',
)
TICKER = pushed(
    "ticker",
    "ticker.BTCUSD-PERP",
    b'[{"h":"51790.00","l":"47895.50","a":"51174.500000","i":"BTCUSD-PERP","v":"879.5024",'
    b'"oi":"12345.12","c":"0.03955106","b":"51170.000000","bs":"0.1000","k":"51180.000000",'
    b'"ks":"0.2000","t":1613580710768}]',
)
MARK = pushed("mark", "mark.BTCUSD-PERP", b'[{"v":"51279.30","t":1613580710000}]')
FUNDING = pushed("funding", "funding.BTCUSD-PERP", b'[{"v":"0.00000700","t":1613580710000}]')
INDEX = pushed("index", "index.BTCUSD-INDEX", b'[{"v":"50601.37","t":1613580710000}]')
ORDER = pushed(
    "user.order",
    "user.order",
    b'[{"account_id":"52e7c00f","order_id":"19848525","client_oid":"1613571154900","order_type":'
    b'"LIMIT","side":"BUY","instrument_name":"BTCUSD-PERP","quantity":"0.0100","limit_price":'
    b'"50000.0","cumulative_quantity":"0.0050","status":"ACTIVE","update_time":1613575617173}]',
)
POSITIONS = pushed(
    "user.positions",
    "user.positions",
    b'[{"account_id":"52e7c00f","instrument_name":"BTCUSD-PERP","type":"PERPETUAL_SWAP",'
    b'"quantity":"-0.0984","update_timestamp_ms":1613552240770}]',
)
BALANCE = pushed(
    "user.balance",
    "user.balance",
    b'[{"total_available_balance":"4721.05","position_balances":[{"instrument_name":"USD",'
    b'"quantity":"102.5","max_withdrawal_balance":"100.0"}]}]',
)
HEARTBEAT = b'{"id":1587523073344,"method":"public/heartbeat","code":0}'
REFUSAL = b'{"id":2,"method":"subscribe","code":40003,"message":"Unknown symbol"}'

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "cryptocom": (
        *(BOOK, UPDATE, TRADES, TICKER, MARK, FUNDING, INDEX, ORDER, POSITIONS, BALANCE),
        HEARTBEAT,
        REFUSAL,
        b'{"id":2,"method":"subscribe","code":0}',
        b'{"id":1,"method":"public/auth","code":0}',
        pushed("candlestick", "candlestick.1h.BTCUSD-PERP", b"[]"),
    )
}
SYMBOLS: Mapping[str, str] = {"cryptocom": "BTCUSD-PERP"}
