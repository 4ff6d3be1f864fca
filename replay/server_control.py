"""Control of a fake exchange over HTTP, on the port that it serves on.

    GET  /tickreel/status
    POST /tickreel/pause
    POST /tickreel/resume
    POST /tickreel/speed?x=10         a ratio as `speed` reads it, or max
    POST /tickreel/seek?to=+90s       start, an offset from it, RFC 3339, or an epoch time

Every answer is JSON: the status after what was asked, or `{"error": …}` with 400, 404 or 405. What
changes something has to be a POST, so that no link or image of a page can do it; `request_gate`
has looked at `Host` and `Origin` before.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
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

CONTROL_PATH = "/tickreel/"

_NS_PER_S = 1_000_000_000
_UNITS_NS = {"ms": 10**6, "s": _NS_PER_S, "m": 60 * _NS_PER_S, "h": 3600 * _NS_PER_S}
_OFFSET = re.compile(r"\+(\d{1,12})(?:\.(\d{1,9}))?(ms|s|m|h)?", re.ASCII)
_EPOCH_DIGITS_NS = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
_START = datetime(1970, 1, 1, tzinfo=UTC)


class Controlled(Protocol):
    """The server that is controlled."""

    time: ServedTime
    sessions: list[ServerSession]

    @property
    def origin_ns(self) -> int:
        """The time at which what is served begins."""

    def playback(self) -> Playback:
        """Return the pass that is played."""

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
        await self._server.seek(read_moment_ns(query["to"], self._server.origin_ns))

    def _status(self) -> Response:
        time, sessions = self._server.time, self._server.sessions
        now_ns = time.now_ns
        status = {
            "speed": speed_text(time.speed),
            "paused": time.paused,
            "started": time.started,
            "time_ns": now_ns,
            "time": None if now_ns is None else _rfc_3339(now_ns),
            "origin_ns": self._server.origin_ns,
            "times_moved_by_s": self._server.playback().times.shift_s,
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


def read_moment_ns(written: str, origin_ns: int) -> int | None:
    """Read a time to seek to; None for the start.

    Raises:
        ValueError: it is none, or it is before the start.
    """
    if written == "start":
        return None
    offset = _OFFSET.fullmatch(written)
    if offset is not None:
        unit_ns = _UNITS_NS[offset[3] or "s"]
        part_ns = int((offset[2] or "0").ljust(9, "0")) * unit_ns // _NS_PER_S
        return origin_ns + int(offset[1]) * unit_ns + part_ns
    if written.isascii() and written.isdigit() and len(written) in _EPOCH_DIGITS_NS:
        moment_ns = int(written) * _EPOCH_DIGITS_NS[len(written)]
    else:
        moment_ns = _read_rfc_3339(written)
    if moment_ns < origin_ns:
        raise ValueError(f"{written} is before the start, {_rfc_3339(origin_ns)}")
    return moment_ns


def _read_rfc_3339(written: str) -> int:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(
            f"{written!r} is no time: write start, an offset such as +90s or +1.5h, RFC 3339 such "
            "as 2026-01-01T00:00:00Z, or an epoch time in s, ms, µs or ns"
        ) from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - _START) // timedelta(microseconds=1) * 1000


def _rfc_3339(time_ns: int) -> str:
    moment = _START + timedelta(microseconds=time_ns // 1000)
    return moment.isoformat().replace("+00:00", "Z")


def _refused(status: HTTPStatus, reason: str) -> Response:
    return json_response(msgspec.json.encode({"error": reason}) + b"\n", status)
