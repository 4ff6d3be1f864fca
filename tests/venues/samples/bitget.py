"""What Bitget sends: v3 and v2 (`bitget`), and v1 (`bitget-v1`), whose rows are of a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BOOK_SNAPSHOT = (
    b'{"data":[{"a":[["99756.7","23.9774"]],"b":[["99756.6","0.0128"],["99756.5","2"]],'
    b'"checksum":0,"pseq":0,"seq":1304314508780744705,"ts":"1746698732562"}],'
    b'"arg":{"instType":"usdt-futures","symbol":"BTCUSDT","topic":"books"},"action":"snapshot",'
    b'"ts":1746698732563}'
)
BOOK_UPDATE = (
    b'{"action":"update","arg":{"instType":"usdt-futures","topic":"books","symbol":"BTCUSDT"},'
    b'"data":[{"a":[["99756.7","0"]],"b":[],"checksum":0,"pseq":1304314508780744705,'
    b'"seq":"1304314508780744709","ts":"1746698732762"}],"ts":1746698732763}'
)
BOOKS5 = (
    b'{"action":"snapshot","arg":{"instType":"spot","topic":"books5","symbol":"BTCUSDT"},'
    b'"data":[{"a":[["99756.7","23.9774"]],"b":[["99756.6","0.0128"]],"checksum":0,"pseq":0,'
    b'"seq":1304314508780744705,"ts":"1746698732562"}],"ts":1746698732563}'
)
QUOTE = (
    b'{"action":"snapshot","arg":{"instType":"spot","topic":"books1","symbol":"BTCUSDT"},'
    b'"data":[{"a":[["99756.7","23.9774"]],"b":[["99756.6","0.0128"]],"checksum":0,"pseq":0,'
    b'"seq":1304314508780744705,"ts":"1746698732562"}],"ts":1746698732563}'
)
HISTORIC_TRADES = (
    b'{"data":[{"p":"100000","S":"buy","T":"1736348770627","v":"0.00118",'
    b'"i":"1260903622036942849"}],"arg":{"instType":"spot","symbol":"BTCUSDT",'
    b'"topic":"publicTrade"},"action":"snapshot","ts":1736371104297}'
)
TRADES = (
    b'{"action":"update","arg":{"instType":"usdt-futures","topic":"publicTrade",'
    b'"symbol":"BTCUSDT"},"data":[{"i":"1344534089797185549","L":"1344534089797185550",'
    b'"p":"110878.5","v":"0.07","S":"sell","T":"1756287827920"}],"ts":1756287827921}'
)
LIQUIDATIONS = (
    b'{"data":[{"symbol":"BTCUSDT","side":"buy","price":"89000","amount":"37.722858",'
    b'"ts":"1736371332162"},{"symbol":"ETHUSDT","side":"sell","price":"3000.5","amount":"2",'
    b'"ts":"1736371332163"}],"arg":{"instType":"usdt-futures","topic":"liquidation"},'
    b'"action":"update","ts":1736371332162}'
)
TICKER = (
    b'{"data":[{"highPrice24h":"102000","lastPrice":"100100","indexPrice":"100080",'
    b'"markPrice":"100090","fundingRate":"0.0001","openInterest":"12345","bid1Price":"100099"}],'
    b'"arg":{"instType":"usdt-futures","symbol":"BTCUSDT","topic":"ticker"},"action":"snapshot",'
    b'"ts":1736371332162}'
)
CANDLES = (
    b'{"data":[{"start":"1736371320000","open":"1","close":"1","high":"1","low":"1"}],'
    b'"arg":{"instType":"spot","symbol":"BTCUSDT","topic":"kline","interval":"1m"},'
    b'"action":"snapshot","ts":1736371332162}'
)
ORDER = (
    b'{"arg":{"instType":"UTA","topic":"order"},"action":"snapshot","ts":1784462400000,"data":[{'
    b'"category":"usdt-futures","symbol":"BTCUSDT","orderId":"456","clientOid":"a1",'
    b'"price":"62500.10","qty":"0.010","side":"sell","cumExecQty":"0.004",'
    b'"orderStatus":"partially_filled","updatedTime":"1784462400001"}]}'
)
POSITION = (
    b'{"data":[{"symbol":"BTCUSDT","posSide":"long","size":"0.020","avgPrice":"61000.5",'
    b'"updatedTime":"1736378720620"},{"symbol":"ETHUSDT","posSide":"short","size":"0",'
    b'"avgPrice":"0","updatedTime":"1736378720621"}],"arg":{"instType":"UTA",'
    b'"topic":"position"},"action":"snapshot","ts":1730711666652}'
)
ACCOUNT = (
    b'{"arg":{"instType":"UTA","topic":"account"},"action":"update","ts":1720000000002,"data":[{'
    b'"coin":[{"coin":"USDT","balance":"9","available":"8","locked":"1","equity":"9.5"}]}]}'
)
V2_BOOK = (
    b'{"action":"snapshot","arg":{"instType":"SPOT","channel":"books15","instId":"GEMSUSDT"},'
    b'"data":[{"asks":[["0.22816","155.25"]],"bids":[["0.22785","73.41"]],"checksum":0,'
    b'"seq":123,"ts":"1730963759993"}],"ts":1730963759997}'
)
V2_QUOTE = (
    b'{"action":"snapshot","arg":{"instType":"SPOT","channel":"books1","instId":"METISUSDT"},'
    b'"data":[{"asks":[["44.90","0.6927"]],"bids":[["44.82","3.5344"]],"checksum":0,'
    b'"ts":"1730332859988"}],"ts":1730332859989}'
)
V2_TRADE = (
    b'{"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"OPUSDT"},"data":[{'
    b'"ts":"1730332800983","price":"1.717","size":"56.16","side":"buy",'
    b'"tradeId":"1235670816495050754"}],"ts":1730332800989}'
)
V2_TICKER = (
    b'{"action":"snapshot","arg":{"instType":"COIN-FUTURES","channel":"ticker",'
    b'"instId":"BTCUSD"},"data":[{"instId":"BTCUSD","lastPr":"72331.5","fundingRate":"0.000116",'
    b'"markPrice":"72330.1","indexPrice":"72340.2","holdingAmount":"1234.5",'
    b'"ts":"1730332823217"}],"ts":1730332823220}'
)
ACKNOWLEDGED = (
    b'{"event":"subscribe","arg":{"instType":"usdt-futures","topic":"books",'
    b'"symbol":"BTCUSDT"},"connId":"c1"}'
)
REJECTED = (
    b'{"event":"error","code":30001,"msg":"instType:sp,channel:candleundefined,instId:BTCUSDT '
    b"doesn't exist\"}"
)
LOGGED_IN = b'{"event":"login","code":0}'
LOGIN_REFUSED = b'{"event":"error","code":30015,"msg":"Invalid sign"}'

V1_BOOK_SNAPSHOT = (
    b'{"action":"snapshot","arg":{"instType":"sp","channel":"books","instId":"CULTUSDT"},"data":[{'
    b'"asks":[["0.00003530","145214"],["0.00003545","20609328"]],"bids":[["0.00003471","200000"]],'
    b'"checksum":-1367582038,"ts":"1649290077450"}]}'
)
V1_BOOK_UPDATE = (
    b'{"action":"update","arg":{"instType":"mc","channel":"books","instId":"BTCUSDT"},"data":[{'
    b'"asks":[["44000.5","0"]],"bids":[],"checksum":5,"ts":"1649290077550"}]}'
)
V1_HISTORIC_TRADES = (
    b'{"action":"snapshot","arg":{"instType":"sp","channel":"trade","instId":"CULTUSDT"},"data":[['
    b'"1649290076333","0.00003507","271967","sell"],["1649290070329","0.00003511","196500",'
    b'"buy"]]}'
)
V1_TRADE = (
    b'{"action":"update","arg":{"instType":"sp","channel":"trade","instId":"HOTUSDT"},"data":[['
    b'"1649290077777","0.005613","890.8","buy"]]}'
)
V1_TICKER = (
    b'{"action":"snapshot","arg":{"instType":"sp","channel":"ticker","instId":"CULTUSDT"},"data":[{'
    b'"instId":"CULTUSDT","last":"0.00003511","bestBid":"0.000036","ts":1649290076193,'
    b'"labeId":0}]}'
)
V1_MIX_TICKER = (
    b'{"action":"snapshot","arg":{"instType":"mc","channel":"ticker","instId":"BTCUSDT"},"data":[{'
    b'"instId":"BTCUSDT","last":"44962.00","capitalRate":"-0.00011","systemTime":1649290076193,'
    b'"markPrice":"44936.2","indexPrice":"44959.2","holding":"1245.6"}]}'
)
V1_CANDLE = (
    b'{"action":"update","arg":{"instType":"sp","channel":"candle1m","instId":"HOTUSDT"},"data":[['
    b'"1649290020000","0.00562","0.005623","0.005613","0.005613","8587.44"]]}'
)
V1_ACKNOWLEDGED = (
    b'{"event":"subscribe","arg":{"instType":"sp","channel":"books","instId":"CULTUSDT"}}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "bitget": (
        BOOK_SNAPSHOT,
        BOOK_UPDATE,
        BOOKS5,
        QUOTE,
        HISTORIC_TRADES,
        TRADES,
        LIQUIDATIONS,
        TICKER,
        CANDLES,
        ORDER,
        POSITION,
        ACCOUNT,
        V2_BOOK,
        V2_QUOTE,
        V2_TRADE,
        V2_TICKER,
        ACKNOWLEDGED,
        REJECTED,
        LOGGED_IN,
        LOGIN_REFUSED,
    ),
    "bitget-v1": (
        V1_BOOK_SNAPSHOT,
        V1_BOOK_UPDATE,
        V1_HISTORIC_TRADES,
        V1_TRADE,
        V1_TICKER,
        V1_MIX_TICKER,
        V1_CANDLE,
        V1_ACKNOWLEDGED,
        REJECTED,
    ),
}
SYMBOLS: Mapping[str, str] = {"bitget": "usdt-futures:BTCUSDT", "bitget-v1": "BTCUSDT"}
