"""What Purple Flea sends; only the crash result is shown by its users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CRASH = b'{"channel":"crash.result","data":{"multiplier":2.31}}'

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "purpleflea": (
        CRASH,
        b'{"channel":"coinflip.result","data":{"result":"heads","id":"f-1"}}',
        b'{"channel":"dice.result","data":{"roll":57,"timestamp":1763800000000}}',
        b'{"channel":"lobby.chat","data":{"text":"hello"}}',
        b'{"op":"auth","success":true}',
        b'{"op":"subscribe","success":true}',
        b'{"op":"subscribe","success":false,"error":"no such channel"}',
        b'{"op":"pong"}',
    )
}
SYMBOLS: Mapping[str, str] = {"purpleflea": "crash.result"}
