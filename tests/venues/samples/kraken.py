"""What Kraken's spot exchange sends by its two protocols, and what its futures exchange sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

V2_SNAPSHOT = (
    b'{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":45283.5,'
    b'"qty":0.10000000},{"price":45283.4,"qty":1.54582015},{"price":45282.1,"qty":0.10000000},'
    b'{"price":45281.0,"qty":0.10000000},{"price":45280.3,"qty":1.54592586},{"price":45279.0,'
    b'"qty":0.07990000},{"price":45277.6,"qty":0.03310103},{"price":45277.5,"qty":0.30000000},'
    b'{"price":45277.3,"qty":1.54602737},{"price":45276.6,"qty":0.15445238}],"asks":[{'
    b'"price":45285.2,"qty":0.00100000},{"price":45286.4,"qty":1.54571953},{"price":45286.6,'
    b'"qty":1.54571109},{"price":45289.6,"qty":1.54560911},{"price":45290.2,"qty":0.15890660},'
    b'{"price":45291.8,"qty":1.54553491},{"price":45294.7,"qty":0.04454749},{"price":45296.1,'
    b'"qty":0.35380000},{"price":45297.5,"qty":0.09945542},{"price":45299.5,"qty":0.18772827}],'
    b'"checksum":3310070434,"timestamp":"2023-10-06T17:35:55.440295Z"}]}'
)
"""The book of the exchange's own guide to its checksum."""

V2_UPDATE = (
    b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":78858.8,'
    b'"qty":0.00000000},{"price":78857.0,"qty":0.34775324}],"asks":[{"price":78872,"qty":1}],'
    b'"checksum":2416540570,"timestamp":"2026-08-24T22:21:58.343688Z"}]}'
)
V2_TRADES = (
    b'{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell",'
    b'"price":105910.50,"qty":0.00012460,"ord_type":"market","trade_id":10218209,'
    b'"timestamp":"2023-10-06T17:35:56.123456Z"}]}'
)
V2_PAST_TRADES = V2_TRADES.replace(b'"update"', b'"snapshot"')
V2_TICKER = (
    b'{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,'
    b'"ask":105944.30,"ask_qty":3.2,"last":105899.40,"volume":163.28908096}]}'
)
V2_EXECUTION = (
    b'{"channel":"executions","type":"update","data":[{"order_id":"OK4GJX-KSTLS-7DZZO5",'
    b'"order_userref":3,"symbol":"BTC/USD","order_qty":0.005,"cum_cost":0.0,"exec_type":'
    b'"pending_new","side":"sell","order_type":"limit","limit_price":26500.0,"order_status":'
    b'"pending_new","timestamp":"2023-09-22T10:33:05.709950Z"}],"sequence":8}'
)
V2_EXECUTION_SHORT = (
    b'{"channel":"executions","type":"update","data":[{"timestamp":"2023-09-22T10:33:05.709982Z",'
    b'"order_status":"new","exec_type":"new","order_userref":3,"order_id":"OK4GJX-KSTLS-7DZZO5"}],'
    b'"sequence":9}'
)
V2_BALANCES = (
    b'{"channel":"balances","data":[{"asset":"BTC","asset_class":"currency","balance":1.2,"wallets":'
    b'[{"type":"spot","id":"main","balance":1.2}]},{"asset":"MATIC","asset_class":"currency",'
    b'"balance":500,"wallets":[{"type":"spot","id":"main","balance":300},{"type":"earn","id":"flex",'
    b'"balance":200}]}],"type":"snapshot","sequence":1}'
)
V2_BALANCE = (
    b'{"channel":"balances","type":"update","data":[{"ledger_id":"ADKKFF-WEA5A-CNUBHG","timestamp":'
    b'"2023-09-22T10:33:05.709993Z","type":"trade","asset":"BTC","asset_class":"currency",'
    b'"wallet_type":"spot","wallet_id":"main","amount":-0.005,"fee":0.0,"balance":1.195}],'
    b'"sequence":10}'
)
V2_STATUS = (
    b'{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online",'
    b'"api_version":"v2","connection_id":806193442143087786}]}'
)
V2_BOOK_ACK = (
    b'{"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":'
    b'"BTC/USD"},"success":true,"time_in":"2026-08-24T22:21:56.724795Z","time_out":'
    b'"2026-08-24T22:21:56.724853Z"}'
)
V2_REFUSAL = (
    b'{"error":"Currency pair not supported BTC/XXX","method":"subscribe","success":false,"symbol":'
    b'"BTC/XXX","time_in":"2026-08-24T22:21:56.724795Z","time_out":"2026-08-24T22:21:56.724853Z"}'
)

