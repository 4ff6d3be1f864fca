"""The protocol that a venue is: stateless, without sockets, clocks or books.

A venue is a frozen class that names `Venue` as its base, so that what it does not need stays as it
is here. How a connection begins, in order, each step a pure function of what is known by then:

1. `access_request`, where an address or a token has to be fetched first.
2. `login`: where to connect, with which headers, what to say first, what to renew in time.
3. The login's answer, a LOGGED_IN notice, where `login` gave a message.
4. `subscribe_messages`.
5. `instrument_requests` and, where books begin by REST, `snapshot_request`.

Two sides, both pure functions of their arguments. `Venue` is what a client has to know: where to
connect, what to say, what the answers mean. `Dialect` is the other direction, for the fake
exchange: what a client's message asks for and how the exchange answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Protocol

from venues.channel import Channel, Subscription
from venues.errors import CredentialsError
from venues.event import NO_ROUTES, Event, Notice, Routes, Row
from venues.frame import Frame
from venues.pair import Pair
from venues.stated_book import BookOf
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


class Purpose(StrEnum):
    """What an HTTP request is for."""

    SNAPSHOT = "book snapshot"
    INSTRUMENTS = "instruments"
    ACCESS = "access"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request: `url` is whole, `symbol` what it is about ('' for several).

    Headers, body and the answer to an ACCESS request may hold keys: none is recorded or logged.
    """

    url: str
    symbol: str
    purpose: Purpose = Purpose.SNAPSHOT
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __repr__(self) -> str:
        """Return a text without what may be secret."""
        return f"HttpRequest({self.method} for {self.purpose} of {self.symbol!r})"


@dataclass(frozen=True, slots=True)
class Login:
    """How a connection begins.

    Attributes:
        url: where to connect. It may hold a token.
        headers: what the handshake carries besides.
        message: what is sent first, and must be answered with a LOGGED_IN notice; None for nothing.
        ping_interval_s: how often the exchange now wants its heartbeat; None: as the traits say.
        token: what later messages have to carry; '' for nothing.
        renewal: what has to be asked every `renewal_interval_s` for the access to stay valid.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    message: str | None = None
    ping_interval_s: float | None = None
    token: str = ""
    renewal: HttpRequest | None = None
    renewal_interval_s: float = 0.0

    def __repr__(self) -> str:
        """Return a text without what may be secret."""
        return "Login(…)"


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """The engine's wish for a fresh snapshot: a book that it cannot trust, on this connection."""

    venue: str
    connection_id: int
    symbol: str


