"""What dYdX sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CONNECTED = b'{"type":"connected","connection_id":"c","message_id":0}'
BOOK = (
    b'{"type":"subscribed","connection_id":"c","message_id":1,"channel":"v4_orderbook",'
    b'"id":"BTC-USD","contents":{"bids":[{"price":"43240.0","size":"1.5"},{"price":"43235.0",'
    b'"size":"2.3"}],"asks":[{"price":"43250.0","size":"1.2"}]}}'
)
DELTA = (
    b'{"type":"channel_data","connection_id":"c","message_id":2,"id":"BTC-USD","channel":'
    b'"v4_orderbook","version":"1.0.0","contents":{"bids":[["43240.0","2.0"],["43238.0","1.5"]],'
    b'"asks":[["43250.0","0"]]}}'
)
BATCH = (
    b'{"type":"channel_batch_data","connection_id":"c","message_id":3,"id":"BTC-USD","channel":'
    b'"v4_orderbook","version":"1.0.0","contents":[{"bids":[["43240.0","3.0"]]},{"asks":'
    b'[["43252.0","3.0"]]}]}'
)
TRADES = (
    b'{"type":"channel_data","connection_id":"c","message_id":4,"id":"BTC-USD","channel":'
    b'"v4_trades","version":"1.0.0","contents":{"trades":[{"id":"t-2","side":"SELL","size":"1.2",'
    b'"price":"43248.0","type":"LIQUIDATED","createdAt":"2024-01-01T00:00:01.000Z"},{"id":"t-3",'
    b'"side":"BUY","size":"0.3","price":"43252.0","type":"DELEVERAGED","createdAt":'
    b'"2024-01-01T00:00:02.000Z"}]}}'
)
PAST_TRADES = (
    b'{"type":"subscribed","connection_id":"c","message_id":5,"channel":"v4_trades","id":"BTC-USD",'
    b'"contents":{"trades":[{"id":"t-1","side":"BUY","size":"0.5","price":"43250.0","type":"LIMIT",'
    b'"createdAt":"2024-01-01T00:00:00.000Z"}]}}'
)
MARKETS = (
    b'{"type":"subscribed","connection_id":"c","message_id":6,"channel":"v4_markets","contents":{'
    b'"markets":{"BTC-USD":{"ticker":"BTC-USD","oraclePrice":"43250.00","nextFundingRate":"0.0001",'
    b'"openInterest":"987654321.0","tickSize":"1","stepSize":"0.001"}}}}'
)
SUBACCOUNT = (
    b'{"type":"channel_data","connection_id":"c","message_id":7,"id":"dydx1abc/0","channel":'
    b'"v4_subaccounts","version":"1.0.0","contents":{"orders":[{"id":"o-1","clientId":"7",'
    b'"clobPairId":"0","ticker":"BTC-USD","side":"BUY","size":"0.5","price":"43000.0","status":'
    b'"OPEN","totalFilled":"0.1","updatedAt":"2024-01-01T00:00:00.000Z"}],"perpetualPositions":['
    b'{"market":"BTC-USD","side":"SHORT","size":"-0.5","entryPrice":"43000.0"}],"assetPositions":['
    b'{"symbol":"USDC","side":"LONG","size":"100.0","assetId":"0"}]}}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "dydx": (
        CONNECTED,
        BOOK,
        DELTA,
        BATCH,
        TRADES,
        PAST_TRADES,
        MARKETS,
        SUBACCOUNT,
        b'{"type":"unsubscribed","connection_id":"c","message_id":8,"channel":"v4_trades",'
        b'"id":"BTC-USD"}',
        b'{"type":"error","message":"Invalid subscription","connection_id":"c","message_id":9}',
        b'{"type":"channel_data","connection_id":"c","message_id":10,"id":"v4_block_height",'
        b'"channel":"v4_block_height","contents":{"blockHeight":"1"}}',
    )
}
SYMBOLS: Mapping[str, str] = {"dydx": "BTC-USD"}
