"""What Upbit sends, in binary frames, in the short spelling and in the long one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BOOK = (
    b'{"ty":"orderbook","cd":"KRW-BTC","tms":1790134773006,"tas":0.48514983,"tbs":2.2403413,'
    b'"obu":[{"ap":116606000,"bp":116534000,"as":0.06288509,"bs":7.9276E-4},'
    b'{"ap":116609000,"bp":0,"as":5.0E-4,"bs":0}],"st":"SNAPSHOT","lv":0}'
)
LONG_BOOK = (
    b'{"type":"orderbook","code":"KRW-BTC","timestamp":1790134742106,"total_ask_size":2.51469375,'
    b'"total_bid_size":1.63815297,"orderbook_units":[{"ask_price":1.16539E8,'
    b'"bid_price":1.16538E8,"ask_size":0.02054761,"bid_size":0.08120946},{"ask_price":1.16542E8,'
    b'"bid_price":1.16537E8,"ask_size":0.00077720,"bid_size":0.01129382}],'
    b'"stream_type":"SNAPSHOT","level":0}'
)
TRADE = (
    b'{"ty":"trade","cd":"KRW-BTC","tms":1790134743100,"td":"2026-09-23","ttm":"03:39:03",'
    b'"ttms":1790134743066,"tp":116538000,"tv":0.0012,"ab":"ASK","pcp":116000000,"c":"RISE",'
    b'"cp":538000,"sid":17901347430660000,"st":"REALTIME"}'
)
LONG_TRADE = (
    b'{"type":"trade","code":"KRW-DOGE","timestamp":1614729599905,"trade_date":"2021-03-02",'
    b'"trade_time":"23:59:59","trade_timestamp":1614729599000,"trade_price":58.4,'
    b'"trade_volume":836.12040133,"ask_bid":"BID","sequential_id":1614729599000000,'
    b'"stream_type":"SNAPSHOT"}'
)
TICKER = b'{"ty":"ticker","cd":"KRW-BTC","op":116000000,"tp":116538000,"tms":1790134743100}'
ORDER = (
    b'{"ty":"myOrder","cd":"KRW-BTC","uid":"ac2dc2a3","ab":"BID","ot":"limit","s":"trade",'
    b'"tuid":"68315169","p":116538000,"ap":116538000,"v":0.1,"rv":0.4,"ev":0.10,"tc":1,'
    b'"tif":null,"ttms":1710751597500,"otms":1710751590000,"tms":1710751597500,"id":"mine-1",'
    b'"st":"REALTIME"}'
)
LONG_ORDER = (
    b'{"type":"myOrder","code":"KRW-BTC","uuid":"ac2dc2a4","ask_bid":"ASK","order_type":"limit",'
    b'"state":"wait","price":120000000,"volume":0.001,"remaining_volume":0.001,'
    b'"executed_volume":0,"identifier":null,"order_timestamp":1750000000000,'
    b'"timestamp":1750000000001,"stream_type":"REALTIME"}'
)
ASSET = (
    b'{"ty":"myAsset","astuid":"e635f223","ast":[{"cu":"KRW","b":1386929.37,"l":10329.67}],'
    b'"asttms":1710146517259,"tms":1710146517267,"st":"REALTIME"}'
)
CANDLE = b'{"ty":"candle.1s","cd":"KRW-BTC","tms":1790134743100,"st":"REALTIME"}'
UP = b'{"status":"UP"}'
REFUSED = '{"error":{"name":"WRONG_FORMAT","message":"Format 이 맞지 않습니다."}}'.encode()
UNAUTHENTICATED = b'{"error":{"name":"INVALID_AUTH","message":"no"}}'

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "upbit": (
        BOOK,
        LONG_BOOK,
        TRADE,
        LONG_TRADE,
        TICKER,
        ORDER,
        LONG_ORDER,
        ASSET,
        CANDLE,
        UP,
        REFUSED,
        UNAUTHENTICATED,
    )
}
SYMBOLS: Mapping[str, str] = {"upbit": "KRW-BTC"}