V1_SNAPSHOT = (
    b'[992,{"as":[["354.80000000","1.40000000","1618678133.020508"]],"bs":[["354.15000000",'
    b'"5.00000000","1618678133.365913"]]},"book-10","XBT/USD"]'
)
V1_UPDATE = (
    b'[992,{"b":[["354.12000000","0.00000000","1618678133.366461"],["354.10000000","2.00000000",'
    b'"1618678100.000001","r"]],"c":"1822697057"},"book-10","XBT/USD"]'
)
V1_BOTH_SIDES = (
    b'[1920,{"a":[["0.042990","364630.28272081","1618678145.920470"]]},{"b":[["0.042990",'
    b'"0.00000000","1618678145.920708"]],"c":"4105471083"},"book-10","XBT/USD"]'
)
V1_TRADES = (
    b'[993,[["354.11000000","0.89594024","1618678142.557535","s","l",""]],"trade","XBT/USD"]'
)
V1_SPREAD = (
    b'[0,["5698.40000","5700.00000","1542057299.545897","1.01234567","0.98765432"],"spread",'
    b'"XBT/USD"]'
)
V1_TICKER = (
    b'[1337,{"a":["5525.40000",1,"1.000"],"b":["5525.10000",1,"1.000"],"c":["5525.10000",'
    b'"0.00398963"]},"ticker","XBT/USD"]'
)
V1_ORDERS = (
    b'[[{"OGTT3Y-C6I3P-XRI6HR":{"descr":{"pair":"XBT/USD","price":"34.50000","type":"sell"},'
    b'"status":"open","vol":"10.00345345","vol_exec":"0.00000000"}}],"openOrders",{"sequence":1}]'
)
V1_BOOK_ACK = (
    b'{"channelID":992,"channelName":"book-1000","event":"subscriptionStatus","pair":"XMR/USD",'
    b'"status":"subscribed","subscription":{"depth":1000,"name":"book"}}'
)
V1_REFUSAL = (
    b'{"errorMessage":"Currency pair not supported XX/YY","event":"subscriptionStatus","pair":'
    b'"XX/YY","status":"error","subscription":{"name":"trade"}}'
)
V1_STATUS = (
    b'{"connectionID":18239578009413566319,"event":"systemStatus","status":"online",'
    b'"version":"1.8.3"}'
)

