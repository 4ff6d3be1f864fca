"""The fake exchange in a thread of its own, for programs without an event loop of their own."""

from __future__ import annotations

import asyncio
import threading
from fractions import Fraction
from types import TracebackType

from replay.frame_source import FrameSource
from replay.venue_server import VenueServer

_LIMIT_S = 30.0


class ServedAddress(str):
    """The first address that is served: a text, with what else there is to know beside it.

    Attributes:
        rest_url: where HTTP requests are answered.
        endpoints: every address, as (venue, address).
    """

    __slots__ = ("endpoints", "rest_url")
    rest_url: str
    endpoints: list[tuple[str, str]]


class BackgroundServer:
    """Serves a source while it is entered; entering gives the address.

    What goes wrong in beginning is raised there.
    """

    def __init__(self, source: FrameSource, speed: str | int | Fraction | None = "max") -> None:
        self._source = source
        self._speed = speed
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._address: ServedAddress | None = None
        self._thread = threading.Thread(target=self._run, name="fake-exchange", daemon=True)

    def __enter__(self) -> ServedAddress:
        self._thread.start()
        self._ready.wait(_LIMIT_S)
        if self._address is None:
            raise self._error or TimeoutError("the fake exchange does not come up")
        return self._address

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._stopped is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(_LIMIT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with VenueServer(self._source, speed=self._speed) as server:
            endpoints = [(each.venue, each.url) for each in server.endpoints]
            address = ServedAddress(endpoints[0][1] if endpoints else server.url)
            address.rest_url, address.endpoints = server.rest_url, endpoints
            self._address = address
            self._ready.set()
            await self._stopped.wait()
