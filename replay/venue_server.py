"""A fake exchange: a recording or a simulation, served over real WebSockets as the venue speaks.

Any client that can talk to the venue can be pointed at it. What it may say and hears in answer is
the venue's `dialect`; what it is played is its `feed`; who it is, is one `ServerSession`.

Rules:

- At a speed there is one virtual time for all clients, and it begins with the first subscription:
  see `playback`. At max every client plays from the start of its own. One that was cut off by a
  recorded (or simulated) disconnect and comes back to the same path for the same topics goes on
  where it was; nobody else's feed is ever touched.
- The time is controlled over HTTP, at `/tickreel/…`: see `server_control`.
- HTTP is served on the same port: see `http_side`. Where clients first ask for an address or a
  token, they are sent here. At `/ws-replay`, clients of tardis-machine are: see `tardis_replay`.
- Where logins are signed in the handshake, one at a private path that is not is refused (401).
- Loopback only, unless `insecure`, or a `token` that clients must know. See `request_gate`.
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
from replay.http_response import text_response
from replay.http_side import HttpSide, headers_by_name
from replay.market_simulator import SimulationSettings
from replay.playback import Playback
from replay.posted_request import PostedConnection
from replay.request_gate import is_loopback, path_without_token, refusal
from replay.sent_ledger import SentLedger
from replay.served_source import ServedSource
from replay.served_time import ServedTime
from replay.server_control import CONTROL_PATH, ServerControl
from replay.server_session import AtEnd, ServerSession, SessionSettings
from replay.session_outlet import WRITE_LIMIT
from replay.speed import speed_of
from replay.step_change import ChangedFeed, StepChange
from replay.tardis_replay import (
    REPLAY_PATH,
    ReplayRequest,
    TardisReplays,
    read_replay_request,
)
from replay.time_move import TimeMove, check_movable
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
        token: str | None = None,
        shift_time: bool = False,
        change: Callable[[], StepChange] | None = None,
    ) -> None:
        """Prepare to serve `source` at `speed` (as `speed_of` reads it; None and `max` are max).

        `port` 0 takes a free one; `insecure` allows a host beyond loopback, and so does a `token`
        that every request must show; `credentials` are those that a login must be signed with;
        `venue` serves only that one of several; `ledger_frames_max` is how many messages a
        session's ledger keeps whole; `heartbeat_s` how often the exchange says that it lives, where
        it does; `start_paused` lets nothing be played before it is resumed; `shift_time` moves the
        times in messages to the present (see `time_move`); and `change` makes what stands between
        each client and its feed (see `step_change`).

        Raises:
            SpeedError: the speed is none.
            ServerAddressError: the host is beyond loopback, without `insecure` and `token`.
        """
        if not is_loopback(host) and not insecure and not token:
            raise ServerAddressError(
                host,
                "it is reachable from other machines, and the fake exchange asks nobody who they "
                "are. Give --insecure if that is what you want, or set a token with --token-env.",
            )
        self.sent: deque[SentLedger] = deque(maxlen=LEDGERS_MAX)
        self.sessions: list[ServerSession] = []
        self.faults: list[TickreelError] = []
        self.played = asyncio.Event()
        self.time = ServedTime(speed_of(speed), paused=start_paused)
        self._served = ServedSource(source, venue)
        self._change = change
        self._token = token or None
        self._shift_time = shift_time
        self._host = host
        self._port = port
        self._at_end = at_end
        self._credentials = credentials
        self._ledger_frames_max = ledger_frames_max
        self._heartbeat_s = heartbeat_s
        self._playback = self._begun_playback()
        self._control = ServerControl(self)
        self._http = HttpSide(self.sessions, self.playback, lambda: self.url)
        self._tardis = TardisReplays(self._served.feed)
        self._server: Server | None = None

    async def __aenter__(self) -> VenueServer:
        """Look through the source, then listen.

        Raises:
            NothingToServeError: there is no frame of a venue in it.
            UnknownVenueError: it has frames of a venue that this version does not know.
            UnmovableTimesError: times are to be moved, and a venue does not say where they are.
            ReplayError: it cannot be read.
            ServerAddressError: the address is in use, or is none of this machine's.
        """
        await asyncio.to_thread(self._served.look)
        for met in self._served.surveyed.venues.values() if self._shift_time else ():
            check_movable(met.venue)
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
            of_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
            remedy = "another --port, or 0 for any free one" if of_port else "another --host"
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
        """The WebSocket address, without a path: to give to a client as the exchange's.

        A token that clients must know is in it.
        """
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
        return f"{host}:{self.port}" + (f"/{self._token}" if self._token else "")

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
            return text_response(f"{refused}\n", HTTPStatus.FORBIDDEN)
        path = path_without_token(request.path, headers.get_all("Authorization"), self._token)
        if path is None:
            return text_response("this server's token is wanted\n", HTTPStatus.UNAUTHORIZED)
        if "Upgrade" not in headers:
            if path.startswith(CONTROL_PATH):
                return await self._control.answer(request.method, path)
            surveys = list(self._served.surveyed.venues.values())
            return await self._http.answer(surveys, path, headers_by_name(request))
        assert isinstance(connection, PostedConnection), "this server makes no others"
        connection.served_path = path
        return self._judge_handshake(request, path)

    def _judge_handshake(self, request: Request, path: str) -> Response | None:
        if len(self.sessions) + self._tardis.connections >= CLIENTS_MAX:
            text = f"{CLIENTS_MAX} clients are connected, which is all that are served at once\n"
            return text_response(text, HTTPStatus.SERVICE_UNAVAILABLE)
        if path.partition("?")[0] == REPLAY_PATH:
            asked = read_replay_request(path, self._venues())
            return asked if isinstance(asked, Response) else None
        venue = self._venue_at(path)
        if venue is None:
            return text_response("no WebSocket endpoint here\n", HTTPStatus.NOT_FOUND)
        if needs_signed_handshake(venue, path) and not self._signed(venue, path, request):
            text = "the handshake is not signed with this server's keys\n"
            return text_response(text, HTTPStatus.UNAUTHORIZED)
        return None

    def _venues(self) -> dict[str, Venue]:
        return {name: met.venue for name, met in self._served.surveyed.venues.items()}

    def _signed(self, venue: Venue, path: str, request: Request) -> bool:
        keys = self._credentials or _nobodys_keys()
        return venue.dialect.handshake_valid(path, headers_by_name(request), keys)

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
        assert isinstance(connection, PostedConnection), "this server makes no others"
        path = connection.served_path
        if path.partition("?")[0] == REPLAY_PATH:
            asked = read_replay_request(path, self._venues())
            assert isinstance(asked, ReplayRequest), "the handshake was let through"
            ledger = SentLedger(path, asked.venue.name, self._ledger_frames_max)
            self.sent.append(ledger)
            await self._tardis.serve(connection, asked, ledger)
            return
        venue = self._venue_at(path)
        assert venue is not None, "the handshake was let through"
        ledger = SentLedger(path, venue.name, self._ledger_frames_max)
        session = ServerSession(
            connection,
            path,
            self.playback().feed(venue),
            SessionSettings(self._at_end, self._credentials, self._heartbeat_s),
            ledger,
            self.playback,
            self.played,
            logged_in=self._signed(venue, path, request),
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
    def playing(self) -> Playback:
        """The pass that is played, or was played last."""
        return self._playback

    @property
    def origin_ns(self) -> int:
        """The time at which what is served begins: of the first frame, 0 for a simulation."""
        return self._served.surveyed.first_time_ns

    @property
    def last_ns(self) -> int | None:
        """The time of the last frame; None where it is not known, and for a simulation."""
        return self._served.surveyed.last_time_ns

    async def seek(self, from_ns: int | None) -> None:
        """Begin a new pass at a time of the recording, or (None) at its start.

        Every connection is closed (1012), as no exchange has a message that says so: a client that
        comes back is told its books as of then. It returns once those clients are gone.
        """
        self._playback = self._new_playback(from_ns)
        async with asyncio.TaskGroup() as group:
            for session in self.sessions:
                group.create_task(session.restart("the playback was moved to another time"))

    def _new_playback(self, from_ns: int | None = None) -> Playback:
        self._playback.leave_time()
        return self._begun_playback(from_ns)

    def _begun_playback(self, from_ns: int | None = None) -> Playback:
        origin_ns = self._served.surveyed.first_time_ns if from_ns is None else from_ns
        self._served.begin()
        self.time.stop()
        times = TimeMove(origin_ns, wanted=self._shift_time)
        return Playback(self.time, origin_ns, times, lambda venue: self._feed(venue, from_ns))

    def _feed(self, venue: Venue, from_ns: int | None) -> Feed:
        feed = self._served.feed(venue, from_ns)
        return feed if self._change is None else ChangedFeed(feed, self._change)


def _nobodys_keys() -> Credentials:
    """Return keys that nobody can sign with; where nothing is signed, they will do."""
    return Credentials(token_hex(), token_hex(), token_hex())
