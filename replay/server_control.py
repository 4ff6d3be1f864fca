"""Control of a fake exchange over HTTP, on the port that it serves on.

    GET  /tickreel/status
    POST /tickreel/pause
    POST /tickreel/resume
    POST /tickreel/speed?x=10         a ratio as `speed` reads it, or max
    POST /tickreel/seek?to=+90s       start, or a time of the recording as `written_time` reads it

A seek closes every connection (1012): a client that comes back is told its books as of then. Every
answer is JSON: the status after what was asked, or `{"error": …}` with 400, 404 or 405. In it,
`time_ns` (and `time`) is what the time is; while `started` is false, at which it begins once a
client subscribes. It is null at max, where every client has a time of its own. `origin_ns` is the
first frame's. A simulation has only what went by since it began: its origin is 0, its `time` null.

What changes something has to be a POST, so that no link or image of a page can do it;
`request_gate` has looked at `Host` and `Origin` before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.http11 import Response

from replay.http_response import json_response
from replay.playback import Playback
from replay.served_time import ServedTime
from replay.server_session import ServerSession
from replay.speed import SpeedError, parse_speed, speed_text
from replay.written_time import read_recording_time, utc_text

CONTROL_PATH = "/tickreel/"

AT_START = "start"


class Controlled(Protocol):
    """The server that is controlled."""

    time: ServedTime
    sessions: list[ServerSession]

    @property
    def origin_ns(self) -> int:
        """The time at which what is served begins."""

    @property
    def last_ns(self) -> int | None:
        """The time of its last frame, where that is known."""

    @property
    def playing(self) -> Playback:
        """The pass that is played, or was played last."""

    async def seek(self, from_ns: int | None) -> None:
        """Go on from another time; None for the start."""


class ServerControl:
    """Does what `/tickreel/…` asks."""

    def __init__(self, server: Controlled) -> None:
        self._server = server
        self._orders: dict[str, Callable[[dict[str, str]], Awaitable[None]]] = {
            "pause": self._pause,
            "resume": self._resume,
            "speed": self._speed,
            "seek": self._seek,
        }

    async def answer(self, method: str, path: str) -> Response:
        """Do what a request for `path` (and its query) asks, and answer it."""
        parts = urlsplit(path)
        name = parts.path[len(CONTROL_PATH) :]
        if name == "status":
            return self._status()
        order = self._orders.get(name)
        if order is None:
            known = ", ".join(["status", *self._orders])
            return _refused(HTTPStatus.NOT_FOUND, f"there is no {name!r} here, only {known}")
        if method != "POST":
            response = _refused(HTTPStatus.METHOD_NOT_ALLOWED, f"{name} has to be a POST")
            response.headers["Allow"] = "POST"
            return response
        query = parse_qs(parts.query.replace("+", "%2B"))  # +90s is no space and 90s
        try:
            await order({key: values[-1] for key, values in query.items()})
        except (ValueError, SpeedError) as refused:
            return _refused(HTTPStatus.BAD_REQUEST, str(refused))
        return self._status()

    async def _pause(self, query: dict[str, str]) -> None:
        del query
        self._server.time.pause()

    async def _resume(self, query: dict[str, str]) -> None:
        del query
        self._server.time.resume()

    async def _speed(self, query: dict[str, str]) -> None:
        if "x" not in query:
            raise ValueError("say which speed: /tickreel/speed?x=10")
        speed = parse_speed(query["x"])
        due_ns = [await each.feed.due_ns() for each in self._server.sessions if each.playing]
        known = [each for each in due_ns if each is not None]
        self._server.time.set_speed(speed, min(known, default=self._server.origin_ns))

    async def _seek(self, query: dict[str, str]) -> None:
        if "to" not in query:
            raise ValueError("say to when: /tickreel/seek?to=+90s")
        written = query["to"]
        await self._server.seek(None if written == AT_START else self._moment_ns(written))

    def _moment_ns(self, written: str) -> int:
        first_ns, last_ns = self._server.origin_ns, self._server.last_ns
        moment_ns = read_recording_time(written).resolve(first_ns)
        if moment_ns < first_ns:
            raise ValueError(f"{written} is before the start, {utc_text(first_ns)}")
        if last_ns is not None and moment_ns > last_ns:
            raise ValueError(f"{written} is after the end, {utc_text(last_ns)}")
        return moment_ns

    def _status(self) -> Response:
        time, sessions = self._server.time, self._server.sessions
        origin_ns, playback = self._server.origin_ns, self._server.playing
        now_ns = time.now_ns
        if not time.started and time.speed is not None:
            now_ns = playback.origin_ns
        status = {
            "speed": speed_text(time.speed),
            "paused": time.paused,
            "started": time.started,
            "time_ns": now_ns,
            "time": utc_text(now_ns, 6) if now_ns and origin_ns else None,
            "origin_ns": origin_ns,
            "times_moved_by_s": playback.times.shift_s,
            "clients": _clients(sessions),
        }
        return json_response(msgspec.json.encode(status) + b"\n")


def _clients(sessions: Sequence[ServerSession]) -> list[dict[str, object]]:
    return [
        {
            "venue": each.feed.venue.name,
            "path": each.ledger.path,
            "state": each.state.value,
            "topics": sorted(each.topics),
            "messages": each.ledger.frames,
        }
        for each in sessions
    ]


def _refused(status: HTTPStatus, reason: str) -> Response:
    return json_response(msgspec.json.encode({"error": reason}) + b"\n", status)
