"""Who may talk to the fake exchange: the checks on a request before it is answered.

A browser reaches loopback: any web page can open a WebSocket to it, and one whose name is made to
resolve to 127.0.0.1 can read what comes by HTTP. So a request that carries an `Origin` (only
browsers send it) must be of a page on loopback, and `Host` must name loopback or the address that
the server was told to listen on.

Where a token was set, whoever wants to talk has to know it: in a header (`Authorization: Bearer
TOKEN`) or, as a client of an exchange can only be given another address, as the first part of the
path (`/TOKEN/v5/public/linear`). It is taken out before anybody else sees the path.
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Return whether `host`, a name or an address, is this machine seen from itself."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(hosts: list[str], origins: list[str], *, listening_on: str) -> str | None:
    """Return why a request with these `Host` and `Origin` headers is refused; None if it is not."""
    if len(hosts) != 1:
        return "a request needs exactly one Host header"
    name = _host_of(f"//{hosts[0]}")
    if name is None or not (is_loopback(name) or _served(name, listening_on)):
        return f"Host {hosts[0]!r} is not this server"
    for origin in origins:
        page = _host_of(origin)
        if page is None or not is_loopback(page):
            return f"pages of {origin!r} may not connect"
    return None


def _served(name: str, listening_on: str) -> bool:
    """Return whether `name` is where a server that listens beyond loopback can be reached.

    One that listens on all addresses cannot know its names; it was opened with `insecure`.
    """
    return name.lower() == listening_on.lower() or listening_on in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def path_without_token(path: str, authorizations: list[str], token: str | None) -> str | None:
    """Return the path without the token in it; None where a token is wanted and not shown."""
    if token is None:
        return path
    if any(_same(each, f"Bearer {token}") for each in authorizations):
        return path
    first, slash, rest = path.removeprefix("/").partition("/")
    if slash and _same(first, token):
        return f"/{rest}"
    return None


def _same(shown: str, wanted: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "replace"), wanted.encode())
