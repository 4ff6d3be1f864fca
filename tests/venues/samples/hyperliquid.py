"""What Hyperliquid sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BOOK = (
    b'{"channel":"l2Book","data":{"coin":"BTC","time":1703875200000,"levels":[[{"px":"98450.50",'
    b'"sz":"2.5","n":3},{"px":"98449.75","sz":"1.8","n":2}],[{"px":"98451.00","sz":"1.5","n":2}]]}}'
)
BEST = (
    b'{"channel":"bbo","data":{"coin":"BTC","time":1703875200001,"bbo":[{"px":"98450.50",'
    b'"sz":"2.5","n":3},null]}}'
)
TRADES = (
    b'{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"98451.00","sz":"0.5","time":'
    b'1703875200002,"hash":"0x01","tid":118906512037719,"users":["0x02","0x03"]},{"coin":"BTC",'
    b'"side":"A","px":"98450.50","sz":"0.10","time":1703875200003,"hash":"0x01","tid":7,'
    b'"users":["0x02","0x03"]}]}'
)
CONTEXT = (
    b'{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"0.0000125",'
    b'"openInterest":"688.11","prevDayPx":"15.322","oraclePx":"14.32","markPx":"14.3161"}}}'
)
ORDERS = (
    b'{"channel":"orderUpdates","data":[{"order":{"coin":"BTC","side":"A","limitPx":"66653.0",'
    b'"sz":"0.001","oid":55030848197,"timestamp":1703875200000,"origSz":"0.003","cloid":"0x04"},'
    b'"status":"open","statusTimestamp":1703875200004}]}'
)
ACCOUNT = (
    b'{"channel":"clearinghouseState","data":{"user":"0x05","clearinghouseState":{'
    b'"assetPositions":[{"type":"oneWay","position":{"coin":"ETH","szi":"-0.0335","entryPx":'
    b'"2986.3"}},{"type":"oneWay","position":{"coin":"SOL","szi":"0.0","entryPx":null}}],'
    b'"marginSummary":{"accountValue":"13109.482328"},"withdrawable":"13104.514502",'
    b'"time":1703875200005}}}'
)
SUBSCRIBED = (
    b'{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":{"type":'
    b'"l2Book","coin":"BTC"}}}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "hyperliquid": (
        BOOK,
        BEST,
        TRADES,
        CONTEXT,
        ORDERS,
        ACCOUNT,
        SUBSCRIBED,
        b'{"channel":"pong"}',
        b'{"channel":"error","data":"Invalid subscription"}',
        b'{"channel":"allMids","data":{"mids":{"BTC":"80868.5"}}}',
        b'{"channel":"user","data":{"fills":[{"coin":"BTC","px":"66653.0","sz":"0.001","side":"A",'
        b'"time":1781528065899,"crossed":false,"tid":7,"liquidation":{"markPx":"66607.0",'
        b'"method":"market"}}]}}',
    )
}
SYMBOLS: Mapping[str, str] = {"hyperliquid": "BTC"}
