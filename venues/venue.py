"""The protocol that a venue is: stateless, without sockets, clocks or books.

Two sides. `Venue` is what a client has to know: where to connect, what to say, what the answers
mean. `Dialect` is the other direction, for the fake exchange: what a client's message asks for and
how the exchange answers. Both are pure functions of their arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from venues.channel import Channel, Subscription
from venues.event import Event, Notice, Row
from venues.frame import Frame
from venues.traits import VenueTraits


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys to one's own account. Their text never shows in a repr."""

    key: str
    secret: str
    passphrase: str = ""

    def __repr__(self) -> str:
        """Return a text without the keys."""
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What a user wants of one venue. Symbols are the venue's own spelling, as it is written.

    `channels` may be empty for the venue's default ones, and `depth` None for its default.
    `url` replaces the exchange's WebSocket address (scheme, host and port; and its path, where it
    has one beyond `/` that is not one of the venue's own) and the REST host with it.
    """

    venue: str
    symbols: tuple[str, ...]
    channels: tuple[Channel, ...]
    depth: int | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One connection to make and what to say on it.

    Attributes:
        stream: what people call it: the venue's name, with `/part` where there are several.
        url: the address to connect to.
        subscriptions: what it is to carry.
        subscribe_messages: what to send, in order, once up (and logged in, where `private`).
        private: whether a login comes first. Private and public never share a connection.
        rest_url: scheme, host and port for HTTP requests that belong to it.
        depth: the depth of the books on it; None where unlimited.
    """

    stream: str
    url: str
    subscriptions: tuple[Subscription, ...]
    subscribe_messages: tuple[str, ...]
    private: bool
    rest_url: str
    depth: int | None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP GET that brings a snapshot: `url` is whole, `symbol` what it is about."""

    url: str
    symbol: str
    purpose: str = "book snapshot"


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """The engine's wish for a fresh snapshot: a book that it cannot trust, on this connection."""

    venue: str
    connection_id: int
    symbol: str


class Venue(Protocol):
    """One venue, as a client sees it."""

    @property
    def name(self) -> str:
        """The registry name, such as `bybit-linear`."""

    @property
    def traits(self) -> VenueTraits:
        """What it declares about itself."""

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return the connections that `request` needs.

        Raises:
            UnknownChannelError: a channel that the venue does not offer.
            UnknownSymbolError: a symbol that cannot be one, or none at all.
            UnknownDepthError: a book depth that the venue does not offer.
            AddressError: `request.url` is not a WebSocket address.
        """

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return what makes the exchange send a fresh in-band snapshot of `symbol`'s book."""

    def auth_message(self, credentials: Credentials, time_ms: int) -> str:
        """Return the login message. It must never reach a recording or a log.

        Raises:
            CredentialsError: the venue has no login, or the keys cannot be used for it.
        """

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        """Return the request for a REST snapshot of `symbol`'s book; None where there is none."""

    def decode(self, frame: Frame) -> Sequence[Event]:
        """Return the events of a received or HTTP frame, in order.

        An HTTP frame's head names the symbol. A message with nothing in it for us gives a `Notice`
        or nothing, never an error.

        Raises:
            DecodeError: the payload is not what the protocol says.
            msgspec.MsgspecError: the same, said by the JSON decoder.
        """

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data.

        Cheap, and never raises: bytes that cannot be read give None. The times in it are 0/None.
        """


class RequestKind(Enum):
    """What a client asks of an exchange."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    PING = "ping"
    LOGIN = "login"
    LIST = "list"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A client's message, understood. `topics` are the venue's own words for channel and symbol.

    A LIST request asks what is subscribed: the server puts the topics in before it is answered.
    `private` says that it came on a private connection, where some exchanges answer in another
    shape: the server, which knows the path, sets it.
    """

    kind: RequestKind
    topics: tuple[str, ...] = ()
    request_id: str | int | None = None
    payload: bytes = b""
    private: bool = False


class Dialect(Protocol):
    """One venue, as the exchange speaks. The fake exchange has the state; this has none."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""

    def connect_topics(self, path: str) -> tuple[str, ...]:
        """Return topics that the connection's path itself subscribes to (`/stream?streams=a/b`)."""

    def answer(self, request: ClientRequest, refused: str | None) -> list[str]:
        """Return the messages that acknowledge `request`, or refuse it for the reason given."""

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys."""

    def topic(self, payload: bytes) -> str | None:
        """Return the topic that a recorded message was sent for.

        None for acknowledgements, heartbeats and whatever else is not sent by subscription.
        """

    def serves_path(self, path: str) -> bool:
        """Return whether the exchange has a WebSocket endpoint at `path` (without the query)."""

    def private_path(self, path: str) -> bool:
        """Return whether connections at `path` may carry private channels, after a login."""

    def wire_payload(self, payload: bytes, path: str) -> bytes:
        """Return a recorded message in the form that connections at `path` receive it in.

        The same bytes, but where an exchange wraps messages at one path and not at another.
        """

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that an HTTP request wants the book of; None if it is no such one."""

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the REST answer that states this book, best levels first.

        Without `time_ms` it carries no exchange time.
        """
