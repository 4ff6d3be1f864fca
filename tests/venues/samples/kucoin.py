"""What KuCoin sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BOOK = (
    b'{"type":"message","topic":"/market/level2:BTC-USDT","subject":"trade.l2update","data":{'
    b'"changes":{"asks":[["18906","0.00331","14103845"],["18907.3","0.58751503","14103844"]],'
    b'"bids":[["18891.9","0.15688","14103847"]]},"sequenceEnd":14103847,"sequenceStart":14103844,'
    b'"symbol":"BTC-USDT","time":1663747970273}}'
)
BOOK_OF_2021 = (
    b'{"data":{"sequenceStart":1613277183874,"symbol":"BCHSV-USDT","changes":{"asks":[["0","0",'
    b'"1613277183874"]],"bids":[]},"sequenceEnd":1613277183874},"subject":"trade.l2update",'
    b'"topic":"/market/level2:BCHSV-USDT","type":"message"}'
)
TRADE = (
    b'{"type":"message","topic":"/market/match:BTC-USDT","subject":"trade.l3match","data":{'
    b'"sequence":"1545896669145","type":"match","symbol":"BTC-USDT","side":"buy",'
    b'"price":"0.08200000000000000000","size":"0.01022222000000000000",'
    b'"tradeId":"5c24c5da03aa673885cd67aa","takerOrderId":"5c24c5d903aa6772d55b371e",'
    b'"makerOrderId":"5c2187d003aa677bd09d5c93","time":"1545913818099033203"}}'
)
QUOTE = (
    b'{"type":"message","topic":"/market/ticker:BTC-USDT","subject":"trade.ticker","data":{'
    b'"bestAsk":"67218.7","bestAskSize":"1.92","bestBid":"67218.6","bestBidSize":"0.01",'
    b'"price":"67218.6","sequence":"14103847","size":"0.0018","time":1729757723612}}'
)
QUOTE_OF_ALL = (
    b'{"type":"message","topic":"/market/ticker:all","subject":"FTM-ETH","data":{"bestAsk":'
    b'"0.0002901","bestAskSize":"3514.4978","bestBid":"0.0002894","bestBidSize":"65.536","price":'
    b'"0.0002894","sequence":"186911324","size":"150","time":1677320967673}}'
)
SNAPSHOT = (
    b'{"type":"message","topic":"/market/snapshot:BTC-USDT","subject":"trade.snapshot","data":{'
    b'"sequence":"9860735911","data":{"datetime":1700555342151,"lastTradedPrice":37366.80,'
    b'"symbol":"BTC-USDT"}}}'
)
INDEX = (
    b'{"id":"","type":"message","topic":"/indicator/index:USDT-BTC","subject":"tick","data":{'
    b'"symbol":"USDT-BTC","granularity":5000,"timestamp":1551770400000,"value":0.00010920}}'
)
MARK = (
    b'{"type":"message","topic":"/indicator/markPrice:USDT-BTC","subject":"tick","data":{'
    b'"symbol":"USDT-BTC","granularity":5000,"timestamp":1551770400000,"value":0.0001093}}'
)
ORDER = (
    b'{"type":"message","topic":"/spotMarket/tradeOrdersV2","subject":"orderChange",'
    b'"channelType":"private","data":{"symbol":"KCS-USDT","orderType":"limit","side":"sell",'
    b'"orderId":"5efab07953bdea00089965fa","type":"filled","orderTime":1593487482038606000,'
    b'"size":"0.1","filledSize":"0.1","price":"0.938","clientOid":"1593487481000313",'
    b'"remainSize":"0","status":"done","ts":1593487482038606000}}'
)
BALANCE = (
    b'{"type":"message","topic":"/account/balance","subject":"account.balance","channelType":'
    b'"private","data":{"total":"88","available":"87.5","availableChange":"88","currency":"KCS",'
    b'"hold":"0.5","time":"1545743136994"}}'
)
CANDLE = (
    b'{"type":"message","topic":"/market/candles:BTC-USDT_1hour","subject":"trade.candles.update",'
    b'"data":{"symbol":"BTC-USDT","candles":["1589968800"],"time":1589970010253893400}}'
)
FUTURES_BOOK = (
    b'{"subject":"level2","topic":"/contractMarket/level2:XBTUSDTM","type":"message","data":{'
    b'"sequence":18,"change":"5000.0,sell,83","timestamp":1551770400000}}'
)
FUTURES_TRADE = (
    b'{"type":"message","topic":"/contractMarket/execution:XBTUSDTM","subject":"match","data":{'
    b'"symbol":"XBTUSDTM","sequence":31443494,"side":"buy","size":35,"price":23083.5,"tradeId":'
    b'"63f940400000650065f4996f","ts":1677279296134648800}}'
)
FUTURES_QUOTE = (
    b'{"subject":"tickerV2","topic":"/contractMarket/tickerV2:XBTUSDTM","data":{"symbol":'
    b'"XBTUSDTM","bestBidSize":795,"bestBidPrice":"3200.10","bestAskPrice":3600,"bestAskSize":284,'
    b'"ts":1553846081210005000}}'
)
FUTURES_TICKER = (
    b'{"topic":"/contract/instrument:XBTUSDTM","subject":"mark.index.price","data":{"granularity":'
    b'1000,"indexPrice":4000.23,"markPrice":4010.52,"timestamp":1551770400000}}'
)
FUTURES_POSITION = (
    b'{"type":"message","topic":"/contract/position:XBTUSDTM","subject":"position.change","data":{'
    b'"avgEntryPrice":7508.22,"currentQty":-20,"currentTimestamp":1558506060394}}'
)
FUTURES_ORDER = (
    b'{"type":"message","topic":"/contractMarket/tradeOrders","subject":"orderChange","data":{'
    b'"orderId":"5cdfc138b21023a909e5ad55","symbol":"XBTUSDTM","type":"match","status":"open",'
    b'"side":"buy","price":"3600","size":"20000","filledSize":"20000","ts":1545914149935808500}}'
)
FUTURES_WALLET = (
    b'{"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change",'
    b'"id":"673b0bb925b4bc0001fadfef","channelType":"private","data":{"crossPosMargin":"0",'
    b'"holdBalance":"0","equity":"81.273621258","version":"1337","availableBalance":'
    b'"26.144281178","walletBalance":"81.072921258","currency":"USDT","timestamp":'
    b'"1731916996764"}}'
)
FUTURES_AVAILABLE = (
    b'{"topic":"/contractAccount/wallet","subject":"availableBalance.change","data":{'
    b'"availableBalance":5923,"holdBalance":2312,"currency":"USDT","timestamp":1553842862614}}'
)
WELCOME = b'{"id":"NSkIrWGB1s","type":"welcome"}'
ACK = b'{"id":"1","type":"ack"}'
PONG = b'{"id":"1","type":"pong"}'
REFUSED = b'{"id":"2","type":"error","code":404,"data":"topic /market/x is not found"}'

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "kucoin": (
        *(BOOK, BOOK_OF_2021, TRADE, QUOTE, QUOTE_OF_ALL, SNAPSHOT, INDEX, MARK, ORDER, BALANCE),
        *(FUTURES_BOOK, FUTURES_TRADE, FUTURES_QUOTE, FUTURES_TICKER, FUTURES_POSITION),
        *(FUTURES_ORDER, FUTURES_WALLET, FUTURES_AVAILABLE),
        *(CANDLE, WELCOME, ACK, PONG, REFUSED),
    )
}
SYMBOLS: Mapping[str, str] = {"kucoin": "BTC-USDT"}
