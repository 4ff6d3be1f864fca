"""What Gate.io sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SPOT_BOOK = (
    b'{"time":1619093562,"channel":"spot.order_book_update","event":"update","result":{"t":'
    b'1619093562998,"e":"depthUpdate","E":1619093562,"s":"BTC_USDT","U":1750488,"u":1750490,'
    b'"b":[["121.5","0.148"],["73.5","0"]],"a":[]}}'
)
SPOT_FULL_BOOK = (
    b'{"time":1747054612,"time_ms":1747054612925,"channel":"spot.obu","event":"update","result":{'
    b'"t":1747054612848,"full":true,"s":"ob.BTC_USDT.50","u":73777715168,'
    b'"b":[["104027.1","509392"]],"a":[["104027.2","44617"]]}}'
)
SPOT_SECOND_DELTA = (
    b'{"time":1747054612,"time_ms":1747054612925,"channel":"spot.obu","event":"update","result":{'
    b'"t":1747054612848,"s":"ob.BTC_USDT.50","U":73777715169,"u":73777715212,'
    b'"b":[["104024.7","0"]],"a":[["104029.4","1450"]]}}'
)
SPOT_TRADE = (
    b'{"time":1619093543,"channel":"spot.trades","event":"update","result":{"id":816995772,'
    b'"create_time":1619093543,"create_time_ms":"1619093543708.2642","side":"sell",'
    b'"currency_pair":"BTC_USDT","amount":"0.2010000000","price":"121.5800000000"}}'
)
SPOT_QUOTE = (
    b'{"time":1606293275,"time_ms":1606293275723,"channel":"spot.book_ticker","event":"update",'
    b'"result":{"t":1606293275123,"u":48733182,"s":"BTC_USDT","b":"19177.79","B":"0.0003341504",'
    b'"a":"19179.38","A":"0.09"}}'
)
SPOT_TICKER = (
    b'{"time":1619093535,"channel":"spot.tickers","event":"update","result":{"currency_pair":'
    b'"BTC_USDT","last":"7.915","lowest_ask":"7.927","highest_bid":"7.899"}}'
)
SPOT_ORDERS = (
    b'{"time":1605175506,"time_ms":1605175506123,"channel":"spot.orders","event":"update",'
    b'"result":[{"id":"30784435","user":123456,"text":"t-abc","create_time":"1605175506",'
    b'"create_time_ms":"1605175506123","update_time_ms":"1605175506123","event":"update",'
    b'"currency_pair":"BTC_USDT","type":"limit","account":"spot","side":"sell","amount":"1.50",'
    b'"price":"10001","time_in_force":"gtc","left":"1.2","filled_total":"3000.3"}]}'
)
SPOT_BALANCES = (
    b'{"time":1605248616,"time_ms":1605248616763,"channel":"spot.balances","event":"update",'
    b'"result":[{"timestamp":"1605248616","timestamp_ms":"1605248616763","user":"1000001",'
    b'"currency":"USDT","change":"100","total":"1032951.325075926","available":"1022943.325"}]}'
)
FUTURES_BOOK = (
    b'{"time":1678469222,"time_ms":1678469222982,"channel":"futures.order_book_update","event":'
    b'"update","result":{"t":1678469222617,"s":"BTC_USDT","U":4010424331,"u":4010424361,'
    b'"b":[{"p":"19860.7","s":5984},{"p":"19859.1","s":0}],"a":[{"p":"19900.5","s":"0.8"}]}}'
)
FUTURES_FULL_BOOK = (
    b'{"time":1678470000,"time_ms":1678470000123,"channel":"futures.obu","event":"update","result":'
    b'{"t":1678470000100,"full":true,"s":"ob.BTC_USDT.50","U":1,"u":100,"b":[[19901.20,5000]],'
    b'"a":[["19909","3100"]]}}'
)
FUTURES_TRADES = (
    b'{"channel":"futures.trades","event":"update","time":1541503698,"result":[{"size":-108,"id":'
    b'27753479,"create_time":1545136464,"create_time_ms":1545136464123,"price":"96.4","contract":'
    b'"BTC_USDT"},{"size":"2.5","id":27753480,"create_time":1545136464,"create_time_ms":'
    b'1545136464124,"price":"96.50","contract":"BTC_USDT","is_internal":true}]}'
)
LIQUIDATIONS = (
    b'{"channel":"futures.public_liquidates","event":"update","time":1541505434,"time_ms":'
    b'1541505434123,"result":[{"price":"215.1","size":"-124.5","time":1541486601,"contract":'
    b'"BTC_USDT"},{"price":215.20,"size":7,"time_ms":1541486601123,"contract":"BTC_USDT"}]}'
)
FUTURES_QUOTE = (
    b'{"time":1785548245,"time_ms":1785548245220,"channel":"futures.book_ticker","event":"update",'
    b'"result":{"t":1785548245214,"u":120900607904,"s":"BTC_USDT","b":"62914.2","B":20884,'
    b'"a":"","A":0}}'
)
FUTURES_TICKERS = (
    b'{"time":1541659086,"channel":"futures.tickers","event":"update","error":null,"result":[{'
    b'"contract":"BTC_USDT","last":"118.4","funding_rate":"-0.000114","mark_price":"118.35",'
    b'"index_price":"118.36","total_size":"73648"}]}'
)
FUTURES_ORDERS = (
    b'{"channel":"futures.orders","event":"update","time":1541505434,"result":[{"contract":'
    b'"BTC_USDT","create_time_ms":1628736847325,"finish_as":"cancelled","finish_time_ms":'
    b'1628736848321,"id":4872460,"left":-4,"price":40000.4,"size":-10,"status":"finished",'
    b'"text":"t-1"}]}'
)
POSITIONS = (
    b'{"time":1588212926,"channel":"futures.positions","event":"update","error":null,"result":[{'
    b'"contract":"BTC_USDT","entry_price":40000.36666661111,"mode":"single","size":-3,"time_ms":'
    b'1628736848321},{"contract":"ETH_USDT","entry_price":0,"mode":"single","size":0,"time_ms":'
    b"1628736848321}]}"
)
FUTURES_BALANCES = (
    b'{"channel":"futures.balances","event":"update","time":1541505434,"result":[{"balance":'
    b'9.998739899488,"change":-2.074115e-06,"text":"BTC_USD:3914424","time_ms":1547199246123,'
    b'"type":"fee","user":"211xxx","currency":"usdt"}]}'
)
CANDLES = (
    b'{"time":1619093534,"channel":"spot.candlesticks","event":"update","result":{"t":"1619093520",'
    b'"v":"0","c":"120.92","n":"1m_BTC_USDT"}}'
)
SUBSCRIBED = (
    b'{"time":1619093532,"channel":"spot.trades","event":"subscribe","result":{"status":"success"}}'
)
REFUSED = (
    b'{"time":1785548245,"channel":"futures.trades","event":"subscribe","error":{"code":2,'
    b'"message":"unknown currency pair X_USDT"},"result":{"status":"fail"}}'
)
PONG = b'{"time":1756700469,"channel":"futures.pong","event":"","result":null}'
UPGRADE = (
    b'{"time":1756700469,"channel":"futures.system","event":"update","result":{"type":"upgrade",'
    b'"msg":"The connection will soon be closed."}}'
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "gateio": (
        *(SPOT_BOOK, SPOT_FULL_BOOK, SPOT_SECOND_DELTA, SPOT_TRADE, SPOT_QUOTE, SPOT_TICKER),
        *(SPOT_ORDERS, SPOT_BALANCES, CANDLES, SUBSCRIBED, UPGRADE),
    ),
    "gateio-futures": (
        *(FUTURES_BOOK, FUTURES_FULL_BOOK, FUTURES_TRADES, LIQUIDATIONS, FUTURES_QUOTE),
        *(FUTURES_TICKERS, FUTURES_ORDERS, POSITIONS, FUTURES_BALANCES, REFUSED, PONG, UPGRADE),
    ),
}
SYMBOLS: Mapping[str, str] = {"gateio": "BTC_USDT", "gateio-futures": "BTC_USDT"}
