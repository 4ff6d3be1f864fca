"""The errors of recorder.

    TickreelError                        (venues.errors)
    └── RecorderError                    every error of this package
        ├── ConnectError                 a connection could not be made; `fatal` says if ever
        │   ├── BadAddressError          the URL is no WebSocket address
        │   ├── BadProxyError            the environment names a proxy that cannot be used
        │   ├── HostNotFoundError        no such host
        │   ├── HostUnreachableError     nobody answers there
        │   ├── TlsError                 the certificate or the TLS handshake is not right
        │   ├── HandshakeRefusedError    the exchange answered with an HTTP status instead
        │   └── AccessError              what has to be fetched before connecting did not come
        ├── LoginRefusedError            the exchange does not accept the keys
        ├── SubscriptionRefusedError     the exchange refused all that was asked of it
        ├── WriterFailedError            frames can no longer be written
        ├── PartEndedError               a part of the recorder ended by itself
        ├── ConsumerTooSlowError         who iterates over the frames fell too far behind
        ├── TomlFileError                a file that cannot be read as TOML (recorder.toml_file)
        └── StreamSettingsError          a settings file that cannot be used

Bad data is never one of these: it is recorded, and becomes a finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from venues.errors import TickreelError, nearest


class RecorderError(TickreelError):
    """An error of the recorder."""


class ConnectError(RecorderError):
    """A connection could not be made.

    `transient` says whether trying again later can help; `url` has its secrets removed;
    `retry_after_s` is what the exchange asked us to wait, where it did.
    """

    transient = True

    def __init__(
        self, stream: str, url: str, sentence: str, *, retry_after_s: float | None = None
    ) -> None:
        self.stream = stream
        self.url = url
        self.retry_after_s = retry_after_s
        super().__init__(f"{stream}: {sentence}")


class BadAddressError(ConnectError):
    """The URL is no WebSocket address."""

    transient = False

    def __init__(self, stream: str, url: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            stream,
            url,
            f"{url!r} is no WebSocket address: {reason}. It has the form wss://host:port/path.",
        )


class BadProxyError(ConnectError):
    """The environment names a proxy that cannot be used. `reason` says why, without its address."""

    transient = False

    def __init__(self, stream: str, url: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            stream,
            url,
            f"no way to {url}: the proxy that the environment names cannot be used ({reason}). "
            "Look at the variables wss_proxy, socks_proxy, https_proxy and http_proxy; no_proxy "
            "lists what is reached without one.",
        )


class HostNotFoundError(ConnectError):
    """No such host. `reason` is the resolver's word."""

    transient = False

    def __init__(self, stream: str, url: str, host: str, reason: str) -> None:
        self.host = host
        self.reason = reason
        super().__init__(
            stream,
            url,
            f"there is no host {host!r} ({reason}). Check the address {url} and the network.",
        )


class HostUnreachableError(ConnectError):
    """Nobody answers at the address. `reason` is the system's word."""

    def __init__(self, stream: str, url: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            stream,
            url,
            f"nothing answers at {url}: {reason}. Check host and port, and that it is running.",
        )


class TlsError(ConnectError):
    """The certificate or the TLS handshake is not right. There is no switch to ignore it.

    `unknown_authority` says that the certificate is by one that this machine does not trust.
    """

    transient = False

    def __init__(
        self, stream: str, url: str, reason: str, *, unknown_authority: bool = False
    ) -> None:
        self.reason = reason
        self.unknown_authority = unknown_authority
        text = f"no safe connection to {url}: {reason}."
        if unknown_authority:
            text += " A private authority is made known by the environment variable SSL_CERT_FILE."
        super().__init__(stream, url, text)


