"""A fake exchange: a recording or a simulation, served over real WebSockets as the venue speaks.

Any client that can talk to the venue can be pointed at it. What it may say and hears in answer is
the venue's `dialect`; what it is played is its `feed`; who it is, is one `ServerSession`.

Rules:

- At a speed there is one virtual time for all clients, and it begins with the first subscription:
  see `playback`. At max every client plays from the start of its own. One that was cut off by a
  recorded (or simulated) disconnect and comes back to the same path for the same topics goes on
  where it was; nobody else's feed is ever touched.
- The time is controlled over HTTP, at `/tickreel/…`: see `server_control`.
- HTTP is served on the same port. A request does not say whose it is: the client of that venue
  that is furthest on is taken, as a snapshot ahead of a client joins when it gets there, and one
  behind it never does. Where clients first ask for an address or a token, they are sent here.
- Where logins are signed in the handshake, one at a private path that is not is refused (401).
- Loopback only, unless `insecure`: it has no login of its own. See `request_gate`.
- Limits: `CLIENTS_MAX` connections, `INBOUND_BYTES_MAX` a message; the send buffer's is
  `session_outlet.SEND_BUFFER_MAX`.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from http import HTTPStatus
from secrets import token_hex
from types import TracebackType
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from replay.feed import Feed
from replay.frame_source import FrameSource
from replay.handshake_login import needs_signed_handshake
from replay.json_response import json_response
from replay.market_simulator import SimulationSettings
from replay.playback import Playback
from replay.posted_request import PostedConnection
from replay.request_gate import is_loopback, refusal
from replay.sent_ledger import SentLedger
from replay.served_source import ServedSource
from replay.served_time import ServedTime
from replay.server_control import CONTROL_PATH, ServerControl
from replay.server_session import AtEnd, ServerSession, SessionSettings
from replay.session_outlet import WRITE_LIMIT
from replay.source_survey import VenueSurvey
from replay.speed import speed_of
from replay.step_change import ChangedFeed, StepChange
from venues.errors import TickreelError
from venues.venue import Credentials, Venue

CLIENTS_MAX = 64
INBOUND_BYTES_MAX = 64 * 1024
CLOSE_LIMIT_S = 2.0
SILENT_CLIENT_LIMIT_S = 120.0
LEDGERS_MAX = 1_000
HEARTBEAT_S = 5.0


class ServerAddressError(TickreelError):
    """An address that the fake exchange does not listen on."""

    def __init__(self, host: str, reason: str) -> None:
        self.host = host
        self.reason = reason
        super().__init__(f"cannot listen on {host}: {reason}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that a client of `venue` connects to."""

    venue: str
    url: str


