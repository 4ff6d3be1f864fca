"""What Bitstamp sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DIFF = (
    b'{"data":{"timestamp":"1641343691","microtimestamp":"1641343691244908",'
    b'"bids":[["1.15979","993.02588113"],["1.14866","0.00000000"]],'
    b'"asks":[["1.16601","1200.00000000"]]},"channel":"diff_order_book_bateur","event":"data"}'
)
BOOK = (
    b'{"data":{"timestamp":"1789457617","microtimestamp":"1789457617906487",'
    b'"bids":[["77188","0.41122"]],"asks":[["77189","0.41124"]]},'
    b'"channel":"order_book_btcusd-perp","event":"data"}'
)
DETAIL = (
    b'{"data":{"timestamp":"1789457617","microtimestamp":"1789457617906487",'
    b'"bids":[["77188","0.41122","2050545352740993"]],"asks":[]},'
    b'"channel":"detail_order_book_btcusd-perp","event":"data"}'
)
TRADE = (
    b'{"data":{"id":216000484,"timestamp":"1641343709","amount":0.931,"amount_str":"0.93100000",'
    b'"price":3802.93,"price_str":"3802.93","type":1,"microtimestamp":"1641343709599000",'
    b'"buy_order_id":1443875774971904,"sell_order_id":1443875778322433},'
    b'"channel":"live_trades_ethusd","event":"trade"}'
)
TRADE_OF_TODAY = (
    b'{"data":{"id":2001939623936278528,"id_str":"2001939623936278528","type":0,'
    b'"sell_order_id":2050545352740993,"buy_order_id":2050545360601216,"amount":0.00921,'
    b'"amount_str":"0.00921","price":77204,"price_str":"77204",'
    b'"microtimestamp":"1789456400586000","timestamp":"1789456400586"},'
    b'"channel":"live_trades_btcusd-perp","event":"trade"}'
)
FUNDING = (
    b'{"data":{"market":"btcusd-perp","mark_price":"77186.81199586",'
    b'"index_price":"77177.99454545454","funding_rate":"0.000123","timestamp":"1789457618",'
    b'"next_funding_time":"1789459200"},"channel":"funding_rate_btcusd-perp",'
    b'"event":"funding_rate_saved"}'
)
ORDER = (
    b'{"data":{"id":1658864794234880,"id_str":"1658864794234880","order_type":0,'
    b'"datetime":"1693831262","microtimestamp":"1693831262313000","amount":1e-8,'
    b'"amount_str":"0.00000001","amount_traded":"0.00038666","amount_at_create":"0.00038667",'
    b'"price":25862,"price_str":"25862","trade_account_id":3141592,'
    b'"client_order_id":"test_market_buy"},"channel":"private-my_orders_btcusd-314159",'
    b'"event":"order_changed"}'
)
MARKET_ORDER = (
    b'{"data":{"id":2050545009631360,"id_str":"2050545009631360","order_type":1,'
    b'"microtimestamp":"1789456315879000","amount_str":"32","amount_at_create":"32",'
    b'"price_str":"0.68810"},"channel":"live_orders_asterusd-perp","event":"order_deleted"}'
)
SUBSCRIBED = b'{"event":"bts:subscription_succeeded","channel":"live_trades_ethusd","data":{}}'
HEARTBEAT = b'{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}'
RECONNECT = b'{"event":"bts:request_reconnect","channel":"","data":null}'
REFUSED = (
    b'{"event":"bts:error","channel":"","data":{"code":null,"message":"Bad subscription string."}}'
)
UNAUTHENTICATED = (
    b'{"event":"bts:error","channel":"","data":{"code":4009,"message":"Connection is '
    b'unauthorized."}}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "bitstamp": (
        DIFF,
        BOOK,
        DETAIL,
        TRADE,
        TRADE_OF_TODAY,
        FUNDING,
        ORDER,
        MARKET_ORDER,
        SUBSCRIBED,
        HEARTBEAT,
        RECONNECT,
        REFUSED,
        UNAUTHENTICATED,
    )
}
SYMBOLS: Mapping[str, str] = {"bitstamp": "btcusd"}
