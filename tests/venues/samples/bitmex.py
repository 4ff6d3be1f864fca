"""What BitMEX sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SYMBOL = "XBTUSD"
WELCOME = (
    b'{"info":"Welcome to the BitMEX Realtime API.","version":"2021-07-14T01:26:29.000Z",'
    b'"timestamp":"2021-07-22T22:36:07.865Z","docs":"https://www.bitmex.com/app/wsAPI",'
    b'"limit":{"remaining":39}}'
)
ACKNOWLEDGED = (
    b'{"success":true,"subscribe":"trade:XBTUSD","request":{"op":"subscribe","args":'
    b'["trade:XBTUSD"]}}'
)
REFUSED = (
    b'{"status":400,"error":"Unknown or expired symbol: NONE","meta":{},"request":{"op":'
    b'"subscribe","args":["trade:NONE"]}}'
)
LOGGED_IN = b'{"success":true,"request":{"op":"authKeyExpires","args":["k",1,"s"]}}'
LOGIN_REFUSED = (
    b'{"status":401,"error":"Invalid API Key.","meta":{},"request":{"op":"authKeyExpires",'
    b'"args":["k",1,"s"]}}'
)
BOOK = (
    b'{"table":"orderBookL2","action":"partial","keys":["symbol","id","side"],"types":{"symbol":'
    b'"symbol","id":"long","side":"symbol","size":"long","price":"float"},"filter":{"symbol":'
    b'"XBTUSD"},"data":[{"symbol":"XBTUSD","id":8700000000,"side":"Sell","size":600000,"price":'
    b'1000000},{"symbol":"XBTUSD","id":8796820000,"side":"Buy","size":100,"price":31800.5}]}'
)
INSERT = (
    b'{"table":"orderBookL2","action":"insert","data":[{"symbol":"XBTUSD","id":62400580205,'
    b'"side":"Sell","size":33000,"price":98459.9,"timestamp":"2024-11-24T08:26:22.356Z",'
    b'"transactTime":"2024-11-24T08:26:22.275Z"}]}'
)
UPDATE = (
    b'{"table":"orderBookL2","action":"update","data":[{"symbol":"XBTUSD","id":8796820000,'
    b'"side":"Buy","size":2104},{"symbol":"XBTUSD","id":8700000000,"side":"Sell","size":7}]}'
)
DELETE = (
    b'{"table":"orderBookL2","action":"delete","data":[{"symbol":"XBTUSD","id":8796820000,'
    b'"side":"Buy"}]}'
)
TRADE = (
    b'{"table":"trade","action":"insert","data":[{"timestamp":"2024-11-24T08:15:38.704Z","symbol":'
    b'"XBTUSD","side":"Sell","size":100,"price":98570.9,"tickDirection":"ZeroPlusTick",'
    b'"trdMatchID":"00000000-006d-1000-0000-000e8737d536","homeNotional":0.0010145}]}'
)
QUOTE = (
    b'{"table":"quote","action":"insert","data":[{"timestamp":"2024-11-22T22:44:25.085Z","symbol":'
    b'"XBTUSD","bidSize":103000,"bidPrice":98487.5,"askPrice":98488,"askSize":50000}]}'
)
LIQUIDATION = (
    b'{"table":"liquidation","action":"insert","data":[{"orderID":"550e8400","symbol":"XBTUSD",'
    b'"side":"Sell","price":95000.0,"leavesQty":1000}]}'
)
LIQUIDATION_UPDATE = (
    b'{"table":"liquidation","action":"update","data":[{"orderID":"550e8400","symbol":"XBTUSD",'
    b'"leavesQty":400}]}'
)
TICKER = (
    b'{"table":"instrument","action":"update","data":[{"symbol":"XBTUSD","openValue":538432500000,'
    b'"markPrice":1.2669,"timestamp":"2026-05-27T12:56:40.500Z"}]}'
)
ORDER = (
    b'{"table":"order","action":"update","data":[{"orderID":"o-1","clOrdID":"c-1","account":1,'
    b'"symbol":"XBTUSD","ordStatus":"Filled","cumQty":100,"leavesQty":0,"timestamp":'
    b'"2024-11-25T10:30:00.123Z"}]}'
)
POSITION = (
    b'{"table":"position","action":"update","data":[{"account":1,"symbol":"XBTUSD","currency":'
    b'"XBt","currentQty":-300,"avgEntryPrice":98039.5,"timestamp":"2024-11-25T10:35:00.789Z"}]}'
)
MARGIN = (
    b'{"table":"margin","action":"update","data":[{"account":1,"currency":"XBt","walletBalance":'
    b'100005180,"availableMargin":99994411,"timestamp":"2024-11-25T10:35:00.789Z"}]}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "bitmex": (
        WELCOME,
        ACKNOWLEDGED,
        REFUSED,
        LOGGED_IN,
        LOGIN_REFUSED,
        BOOK,
        INSERT,
        UPDATE,
        DELETE,
        TRADE,
        QUOTE,
        LIQUIDATION,
        LIQUIDATION_UPDATE,
        TICKER,
        ORDER,
        POSITION,
        MARGIN,
    )
}
SYMBOLS: Mapping[str, str] = {"bitmex": SYMBOL}
