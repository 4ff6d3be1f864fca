"""What each exchange answers over HTTP about books and instruments, as its own test reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from venues.venue import Purpose

_BOOK, _INSTRUMENTS = Purpose.SNAPSHOT, Purpose.INSTRUMENTS

HTTP_BODIES: Mapping[str, Sequence[tuple[Purpose, str, bytes]]] = {
    "binance-coinm": (
        (
            _BOOK,
            "BTCUSDT",
            b'{"lastUpdateId":42,"E":1700000000123,"T":1700000000123,"symbol":"BTCUSDT","pair":"'
            b'BTCUSDT","bids":[["100.50","2"],["100.40","1"]],"asks":[["100.60","0.500"]]}',
        ),
        (
            _INSTRUMENTS,
            "",
            b'{"symbols":[{"symbol":"BTCUSD_PERP","contractSize":100,"filters":[{"filterType":"P'
            b'RICE_FILTER","tickSize":"0.1"},{"filterType":"LOT_SIZE","stepSize":"1"}]}]}',
        ),
    ),
    "binance-spot": (
        (
            _BOOK,
            "BTCUSDT",
            b'{"lastUpdateId":42,"bids":[["100.50","2"],["100.40","1"]],"asks":[["100.60","0.500'
            b'"]]}',
        ),
        (
            _INSTRUMENTS,
            "",
            b'{"timezone":"UTC","serverTime":1,"symbols":[{"symbol":"BTCUSDT","status":"TRADING"'
            b',"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01000000","tickSize":"0.010'
            b'00000"},{"filterType":"LOT_SIZE","stepSize":"0.00001000"},{"filterType":"MAX_NUM_O'
            b'RDERS"}]}]}',
        ),
    ),
    "binance-usdm": (
        (
            _BOOK,
            "BTCUSDT",
            b'{"lastUpdateId":42,"E":1700000000123,"T":1700000000123,"bids":[["100.50","2"],["10'
            b'0.40","1"]],"asks":[["100.60","0.500"]]}',
        ),
        (
            _INSTRUMENTS,
            "",
            b'{"timezone":"UTC","serverTime":1,"symbols":[{"symbol":"BTCUSDT","status":"TRADING"'
            b',"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01000000","tickSize":"0.010'
            b'00000"},{"filterType":"LOT_SIZE","stepSize":"0.00001000"},{"filterType":"MAX_NUM_O'
            b'RDERS"}]}]}',
        ),
    ),
    "bitget": (
        (_BOOK, "X", b'{"code":"00000","data":{}}'),
        (
            _INSTRUMENTS,
            "usdt-futures:BTCUSDT",
            b'{"code":"00000","data":[{"symbol":"BTCUSDT","category":"USDT-FUTURES","pricePrecis'
            b'ion":"1","quantityPrecision":"4","priceMultiplier":"0.5","quantityMultiplier":"0.0'
            b'001"}]}',
        ),
        (
            _INSTRUMENTS,
            "BTCUSDT",
            b'{"code":"00000","data":[{"symbol":"BTCUSDT","category":"SPOT","pricePrecision":"2"'
            b',"quantityPrecision":"6"}]}',
        ),
    ),
    "bitget-v1": (
        (_BOOK, "X", b'{"code":"00000","data":{}}'),
        (
            _INSTRUMENTS,
            "BTCUSDT",
            b'{"code":"00000","data":{"symbol":"BTCUSDT_SPBL","symbolName":"BTCUSDT","priceScale'
            b'":"2","quantityScale":"4"}}',
        ),
    ),
    "bitmex": (
        (
            _INSTRUMENTS,
            "XBTUSD",
            b'[{"symbol":"XBTUSD","lotSize":100,"tickSize":0.1,"multiplier":-100000000,"isInvers'
            b'e":true,"underlyingToSettleMultiplier":-100000000}]',
        ),
    ),
    "bitstamp": (
        (
            _BOOK,
            "sgbeur",
            b'{"timestamp": "1641343695", "microtimestamp": "1641343695572693", "bids": [["0.146'
            b'95", "4567.41344936"]], "asks": []}',
        ),
        (
            _INSTRUMENTS,
            "",
            b'[{"name":"BTC/USD","market_symbol":"btcusd","base_decimals":8,"counter_decimals":0'
            b',"market_type":"SPOT"},{"name":"XRP/EUR","market_symbol":"xrpeur","base_decimals":'
            b'5,"counter_decimals":2}]',
        ),
    ),
    "bybit-inverse": (
        (
            _BOOK,
            "BTCUSDT",
            b'{"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["100.50","2"],["100.40","'
            b'1"]],"a":[["100.60","0.500"]],"ts":1700000000123,"seq":42,"u":42}}',
        ),
        (
            _INSTRUMENTS,
            "",
            b'{"retCode":0,"retMsg":"OK","result":{"category":"x","list":[{"symbol":"BTCUSDT","p'
            b'riceFilter":{"minPrice":"0.10","tickSize":"0.10"},"lotSizeFilter":{"maxOrderQty":"'
            b'1190.000","qtyStep":"0.001"}}],"nextPageCursor":""}}',
        ),
    ),
    "bybit-linear": (
        (
            _BOOK,
            "",
            b'{"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["27450.50","1.500"]],"a":'
            b'[["27451.00","1.200"]],"ts":1709891679000,"u":1234567,"seq":9876543,"cts":17098916'
            b'78990},"time":1709891679050}',
        ),
        (
            _INSTRUMENTS,
            "",
            b'{"retCode":0,"retMsg":"OK","result":{"category":"x","list":[{"symbol":"BTCUSDT","p'
            b'riceFilter":{"minPrice":"0.10","tickSize":"0.10"},"lotSizeFilter":{"maxOrderQty":"'
            b'1190.000","qtyStep":"0.001"}}],"nextPageCursor":""}}',
        ),
    ),
    "bybit-spot": (
        (
            _BOOK,
            "BTCUSDT",
            b'{"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["100.50","2"],["100.40","'
            b'1"]],"a":[["100.60","0.500"]],"ts":1700000000123,"seq":42,"u":42}}',
        ),
        (
            _INSTRUMENTS,
            "",
            b'{"retCode":0,"retMsg":"OK","result":{"category":"x","list":[{"symbol":"BTCUSDT","p'
            b'riceFilter":{"minPrice":"0.10","tickSize":"0.10"},"lotSizeFilter":{"maxOrderQty":"'
            b'1190.000","basePrecision":"0.000001"}}],"nextPageCursor":""}}',
        ),
    ),
    "coinbase": (
        (
            _INSTRUMENTS,
            "BIT",
            b'{"product_id":"BIT-28JUN26-CDE","base_increment":"1","quote_increment":"0.01","pri'
            b'ce_increment":"5","product_type":"FUTURE","future_product_details":{"contract_size'
            b'":"0.01"}}',
        ),
        (
            _INSTRUMENTS,
            "BTC-USD",
            b'{"product_id":"BTC-USD","price":"68900","base_increment":"0.00000001","quote_incre'
            b'ment":"0.01","price_increment":"0.01","product_type":"SPOT"}',
        ),
    ),
    "coinbase-exchange": (
        (
            _INSTRUMENTS,
            "BTC-USD",
            b'{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","quote_increment":"0.'
            b'01","base_increment":"0.00000001","status":"online"}',
        ),
    ),
    "cryptocom": (
        (
            _INSTRUMENTS,
            "",
            b'{"id":1,"method":"public/get-instruments","code":0,"result":{"data":[{"symbol":"BT'
            b'CUSD-PERP","inst_type":"PERPETUAL_SWAP","price_tick_size":"0.1","qty_tick_size":"0'
            b'.0001"}]}}',
        ),
    ),
    "deribit": (
        (
            _BOOK,
            "BTC-PERPETUAL",
            b'{"jsonrpc":"2.0","result":{"instrument_name":"BTC-PERPETUAL","timestamp":170000000'
            b'0123,"change_id":42,"bids":[[100.50,2],[1e-7,1.0]],"asks":[[100.60,0.500]]}}',
        ),
        (
            _INSTRUMENTS,
            "BTC-27MAR26-90000-C",
            b'{"jsonrpc": "2.0", "result": {"instrument_name": "BTC-27MAR26-90000-C", "kind": "o'
            b'ption", "instrument_type": "reversed", "tick_size": 0.5, "min_trade_amount": 10, "'
            b'contract_size": 10}}',
        ),
    ),
    "dydx": (
        (
            _INSTRUMENTS,
            "BTC-USD",
            b'{"markets":{"BTC-USD":{"ticker":"BTC-USD","tickSize":"1","stepSize":"0.0001"}}}',
        ),
    ),
    "gateio": (
        (
            _BOOK,
            "A_USDT",
            b'{"id":123456,"current":1623898993123,"update":1623898993121,"asks":[["1.52","1.151'
            b'"]],"bids":[["1.17","201.863"]]}',
        ),
        (
            _INSTRUMENTS,
            "BTC_USDT",
            b'{"id":"BTC_USDT","base":"BTC","precision":1,"amount_precision":6}',
        ),
    ),
    "gateio-futures": (
        (
            _BOOK,
            "A_USDT",
            b'{"id":123456,"current":1623898993.123,"update":1623898993.121,"asks":[{"p":"1.52",'
            b'"s":1151}],"bids":[{"p":"1.17","s":"201.5"}]}',
        ),
        (
            _INSTRUMENTS,
            "BTC_USDT",
            b'{"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","order_price_round'
            b'":"0.1","order_size_min":1,"enable_decimal":false}',
        ),
        (
            _INSTRUMENTS,
            "ETH_USDT",
            b'{"name":"ETH_USDT","type":"direct","quanto_multiplier":"0.01","order_price_round":'
            b'"0.01","order_size_min":0,"enable_decimal":true}',
        ),
    ),
    "gemini": (
        (
            _INSTRUMENTS,
            "btcusd",
            b'{"symbol":"BTCUSD","base_currency":"BTC","quote_currency":"USD","tick_size":1E-8,"'
            b'quote_increment":0.01,"min_order_size":"0.00001","status":"open"}',
        ),
    ),
    "gemini-v2": (
        (
            _INSTRUMENTS,
            "BTCUSD",
            b'{"symbol":"BTCUSD","base_currency":"BTC","quote_currency":"USD","tick_size":1E-8,"'
            b'quote_increment":0.01,"min_order_size":"0.00001","status":"open"}',
        ),
    ),
    "htx": (
        (_BOOK, "x", b'{"status":"ok","tick":{}}'),
        (
            _INSTRUMENTS,
            "btcusdt",
            b'{"status":"ok","data":[{"symbol":"btcusdt","bc":"btc","qc":"usdt","pp":2,"ap":6}],'
            b'"ts":"1641880897191","full":1}',
        ),
    ),
    "htx-swap": (
        (_BOOK, "x", b'{"status":"ok","tick":{}}'),
        (
            _INSTRUMENTS,
            "BTC-USDT",
            b'{"status":"ok","data":[{"symbol":"BTC","contract_code":"BTC-USDT","contract_size":'
            b'0.0010,"price_tick":0.1}],"ts":1603778748166}',
        ),
        (
            _INSTRUMENTS,
            "BTC-USD",
            b'{"status":"ok","data":[{"symbol":"BTC","contract_code":"BTC-USD","contract_size":1'
            b'00,"price_tick":0.1}],"ts":1603778748166}',
        ),
    ),
    "hyperliquid": (
        (_INSTRUMENTS, "", b'{"universe":[{"szDecimals":5,"name":"BTC","maxLeverage":40}]}'),
    ),
    "kraken": (
        (
            _INSTRUMENTS,
            "",
            b'{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","pair_deci'
            b'mals":1,"lot_decimals":8,"ordermin":"0.00005","tick_size":"0.1","status":"online"}'
            b',"XDGUSD":{"wsname":"XDG/USD","pair_decimals":7,"lot_decimals":0}}}',
        ),
        (
            _INSTRUMENTS,
            "BTC/USD",
            b'{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","pair_deci'
            b'mals":1,"lot_decimals":8,"ordermin":"0.00005","tick_size":"0.1","status":"online"}'
            b"}}",
        ),
    ),
    "kraken-futures": (
        (
            _INSTRUMENTS,
            "",
            b'{"result":"success","instruments":[{"symbol":"PF_XBTUSD","type":"flexible_futures"'
            b',"tickSize":1,"contractSize":1,"contractValueTradePrecision":4},{"symbol":"PF_PENG'
            b'UUSD","type":"flexible_futures","tickSize":1.0E-6,"contractSize":1,"contractValueT'
            b'radePrecision":-1},{"symbol":"PI_XBTUSD","type":"futures_inverse","tickSize":0.5,"'
            b'contractSize":1,"contractValueTradePrecision":0},{"symbol":"rr_xbtusd","type":"spo'
            b't index"}]}',
        ),
    ),
    "kraken-v1": (
        (
            _INSTRUMENTS,
            "",
            b'{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","pair_deci'
            b'mals":1,"lot_decimals":8,"ordermin":"0.00005","tick_size":"0.1","status":"online"}'
            b',"XDGUSD":{"wsname":"XDG/USD","pair_decimals":7,"lot_decimals":0}}}',
        ),
    ),
    "kucoin": (
        (
            _BOOK,
            "BTC-USDT",
            b'{"code":"200000","data":{"time":1729176273859,"sequence":"14610502970","bids":[["6'
            b'6976.4","0.69109872"]],"asks":[["66976.5","0.05408199"]]}}',
        ),
        (
            _INSTRUMENTS,
            "BTC-USDT",
            b'{"code":"200000","data":{"symbol":"BTC-USDT","baseIncrement":"0.00000001","quoteIn'
            b'crement":"0.000001","priceIncrement":"0.1"}}',
        ),
        (
            _INSTRUMENTS,
            "XBTUSDTM",
            b'{"code":"200000","data":{"symbol":"XBTUSDTM","lotSize":1,"tickSize":0.1,"multiplie'
            b'r":0.0010,"isInverse":false}}',
        ),
    ),
    "okx": (
        (
            _INSTRUMENTS,
            "X-Y",
            b'{"code":"0","data":[{"instId":"X-Y","tickSz":"0.1","lotSz":"1","ctType":"linear","'
            b'ctVal":"0.01","ctMult":"1"}]}',
        ),
        (
            _INSTRUMENTS,
            "X-Y",
            b'{"code":"0","data":[{"instId":"X-Y","tickSz":"0.1","lotSz":"1","ctType":"inverse",'
            b'"ctVal":"100","ctMult":"1"}]}',
        ),
    ),
    "reference": (
        (
            _BOOK,
            "BTCUSDT",
            b'{"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["100.50","2"],["100.40","'
            b'1"]],"a":[["100.60","0.500"]],"ts":1700000000123,"seq":42,"u":42}}',
        ),
    ),
    "upbit": (
        (
            _INSTRUMENTS,
            "",
            b'[{"market":"KRW-BTC","quote_currency":"KRW","tick_size":"1000","supported_levels":'
            b'["0","10000"]}]',
        ),
    ),
}
"""By venue: what was asked for, of which symbol, and the body."""
