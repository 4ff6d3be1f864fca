"""What HTX sends, unpacked: on the wire it is gzip, but for one's own spot account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CHAIN = (
    b'{"ch":"market.btcusdt.mbp.150","ts":1790134136934,"tick":{"seqNum":204675265972,'
    b'"prevSeqNum":204675265969,"bids":[[1.3640078E7,3.6E-4],[13638902,0.0]],"asks":[]}}'
)
ONE_SIDED = (
    b'{"ch":"market.btcusdt.mbp.20","ts":1639744309814,"tick":{"seqNum":144516551156,'
    b'"prevSeqNum":144516551150,"bids":[[47231.83,0.957689]]}}'
)
REQUESTED = (
    b'{"id":"book-1","status":"ok","ts":1790134138994,"rep":"market.btcusdt.mbp.150","data":{'
    b'"seqNum":204675265969,"bids":[[14.46,13.39],[14.420,17]],"asks":[[14.64,2.53]]}}'
)
SPOT_STEP = (
    b'{"ch":"market.btcusdt.depth.step0","ts":1630983549503,"tick":{"bids":[[52690.69,0.36281]],'
    b'"asks":[[52690.7,0.372591]],"version":136998124622,"ts":1630983549500}}'
)
SPOT_TRADES = (
    b'{"ch":"market.btcusdt.trade.detail","ts":1630994963175,"tick":{"id":137005445109,"ts":'
    b'1630994963173,"data":[{"id":137005445109359290000000000,"ts":1630994963173,"tradeId":'
    b'102523573486,"amount":0.006754,"price":52648.62,"direction":"buy"}]}}'
)
SPOT_QUOTE = (
    b'{"ch":"market.btcusdt.bbo","ts":1639669832793,"tick":{"seqId":144446084385,"ask":48660.95,'
    b'"askSize":0.001298,"bid":48660.94,"bidSize":0.228303,"quoteTime":1639669832791,'
    b'"symbol":"btcusdt"}}'
)
SPOT_DETAIL = (
    b'{"ch":"market.btcusdt.detail","ts":1630998026649,"tick":{"id":273956868110,"low":51000,'
    b'"open":51823.62,"close":52379.990,"version":273956868110,"count":471348}}'
)
SPOT_ORDER = (
    b'{"action":"push","ch":"orders#*","data":{"orderSize":"2.0","orderCreateTime":1583853365586,'
    b'"orderPrice":"77.0","type":"sell-limit","orderId":27163533,"clientOrderId":"test3",'
    b'"orderStatus":"submitted","symbol":"btcusdt","eventType":"creation"}}'
)
SPOT_TRADED_ORDER = (
    b'{"action":"push","ch":"orders#*","data":{"tradePrice":"76.0","tradeVolume":"1.0","tradeTime":'
    b'1583854188883,"orderId":27163533,"type":"sell-limit","clientOrderId":"test3","orderPrice":'
    b'"77.0","orderSize":"2.0","execAmt":"1.0","remainAmt":"1.0","orderStatus":"partial-filled",'
    b'"symbol":"btcusdt","eventType":"trade"}}'
)
SPOT_BALANCE = (
    b'{"action":"push","ch":"accounts.update#2","data":{"currency":"usdt","accountId":14884859,'
    b'"balance":"20.29388158","available":"20.1","changeType":null,"accountType":"trade",'
    b'"changeTime":null,"seqNum":3}}'
)
SWAP_BOOK = (
    b'{"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"asks":[[10866.01,137]],"bids":['
    b'[10866,3166],[9.121e-07,1]],"ch":"market.BTC-USDT.depth.size_150.high_freq","event":'
    b'"snapshot","id":45961927810,"mrid":45961927810,"ts":1581552001187,"version":25630954},'
    b'"ts":1581552001189}'
)
SWAP_DELTA = (
    b'{"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"asks":[],"bids":[[10866,0],'
    b'[10361.14,385]],"ch":"market.BTC-USDT.depth.size_150.high_freq","event":"update","id":'
    b'45961927811,"mrid":45961927811,"ts":1581552001190,"version":25630955},"ts":1581552001192}'
)
SWAP_STEP = (
    b'{"ch":"market.ATOM-USD.depth.step0","ts":1645289384843,"tick":{"mrid":74377472700,"id":'
    b'1645289384,"bids":[[26.5766,50]],"asks":[[26.6,1]],"ts":1645289384842,"version":1645289384,'
    b'"ch":"market.ATOM-USD.depth.step0"}}'
)
SWAP_TRADES = (
    b'{"ch":"market.BTC-USDT.trade.detail","ts":1645289382234,"tick":{"id":74377471712,"ts":'
    b'1645289382216,"data":[{"amount":6,"quantity":2.2569881997133624986364029626731768237,"ts":'
    b'1645289382216,"id":743774717120000,"price":26.5841,"direction":"sell"}]}}'
)
SWAP_QUOTE = (
    b'{"ch":"market.BTC-USDT.bbo","ts":1604388667226,"tick":{"mrid":131591,"id":1604388667,"bid":['
    b'13684.5,67],"ask":[13684.60,45],"ts":1604388667225,"version":131591,"ch":'
    b'"market.BTC-USDT.bbo"}}'
)
SWAP_DETAIL = (
    b'{"ch":"market.BTC-USDT.detail","ts":1603707870528,"tick":{"id":1603707840,"open":13067.7,'
    b'"close":13067.80,"vol":4}}'
)
LIQUIDATIONS = (
    b'{"op":"notify","topic":"public.BTC-USDT.liquidation_orders","ts":1789670297217,"data":[{'
    b'"symbol":"BTC","contract_code":"BTC-USDT","direction":"buy","offset":"close","volume":500,'
    b'"price":2446.26,"created_at":1789670297212,"amount":5,"trade_turnover":12231.3}]}'
)
FUNDING = (
    b'{"op":"notify","topic":"public.BTC-USDT.funding_rate","ts":1603778748166,"data":[{"symbol":'
    b'"BTC","contract_code":"BTC-USDT","funding_rate":"0.000100","funding_time":"1603778700000"}]}'
)
SWAP_ORDER = (
    b'{"op":"notify","topic":"orders_cross.btc-usdt","ts":1606878438414,"symbol":"BTC",'
    b'"contract_code":"BTC-USDT","volume":8,"price":50000.5,"order_price_type":"limit","direction":'
    b'"buy","offset":"close","status":4,"order_id":783650498317316098,"order_id_str":'
    b'"783650498317316098","client_order_id":563241524409083,"created_at":1606878438320,'
    b'"trade_volume":3}'
)
SWAP_POSITIONS = (
    b'{"op":"notify","topic":"positions_cross","ts":1606878438414,"event":"order.match","data":[{'
    b'"symbol":"BTC","contract_code":"BTC-USDT","volume":2.000,"cost_open":19068.50,"direction":'
    b'"sell"},{"symbol":"ETH","contract_code":"ETH-USDT","volume":0E-18,"cost_open":0,"direction":'
    b'"buy"}]}'
)
SWAP_ACCOUNTS = (
    b'{"op":"notify","topic":"accounts_cross","ts":1764844893794,"event":"init","data":[{'
    b'"margin_mode":"cross","margin_account":"USDT","margin_asset":"USDT","margin_balance":'
    b'100.535351780000000000,"margin_frozen":0E-18,"withdraw_available":99.5,"risk_rate":null}]}'
)
CANDLE = b'{"ch":"market.btcusdt.kline.1min","ts":1489474082831,"tick":{"id":1489464480}}'
SUBSCRIBED = b'{"id":"1","subbed":"market.btcusdt.bbo","ts":1645289384874,"status":"ok"}'
REFUSED = (
    b'{"status":"error","ts":1764300263709,"id":"2","err-code":"bad-request","err-msg":'
    b'"invalid topic market.btcusdt.nope"}'
)
PING = b'{"ping":1645289389619}'
ACCOUNT_PING = b'{"action":"ping","data":{"ts":1575537778295}}'
LOGGED_IN = b'{"action":"req","code":200,"ch":"auth","data":{}}'
ACCOUNT_REFUSED = (
    b'{"action":"sub","code":2001,"ch":"orders#x","message":"invalid.topic","data":{}}'
)
NOTIFICATION_SUBSCRIBED = (
    b'{"op":"sub","cid":"1","topic":"public.BTC-USDT.liquidation_orders","ts":1489474081631,'
    b'"err-code":0}'
)
NOTIFICATION_REFUSED = (
    b'{"op":"sub","cid":"1","topic":"public.X.liquidation_orders","err-code":2011,"err-msg":'
    b'"invalid topic","ts":1489474081631}'
)
NOTIFICATION_PING = b'{"op":"ping","ts":"1492420473058"}'
NOTIFICATION_LOGGED_IN = (
    b'{"op":"auth","type":"api","err-code":0,"ts":1489474081631,"data":{"user-id":"12345678"}}'
)
NOTIFICATION_CLOSE = b'{"op":"close","ts":1489474081631}'

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "htx": (
        *(CHAIN, ONE_SIDED, REQUESTED, SPOT_STEP, SPOT_TRADES, SPOT_QUOTE, SPOT_DETAIL),
        *(SPOT_ORDER, SPOT_TRADED_ORDER, SPOT_BALANCE, CANDLE, SUBSCRIBED, REFUSED, PING),
        *(ACCOUNT_PING, LOGGED_IN, ACCOUNT_REFUSED),
    ),
    "htx-swap": (
        *(SWAP_BOOK, SWAP_DELTA, SWAP_STEP, SWAP_TRADES, SWAP_QUOTE, SWAP_DETAIL, LIQUIDATIONS),
        *(FUNDING, SWAP_ORDER, SWAP_POSITIONS, SWAP_ACCOUNTS, PING, NOTIFICATION_SUBSCRIBED),
        *(NOTIFICATION_REFUSED, NOTIFICATION_PING, NOTIFICATION_LOGGED_IN, NOTIFICATION_CLOSE),
    ),
}
SYMBOLS: Mapping[str, str] = {"htx": "btcusdt", "htx-swap": "BTC-USDT"}
