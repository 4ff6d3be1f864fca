"""An HTTP answer of the fake exchange that is JSON."""

from __future__ import annotations

from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response


def json_response(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return `body` as the answer; the connection ends with it."""
    headers = Headers()
    headers["Content-Type"] = "application/json"
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
