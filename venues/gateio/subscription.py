"""The requests by which Gate.io's channels are subscribed to.

{"time":1545404023,"channel":"spot.order_book_update","event":"subscribe",
 "payload":["BTC_USDT","100ms"]}
{"time":1545459681,"channel":"futures.orders","event":"subscribe","payload":["20011","!all"],
 "auth":{"method":"api_key","KEY":"…","SIGN":"…"}}
"""

from __future__ import annotations

from collections.abc import Sequence

from venues.gateio.dialect import message_text, signature, signed_text
from venues.venue import Credentials

TIME_PLACE = '{"time":0,'
"""How a request begins until the time at which it is made is known."""


def with_time(message: str, time_ms: int) -> str:
    """Return a request with the time at which it is made, in whole seconds."""
    return message.replace(TIME_PLACE, f'{{"time":{time_ms // 1000},', 1)


def public_message(channel: str, payload: list[str]) -> str:
    """Return the subscription of a public channel, with no time in it yet."""
    body = {"time": 0, "channel": channel, "event": "subscribe", "payload": payload}
    return message_text(body)


def private_messages(
    words: Sequence[str], user: str, signed_by: tuple[Credentials, int] | None
) -> list[str]:
    """Return the subscriptions of one's own account, signed with keys for a time in seconds.

    `user` is whose account it is, which futures have to say; unsigned, they only name the channels.
    """
    messages: list[str] = []
    for channel in words:
        everything = [] if channel.endswith(".balances") else ["!all"]
        body: dict[str, object] = {
            "time": 0 if signed_by is None else signed_by[1],
            "channel": channel,
            "event": "subscribe",
            "payload": [*([user] if user else []), *everything],
        }
        if signed_by is not None:
            keys, time_s = signed_by
            signed = signature(keys.secret, signed_text(channel, "subscribe", time_s))
            body["auth"] = {"method": "api_key", "KEY": keys.key, "SIGN": signed}
        messages.append(message_text(body))
    return messages
