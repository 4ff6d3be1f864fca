"""One HTTP request, bounded in time and size, that never raises for what the other side does.

It blocks, as the standard library's client does, and belongs into a thread (`recorder.own_thread`).
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, InvalidURL
from typing import IO
from urllib.parse import urlsplit

from recorder.tls_context import tls_context
from venues.venue import HttpRequest

FETCH_LIMIT_S = 10.0
BODY_BYTES_MAX = 32 * 2**20
CHUNK_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came of a request: a status and a body, or an error and neither."""

    status: int | None
    body: bytes
    error: str = ""
    retry_after: str | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: it is recorded, not followed to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def send_request(
    request: HttpRequest, limit_s: float = FETCH_LIMIT_S, bytes_max: int = BODY_BYTES_MAX
) -> HttpAnswer:
    """Send `request` and return what came; never raises for what network or server do."""
    if urlsplit(request.url).scheme not in ("http", "https"):
        return HttpAnswer(None, b"", "not an HTTP address")
    deadline_s = time.monotonic() + limit_s
    opener = urllib.request.build_opener(
        _NoRedirect, urllib.request.HTTPSHandler(context=tls_context())
    )
    try:
        try:
            answer = opener.open(_wire_request(request), timeout=limit_s)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            body = _read(answer, deadline_s, bytes_max)
            _check_whole(body, answer.headers.get("Content-Length"))
            return HttpAnswer(answer.status, body, "", answer.headers.get("Retry-After"))
    except _UnfinishedError as fault:
        return HttpAnswer(None, b"", str(fault))
    except urllib.error.URLError as fault:
        return HttpAnswer(None, b"", f"no answer: {fault.reason}")
    except (InvalidURL, ValueError):
        # Without the fault's words, which quote the address or the header, and so may hold a key.
        return HttpAnswer(None, b"", "no request: HTTP does not allow its address or its headers")
    except (OSError, HTTPException) as fault:
        return HttpAnswer(None, b"", f"no whole answer: {fault or type(fault).__name__}")


def _wire_request(request: HttpRequest) -> urllib.request.Request:
    return urllib.request.Request(  # noqa: S310 - the scheme has been looked at
        request.url,
        data=request.body if request.body or request.method != "GET" else None,
        headers={"User-Agent": "tickreel", **dict(request.headers)},
        method=request.method,
    )


def _check_whole(body: bytes, announced: str | None) -> None:
    # `read1` gives what there is and then an end, whether or not all of it came.
    if announced is not None and announced.isdigit() and int(announced) != len(body):
        raise _UnfinishedError(f"no whole answer: {len(body):,} of {int(announced):,} bytes came")


class _UnfinishedError(Exception):
    """An answer above the limit of size or time."""


def _read(answer: IO[bytes], deadline_s: float, bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := answer.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
        chunks.append(chunk)
        size += len(chunk)
        if size > bytes_max:
            raise _UnfinishedError(f"the answer has more than {bytes_max:,} bytes")
        if time.monotonic() > deadline_s:
            raise _UnfinishedError("the answer did not end in time")
    return b"".join(chunks)