class VenueServer:
    """Serves until it is left. An async context manager.

    Attributes:
        sent: what was sent, a ledger a session, the newest `LEDGERS_MAX` of them.
        sessions: the clients that are connected.
        faults: why sessions ended because their feed could not be read.
        played: set once a client was sent everything there is.
    """

    def __init__(
        self,
        source: FrameSource | SimulationSettings,
        *,
        speed: str | int | Fraction | None = "1x",
        host: str = "127.0.0.1",
        port: int = 0,
        insecure: bool = False,
        at_end: AtEnd = AtEnd.SILENT,
        credentials: Credentials | None = None,
        venue: str | None = None,
        ledger_frames_max: int = 0,
        heartbeat_s: float = HEARTBEAT_S,
        start_paused: bool = False,
        change: Callable[[], StepChange] | None = None,
    ) -> None:
        """Prepare to serve `source` at `speed` (as `speed_of` reads it; None and `max` are max).

        `port` 0 takes a free one; `insecure` allows a host beyond loopback; `credentials` are those
        that a login must be signed with; `venue` serves only that one of several;
        `ledger_frames_max` is how many messages a session's ledger keeps whole; `heartbeat_s`
        how often the exchange says that it lives, where it does; `start_paused` lets nothing be
        played before it is resumed; and `change` makes what stands between each client and its
        feed (see `step_change`).

        Raises:
            SpeedError: the speed is none.
            ServerAddressError: the host is beyond loopback, and `insecure` was not given.
        """
        if not is_loopback(host) and not insecure:
            raise ServerAddressError(
                host,
                "it is reachable from other machines, and the fake exchange asks nobody who they "
                "are. Give --insecure if that is what you want.",
            )
        self.sent: deque[SentLedger] = deque(maxlen=LEDGERS_MAX)
        self.sessions: list[ServerSession] = []
        self.faults: list[TickreelError] = []
        self.played = asyncio.Event()
        self.time = ServedTime(speed_of(speed), paused=start_paused)
        self._served = ServedSource(source, venue)
        self._change = change
        self._host = host
        self._port = port
        self._at_end = at_end
        self._credentials = credentials
        self._ledger_frames_max = ledger_frames_max
        self._heartbeat_s = heartbeat_s
        self._playback = self._new_playback()
        self._control = ServerControl(self)
        self._server: Server | None = None

    async def __aenter__(self) -> VenueServer:
        """Look through the source, then listen.

        Raises:
            NothingToServeError: there is no frame of a venue in it.
            UnknownVenueError: it has frames of a venue that this version does not know.
            ReplayError: it cannot be read.
            ServerAddressError: the address is in use, or is none of this machine's.
        """
        await asyncio.to_thread(self._served.look)
        self._playback = self._new_playback()
        try:
            self._server = await serve(
                self._serve_client,
                self._host,
                self._port,
                process_request=self._judge_request,
                create_connection=PostedConnection,
                compression=None,
                max_size=INBOUND_BYTES_MAX,
                write_limit=WRITE_LIMIT,
                ping_timeout=SILENT_CLIENT_LIMIT_S,
                close_timeout=CLOSE_LIMIT_S,
            )
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            remedy = "another --port, or 0 for any free one" if taken else "another --host"
            reason = f"{error.strerror or error}. Give {remedy}."
            raise ServerAddressError(f"{self._host}:{self._port}", reason) from error
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection (1001) and stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that it listens on; the one asked for (0: any) before it does."""
        return self._port

    @property
    def url(self) -> str:
        """The WebSocket address, without a path: to give to a client as the exchange's."""
        return f"ws://{self._authority}"

    @property
    def rest_url(self) -> str:
        """The HTTP address, without a path."""
        return f"http://{self._authority}"

    @property
    def endpoints(self) -> list[Endpoint]:
        """The addresses, path and all, that clients of the recording connected to, or can."""
        return [
            Endpoint(name, self.url + path)
            for name, met in self._served.surveyed.venues.items()
            for path in met.addresses
            if self._venue_at(path) is met.venue
        ]

    @property
    def hidden(self) -> list[str]:
        """The venues that are at no address of their own here: another one is at the same path."""
        reached = {endpoint.venue for endpoint in self.endpoints}
        return [
            name
            for name, met in self._served.surveyed.venues.items()
            if met.addresses and name not in reached
        ]

    @property
    def _authority(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    # Requests.

    async def _judge_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """Answer an HTTP request; None lets a WebSocket handshake go on."""
        headers = request.headers
        refused = refusal(
            headers.get_all("Host"), headers.get_all("Origin"), listening_on=self._host
        )
        if refused is not None:
            return connection.respond(HTTPStatus.FORBIDDEN, f"{refused}\n")
        if "Upgrade" not in headers:
            if request.path.startswith(CONTROL_PATH):
                return await self._control.answer(request)
            return await self._answer_http(connection, request.path)
        venue = self._venue_at(request.path)
        if venue is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "no WebSocket endpoint here\n")
        if needs_signed_handshake(venue, request.path) and not self._signed(venue, request):
            text = "the handshake is not signed with this server's keys\n"
            return connection.respond(HTTPStatus.UNAUTHORIZED, text)
        if len(self.sessions) >= CLIENTS_MAX:
            text = f"{CLIENTS_MAX} clients are connected, which is all that are served at once\n"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, text)
        return None

    async def _answer_http(self, connection: ServerConnection, path: str) -> Response:
        is_book = False
        bodies: list[bytes] = []
        for met in self._served.surveyed.venues.values():
            access = met.venue.dialect.access_body(path, self._websocket_address(met))
            if access is not None:
                return json_response(access)
            is_book = is_book or met.venue.dialect.snapshot_symbol(path) is not None
            body = await self._feed_asked(met.venue).http_body(path)
            if body is not None:
                bodies.append(body)
        if bodies:
            # A list that is empty at one venue of an exchange may be full at another.
            return json_response(max(bodies, key=len))
        if is_book:
            text = "no snapshot of this book can be vouched for now\n"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, text)
        return connection.respond(HTTPStatus.NOT_FOUND, "no such HTTP path here\n")

    def _websocket_address(self, met: VenueSurvey) -> str:
        """Return where clients of a venue are sent that ask where to connect."""
        return self.url + next((path.partition("?")[0] for path in met.addresses), "/")

    def _signed(self, venue: Venue, request: Request) -> bool:
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        return venue.dialect.login_headers_valid(headers, self._credentials or _nobodys_keys())

    def _feed_asked(self, venue: Venue) -> Feed:
        """Return the feed to answer a request from; a fresh one where nobody is connected."""
        feeds = [each.feed for each in self.sessions if each.feed.venue is venue]
        furthest = max(feeds, key=lambda feed: feed.position, default=None)
        if furthest is not None and furthest.position >= 0:
            return furthest
        return self._playback.front(venue) or furthest or self._playback.feed(venue)

    def _venue_at(self, path: str) -> Venue | None:
        bare = urlsplit(path).path
        for met in self._served.surveyed.venues.values():
            if met.venue.dialect.serves_path(bare):
                return met.venue
        return None

    # Sessions.

    async def _serve_client(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None, "the handshake was made"
        venue = self._venue_at(request.path)
        assert venue is not None, "the handshake was let through"
        ledger = SentLedger(request.path, venue.name, self._ledger_frames_max)
        session = ServerSession(
            connection,
            request.path,
            self.playback().feed(venue),
            SessionSettings(self._at_end, self._credentials, self._heartbeat_s),
            ledger,
            self.playback,
            self.played,
            logged_in=self._signed(venue, request),
        )
        self.sent.append(ledger)
        self.sessions.append(session)
        try:
            await session.run()
        finally:
            self.sessions.remove(session)
            if session.fault is not None:
                self.faults.append(session.fault)

    # The pass.

    def playback(self) -> Playback:
        """Return the pass that a client joins now: a new one where the last is over."""
        if self._playback.over:
            self._playback = self._new_playback()
        return self._playback

    @property
    def origin_ns(self) -> int:
        """The time at which what is served begins: of the first frame, 0 for a simulation."""
        return self._served.surveyed.first_time_ns

    async def seek(self, from_ns: int | None) -> None:
        """Begin a new pass at a time of the recording, or (None) at its start.

        Every connection is closed (1012): a client that comes back is told its books as of then.
        """
        self._playback = self._new_playback(from_ns)
        for session in list(self.sessions):
            await session.restart("the playback was moved to another time")

    def _new_playback(self, from_ns: int | None = None) -> Playback:
        origin_ns = self._served.surveyed.first_time_ns if from_ns is None else from_ns
        self._served.begin()
        self.time.stop()
        return Playback(self.time, origin_ns, lambda venue: self._feed(venue, from_ns))

    def _feed(self, venue: Venue, from_ns: int | None) -> Feed:
        feed = self._served.feed(venue, from_ns)
        return feed if self._change is None else ChangedFeed(feed, self._change)


def _nobodys_keys() -> Credentials:
    """Return keys that nobody can sign with; where nothing is signed, they will do."""
    return Credentials(token_hex(), token_hex(), token_hex())
