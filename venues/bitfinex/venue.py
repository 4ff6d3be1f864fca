"""Bitfinex v2. What its messages say, and by which rules, is in `market` and `account`.

A connection begins with the flags that make every message carry its number, its time and the
books' checksums; then each channel is asked for by a message of its own, at most 25 of them. A
book begins with a snapshot on the socket. To begin it anew takes the channel id that its
subscription got, or a new connection: as the frame numbers run over the whole connection, a gap in
them befalls all its books, and the latter is what helps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.bitfinex.dialect import PATH, BitfinexDialect, login_message
from venues.bitfinex.market import array_events
from venues.bitfinex.subscription import (
    DERIVATIVE_KEY,
    EVENT_MESSAGE,
    LIQUIDATIONS_KEY,
    EventMessage,
    subscribed_event,
)
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import DecodeError
from venues.event import NO_ROUTES, Event, Notice, NoticeKind, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import (
    checked_channels,
    checked_depth,
    checked_symbols,
    require_symbols,
)
from venues.traits import (
    ChecksumLayout,
    ChecksumRule,
    ConnectionLimits,
    Continuity,
    DepthKeeper,
    Keepalive,
    SequenceScope,
    SnapshotSource,
    VenueTraits,
)
from venues.venue import ConnectionPlan, Credentials, Dialect, Login, StreamRequest, Venue
from venues.wire import decoded_or_none

TIMESTAMP, SEQ_ALL, OB_CHECKSUM = 32_768, 65_536, 131_072
CHANNELS_PER_CONNECTION = 25

_SYMBOL = re.compile(r"t[A-Z0-9]{2,}(?::[A-Z0-9]+)?")
_CURRENCIES = {"USDT": "UST", "USDC": "UDC", "TUSD": "TSD", "EURC": "EUC"}
"""What Bitfinex calls currencies that others call otherwise."""

_STOPS, _MAINTENANCE_ENDED = 20_051, 20_061
_ALREADY_SUBSCRIBED = 10_301


@dataclass(frozen=True, slots=True)
class Bitfinex(Venue):
    """The one venue."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return "bitfinex"

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return BitfinexDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections of at most 25 channels, those of one symbol on one of them.

        Liquidations come for all symbols by one channel, asked for or not: once, on the last one.
        """
        channels = checked_channels(self.name, request, self.traits)
        depth = checked_depth(self.name, request, self.traits)
        symbols = checked_symbols(self, request, _SYMBOL, _spelled)
        private = [channel for channel in channels if channel.private]
        channels = [channel for channel in channels if not channel.private]
        own = [self._private_plan(request, private)] if private else []
        if not channels:
            return own
        require_symbols(self.name, symbols)
        of_symbols = [channel for channel in channels if channel is not Channel.LIQUIDATIONS]
        topics = [
            [Topic(Subscription(one, symbol), _request(one, symbol, depth)) for one in of_symbols]
            for symbol in symbols
        ]
        if Channel.LIQUIDATIONS in channels:
            wanted = _request(Channel.LIQUIDATIONS, "", None)
            all_of_them = [Subscription(Channel.LIQUIDATIONS, symbol) for symbol in symbols]
            topics.append([Topic(subscription, wanted) for subscription in all_of_them])
        own_url = f"wss://api-pub.bitfinex.com{PATH}"
        line = Line(
            stream=self.name,
            url=websocket_url(own_url, request.url, (PATH,)),
            rest_url=rest_url("https://api-pub.bitfinex.com", request.url),
            depth=depth,
        )
        return plan_line(line, topics, _fits, _messages) + own

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the login message of a private plan; nothing has to be subscribed to after it.

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(self.name, credentials)
        return Login(plan.url, message=login_message(keys, str(time_ms * 1000)))

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `tBTCUST`, `tDOGE:USD` where a name is longer, `tBTCF0:USTF0` for perpetuals."""
        base, quote = (_CURRENCIES.get(name, name) for name in (pair.base, pair.quote))
        if pair.perpetual:
            return f"t{base}F0:{quote}F0" if pair.quote in ("USDT", "BTC") else None
        colon = "" if len(base) == len(quote) == 3 else ":"
        return f"t{base}{colon}{quote}"

    def _private_plan(self, request: StreamRequest, channels: Sequence[Channel]) -> ConnectionPlan:
        return ConnectionPlan(
            stream=f"{self.name}/private",
            url=websocket_url(f"wss://api.bitfinex.com{PATH}", request.url, (PATH,)),
            subscriptions=tuple(Subscription(channel, "") for channel in channels),
            subscribe_messages=(),
            private=True,
            rest_url=rest_url("https://api.bitfinex.com", request.url),
            depth=None,
        )

    def heartbeat(self, time_ms: int) -> str | None:
        """Return a ping that names its time."""
        return _text({"event": "ping", "cid": time_ms // 1000})

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        payload = frame.payload
        if payload.startswith(b"["):
            return array_events(payload, frame.receive_time_ns, routes)
        if frame.kind is FrameKind.HTTP:
            answer = read_http_answer(self.name, frame)
            if isinstance(answer, HttpAnswer):
                text = f"an answer that is not read: {answer.purpose}"
                return (_notice(NoticeKind.INFORMATION, text, frame.receive_time_ns),)
            return answer
        message = EVENT_MESSAGE.decode(payload)
        notice = _event_notice(message, frame.receive_time_ns)
        if notice is None:
            raise DecodeError(self.name, f"an unknown event {message.event[:40]!r}", payload)
        if message.event == "subscribed":
            subscribed = subscribed_event(message, frame.receive_time_ns)
            if subscribed is None:
                raise DecodeError(self.name, "a subscription without a channel id", payload)
            return (notice, subscribed)
        return (notice,)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(b"["):
            word = payload[:32].partition(b",")[2]
            return _notice(NoticeKind.HEARTBEAT, "", 0) if word.startswith(b'"hb"') else None
        message = decoded_or_none(EVENT_MESSAGE, payload)
        return None if message is None else _event_notice(message, 0)


def _event_notice(message: EventMessage, receive_time_ns: int) -> Notice | None:
    word, text = message.event, message.message
    if word == "subscribed":
        kind, text = NoticeKind.ACKNOWLEDGED, message.channel
    elif word in ("unsubscribed", "conf"):
        failed = message.status not in ("", "OK")
        kind = NoticeKind.REJECTED if failed else NoticeKind.ACKNOWLEDGED
        text = text or f"{word} {message.status}"
    elif word == "error":
        kind = NoticeKind.REJECTED
        if message.code == _ALREADY_SUBSCRIBED:
            kind = NoticeKind.INFORMATION
        text = f"{text} (code {message.code})"
    elif word == "auth":
        accepted = message.status == "OK"
        kind = NoticeKind.LOGGED_IN if accepted else NoticeKind.LOGIN_REFUSED
        text = "" if accepted else f"{text} (code {message.code})"
    elif word == "pong":
        kind = NoticeKind.HEARTBEAT
    elif word == "info":
        # After maintenance all channels have to be begun anew, which a new connection does.
        leaving = message.code in (_STOPS, _MAINTENANCE_ENDED)
        kind = NoticeKind.WILL_DISCONNECT if leaving else NoticeKind.INFORMATION
        text = text or f"version {message.version}"
    else:
        return None
    return _notice(kind, text, receive_time_ns)


def _notice(kind: NoticeKind, text: str, receive_time_ns: int) -> Notice:
    return Notice("", receive_time_ns, None, kind, text)


def _spelled(symbol: str) -> str:
    return symbol[:1].lower() + symbol[1:].upper()


def _request(channel: Channel, symbol: str, depth: int | None) -> str:
    body: dict[str, object] = {"event": "subscribe"}
    if channel is Channel.BOOK:
        body |= {"channel": "book", "symbol": symbol, "prec": "P0", "freq": "F0"}
        body["len"] = str(depth)
    elif channel is Channel.TRADES:
        body |= {"channel": "trades", "symbol": symbol}
    elif channel is Channel.LIQUIDATIONS:
        body |= {"channel": "status", "key": LIQUIDATIONS_KEY}
    elif symbol.endswith("F0") and ":" in symbol:
        body |= {"channel": "status", "key": f"{DERIVATIVE_KEY}{symbol}"}
    else:
        body |= {"channel": "ticker", "symbol": symbol}
    return _text(body)


def _messages(requests: Sequence[str]) -> list[str]:
    flags = TIMESTAMP | SEQ_ALL | OB_CHECKSUM
    return [_text({"event": "conf", "flags": flags}), *dict.fromkeys(requests)]


def _fits(requests: Sequence[str]) -> bool:
    return len(set(requests)) <= CHANNELS_PER_CONNECTION


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"))


_TRAITS = VenueTraits(
    channels=frozenset(
        (
            *(Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS, Channel.TICKERS),
            *(Channel.ORDER, Channel.POSITION, Channel.WALLET),
        )
    ),
    default_channels=(Channel.BOOK, Channel.TRADES),
    continuity=Continuity.NONE,
    sequence_scope=SequenceScope.CONNECTION,
    snapshot_source=SnapshotSource.IN_BAND,
    checksum=ChecksumRule(ChecksumLayout.INTERLEAVED_SIGNED, 25, signed=True, separator=":"),
    depths=(1, 25, 100, 250),
    depth=100,
    depth_keeper=DepthKeeper.VENUE,
    stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 600.0},
    # A heartbeat comes on every channel each 15 s.
    keepalive=Keepalive(message='{"event":"ping"}', silence_limit_s=30.0),
    # 80 % of the 20 connects in a minute that are allowed.
    limits=ConnectionLimits(connects_max=16, connects_window_s=60.0),
    detection_limits=(
        "What was recorded without frame numbers (conf flag 65536) cannot show a loss.",
        "A checksum covers the 25 best levels of each side; a wrong level below cannot be seen.",
        "No endpoint tells a step of prices or sizes: a price has five significant digits.",
        "Funding books and trades, raw books and coarser ones (P1 to P4) are not read.",
    ),
    addresses=("api-pub.bitfinex.com/ws/2", "api.bitfinex.com/ws/2", "api-pub.bitfinex.com/v2"),
    routed=True,
)

BITFINEX = Bitfinex(_TRAITS)

VENUES = (BITFINEX,)