class HandshakeRefusedError(ConnectError):
    """The exchange answered with an HTTP status, or with something that is no handshake.

    `status` is None where no status could be read; `excerpt` is the beginning of the answer.
    """

    EXCERPT_CHARACTERS = 240
    MEANINGS: ClassVar[Mapping[int, str]] = {
        401: "it wants other credentials",
        403: "it does not serve this address or this place",
        404: "there is no such path",
        418: "it has banned this address for a while",
        429: "too many requests came from this address",
        451: "it does not serve this place",
    }

    def __init__(
        self,
        stream: str,
        url: str,
        status: int | None,
        reason: str,
        *,
        excerpt: bytes = b"",
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        said_text = excerpt[: self.EXCERPT_CHARACTERS].decode("utf-8", "backslashreplace")
        self.excerpt = said_text.strip()
        self.transient = status is None or status in (408, 418, 425, 429) or status >= 500
        said = "" if status is None else f"HTTP {status}"
        meaning = self.MEANINGS.get(status or 0, reason)
        text = f"{url} refused the handshake: {said}{', ' if said and meaning else ''}{meaning}."
        if self.excerpt:
            text += f" It said {self.excerpt!r}."
        if retry_after_s is not None:
            text += f" Wait {retry_after_s:g} s before the next attempt."
        super().__init__(stream, url, text, retry_after_s=retry_after_s)


class AccessError(ConnectError):
    """The address or token that has to be fetched before connecting did not come.

    `url` was asked, `reason` is why its answer is of no use, without secrets.
    """

    def __init__(self, stream: str, url: str, reason: str, *, transient: bool = True) -> None:
        self.reason = reason
        self.transient = transient
        super().__init__(stream, url, f"no access from {url}: {reason}.")


class LoginRefusedError(RecorderError):
    """The exchange does not accept the keys. `answer` is what it said, without the keys."""

    def __init__(self, stream: str, answer: str) -> None:
        self.stream = stream
        self.answer = answer
        super().__init__(
            f"{stream}: the login was refused: {answer or 'no reason given'}. Check the keys, "
            "what they are allowed to do, and this machine's clock."
        )


class SubscriptionRefusedError(RecorderError):
    """The exchange refused all that was asked of it on one connection."""

    def __init__(self, stream: str, topics: Sequence[str], answers: Sequence[str]) -> None:
        self.stream = stream
        self.topics = tuple(topics)
        self.answers = tuple(answers)
        super().__init__(
            f"{stream}: the exchange refused the subscription to {', '.join(topics)}: "
            f"{'; '.join(answers) or 'no reason given'}. Check symbols and channels."
        )


class WriterFailedError(RecorderError):
    """Frames can no longer be written. `frames_unwritten` were in memory when it ended."""

    def __init__(self, folder: str, reason: str, frames_unwritten: int) -> None:
        self.folder = folder
        self.reason = reason
        self.frames_unwritten = frames_unwritten
        super().__init__(
            f"{folder}: the recording can no longer be written ({reason}); "
            f"{frames_unwritten:,} frames that were in memory are not in it. What was written is "
            f"safe: free the disk or repair it, then run `tickreel recover {folder}`."
        )


class PartEndedError(RecorderError):
    """A part of the recorder ended that never ends by itself: a fault of ours. `part` names it."""

    def __init__(self, part: str, reason: str) -> None:
        self.part = part
        self.reason = reason
        super().__init__(
            f"{part} ended by itself ({reason}), and without it nothing is recorded. What was "
            "written is safe: start again, and the recording goes on."
        )


class ConsumerTooSlowError(RecorderError):
    """Who iterates over the frames fell too far behind; the recording itself is whole."""

    def __init__(self, queued_bytes: int, limit_bytes: int) -> None:
        self.queued_bytes = queued_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            f"the reader of the live frames fell {queued_bytes:,} bytes behind, and the limit is "
            f"{limit_bytes:,}. The recording is whole: replay it instead, or do less per frame."
        )


class StreamSettingsError(RecorderError):
    """A settings file that cannot be used. `where` names the file and the place in it."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}")

    @classmethod
    def unknown_key(cls, where: str, key: str, known: Sequence[str]) -> StreamSettingsError:
        """Name a key that means nothing here, and the nearest one that does."""
        return cls(
            where,
            f"unknown key {key!r}{nearest(key, known)}. Known keys: {', '.join(sorted(known))}.",
        )
