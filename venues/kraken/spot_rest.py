"""What both spot protocols need of Kraken's REST API: a token, and the sizes of pairs.

    POST /0/private/GetWebSocketsToken
    {"error":[],"result":{"token":"1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw","expires":900}}
    GET /0/public/AssetPairs?pair=BTCUSD
    {"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","pair_decimals":1,
     "lot_decimals":8,"ordermin":"0.00005","tick_size":"0.1","status":"online"}}}

A token is good for 15 minutes to subscribe with, and for as long as the connection lives after.
Protocol v2 says BTC and DOGE where v1 and REST's `wsname` say XBT and XDG.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import field

from venues.errors import DecodeError
from venues.event import Event, Instrument, Notice, NoticeKind
from venues.http_answer import HttpAnswer
from venues.kraken.signature import signed_request, signing_key
from venues.venue import ConnectionPlan, Credentials, HttpRequest, Purpose
from venues.wire import DecimalPlaces, decimal_step

REST_URL = "https://api.kraken.com"
TOKEN_PATH = "/0/private/GetWebSocketsToken"  # noqa: S105  (a path)

V1_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
"""What v1 calls a currency, by everyone else's name of it."""

_V2_NAMES = {name: other for other, name in V1_NAMES.items()}


class _Token(msgspec.Struct):
    token: str


class _TokenAnswer(msgspec.Struct):
    error: list[str] = []
    result: _Token | None = None


class _Pair(msgspec.Struct):
    lot_decimals: DecimalPlaces
    pair_decimals: DecimalPlaces
    name: str = field(name="wsname", default="")
    tick_size: str | None = None


class _PairsAnswer(msgspec.Struct):
    error: list[str] = []
    result: dict[str, _Pair] | None = None


_TOKEN_ANSWER = msgspec.json.Decoder(_TokenAnswer)
_PAIRS_ANSWER = msgspec.json.Decoder(_PairsAnswer)


def token_request(
    venue: str, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
) -> HttpRequest:
    """Return the signed request for the token that private subscriptions carry.

    Raises:
        CredentialsError: the keys cannot be used.
    """
    key = signing_key(venue, credentials)
    assert credentials is not None
    nonce = str(time_ms)
    body = f"nonce={nonce}"
    return HttpRequest(
        f"{plan.rest_url}{TOKEN_PATH}",
        "",
        Purpose.ACCESS,
        "POST",
        (
            ("API-Key", credentials.key),
            ("API-Sign", signed_request(key, TOKEN_PATH, nonce, body)),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ),
        body.encode(),
    )


def read_token(venue: str, access: bytes) -> str:
    """Return the token in the answer to `token_request`.

    Raises:
        DecodeError: the exchange refused it; says why, and never holds a token.
        msgspec.MsgspecError: it is no such answer.
    """
    answer = _TOKEN_ANSWER.decode(access)
    if answer.result is None or not answer.result.token:
        said = "; ".join(answer.error)[:200] or "no token"
        raise DecodeError(venue, f"no token for private channels: {said}", b"")
    return answer.result.token


def pair_requests(plan: ConnectionPlan) -> list[HttpRequest]:
    """Return a request for each of the plan's pairs."""
    symbols = dict.fromkeys(one.symbol for one in plan.subscriptions if one.symbol)
    return [
        HttpRequest(
            f"{plan.rest_url}/0/public/AssetPairs?pair={symbol.replace('/', '')}",
            symbol,
            Purpose.INSTRUMENTS,
        )
        for symbol in symbols
    ]


def pair_events(answer: HttpAnswer, receive_time_ns: int, *, v2_names: bool) -> Sequence[Event]:
    """Return the sizes of the pairs in an answer, named as was asked or as the exchange does.

    Raises:
        msgspec.MsgspecError: it is no such answer.
    """
    pairs = _PAIRS_ANSWER.decode(answer.body)
    if pairs.result is None:
        text = f"no instruments: {'; '.join(pairs.error)[:200]}"
        return (Notice(answer.symbol, receive_time_ns, None, NoticeKind.INFORMATION, text),)
    asked = answer.symbol if len(pairs.result) == 1 else ""
    return [
        Instrument(
            asked or (_v2_symbol(pair.name) if v2_names else pair.name),
            receive_time_ns,
            None,
            pair.tick_size or decimal_step(pair.pair_decimals),
            decimal_step(pair.lot_decimals),
        )
        for pair in pairs.result.values()
        if asked or pair.name
    ]


def _v2_symbol(name: str) -> str:
    return "/".join(_V2_NAMES.get(part, part) for part in name.split("/"))
