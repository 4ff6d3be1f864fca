"""The token that lets a client in: how it is asked for, and what the answer says.

    {"code":"200000","data":{"token":"2neA…==","instanceServers":[{"endpoint":
     "wss://ws-api-spot.kucoin.com/","encrypt":true,"protocol":"websocket","pingInterval":18000,
     "pingTimeout":10000}]}}

A token for one's own account is asked for with signed headers: base64 of HMAC-SHA256 over time,
method, path and body; the passphrase is signed in the same way (keys of version 2 and 3).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote as percent_encoded

import msgspec
from msgspec import field

from venues.errors import CredentialsError, DecodeError
from venues.kucoin import market
from venues.op_args import same_text
from venues.venue import Credentials, Login


class _Server(msgspec.Struct, gc=False):
    endpoint: str
    ping_interval_ms: int = field(name="pingInterval")


class _Access(msgspec.Struct, gc=False):
    token: str
    servers: list[_Server] = field(name="instanceServers")


class _AccessAnswer(msgspec.Struct, gc=False):
    data: _Access


_ACCESS = msgspec.json.Decoder(_AccessAnswer)


def read_access(venue: str, answer: bytes, time_ms: int) -> Login:
    """Return the address that the exchange names, with the token in it.

    Raises:
        DecodeError: the answer gives no token or names no server.
        msgspec.MsgspecError: it is no such answer.
    """
    refusal = market.rest_refusal(answer)
    if refusal is not None:
        raise DecodeError(venue, f"no token: {refusal}", b"")
    data = _ACCESS.decode(answer).data
    if not data.token or not data.servers:
        raise DecodeError(venue, "no token or no server in the answer", b"")
    server = data.servers[0]
    query = f"token={percent_encoded(data.token, safe='=')}&connectId=tickreel-{time_ms}"
    joint = "&" if "?" in server.endpoint else "?"
    return Login(f"{server.endpoint}{joint}{query}", ping_interval_s=server.ping_interval_ms / 1000)


_SHOWN = ("KC-API-KEY", "KC-API-SIGN", "KC-API-PASSPHRASE")
"""The headers that show the keys."""


def signed_headers(
    venue: str, credentials: Credentials | None, time_ms: int, request: str
) -> tuple[tuple[str, str], ...]:
    """Return the headers that sign `request` (method, path and body).

    Raises:
        CredentialsError: key, secret or passphrase is missing.
    """
    if credentials is None or not (
        credentials.key and credentials.secret and credentials.passphrase
    ):
        raise CredentialsError(venue, "Key, secret and passphrase are needed.")
    secret = credentials.secret
    return (
        ("KC-API-KEY", credentials.key),
        ("KC-API-SIGN", _signature(secret, f"{time_ms}{request}")),
        ("KC-API-TIMESTAMP", str(time_ms)),
        ("KC-API-PASSPHRASE", _signature(secret, credentials.passphrase)),
        ("KC-API-KEY-VERSION", "2"),
    )


def given_token(headers: Mapping[str, str]) -> str:
    """Return the token that our side of the exchange gives for these headers, in lower case."""
    time_text = headers.get("kc-api-timestamp", "")
    shown = "\n".join(headers.get(name.lower(), "") for name in _SHOWN)
    return f"{time_text}.{hashlib.sha256(shown.encode()).hexdigest()}"


def token_valid(token: str, credentials: Credentials, request: str) -> bool:
    """Return whether `token` was given for `request`, signed with these keys."""
    time_text = token.partition(".")[0]
    try:
        headers = signed_headers("", credentials, int(time_text), request)
    except (ValueError, CredentialsError):
        return False
    return same_text(token, given_token({name.lower(): value for name, value in headers}))


def _signature(secret: str, text: str) -> str:
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
