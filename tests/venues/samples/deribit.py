"""What Deribit sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SYMBOL = "BTC-PERPETUAL"


def notification(channel: str, data: bytes) -> bytes:
    """Return a message sent by subscription."""
    head = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'
    return head + channel.encode() + b'","data":' + data + b"}}"


ACKNOWLEDGED = (
    b'{"jsonrpc":"2.0","id":1,"result":["book.BTC-PERPETUAL.100ms"],"usIn":1626993723846980,'
    b'"usOut":1626993723847561,"usDiff":581,"testnet":false}'
)
NOTHING_KNOWN = b'{"jsonrpc":"2.0","id":1,"result":[],"usDiff":581,"testnet":false}'
HEARTBEAT_SET = b'{"jsonrpc":"2.0","id":8000,"result":"ok","usDiff":81,"testnet":false}'
TESTED = b'{"jsonrpc":"2.0","id":8212,"result":{"version":"1.2.26"},"usDiff":81,"testnet":false}'
REFUSED = (
    b'{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests","data":null}}'
)
LOGGED_IN = (
    b'{"jsonrpc":"2.0","id":9929,"result":{"token_type":"bearer","scope":"connection","access_token"'
    b':"1582628593469.1MbQ-J_4","refresh_token":"1582628593469.1GP4","expires_in":31536000}}'
)
LOGIN_REFUSED = (
    b'{"jsonrpc":"2.0","id":9929,"error":{"code":13004,"message":"invalid_credentials"}}'
)
TEST_REQUEST = b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'
HEARTBEAT = b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}'
BOOK = notification(
    "book.BTC-PERPETUAL.100ms",
    b'{"type":"snapshot","timestamp":1626993723632,"instrument_name":"BTC-PERPETUAL","change_id":'
    b'13169025645,"bids":[["new",42500.0,1000.0]],"asks":[["new",42501.0,800.0]]}',
)
CHANGE = notification(
    "book.BTC-PERPETUAL.100ms",
    b'{"type":"change","timestamp":1626993725864,"prev_change_id":13169025645,"instrument_name":'
    b'"BTC-PERPETUAL","change_id":13169031288,"bids":[["change",42500.0,4737.0]],"asks":'
    b'[["delete",42501.0,0.0]]}',
)
GROUPED_BOOK = notification(
    "book.BTC-PERPETUAL.none.10.100ms",
    b'{"timestamp":1769246173071,"instrument_name":"BTC-PERPETUAL","change_id":136725664747,'
    b'"bids":[[89532.5,254900.0]],"asks":[[89533.0,91570.0]]}',
)
TRADES = notification(
    "trades.BTC-PERPETUAL.100ms",
    b'[{"timestamp":1765531356452,"price":92294.5,"amount":10.0,"direction":"sell","index_price":'
    b'92276.75,"instrument_name":"BTC-PERPETUAL","trade_seq":271252854,"mark_price":92287.11,'
    b'"tick_direction":2,"contracts":1.0,"trade_id":"403691824","liquidation":"MT"}]',
)
TICKER = notification(
    "ticker.BTC-PERPETUAL.100ms",
    b'{"timestamp":1765541474086,"state":"open","index_price":92263.55,"instrument_name":'
    b'"BTC-PERPETUAL","last_price":92283.5,"open_interest":1132329370.0,"mark_price":92281.78,'
    b'"current_funding":0.0,"funding_8h":0.00001742}',
)
QUOTE = notification(
    "quote.BTC-PERPETUAL",
    b'{"timestamp":1765541767174,"instrument_name":"BTC-PERPETUAL","best_ask_price":92288.5,'
    b'"best_bid_price":92288.0,"best_ask_amount":99470.0,"best_bid_amount":133440.0}',
)
ORDER_DATA = (
    b'{"label":"mine","price":2973.55,"amount":0.001,"direction":"buy","instrument_name":'
    b'"ETH_USDC-PERPETUAL","order_id":"USDC-104819327443","filled_amount":0.0,'
    b'"last_update_timestamp":1767978363493,"order_state":"open","order_type":"limit"}'
)
ORDER = notification("user.orders.any.any.raw", ORDER_DATA)
CHANGES = notification(
    "user.changes.any.any.raw",
    b'{"instrument_name":"BTC-PERPETUAL","trades":[],"positions":[{"instrument_name":'
    b'"BTC-PERPETUAL","direction":"sell","size":-20.0,"average_price":87000.5,"kind":"future"}],'
    b'"orders":[' + ORDER_DATA + b"]}",
)
PORTFOLIO = notification(
    "user.portfolio.any", b'{"currency":"USDT","balance":55.00055,"available_funds":53.868247}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "deribit": (
        BOOK,
        CHANGE,
        GROUPED_BOOK,
        TRADES,
        TRADES.replace(b',"liquidation":"MT"', b""),
        TICKER,
        QUOTE,
        ORDER,
        CHANGES,
        PORTFOLIO,
        ACKNOWLEDGED,
        NOTHING_KNOWN,
        HEARTBEAT_SET,
        TESTED,
        REFUSED,
        LOGGED_IN,
        LOGIN_REFUSED,
        TEST_REQUEST,
        HEARTBEAT,
        notification("deribit_volatility_index.btc_usd", b'{"volatility":129.36}'),
    )
}
SYMBOLS: Mapping[str, str] = {"deribit": SYMBOL}
