"""Purple Flea: results of games of chance, for agents that watch their statistics.

    {"op":"auth","token":T}
    {"op":"subscribe","channels":["crash.result","coinflip.result","dice.result"]}
    {"channel":"crash.result","data":{"multiplier":2.31}}
    {"channel":"coinflip.result","data":{"result":"heads"}}
    {"channel":"dice.result","data":{"roll":57}}

1. Connect to `/ws/games`; log in with the token, where there is one.
2. Subscribe to channels; each is a symbol here, and the short name `crash` stands for
   `crash.result`.
3. Every result stands alone: none has a number, so that a lost one cannot be seen.

Shown by its users are the login, the subscription and the crash result; nothing shows how requests
are answered, nor the fields of the other games. Answers of the common `{"op", "success"}` shape are
read, and the outcome under any of the names in `_OUTCOMES`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, chunks, plan_line
from venues.errors import CredentialsError, DecodeError
from venues.event import NO_ROUTES, Event, Game, GameResult, Notice, NoticeKind, Routes
from venues.frame import Frame
from venues.op_args import same_text
from venues.stream_request import checked_channels, checked_symbols, require_symbols
from venues.traits import Continuity, Keepalive, SnapshotSource, VenueTraits
from venues.venue import (
    ClientRequest,
    ConnectionPlan,
    Credentials,
    Dialect,
    Login,
    RequestKind,
    StreamRequest,
    Venue,
)
from venues.wire import NS_PER_MS, decoded_or_none, number_text

_PATH = "/ws/games"
_RESULT = ".result"
_SYMBOL = re.compile(r"[a-z0-9_]+\.[a-z0-9_.]+")
_CHANNELS_PER_MESSAGE = 50
_TIME_MS_MAX = 9_223_372_036_854

_OUTCOMES = ("multiplier", "result", "outcome", "roll", "number", "value", "side")

_TRAITS = VenueTraits(
    channels=frozenset({Channel.RESULTS}),
    default_channels=(Channel.RESULTS,),
    continuity=Continuity.NONE,
    snapshot_source=SnapshotSource.IN_BAND,
    stale_limits_s={Channel.RESULTS: 300.0},
    keepalive=Keepalive(silence_limit_s=120.0),
    detection_limits=(
        "Results carry no number: a lost one cannot be seen, and no statistic over them is more "
        "than what came.",
    ),
    addresses=("purpleflea.com/ws",),
    login_optional=True,
)


class _Message(msgspec.Struct, gc=False):
    channel: str | None = None
    data: dict[str, Any] | None = None
    op: str | None = None
    success: bool | None = None
    error: str = ""


class _Request(msgspec.Struct):
    op: str
    channels: list[str] = []
    token: str = ""


_MESSAGE = msgspec.json.Decoder(_Message, float_hook=str)
_REQUEST = msgspec.json.Decoder(_Request)
_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "auth": RequestKind.LOGIN,
    "ping": RequestKind.PING,
}


class PurplefleaDialect(Dialect):
    """The exchange's side. A topic is a channel."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        if request is None or request.op not in _KINDS:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        return ClientRequest(_KINDS[request.op], tuple(request.channels), None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return whether the request was taken."""
        if request.kind is RequestKind.PING:
            return ['{"op":"pong"}']
        word = next((word for word, kind in _KINDS.items() if kind is request.kind), "error")
        body: dict[str, object] = {"op": word, "success": refused is None and word in _KINDS}
        if refused is not None:
            body["error"] = refused
        return [msgspec.json.encode(body).decode()]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request brought this token."""
        login = decoded_or_none(_REQUEST, request.payload)
        return login is not None and same_text(login.token, credentials.key)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the channel of a result."""
        message = decoded_or_none(_MESSAGE, payload)
        return message.channel if message is not None else None

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the one that there is."""
        return path == _PATH

    def private_path(self, path: str) -> bool:
        """Return True: logins are taken there."""
        return path == _PATH


@dataclass(frozen=True, slots=True)
class Purpleflea(Venue):
    """The one venue of Purple Flea."""

    name: str = "purpleflea"
    traits: VenueTraits = _TRAITS

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return PurplefleaDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return the one connection that carries all results."""
        checked_channels(self.name, request, self.traits)
        symbols = checked_symbols(self, request, _SYMBOL, _spelled)
        require_symbols(self.name, symbols)
        line = Line(
            stream=self.name,
            url=websocket_url(f"wss://purpleflea.com{_PATH}", request.url, (_PATH,)),
            rest_url=rest_url("https://purpleflea.com", request.url),
            depth=None,
        )
        topics = [[Topic(Subscription(Channel.RESULTS, symbol), symbol)] for symbol in symbols]
        return plan_line(line, topics, _fits, _subscribe_messages)

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login with a token (step 1); none without.

        Raises:
            CredentialsError: there are credentials, and no token in them.
        """
        if credentials is None:
            return Login(plan.url)
        if not credentials.key:
            raise CredentialsError(self.name, "The key is the token.")
        return Login(plan.url, message=_text({"op": "auth", "token": credentials.key}))

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the venue's messages.
        """
        message = _MESSAGE.decode(frame.payload)
        if message.channel is None:
            notice = _notice(message, frame.receive_time_ns)
            if notice is None:
                raise DecodeError(self.name, "it has neither channel nor operation", frame.payload)
            return (notice,)
        game = _game(message.channel)
        if game is None or message.data is None:
            kind = NoticeKind.INFORMATION
            return (Notice("", frame.receive_time_ns, None, kind, message.channel),)
        return (_result(message.channel, game, message.data, frame.receive_time_ns),)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the venue says about the connection, None for a result."""
        message = decoded_or_none(_MESSAGE, payload)
        return None if message is None or message.channel is not None else _notice(message, 0)


def _spelled(symbol: str) -> str:
    written = symbol.lower()
    return written if "." in written else written + _RESULT


def _fits(topics: Sequence[str]) -> bool:
    return True


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    return [
        _text({"op": "subscribe", "channels": list(piece)})
        for piece in chunks(topics, _CHANNELS_PER_MESSAGE)
    ]


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _notice(message: _Message, receive_time_ns: int) -> Notice | None:
    if message.op in ("ping", "pong"):
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT)
    accepted = message.success if message.success is not None else not message.error
    if message.op == "auth":
        kind = NoticeKind.LOGGED_IN if accepted else NoticeKind.LOGIN_REFUSED
    elif message.op is not None or message.error:
        kind = NoticeKind.ACKNOWLEDGED if accepted else NoticeKind.REJECTED
    else:
        return None
    return Notice("", receive_time_ns, None, kind, message.error)


def _game(channel: str) -> Game | None:
    name = channel.partition(".")[0]
    return Game(name) if channel.endswith(_RESULT) and name in tuple(Game) else None


def _result(channel: str, game: Game, fields: dict[str, Any], receive_time_ns: int) -> GameResult:
    token = next((fields[name] for name in _OUTCOMES if name in fields), None)
    if token is None:
        raise ValueError(f"a {game} result without an outcome")
    identifier = fields.get("id", "")
    return GameResult(
        channel,
        receive_time_ns,
        _time_ns(fields.get("timestamp")),
        game,
        number_text(token),
        number_text(identifier),
    )


def _time_ns(time_ms: object) -> int | None:
    if type(time_ms) is int and 0 <= time_ms <= _TIME_MS_MAX:
        return time_ms * NS_PER_MS
    return None


VENUES = (Purpleflea(),)
