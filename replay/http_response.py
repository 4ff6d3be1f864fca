"""HTTP answers of the fake exchange."""

from __future__ import annotations

from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response


def json_response(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return `body` as the answer; the connection ends with it."""
    return _response(body, "application/json", status)


def text_response(text: str, status: HTTPStatus) -> Response:
    """Return a sentence as the answer; the connection ends with it."""
    return _response(text.encode(), "text/plain; charset=utf-8", status)


def _response(body: bytes, content_type: str, status: HTTPStatus) -> Response:
    headers = Headers()
    headers["Content-Type"] = content_type
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
