"""How one's own account is reached: two ways.

Spot has it on its WebSocket API, at an address of its own:

1. Connect.
2. Subscribe with a signed request. What signs it is the hex HMAC-SHA256, with the secret, of its
   other parameters in the order of the alphabet.

    {"id":1,"method":"userDataStream.subscribe.signature","params":{"apiKey":"…",
     "recvWindow":60000,"timestamp":1747385641636,"signature":"…"}}
    {"id":1,"status":200,"result":{"subscriptionId":0}}
    {"subscriptionId":0,"event":{"e":"executionReport",…}}

The futures let in whoever knows a listen key:

1. POST to `listenKey`, with the API key in a header and nothing signed: `{"listenKey":"…"}`. It is
   good for 60 minutes.
2. Connect to `…/ws/<listen key>`. All events of the account come; nothing is subscribed to.
3. PUT to `listenKey` every 30 minutes: each makes it good for another 60.
4. `listenKeyExpired` says that it has ended: a new connection begins at 1.

Sources: Binance, "User Data Stream subscriptions" of the spot WebSocket API, "User Data Streams"
of USD-M and COIN-M.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import msgspec
from msgspec import field

from venues.errors import CredentialsError, DecodeError
from venues.op_args import required_keys, signature
from venues.venue import ConnectionPlan, Credentials, HttpRequest, Login, Purpose

SUBSCRIBE_METHOD = "userDataStream.subscribe.signature"
UNSIGNED_SUBSCRIPTION = f'{{"id":1,"method":"{SUBSCRIBE_METHOD}"}}'
"""What a plan says, and a recording, in place of the signed request."""

LISTEN_KEY = "[listen-key]"
"""Stands for the listen key in the address of a plan."""

KEY_HEADER = "X-MBX-APIKEY"
_RENEWAL_INTERVAL_S = 1800.0
_SIGNED_FOR_MS = 60_000
"""How old a signed request may be: the most that the exchange allows."""


class _ListenKey(msgspec.Struct, gc=False):
    listen_key: str = field(name="listenKey")


_LISTEN_KEY = msgspec.json.Decoder(_ListenKey)


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """Where one venue has the streams of one's own account.

    `listen_key_path` is '' where there are no listen keys, but signed subscriptions.
    """

    host: str
    path: str
    listen_key_path: str = ""

    @property
    def plan_path(self) -> str:
        """The path that a plan connects to, a word in place of the listen key."""
        return f"{self.path}/{LISTEN_KEY}" if self.listen_key_path else self.path

    @property
    def messages(self) -> tuple[str, ...]:
        """What subscribes, without what signs it."""
        return () if self.listen_key_path else (UNSIGNED_SUBSCRIPTION,)

    def request(
        self, venue: str, plan: ConnectionPlan, credentials: Credentials | None
    ) -> HttpRequest | None:
        """Return the request for a listen key (step 1); None where there are none.

        Raises:
            CredentialsError: there is no key.
        """
        if not self.listen_key_path:
            return None
        if credentials is None or not credentials.key:
            raise CredentialsError(venue, "The key is needed.")
        return self._listen_key_request("POST", plan, credentials.key)

    def login(
        self,
        venue: str,
        plan: ConnectionPlan,
        credentials: Credentials | None,
        time_ms: int,
        access: bytes,
    ) -> Login:
        """Return how a connection begins; at spot its token is the signed subscription.

        Raises:
            CredentialsError: the keys cannot be used.
            DecodeError, msgspec.MsgspecError: `access` gives no listen key.
        """
        if not self.listen_key_path:
            keys = required_keys(venue, credentials)
            if keys.secret.startswith("-----"):
                raise CredentialsError(venue, "Only HMAC keys can be used, not RSA or Ed25519.")
            return Login(plan.url, token=signed_subscription(keys, time_ms))
        if credentials is None or not credentials.key:
            raise CredentialsError(venue, "The key is needed.")
        listen_key = _LISTEN_KEY.decode(access).listen_key
        if not listen_key.isalnum():
            raise DecodeError(venue, "the answer gives no listen key", b"")
        return Login(
            plan.url.replace(LISTEN_KEY, listen_key),
            renewal=self._listen_key_request("PUT", plan, credentials.key),
            renewal_interval_s=_RENEWAL_INTERVAL_S,
        )

    def _listen_key_request(self, method: str, plan: ConnectionPlan, key: str) -> HttpRequest:
        url = f"{plan.rest_url}{self.listen_key_path}"
        return HttpRequest(url, "", Purpose.ACCESS, method, ((KEY_HEADER, key),))


def signed_subscription(keys: Credentials, time_ms: int) -> str:
    """Return spot's request for the account's events."""
    params: dict[str, str | int] = {
        "apiKey": keys.key,
        "recvWindow": _SIGNED_FOR_MS,
        "timestamp": time_ms,
    }
    signed = {**params, "signature": signature(keys.secret, signed_text(params))}
    body = {"id": 1, "method": SUBSCRIBE_METHOD, "params": signed}
    return json.dumps(body, separators=(",", ":"))


def signed_text(params: dict[str, str | int]) -> str:
    """Return what the signature of a request with these parameters is made of."""
    named = sorted((name, value) for name, value in params.items() if name != "signature")
    return "&".join(f"{name}={value}" for name, value in named)


def given_listen_key(key: str) -> str:
    """Return the listen key that our side of the exchange gives to who has this API key."""
    return hashlib.sha256(b"listen key of " + key.encode()).hexdigest()
