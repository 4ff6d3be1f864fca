"""Where a connection goes: the exchange's own address, or another one given in its place."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from venues.errors import AddressError


def websocket_url(own_url: str, override: str | None, own_paths: Collection[str]) -> str:
    """Return the address to connect to.

    `override` brings scheme, host and port, and its query where it has one. Its path counts
    only where it is neither empty nor `/` nor in `own_paths`, the paths that the exchange has
    anyway: a proxy's address may be given as it is shown, and each part still finds its own path.

    Raises:
        AddressError: `override` is not a WebSocket address.
    """
    if override is None:
        return own_url
    own, other = urlsplit(own_url), _split(override)
    path = own.path if other.path in ("", "/") or other.path in own_paths else other.path
    query = other.query or own.query
    return f"{other.scheme}://{other.netloc}{path}" + (f"?{query}" if query else "")


def rest_url(own_url: str, override: str | None) -> str:
    """Return scheme, host and port for HTTP requests.

    Raises:
        AddressError: `override` is not a WebSocket address.
    """
    if override is None:
        return own_url
    other = _split(override)
    return f"{'https' if other.scheme == 'wss' else 'http'}://{other.netloc}"


def _split(url: str) -> SplitResult:
    if any(character <= " " or character == "\x7f" for character in url):
        raise AddressError(url, "it holds a space or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressError(url, str(error)) from error
    if parts.scheme not in ("ws", "wss"):
        raise AddressError(url, "it does not begin with ws:// or wss://")
    if not parts.hostname or port == 0:
        raise AddressError(url, "it names no host and port")
    if "@" in parts.netloc:
        raise AddressError(url.replace(parts.netloc, "…"), "it holds a user name or password")
    return parts
