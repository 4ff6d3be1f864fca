"""What Coinbase Advanced Trade and Coinbase Exchange send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ADVANCED_SNAPSHOT = (
    b'{"channel":"l2_data","client_id":"","timestamp":"2026-04-07T14:30:00.123456Z",'
    b'"sequence_num":1,"events":[{"type":"snapshot","product_id":"BTC-USD","updates":['
    b'{"side":"bid","event_time":"2026-04-07T14:30:00.123456Z","price_level":"68900.00",'
    b'"new_quantity":"1.50000000"},{"side":"offer","event_time":"2026-04-07T14:30:00.123456Z",'
    b'"price_level":"68901.00","new_quantity":"0.50000000"}]}]}'
)
ADVANCED_UPDATE = (
    b'{"channel":"l2_data","client_id":"","timestamp":"2026-04-07T14:30:01.456789123Z",'
    b'"sequence_num":2,"events":[{"type":"update","product_id":"BTC-USD","updates":['
    b'{"side":"bid","event_time":"2026-04-07T14:30:01.456789Z","price_level":"68900.00",'
    b'"new_quantity":"0"}]}]}'
)
ADVANCED_TRADES = (
    b'{"channel":"market_trades","client_id":"","timestamp":"2026-04-07T14:30:02.789012Z",'
    b'"sequence_num":3,"events":[{"type":"update","trades":[{"trade_id":"995098701",'
    b'"product_id":"BTC-USD","price":"68900.00","size":"0.05000000","side":"SELL",'
    b'"time":"2026-04-07T14:30:02.800000Z"},{"trade_id":"995098700","product_id":"BTC-USD",'
    b'"price":"68900.50","size":"0.00150000","side":"BUY","time":"2026-04-07T14:30:02.789012Z"}]}]}'
)
ADVANCED_HISTORY = (
    b'{"channel":"market_trades","client_id":"","timestamp":"2026-04-07T14:30:02.789012Z",'
    b'"sequence_num":4,"events":[{"type":"snapshot","trades":[{"trade_id":"1",'
    b'"product_id":"BTC-USD","price":"68900.50","size":"1","side":"BUY",'
    b'"time":"2026-04-07T14:29:02Z"}]}]}'
)
ADVANCED_TICKER = (
    b'{"channel":"ticker","client_id":"","timestamp":"2026-04-07T14:30:03Z","sequence_num":5,'
    b'"events":[{"type":"snapshot","tickers":[{"type":"ticker","product_id":"BTC-USD",'
    b'"price":"68900.50","best_bid":"68900.00","best_ask":"68901.00"}]}]}'
)
ADVANCED_USER = (
    b'{"channel":"user","client_id":"","timestamp":"2026-04-07T14:30:06Z","sequence_num":6,'
    b'"events":[{"type":"update","orders":[{"order_id":"o-1","client_order_id":"c-1",'
    b'"cumulative_quantity":"0.5","leaves_quantity":"1.25","avg_price":"68000","status":"OPEN",'
    b'"product_id":"BTC-USD","limit_price":"68000.00","order_side":"SELL"}],"positions":{'
    b'"perpetual_futures_positions":[{"product_id":"BTC-PERP-INTX","position_side":"Long",'
    b'"net_size":"0.02","entry_vwap":"68100"}],"expiring_futures_positions":[{"product_id":'
    b'"BIT-28JUN26-CDE","side":"Short","number_of_contracts":"3","entry_price":"69000"}]}}]}'
)
ADVANCED_HEARTBEAT = (
    b'{"channel":"heartbeats","client_id":"","timestamp":"2026-04-07T14:30:10Z",'
    b'"sequence_num":7,"events":[{"current_time":"2026-04-07 14:30:10 +00:00",'
    b'"heartbeat_counter":42}]}'
)
ADVANCED_SUBSCRIPTIONS = (
    b'{"channel":"subscriptions","client_id":"","timestamp":"2026-04-07T14:30:00Z",'
    b'"sequence_num":0,"events":[{"subscriptions":{"level2":["BTC-USD"]}}]}'
)
ADVANCED_CANDLES = (
    b'{"channel":"candles","client_id":"","timestamp":"2026-04-07T14:30:05Z","sequence_num":8,'
    b'"events":[{"type":"update","candles":[{"start":"1775521800","product_id":"BTC-USD"}]}]}'
)
EXCHANGE_SNAPSHOT = (
    b'{"type":"snapshot","product_id":"BAND-GBP","asks":[["14.8024","12.77"],["14.8069","12.49"]],'
    b'"bids":[["14.7550","0.14"]]}'
)
EXCHANGE_UPDATE = (
    b'{"type":"l2update","product_id":"SKL-BTC","changes":[["sell","0.00001306","660.5"],'
    b'["buy","0.00001302","0.0"]],"time":"2021-04-17T16:43:37.075687Z"}'
)
EXCHANGE_MATCH = (
    b'{"type":"match","trade_id":280232,"maker_order_id":"2a0da34e","taker_order_id":"3c82abaa",'
    b'"side":"sell","size":"985","price":"0.00001305","product_id":"SKL-BTC",'
    b'"sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"}'
)
EXCHANGE_LAST_MATCH = EXCHANGE_MATCH.replace(b'"match"', b'"last_match"').replace(b"232", b"231")
EXCHANGE_TICKER = (
    b'{"type":"ticker","sequence":177100030,"product_id":"SKL-BTC","price":"0.00001305",'
    b'"best_bid":"0.00001303","best_ask":"0.00001305","side":"buy",'
    b'"time":"2021-04-17T16:43:37.089723Z","trade_id":280232,"last_size":"985"}'
)
EXCHANGE_HEARTBEAT = (
    b'{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD",'
    b'"time":"2014-11-07T08:19:28.464459Z"}'
)
EXCHANGE_OPEN = (
    b'{"type":"open","time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","sequence":10,'
    b'"order_id":"d50ec984","price":"200.2","remaining_size":"1.00","side":"sell",'
    b'"user_id":"5844eceecf7e803e259d0365","profile_id":"765d1549"}'
)
EXCHANGE_DONE = (
    b'{"type":"done","time":"2014-11-07T08:19:28Z","product_id":"BTC-USD","sequence":11,'
    b'"price":"200.2","order_id":"d50ec984","reason":"filled","side":"sell",'
    b'"remaining_size":"0","user_id":"5844eceecf7e803e259d0365"}'
)
EXCHANGE_RECEIVED = (
    b'{"type":"received","time":"2014-11-07T08:19:26Z","product_id":"BTC-USD","sequence":9,'
    b'"order_id":"d50ec984","size":"1.34","price":"502.1","side":"buy","order_type":"limit",'
    b'"client_oid":"client-1","user_id":"5844eceecf7e803e259d0365"}'
)
EXCHANGE_OWN_FILL = EXCHANGE_MATCH.replace(b'"sequence"', b'"user_id":"5844ece","sequence"')
EXCHANGE_SUBSCRIPTIONS = (
    b'{"type":"subscriptions","channels":[{"name":"level2","product_ids":["BAND-GBP"]}]}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "coinbase": (
        ADVANCED_SNAPSHOT,
        ADVANCED_UPDATE,
        ADVANCED_TRADES,
        ADVANCED_HISTORY,
        ADVANCED_TICKER,
        ADVANCED_USER,
        ADVANCED_HEARTBEAT,
        ADVANCED_SUBSCRIPTIONS,
        ADVANCED_CANDLES,
        b'{"type":"error","message":"authentication failure"}',
    ),
    "coinbase-exchange": (
        EXCHANGE_SNAPSHOT,
        EXCHANGE_UPDATE,
        EXCHANGE_MATCH,
        EXCHANGE_LAST_MATCH,
        EXCHANGE_TICKER,
        EXCHANGE_HEARTBEAT,
        EXCHANGE_OPEN,
        EXCHANGE_DONE,
        EXCHANGE_RECEIVED,
        EXCHANGE_OWN_FILL,
        EXCHANGE_SUBSCRIPTIONS,
        b'{"type":"error","message":"Failed to subscribe","reason":"BTC-XYZ is not valid"}',
    ),
}
SYMBOLS: Mapping[str, str] = dict.fromkeys(SAMPLES, "BTC-USD")
