"""What Gemini sends: the API at ws.gemini.com, and Market Data version 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BOOK = (
    b'{"e":"depthUpdate","E":1789456740173524809,"s":"avaxgusdperp","U":1764527605191349,'
    b'"u":1764527605191349,"b":[["7.487000","140.40000"],["0.160000","10000.00000"]],'
    b'"a":[["7.503000","142.60000"]]}'
)
DELTA = (
    b'{"e":"depthUpdate","E":1789456742337187316,"s":"ethgusdperp","U":1764527605192323,'
    b'"u":1764527605192686,"b":[["2482.5500","0.000"]],"a":[["2483.5000","0.000"],'
    b'["2483.4500","1.047"]]}'
)
NEXT_DELTA = (
    b'{"e":"depthUpdate","E":1789456742362015387,"s":"ethgusdperp","U":1764527605192686,'
    b'"u":1764527605192712,"b":[["2482.5500","1.047"]],"a":[]}'
)
TRADE = (
    b'{"E":1789456742187316000,"s":"btcusd","t":2840140956529623,"p":"77303.50","q":"0.25",'
    b'"m":true}'
)
NAMED_TRADE = (
    b'{"e":"trade","E":1700000000000,"s":"BTCUSD","t":123456789,"p":"1000.00","q":"0.25","m":false}'
)
QUOTE = (
    b'{"u":1764527605192164,"E":1789456742187316001,"s":"btcusd","b":"77303.50","B":"0.25",'
    b'"a":"77303.60","A":"1.00","c":"77303.50","C":"0.1"}'
)
MARK_PRICE = (
    b'{"e":"markPrice","E":1789456746446652397,"s":"btcgusdperp","p":"77303.727","i":"7725880.833"}'
)
FUNDING = (
    b'{"e":"fundingAmount","E":1789459200000000000,"s":"btcgusdperp","T":1789459200000000000,'
    b'"i":60,"f":"7.90688","r":"0.01000","p":"77302.223","R":false}'
)
PARTIAL = (
    b'{"lastUpdateId":1764527605192164,"symbol":"trumpgusdperp","bids":[["7.4","1"]],'
    b'"asks":[["7.5","1"]]}'
)
ORDER = (
    b'{"e":"orderUpdate","E":1700000000000000000,"s":"BTCUSD","i":12345,"c":"client-order-1",'
    b'"S":"BUY","o":"LIMIT","X":"PARTIALLY_FILLED","p":"1000.00","q":"0.25","z":"0.20",'
    b'"Z":"0.05","T":1700000000000000001}'
)
CANCELED_ORDER = (
    b'{"e":"orderUpdate","E":1700000000000000000,"s":"btcusd","i":12345,"S":"SELL",'
    b'"X":"CANCELED","q":"0.25","T":1700000000000000001}'
)
BALANCE = (
    b'{"e":"balanceUpdate","E":1700000000000000000,"u":1700000000000000001,'
    b'"B":[{"a":"USD","f":"90.00","c":"100.00"}]}'
)
POSITION = (
    b'{"e":"positionReport","E":1700000000000000000,"u":1700000000000000001,"A":7,"P":[{"t":"ec",'
    b'"s":"GEMI-BTC05M2606011000-UP","a":[{"t":"position","v":"-3"},{"t":"settlement_payout",'
    b'"v":"1","c":"usd"}]}]}'
)
ACCEPTED = b'{"id":1,"status":200}'
PONG = b'{"id":"ping","status":200}'
REFUSED = (
    b'{"id":4,"status":400,"error":{"code":-1013,"msg":"Invalid stream name: '
    b'nosuchperp@depth@100ms"}}'
)
V2_BOOK = (
    b'{"type":"l2_updates","symbol":"ALCXUSD","changes":[["buy","302.75","0.00001"],'
    b'["sell","303.10","8.36372"]],"trades":[{"type":"trade","symbol":"ALCXUSD",'
    b'"event_id":45465785975,"timestamp":1624493651491,"price":"302.53","quantity":"0.992143",'
    b'"side":"buy"},{"type":"trade","symbol":"ALCXUSD","event_id":45465785690,'
    b'"timestamp":1624493651353,"price":"302.32","quantity":"4.140581","side":"sell"}],'
    b'"auction_events":[]}'
)
V2_DELTA = (
    b'{"type":"l2_updates","symbol":"ETHEUR","changes":[["buy","1647.74","1.844"],'
    b'["sell","1657.29","0"]]}'
)
V2_TRADE = (
    b'{"type":"trade","symbol":"ANKRUSD","event_id":45465818387,"timestamp":1624493670759,'
    b'"price":"0.07946","quantity":"1020.482111","side":"buy"}'
)
V2_MARK_PRICE = (
    b'{"changes":[{"mark_price":"77233.302","spot_index":"77188.41867",'
    b'"timestamp":1789456071687541147}],"symbol":"BTCGUSDPERP","type":"mark_price_updates"}'
)
V2_FUNDING = (
    b'{"changes":[{"funding_amount":"9.25568","timestamp":1789456071687573598}],'
    b'"symbol":"BTCGUSDPERP","type":"funding_amount_updates"}'
)
V2_HEARTBEAT = b'{"type":"heartbeat","timestamp":1624493666869}'
V2_REFUSED = b'{"reason":"NoValidTradingPairs","result":"error"}'

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "gemini": (
        BOOK,
        DELTA,
        NEXT_DELTA,
        TRADE,
        NAMED_TRADE,
        QUOTE,
        MARK_PRICE,
        FUNDING,
        PARTIAL,
        ORDER,
        CANCELED_ORDER,
        BALANCE,
        POSITION,
        ACCEPTED,
        PONG,
        REFUSED,
    ),
    "gemini-v2": (
        V2_BOOK,
        V2_DELTA,
        V2_TRADE,
        V2_MARK_PRICE,
        V2_FUNDING,
        V2_HEARTBEAT,
        V2_REFUSED,
    ),
}
SYMBOLS: Mapping[str, str] = {"gemini": "btcusd", "gemini-v2": "BTCUSD"}