FUTURES_SNAPSHOT = (
    b'{"feed":"book_snapshot","product_id":"PI_XBTUSD","timestamp":1612269825817,"seq":326072249,'
    b'"tickSize":null,"bids":[{"price":34892.5,"qty":6385}],"asks":[{"price":34911.5,"qty":20598}]}'
)
FUTURES_DELTA = (
    b'{"feed":"book","product_id":"PI_XBTUSD","side":"sell","seq":326072250,"price":34981,"qty":0,'
    b'"timestamp":1612269953629}'
)
FUTURES_TRADE = (
    b'{"feed":"trade","product_id":"PI_XBTUSD","uid":"05af78ac-a774-478c-a50c-8b9c234e071e","side":'
    b'"sell","type":"fill","seq":653355,"time":1612266317519,"qty":15000,"price":34969.5}'
)
FUTURES_LIQUIDATION = FUTURES_TRADE.replace(b'"fill"', b'"liquidation"')
FUTURES_PAST_TRADES = (
    b'{"feed":"trade_snapshot","product_id":"PI_XBTUSD","trades":[' + FUTURES_TRADE + b"]}"
)
FUTURES_TICKER = (
    b'{"time":1676393235406,"product_id":"PI_XBTUSD","funding_rate":-6.2604214e-11,'
    b'"relative_funding_rate":-1.380384722222e-6,"feed":"ticker","bid":21978.5,"ask":21987.0,'
    b'"bid_size":2536.0,"ask_size":13948.0,"index":21984.54,"last":21983.5,"openInterest":'
    b'30072580.0,"markPrice":21979.68641534714}'
)
FUTURES_ORDERS = (
    b'{"feed":"open_orders_snapshot","account":"a","orders":[{"instrument":"PI_XBTUSD","time":'
    b'1612275024153,"last_update_time":1612275024153,"qty":1000,"filled":0,"limit_price":34900,'
    b'"type":"stop","order_id":"723ba95f","direction":1,"reduce_only":false}]}'
)
FUTURES_CANCEL = (
    b'{"feed":"open_orders","order_id":"660c6b23","is_cancel":true,"reason":"cancelled_by_user"}'
)
FUTURES_POSITIONS = (
    b'{"feed":"open_positions","account":"a","positions":[{"instrument":"PI_XBTUSD","balance":1.0,'
    b'"entry_price":40012.5},{"instrument":"PF_ETHUSD","balance":-0.25,"entry_price":2005.2},'
    b'{"instrument":"PF_SOLUSD","balance":0.0}],"seq":4,"timestamp":1700000000000}'
)
FUTURES_BALANCES = (
    b'{"feed":"balances_snapshot","account":"a","holding":{"USDT":4997.5012493753},"futures":{'
    b'"F-XBT:USD":{"name":"F-XBT:USD","balance":0.5,"available":0.25}},"flex_futures":{'
    b'"currencies":{"USD":{"quantity":2000.0,"available":1990.0}},"balance_value":2000.0},'
    b'"timestamp":1640995200000,"seq":0}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "kraken": (
        V2_SNAPSHOT,
        V2_UPDATE,
        V2_TRADES,
        V2_PAST_TRADES,
        V2_TICKER,
        V2_EXECUTION,
        V2_EXECUTION_SHORT,
        V2_BALANCES,
        V2_BALANCE,
        V2_STATUS,
        V2_BOOK_ACK,
        V2_REFUSAL,
        b'{"channel":"heartbeat"}',
        b'{"method":"pong","req_id":42}',
        b'{"error":"Malformed request","success":false}',
    ),
    "kraken-v1": (
        V1_SNAPSHOT,
        V1_UPDATE,
        V1_BOTH_SIDES,
        V1_TRADES,
        V1_SPREAD,
        V1_TICKER,
        V1_ORDERS,
        V1_BOOK_ACK,
        V1_REFUSAL,
        V1_STATUS,
        b'{"event":"heartbeat"}',
        b'{"event":"pong","reqid":42}',
        b'{"event":"error","errorMessage":"Malformed request"}',
    ),
    "kraken-futures": (
        FUTURES_SNAPSHOT,
        FUTURES_DELTA,
        FUTURES_TRADE,
        FUTURES_LIQUIDATION,
        FUTURES_PAST_TRADES,
        FUTURES_TICKER,
        FUTURES_ORDERS,
        FUTURES_CANCEL,
        FUTURES_POSITIONS,
        FUTURES_BALANCES,
        b'{"event":"info","version":1}',
        b'{"event":"subscribed","feed":"book","product_ids":["PI_XBTUSD"]}',
        b'{"event":"challenge","message":"226aee50-88fc-4618-a42a-34f7709570b2"}',
        b'{"event":"error","message":"Invalid product id"}',
        b'{"feed":"heartbeat","time":1534262350627}',
    ),
}

SYMBOLS: Mapping[str, str] = {
    "kraken": "BTC/USD",
    "kraken-v1": "XBT/USD",
    "kraken-futures": "PI_XBTUSD",
}
