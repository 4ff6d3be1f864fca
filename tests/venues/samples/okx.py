"""What OKX and OKCoin send; the rows are of recordings and of single messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BOOK_SNAPSHOT = (
    b'{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":['
    b'["8476.98","415","0","13"],["8477","7","0","2"]],"bids":[["8476.97","256","0","12"]],'
    b'"ts":"1597026383085","checksum":-855196043,"prevSeqId":-1,"seqId":123456}]}'
)
BOOK_UPDATE = (
    b'{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":['
    b'["8477","0","0","0"]],"bids":[["8475.55","101","0","1"]],"ts":"1597026383185",'
    b'"checksum":0,"prevSeqId":123456,"seqId":123457}]}'
)
OLD_BOOK_UPDATE = (
    b'{"arg":{"channel":"books","instId":"BTC-USD-220527"},"action":"update","data":[{"asks":['
    b'["30249.4","0","0","0"],["30261","4","0","1"],["30310.3","19","0","1"]],"bids":['
    b'["30182.6","452","0","1"]],"ts":"1652459225464","checksum":-914047754}]}'
)
BOOKS5 = (
    b'{"arg":{"channel":"books5","instId":"BTC-USDT"},"data":[{"asks":[["8476.98","415","0","13"]],'
    b'"bids":[["8476.97","256","0","12"]],"instId":"BTC-USDT","ts":"1597026383085",'
    b'"seqId":123456}]}'
)
QUOTE = (
    b'{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["8476.98","415","0",'
    b'"13"]],"bids":[["8476.97","256","0","12"]],"ts":"1597026383085","seqId":123456}]}'
)
TRADES = (
    b'{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT",'
    b'"tradeId":"674510826","px":"95634.9","sz":"0.00011186","side":"buy","ts":"1740394561685",'
    b'"count":"1"},{"instId":"BTC-USDT","tradeId":"674510827","px":"95635.3","sz":"0.00011194",'
    b'"side":"sell","ts":"1740394561686","count":"1"}]}'
)
LIQUIDATIONS = (
    b'{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{'
    b'"bkLoss":"0","bkPx":"0.007831","ccy":"","posSide":"short","side":"buy","sz":"13",'
    b'"ts":"1692266434010"},{"bkLoss":"0","bkPx":"0.0077","ccy":"","posSide":"long",'
    b'"side":"sell","sz":"2","ts":"1692266434011"}],"instFamily":"IOST-USDT",'
    b'"instId":"IOST-USDT-SWAP","instType":"SWAP","uly":"IOST-USDT"}]}'
)
TICKER = (
    b'{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT",'
    b'"instId":"BTC-USDT","last":"9999.99","lastSz":"0.1","askPx":"9999.99","askSz":"11",'
    b'"bidPx":"8888.88","bidSz":"5","ts":"1597026383085"}]}'
)
MARK_PRICE = (
    b'{"arg":{"channel":"mark-price","instId":"LTC-USD-190628"},"data":[{"instType":"FUTURES",'
    b'"instId":"LTC-USD-190628","markPx":"0.1","ts":"1597026383085"}]}'
)
FUNDING_RATE = (
    b'{"arg":{"channel":"funding-rate","instId":"BTC-USDT-SWAP"},"data":[{'
    b'"instId":"BTC-USDT-SWAP","fundingRate":"0.0001","nextFundingRate":"0.0002",'
    b'"fundingTime":"1744590349506","nextFundingTime":"1744619149506","ts":"1744590349506"}]}'
)
OPEN_INTEREST = (
    b'{"arg":{"channel":"open-interest","instId":"LTC-USD-SWAP"},"data":[{"instType":"SWAP",'
    b'"instId":"LTC-USD-SWAP","oi":"5000","oiCcy":"555.55","oiUsd":"50000",'
    b'"ts":"1597026383085"}]}'
)
CANDLE = (
    b'{"arg":{"channel":"candle1m","instId":"USDC-USDT"},"data":[["1685221620000","0.9981",'
    b'"0.9981","0.9981","0.9981","0","0","0","0"]]}'
)
INSTRUMENTS = (
    b'{"arg":{"channel":"instruments","instType":"SWAP"},"data":[{"instId":"BTC-USDT-SWAP",'
    b'"instType":"SWAP","ctType":"linear","ctVal":"0.01","ctMult":"1","tickSz":"0.1",'
    b'"lotSz":"1"}]}'
)
ORDERS = (
    b'{"arg":{"channel":"orders","instType":"SPOT","uid":"614488474791936"},"data":[{'
    b'"accFillSz":"0.001","clOrdId":"HamsterParty14","instId":"BTC-USDT","instType":"SPOT",'
    b'"ordId":"452197707845865472","px":"31527.1","side":"sell","state":"filled","sz":"0.001",'
    b'"uTime":"1654084353264"}]}'
)
ALGO_ORDERS = (
    b'{"arg":{"channel":"orders-algo","instType":"SWAP"},"data":[{"algoId":"706620792746729472",'
    b'"algoClOrdId":"STOP001","clOrdId":"","ordId":"","instId":"BTC-USDT-SWAP","state":"live",'
    b'"side":"sell","sz":"0.01","ordPx":"-1","actualSz":"0","uTime":"1737400000000"}]}'
)
SPREAD_ORDERS = (
    b'{"arg":{"channel":"sprd-orders"},"data":[{"sprdId":"BCH-USDT_BCH-USDT-SWAP",'
    b'"ordId":"3386544889978159104","clOrdId":"O1","px":"1.0","sz":"0.01","side":"buy",'
    b'"accFillSz":"0","state":"live","uTime":"1779648155000"}]}'
)
POSITIONS = (
    b'{"arg":{"channel":"positions","instType":"ANY","uid":"77982378738415879"},"data":[{'
    b'"instId":"BTC-USDT-SWAP","posSide":"net","pos":"-3","avgPx":"103698.9",'
    b'"uTime":"1746947317402"},{"instId":"ETH-USDT-SWAP","posSide":"long","pos":"0",'
    b'"avgPx":"","uTime":"1746947317403"}]}'
)
ACCOUNT = (
    b'{"arg":{"channel":"account","uid":"77982378738415879"},"data":[{"uTime":"1751531646836",'
    b'"details":[{"ccy":"USDT","cashBal":"100.5","availBal":"100.25","uTime":"1751526647084"}]}]}'
)
ACKNOWLEDGED = b'{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"}}'
WITHDRAWN = (
    b'{"event":"unsubscribe","arg":{"channel":"books","instId":"BTC-USDT"},"connId":"a4d3ae55"}'
)
REJECTED = (
    b'{"event":"error","code":"60018","msg":"Wrong URL or channel:books,instId:NO-SUCH doesn\'t '
    b'exist. Please use the correct URL, channel and parameters referring to API document.",'
    b'"connId":"a4d3ae55"}'
)
LOGGED_IN = b'{"event":"login","code":"0","msg":"","connId":"a4d3ae55"}'
LOGIN_REFUSED = b'{"event":"error","code":"60009","msg":"Login failed.","connId":"a4d3ae55"}'
WILL_CLOSE = (
    b'{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service '
    b'upgrade. Please reconnect.","connId":"a4d3ae55"}'
)
CONNECTION_COUNT = (
    b'{"event":"channel-conn-count","channel":"orders","connCount":"2","connId":"abcd1234"}'
)
TOO_MANY_CONNECTIONS = (
    b'{"event":"channel-conn-count-error","channel":"orders","connCount":"20","connId":"a4d3ae55"}'
)

_SPOT = (
    BOOK_SNAPSHOT,
    BOOK_UPDATE,
    OLD_BOOK_UPDATE,
    BOOKS5,
    QUOTE,
    TRADES,
    TICKER,
    CANDLE,
    INSTRUMENTS,
    ORDERS,
    POSITIONS,
    ACCOUNT,
    ACKNOWLEDGED,
    WITHDRAWN,
    REJECTED,
    LOGGED_IN,
    LOGIN_REFUSED,
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "okx": (
        *_SPOT,
        LIQUIDATIONS,
        MARK_PRICE,
        FUNDING_RATE,
        OPEN_INTEREST,
        ALGO_ORDERS,
        SPREAD_ORDERS,
        WILL_CLOSE,
        CONNECTION_COUNT,
        TOO_MANY_CONNECTIONS,
    ),
    "okcoin": _SPOT,
}
SYMBOLS: Mapping[str, str] = {"okx": "BTC-USDT-SWAP", "okcoin": "BTC-USD"}
