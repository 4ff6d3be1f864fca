"""What went wrong in connecting, as an error that says what to do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
)
from websockets.proxy import Proxy, get_proxy, parse_proxy
from websockets.uri import parse_uri

from recorder.errors import (
    BadAddressError,
    BadProxyError,
    ConnectError,
    HandshakeRefusedError,
    HostNotFoundError,
    HostUnreachableError,
    TlsError,
)
from recorder.redaction import Redaction, redacted_url

WAIT_UNASKED_S = {418: 120.0, 429: 30.0}
"""How long to wait after a status that bans or throttles and does not say how long."""
WAIT_LIMIT_S = 3600.0

CONNECT_EXCEPTIONS = (
    *(OSError, TimeoutError, InvalidURI, InvalidProxy, InvalidHandshake, ValueError, EOFError),
    ImportError,  # a SOCKS proxy, without the package for it
)
"""What `websockets.asyncio.client.connect` raises, by its documentation and by its source."""


def connect_fault(
    stream: str, url: str, fault: Exception, redaction: Redaction | None = None
) -> ConnectError:
    """Return the error of ours for what `connect` raised, without what `redaction` knows."""
    redaction = redaction or Redaction()
    shown = redaction.text(redacted_url(url))
    if isinstance(fault, InvalidStatus):
        return _refused(stream, shown, fault, redaction)
    if isinstance(fault, InvalidURI):
        return BadAddressError(stream, shown, fault.msg)
    if (reason := _proxy_fault(url, fault)) is not None:
        return BadProxyError(stream, shown, reason)
    if isinstance(fault, OSError):
        return _unreachable(stream, url, shown, fault)
    if isinstance(fault, InvalidMessage):
        return HandshakeRefusedError(stream, shown, None, "it does not answer in HTTP")
    if isinstance(fault, InvalidHandshake):
        return HandshakeRefusedError(stream, shown, None, str(fault))
    return BadAddressError(stream, shown, str(fault))


_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's verify results for a chain that ends in no certificate that is trusted here."""


def _unreachable(stream: str, url: str, shown: str, fault: OSError) -> ConnectError:
    proxy = _proxy(url)
    if proxy is not None:
        shown += f" through the proxy {proxy.host}:{proxy.port}"
    if isinstance(fault, socket.gaierror):
        if fault.errno == socket.EAI_AGAIN:
            return HostUnreachableError(stream, shown, f"the name service fails ({fault.strerror})")
        host = (urlsplit(url).hostname or "") if proxy is None else proxy.host
        return HostNotFoundError(stream, shown, host, fault.strerror or str(fault))
    if isinstance(fault, ssl.SSLCertVerificationError):
        reason = f"its certificate is not valid: {fault.verify_message.rstrip('.')}"
        unknown = fault.verify_code in _UNKNOWN_AUTHORITY
        return TlsError(stream, shown, reason, unknown_authority=unknown)
    if isinstance(fault, ssl.SSLError):
        return TlsError(stream, shown, f"no TLS handshake: {fault.reason or fault}")
    if isinstance(fault, TimeoutError):
        return HostUnreachableError(stream, shown, "no answer in time")
    # asyncio's own resets say nothing at all.
    cut = "it hung up in the TLS handshake" if url.startswith("wss:") else "it hung up"
    return HostUnreachableError(stream, shown, fault.strerror or str(fault) or cut)


def _proxy_fault(url: str, fault: Exception) -> str | None:
    """Return why the proxy cannot be used; None where there is none, or nothing wrong with it.

    Never in the words of whatever read its address, which quote that, and its password.
    """
    if isinstance(fault, ImportError):
        return "SOCKS needs `pip install python-socks`"
    try:
        _proxy(url)
    except InvalidProxy as invalid:
        return invalid.msg
    except ValueError:
        return "its address is malformed; in a password, write / as %2F and @ as %40"
    return None


def _proxy(url: str) -> Proxy | None:
    """Return the proxy through which `url` is reached; None where it is reached without one.

    Raises:
        InvalidProxy, ValueError: it is none.
    """
    try:
        name = get_proxy(parse_uri(url))
    except (InvalidURI, ValueError):
        return None
    return None if name is None else parse_proxy(name)


def retry_after_s(value: str | None, status: int) -> float | None:
    """Return how long an answer asks to wait: seconds or an HTTP date (RFC 9110, 10.2.3)."""
    wait_s = WAIT_UNASKED_S.get(status)
    if value is not None:
        if value.strip().isdigit():
            wait_s = float(value)
        else:
            with contextlib.suppress(ValueError):  # neither: as if it had not been said
                wait_s = parsedate_to_datetime(value).timestamp() - time.time()
    return None if wait_s is None else min(max(wait_s, 0.0), WAIT_LIMIT_S)


def _refused(
    stream: str, shown: str, fault: InvalidStatus, redaction: Redaction
) -> HandshakeRefusedError:
    response = fault.response
    return HandshakeRefusedError(
        stream,
        shown,
        response.status_code,
        redaction.text(response.reason_phrase),
        excerpt=redaction.payload(bytes(response.body or b"")),
        retry_after_s=retry_after_s(response.headers.get("Retry-After"), response.status_code),
    )