class Venue(Protocol):
    """One venue, as a client sees it."""

    if TYPE_CHECKING:  # not at run time, when a dataclass would take a property for a default

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

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        """Return the request that has to be answered before `plan` can be connected.

        Raises:
            CredentialsError: the plan is private and the keys cannot be used for it.
        """
        return None

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return how a connection of `plan` begins; `access` is the answer to `access_request`.

        Raises:
            CredentialsError: the plan is private and there are no private channels, or the keys
                cannot be used for it.
            DecodeError, msgspec.MsgspecError: `access` is no such answer.
        """
        if plan.private:
            raise CredentialsError(self.name, "It has no private channels.")
        return Login(plan.url)

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return what to send once connected and logged in.

        `answer` is the text of the notice that answered the login, '' without one. A private plan's
        messages are kept out of the recording where they differ from the plan's own.
        """
        return plan.subscribe_messages

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return what makes the exchange send a fresh in-band snapshot of `symbol`'s book.

        Nothing where only a new connection does: at a venue that numbers its messages over the
        whole connection, one is then made.
        """
        return []

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        """Return the request for a REST snapshot of `symbol`'s book; None where there is none."""
        return None

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return what brings tick, lot and contract sizes of the plan's symbols."""
        return []

    def heartbeat(self, time_ms: int) -> str | None:
        """Return the message that keeps the connection, every `traits.keepalive.interval_s`."""
        return self.traits.keepalive.message

    def reply(self, payload: bytes) -> str | None:
        """Return what a message must be answered with (a ping, a test request), None for nothing.

        Cheap, and never raises.
        """
        return None

    def native_symbol(self, pair: Pair) -> str | None:
        """Return the venue's spelling of a pair; None where it lists nothing of the kind."""
        return None

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a received or HTTP frame, in order.

        An HTTP frame's head names the symbol. A message with nothing in it for us gives a `Notice`
        or nothing, never an error. `routes` is what the `Subscribed` events of this connection
        said; only venues with the trait `routed` look at it.

        Raises:
            UNDECODABLE: the payload is not what the protocol says.
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
    SETTING = "setting"
    SNAPSHOT = "snapshot"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A client's message, understood. `topics` are the venue's own words for channel and symbol.

    An UNSUBSCRIBE may name the references of a `routed` venue in place of topics.
    A LIST request asks what is subscribed: the server puts the topics in before it is answered.
    A SETTING changes how the exchange speaks on this connection (its heartbeat, extra fields).
    A SNAPSHOT request asks on the socket for a book as it is now: its one topic is that of the
    messages that answer it, and of no other messages.
    `private` says that it came on a private connection, where some exchanges answer in another
    shape: the server, which knows the path, sets it.
    """

    kind: RequestKind
    topics: tuple[str, ...] = ()
    request_id: str | int | None = None
    payload: bytes = b""
    private: bool = False


class Dialect(Protocol):
    """One venue, as the exchange speaks. The fake exchange has the state; this has none.

    A topic is the venue's own words for one channel of one symbol, as a text: the same whether a
    request names it or a message was sent for it.
    """

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""

    def connect_topics(self, path: str) -> tuple[str, ...]:
        """Return topics that the connection's path itself subscribes to (`/stream?streams=a/b`)."""
        return ()

    def greeting(self) -> list[str]:
        """Return what the exchange says before it is asked anything."""
        return []

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the messages that acknowledge `request`, or refuse it for the reason given.

        Text goes out as text, bytes as a binary message.
        """

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request, or a private subscription, was signed with these keys."""
        return False

    def handshake_valid(
        self, path_and_query: str, headers: Mapping[str, str], credentials: Credentials
    ) -> bool:
        """Return whether the handshake itself shows these keys; headers by names in lower case."""
        return False

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for.

        None for acknowledgements, heartbeats and whatever else is not sent by subscription.
        `routes` is for venues with the trait `routed`: the topic is then a `Subscribed.topic`.
        """

    def heartbeat(self, time_ms: int) -> str | bytes | None:
        """Return what the exchange itself sends so that clients answer or see that it lives."""
        return None

    def serves_path(self, path: str) -> bool:
        """Return whether the exchange has a WebSocket endpoint at `path` (without the query)."""

    def private_path(self, path: str) -> bool:
        """Return whether connections at `path` may carry private channels, after a login."""
        return False

    def wire_payload(self, payload: bytes, path: str) -> bytes:
        """Return a recorded message in the form that connections at `path` receive it in.

        The same bytes, but where an exchange wraps messages at one path and not at another.
        """
        return payload

    def access_body(
        self, path_and_query: str, websocket_url: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """Return the answer to an ACCESS request with these headers; None if it is no such one.

        `websocket_url` is where this server takes connections.
        """
        return None

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that an HTTP request wants the book of; None if it is no such one."""
        return None

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the REST answer that states this book, best levels first.

        Without `time_ms` it carries no exchange time. Only called for what `snapshot_symbol` knows.
        """
        return b""

    def instruments_body(self, path_and_query: str, recorded: Sequence[bytes]) -> bytes | None:
        """Return the answer to a request for lists of instruments, made of `recorded` answers.

        None if it is no such request. What was not recorded is not in it.
        """
        return None

    def book_message(self, topic: str, book_of: BookOf) -> bytes | None:
        """Return the in-band snapshot of `topic`'s book as it is; None: not stated here."""
        return None

    def shifted(self, payload: bytes, shift_s: int) -> bytes | None:
        """Return a message or an HTTP body with every time in it later by so many seconds.

        No other byte is changed. None where it is not known where the times are.
        """
        return None

    def snapshot_answer(self, request: ClientRequest, body: bytes) -> str | bytes:
        """Return the message that answers a SNAPSHOT request with what `snapshot_body` gave.

        `snapshot_symbol` is asked whose book the request's topic means.
        """
        return body.decode()
