"""What the reference venue, Bybit and Binance send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def subscribed(event: bytes) -> bytes:
    """Return an event of a Binance spot account as the WebSocket API sends it."""
    return b'{"subscriptionId":0,"event":' + event + b"}"


def wrapped(stream: str, data: bytes) -> bytes:
    """Return a Binance message as `/stream` sends it."""
    return b'{"stream":"' + stream.encode() + b'","data":' + data + b"}"


SPOT_DEPTH = (
    b'{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,'
    b'"b":[["61737.63000000","0.00000000"]],"a":[["61837.64000000","1.54698000"]]}'
)
SPOT_QUOTE = (
    b'{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000",'
    b'"a":"61837.64000000","A":"1.54698000"}'
)
SPOT_TRADE = (
    b'{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000",'
    b'"q":"0.02000000","T":1723161255342,"m":true,"M":true}'
)
USDM_DEPTH = (
    b'{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,'
    b'"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"],["61510.90","0.000"]],'
    b'"a":[]}'
)
USDM_QUOTE = (
    b'{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507",'
    b'"a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256314}'
)
USDM_TRADE = (
    b'{"e":"trade","E":1723161256323,"T":1723161256322,"s":"BTCUSDT","t":5266583935,'
    b'"p":"61800.30","q":"0.006","X":"MARKET","m":false}'
)
AGGREGATE_TRADE = (
    b'{"e":"aggTrade","E":123456789,"a":5933014,"s":"BTCUSDT","p":"0.001","q":"100","f":100,'
    b'"l":105,"T":123456785,"m":true}'
)
DAY_TICKER = (
    b'{"e":"24hrTicker","E":1672515782136,"s":"BTCUSDT","p":"0.0015","P":"250.00","c":"0.0025",'
    b'"Q":"10","b":"0.0024","B":"10","a":"0.0026","A":"100"}'
)
FORCE_ORDER = (
    b'{"e":"forceOrder","E":1568014460894,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC",'
    b'"q":"0.020","p":"9900","ap":"9910.5","X":"FILLED","l":"0.014","z":"0.014",'
    b'"T":1568014460893}}'
)
COIN_FORCE_ORDER = (
    b'{"e":"forceOrder","E":1591154240950,"o":{"s":"ETHUSD_PERP","ps":"ETHUSD","S":"BUY",'
    b'"o":"LIMIT","f":"IOC","q":"7","p":"2425.47","ap":"2425.47","X":"FILLED","l":"7","z":"7",'
    b'"T":1591154240949}}'
)
MARK_PRICE = (
    b'{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15","i":"11784.62",'
    b'"P":"11784.25","r":"0.00038167","T":1562306400000}'
)
EXECUTION_REPORT = (
    b'{"e":"executionReport","E":1709654401001,"s":"BTCUSDT","c":"x-TD67BGP9-1","S":"BUY",'
    b'"o":"LIMIT","f":"GTC","q":"1.00000000","p":"61837.63000000","P":"0.00000000","g":-1,"C":"",'
    b'"x":"TRADE","X":"PARTIALLY_FILLED","r":"NONE","i":12345678,"l":"0.25000000",'
    b'"z":"0.25000000","L":"61837.63000000","n":"0.00025000","N":"BTC","T":1709654401000,'
    b'"t":98765432,"w":false,"m":true,"O":1709654400000,"Z":"15459.40750000"}'
)
CANCELED_REPORT = (
    b'{"e":"executionReport","E":1709654402001,"s":"BTCUSDT","c":"web_cancel_1","S":"SELL",'
    b'"q":"2.00000000","p":"61999.00000000","C":"x-TD67BGP9-2","x":"CANCELED","X":"CANCELED",'
    b'"i":12345679,"z":"0.00000000","T":1709654402000}'
)
ACCOUNT_POSITION = (
    b'{"e":"outboundAccountPosition","E":1564034571105,"u":1564034571073,"B":[{"a":"BTC",'
    b'"f":"10000.000000","l":"0.250000"},{"a":"USDT","f":"0.00000000","l":"0.00000000"}]}'
)
BALANCE_UPDATE = (
    b'{"e":"balanceUpdate","E":1573200697110,"a":"BTC","d":"100.00000000","T":1573200697068}'
)
ORDER_TRADE_UPDATE = (
    b'{"e":"ORDER_TRADE_UPDATE","E":1568879465652,"T":1568879465651,"o":{"s":"BTCUSDT",'
    b'"c":"TEST","S":"SELL","o":"LIMIT","f":"GTC","q":"0.002","p":"7100.50","ap":"7100.50",'
    b'"sp":"0","x":"TRADE","X":"PARTIALLY_FILLED","i":8886774,"l":"0.001","z":"0.001",'
    b'"L":"7100.50","N":"USDT","n":"0.01000000","T":1568879465651,"t":12345678,"ps":"BOTH"}}'
)
ACCOUNT_UPDATE = (
    b'{"e":"ACCOUNT_UPDATE","E":1564745798939,"T":1564745798938,"a":{"m":"ORDER","B":[{"a":"USDT",'
    b'"wb":"122624.12345678","cw":"100.12345678","bc":"50.12345678"}],"P":[{"s":"BTCUSDT",'
    b'"pa":"0","ep":"0.00000","cr":"200","up":"0","mt":"isolated","iw":"0","ps":"BOTH"},'
    b'{"s":"BTCUSDT","pa":"20","ep":"6563.66500","ps":"LONG"},'
    b'{"s":"BTCUSDT","pa":"-10","ep":"6563.86000","ps":"SHORT"},'
    b'{"s":"ETHUSDT","pa":"-0.5","ep":"2500.1","ps":"BOTH"}]}}'
)
TRADE_LITE = (
    b'{"e":"TRADE_LITE","E":1568879465651,"T":1568879465651,"s":"BTCUSDT","q":"0.001",'
    b'"p":"7100.50","m":true,"c":"TEST","S":"SELL","L":"7100.50","l":"0.001","t":12345678,'
    b'"i":8886774}'
)
LISTEN_KEY_EXPIRED = b'{"e":"listenKeyExpired","E":1736996475556,"listenKey":"k"}'
SIGNED_SUBSCRIPTION_TAKEN = b'{"id":1,"status":200,"result":{"subscriptionId":0}}'
SIGNED_SUBSCRIPTION_REFUSED = (
    b'{"id":1,"status":400,"error":{"code":-1022,"msg":"Signature for this request is not valid."}}'
)
BYBIT_SNAPSHOT = (
    b'{"topic":"orderbook.50.BTCUSDT","ts":1787612486096,"type":"snapshot","data":{"s":"BTCUSDT",'
    b'"b":[["78715","1.271882"]],"a":[["78715.1","0.02"]],"u":217107084,"seq":113099229612},'
    b'"cts":1787612486093}'
)
BYBIT_DELTA = (
    b'{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1787612486116,"data":{"s":"BTCUSDT",'
    b'"b":[],"a":[["78716.8","0.027559"],["78748.5","0"]],"u":217107085,"seq":113099229629},'
    b'"cts":1787612486108}'
)
BYBIT_TRADES = (
    b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{'
    b'"T":1672304486865,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick",'
    b'"i":"20f43950-d8dd","BT":false},{"T":1672304486866,"s":"BTCUSDT","S":"Sell","v":"2",'
    b'"p":"16578.00","i":"20f43950-d8de","BT":false}]}'
)
BYBIT_LIQUIDATIONS = (
    b'{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1739502303204,"data":[{'
    b'"T":1739502302929,"s":"BTCUSDT","S":"Buy","v":"20000","p":"0.04499"},{"T":1739502302930,'
    b'"s":"BTCUSDT","S":"Sell","v":"3.5","p":"0.045"}]}'
)
BYBIT_TICKER = (
    b'{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"61875.06",'
    b'"fundingRate":""},"cs":176530004279,"ts":1715748763063}'
)
BYBIT_ORDER = (
    b'{"id":"1","topic":"order","creationTime":1700000007000,"data":[{"category":"linear",'
    b'"symbol":"BTCUSDT","orderId":"o-1","side":"Buy","price":"30000","qty":"0.010",'
    b'"orderStatus":"New","orderLinkId":"client-1","cumExecQty":"0.002"}]}'
)
BYBIT_POSITION = (
    b'{"topic":"position","creationTime":1700000007001,"data":[{"category":"linear",'
    b'"symbol":"ETHUSDT","side":"","size":"0","entryPrice":"0"}]}'
)
BYBIT_WALLET = (
    b'{"topic":"wallet","creationTime":1700000007002,"data":[{"coin":[{"coin":"BTC",'
    b'"walletBalance":"0.5","availableToWithdraw":"0.4"}]}]}'
)
REFERENCE_SNAPSHOT = (
    b'{"topic":"orderbook.50.BTCUSDT","type":"snapshot","data":{"seq":7,'
    b'"bids":[["100.50","2"],["100.40","1.0"]],"asks":[["100.60","0.500"]],"checksum":1732041059}}'
)
REFERENCE_DELTA = (
    b'{"topic":"orderbook.50.BTCUSDT","type":"delta","data":{"seq":8,"bids":[["100.40","0"]],'
    b'"asks":[],"checksum":null}}'
)
REFERENCE_TRADES = (
    b'{"topic":"publicTrade.BTCUSDT","data":[{"T":1700000000000,"p":"100.50","v":"0.10",'
    b'"S":"Buy","i":"t-1"},{"T":1700000000001,"p":"100.40","v":"1","S":"Sell","i":"t-2"}]}'
)
REFERENCE_LIQUIDATION = (
    b'{"topic":"allLiquidation.BTCUSDT","data":{"symbol":"BTCUSDT","side":"Sell",'
    b'"price":"100.40","qty":"3","updatedTime":1700000000002}}'
)
REFERENCE_LIQUIDATIONS = (
    b'{"topic":"allLiquidation.BTCUSDT","data":[{"symbol":"BTCUSDT","side":"Buy",'
    b'"price":"100.40","qty":"0.5","updatedTime":1700000000003}]}'
)

_BYBIT = (
    BYBIT_SNAPSHOT,
    BYBIT_DELTA,
    BYBIT_TRADES,
    BYBIT_LIQUIDATIONS,
    BYBIT_TICKER,
    BYBIT_ORDER,
    BYBIT_POSITION,
    BYBIT_WALLET,
    b'{"success":true,"ret_msg":"subscribe","conn_id":"c","op":"subscribe"}',
    b'{"req_id":"1","op":"pong","args":["1675418560633"],"conn_id":"c"}',
)


def _of(category: str) -> tuple[bytes, ...]:
    """Return Bybit's messages, those of the account of this category."""
    own = b'"category":"' + category.encode()
    return tuple(each.replace(b'"category":"linear', own) for each in _BYBIT)


