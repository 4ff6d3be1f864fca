"""What Bitfinex sends. What the arrays mean is said by `ROUTES`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from venues.channel import Channel
from venues.event import Routes, Subscribed

SYMBOL = "tBTCUSD"
INFO = b'{"event":"info","version":2,"serverId":"083bd8d4","platform":{"status":1}}'
CONF = b'{"event":"conf","status":"OK","flags":229376}'
BOOK_SUBSCRIBED = (
    b'{"event":"subscribed","channel":"book","chanId":225206,"symbol":"tBTCUSD","prec":"P0",'
    b'"freq":"F0","len":"100","pair":"BTCUSD"}'
)
TRADES_SUBSCRIBED = (
    b'{"event":"subscribed","channel":"trades","chanId":232959,"symbol":"tBTCUSD","pair":"BTCUSD"}'
)
LIQUIDATIONS_SUBSCRIBED = b'{"event":"subscribed","channel":"status","chanId":7,"key":"liq:global"}'
DERIVATIVE_SUBSCRIBED = (
    b'{"event":"subscribed","channel":"status","chanId":8,"key":"deriv:tBTCF0:USTF0"}'
)
BOOK = (
    b"[225206,[[277520,1,0.00383141],[277510,2,0.027],[2e-8,1,5],[283460,1,-7]],18,1618677545571]"
)
CHANGE = b"[225206,[277520,1,0.09],19,1618677545572]"
ASK_DELETED = b"[225206,[283460,0,-1],20,1618677545573]"
CHECKSUM = b'[225206,"cs",-1043226871,21,1618677545574]'
HEARTBEAT = b'[225206,"hb",22,1618677545575]'
PAST_TRADES = (
    b"[232959,[[670155031,1618677442819,-0.00023057,60410],[670154206,1618676938578,2,60360]],"
    b"23,1618677545576]"
)
TRADE = b'[232959,"te",[670155032,1618677545570,0.5,60411],24,1618677545577]'
BOOKED_TRADE = b'[232959,"tu",[670155032,1618677545570,0.5,60411],25,1618677545578]'
TICKER = (
    b"[232949,[0.068965,60157.36709703,0.0774,48578.50804052,0.001969,0.0262,0.076989,"
    b"101459.39453471,0.0828,0.068961],26,1618677545579]"
)
DERIVATIVE = (
    b"[8,[1618677545571,null,60410.1,60405,null,1e6,null,1618704000000,0.00001,7,null,-0.0001,"
    b"null,null,60406.5,null,null,1234.5,null,null,null,0.0005,0.0025],27,1618677545580]"
)
LIQUIDATIONS = (
    b'[7,[["pos",145511476,1618677545571,null,"tBTCF0:USTF0",0.25,61000,null,0,1,null,60404],'
    b'["pos",145511476,1618677545572,null,"tBTCF0:USTF0",0.25,61000,null,1,1,null,60403]],'
    b"28,1618677545581]"
)
REFUSAL = (
    b'{"event":"error","msg":"symbol: invalid","code":10300,"channel":"ticker","symbol":"tNONE"}'
)

ROUTES: Routes = {
    "225206": Subscribed(SYMBOL, 0, None, Channel.BOOK, 100, "225206", "book/tBTCUSD/P0/F0/100"),
    "232959": Subscribed(SYMBOL, 0, None, Channel.TRADES, None, "232959", "trades/tBTCUSD"),
    "232949": Subscribed(SYMBOL, 0, None, Channel.TICKERS, None, "232949", "ticker/tBTCUSD"),
    "7": Subscribed("", 0, None, Channel.LIQUIDATIONS, None, "7", "status/liq:global"),
    "8": Subscribed(
        "tBTCF0:USTF0", 0, None, Channel.TICKERS, None, "8", "status/deriv:tBTCF0:USTF0"
    ),
    "9": Subscribed("fUSD", 0, None, None, None, "9", "trades/fUSD"),
}
ARRAYS = (
    BOOK,
    CHANGE,
    ASK_DELETED,
    CHECKSUM,
    HEARTBEAT,
    PAST_TRADES,
    TRADE,
    BOOKED_TRADE,
    TICKER,
    DERIVATIVE,
    LIQUIDATIONS,
)

ORDER = (
    b'[0,"ou",[34930659963,null,1574955083558,"tETHUSD",1574955083558,1574955083573,-0.2,-0.50,'
    b'"EXCHANGE LIMIT",null,null,null,0,"PARTIALLY FILLED",null,null,120.5,0,0,0,null,null,null,0]]'
)
POSITION = b'[0,"pu",["tBTCUSD","ACTIVE",-0.0195,8565.0267,0,0,-0.33,-0.0003,7045.8,0.0699]]'
WALLETS = b'[0,"ws",[["exchange","BTC",1.61169184,0,1.5,null,null],["margin","UST",7,0,null]]]'

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "bitfinex": (
        INFO,
        CONF,
        BOOK_SUBSCRIBED,
        TRADES_SUBSCRIBED,
        LIQUIDATIONS_SUBSCRIBED,
        DERIVATIVE_SUBSCRIBED,
        *ARRAYS,
        ORDER,
        POSITION,
        WALLETS,
        b'{"event":"auth","status":"OK","chanId":0,"userId":1}',
        REFUSAL,
        b'{"event":"unsubscribed","status":"OK","chanId":225206}',
        b'{"event":"info","code":20051,"msg":"Stopping. Please try to reconnect"}',
        b'{"event":"pong","cid":7,"ts":1511545528111}',
    )
}
SYMBOLS: Mapping[str, str] = {"bitfinex": SYMBOL}