_FUTURES = (
    wrapped("btcusdt@depth@0ms", USDM_DEPTH),
    wrapped("btcusdt@bookTicker", USDM_QUOTE),
    wrapped("btcusdt@trade", USDM_TRADE),
    wrapped("btcusdt@aggTrade", AGGREGATE_TRADE),
    wrapped("btcusdt@forceOrder", FORCE_ORDER),
    wrapped("btcusdt@markPrice@1s", MARK_PRICE),
    USDM_DEPTH,
    FORCE_ORDER,
    ORDER_TRADE_UPDATE,
    ACCOUNT_UPDATE,
    TRADE_LITE,
    LISTEN_KEY_EXPIRED,
    b'{"result":null,"id":1}',
    b'{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":2}',
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "reference": (
        REFERENCE_SNAPSHOT,
        REFERENCE_DELTA,
        REFERENCE_TRADES,
        REFERENCE_LIQUIDATION,
        REFERENCE_LIQUIDATIONS,
        BYBIT_ORDER,
        BYBIT_POSITION,
        BYBIT_WALLET,
        b'{"success":true,"op":"subscribe","ret_msg":""}',
        b'{"op":"pong"}',
    ),
    "bybit-spot": tuple(each for each in _of("spot") if each != BYBIT_LIQUIDATIONS),
    "bybit-linear": _of("linear"),
    "bybit-inverse": _of("inverse"),
    "binance-spot": (
        wrapped("btcusdt@depth@100ms", SPOT_DEPTH),
        wrapped("btcusdt@bookTicker", SPOT_QUOTE),
        wrapped("btcusdt@trade", SPOT_TRADE),
        SPOT_QUOTE,
        SPOT_TRADE,
        wrapped("btcusdt@ticker", DAY_TICKER),
        subscribed(EXECUTION_REPORT),
        subscribed(CANCELED_REPORT),
        subscribed(ACCOUNT_POSITION),
        subscribed(BALANCE_UPDATE),
        subscribed(b'{"e":"eventStreamTerminated","E":1728973001334}'),
        SIGNED_SUBSCRIPTION_TAKEN,
        SIGNED_SUBSCRIPTION_REFUSED,
        b'{"e":"serverShutdown","E":1778000000000}',
    ),
    "binance-usdm": _FUTURES,
    "binance-coinm": (*_FUTURES, COIN_FORCE_ORDER),
}

SYMBOLS: Mapping[str, str] = {
    name: "BTCUSD_PERP" if name == "binance-coinm" else "BTCUSDT" for name in SAMPLES
}
