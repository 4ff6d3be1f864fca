"""What a user wants recorded: streams and the recording, from code or from a TOML file.

    [recording]
    folder = "night"
    rotate_bytes = 67108864
    rotate_interval_s = 3600
    budget_bytes = 268435456
    min_free_bytes = 5_000_000_000
    keep = ["30d", "500GB"]

    [engine]
    tape_window_s = 30

    [[stream]]
    venue = "bybit-linear"
    symbols = ["BTCUSDT", "ETHUSDT"]
    channels = ["book", "trades", "liquidations"]

`[engine]` is for the engine beside the recorder (`book.settings`), and only kept here: with the
recording, so that a replay is set the same.

Keys are never in the file. Those of a venue are taken from the environment, as
`TICKREEL_<VENUE>_KEY`, `_SECRET` and `_PASSPHRASE` (the venue's name in capitals, `-` as `_`), or
as the variables that `key_env`, `secret_env` and `passphrase_env` name; or from a file that only
its owner can read, given as `credentials_file`, with `key`, `secret` and `passphrase` in TOML. A
token or a public address, where that is all that a venue wants, is the key.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from recorder.errors import StreamSettingsError
from recorder.frame_intake import BUDGET_BYTES
from recorder.recording import Rotation
from recorder.redaction import redacted_url
from recorder.retention import Keep, read_keep
from recorder.toml_file import TomlFileError, read_toml
from venues.channel import Channel
from venues.errors import CredentialsError, nearest
from venues.venue import Credentials, StreamRequest

KEY_PARTS = ("key", "secret", "passphrase")
"""What keys consist of, at most, in the order of `Credentials`."""

SECRET_KEYS = frozenset(
    {"key", "secret", "passphrase", "password", "token", "api_key", "api_secret", "apikey"}
)


class StreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One stream that a user wants.

    Attributes:
        venue: the registry name.
        symbols: the venue's own spelling; may be empty for private channels alone.
        channels: None for the venue's default ones.
        depth: levels of the book; None for the venue's default.
        url: another address, in place of the exchange's.
        lines: how many connections carry the same, each kept once: 1 or 2.
        silence_limit_s: reconnect after so long without a message; None for the venue's limit.
        key_env: the environment variable with the key; None for the usual one. The same for
            `secret_env` and `passphrase_env`.
        credentials_file: a file with the keys, which only its owner may read.
    """

    venue: str
    symbols: tuple[str, ...] = ()
    channels: tuple[Channel, ...] | None = None
    depth: int | None = None
    url: str | None = None
    silence_limit_s: float | None = None
    lines: int = 1
    key_env: str | None = None
    secret_env: str | None = None
    passphrase_env: str | None = None
    credentials_file: str | None = None

    def __post_init__(self) -> None:
        """Refuse what Python takes for a sequence of symbols and nobody means.

        Raises:
            StreamSettingsError: a text stands where several are wanted.
        """
        for name in ("symbols", "channels"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise StreamSettingsError(
                    f"StreamSettings of {self.venue}",
                    f"{name} has to be a tuple: {name}=({given!r},).",
                )

    def request(self, default_channels: tuple[Channel, ...]) -> StreamRequest:
        """Return what the venue is to plan; `default_channels` where none is named."""
        channels = default_channels if self.channels is None else self.channels
        return StreamRequest(self.venue, self.symbols, channels, self.depth, self.url)

    def described(self) -> dict[str, object]:
        """Return what was asked for, without anything secret, to be kept with the recording."""
        return {
            "venue": self.venue,
            "symbols": list(self.symbols),
            "channels": None if self.channels is None else [str(one) for one in self.channels],
            "depth": self.depth,
            "url": None if self.url is None else redacted_url(self.url),
            **({"lines": self.lines} if self.lines > 1 else {}),
        }

    def credentials(self, environment: Mapping[str, str] = os.environ) -> Credentials:
        """Return the keys as they are given; one that is not is ''. What it takes, venues know.

        Raises:
            CredentialsError: their file is not there, is none, or can be read by others.
        """
        if self.credentials_file is not None:
            return self._credentials_from_file(self._credentials_path())
        names = self._variables()
        return Credentials(*(environment.get(names[part], "") for part in KEY_PARTS))

    def remedy(self, missing: Sequence[str]) -> str:
        """Return the sentence that says where to put the parts of `KEY_PARTS` that are missing."""
        if self.credentials_file is not None:
            lines = " and ".join(f'{part} = "…"' for part in missing)
            return f"{self._credentials_path()} needs {lines}."
        names = self._variables()
        plural = "s" * (len(missing) > 1)
        return f"Set the environment variable{plural} {' and '.join(names[p] for p in missing)}."

    def _variables(self) -> dict[str, str]:
        prefix = f"TICKREEL_{self.venue.upper().replace('-', '_')}"
        return {
            "key": self.key_env or f"{prefix}_KEY",
            "secret": self.secret_env or f"{prefix}_SECRET",
            "passphrase": self.passphrase_env or f"{prefix}_PASSPHRASE",
        }

    def _credentials_path(self) -> Path:
        return Path(self.credentials_file or "").expanduser()

    def _credentials_from_file(self, path: Path) -> Credentials:
        try:
            mode = path.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise CredentialsError(
                    self.venue, f"{path} can be read by others; run `chmod 600 {path}`."
                )
            keys = read_toml(path)
        except OSError as fault:
            raise CredentialsError(self.venue, f"{path}: {fault.strerror}.") from None
        except TomlFileError as fault:
            # Without the parser's words, which may quote the line with the key.
            reason = "is no TOML file." if fault.quotes_file else fault.reason
            raise CredentialsError(self.venue, f"{path} {reason}") from None
        for part in KEY_PARTS:
            if not isinstance(keys.get(part, ""), str):
                raise CredentialsError(self.venue, f'{path}: write {part} = "…", in quotes.')
        return Credentials(*(keys.get(part, "") for part in KEY_PARTS))


class RecordingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how frames are kept. Sizes in bytes of payload; `budget_bytes` is of memory.

    `min_free_bytes` is what is left free on the disk; None for 1 GiB or 2 %, whichever is more.
    `keep` has ages and sizes beyond which sealed segments are removed, oldest first. `upload` is
    the address that they are brought to; with `remove_local` they are removed once they are there.
    `ring` is the length of the window, such as "15m", that is kept around what `ring_on` names.
    """

    folder: str | None = None
    rotate_bytes: int = Rotation().bytes_max
    rotate_interval_s: float = Rotation().interval_s
    budget_bytes: int = BUDGET_BYTES
    min_free_bytes: int | None = None
    keep: tuple[str, ...] = ()
    upload: str | None = None
    remove_local: bool = False
    ring: str | None = None
    ring_on: tuple[str, ...] = ()

    def keeps(self) -> tuple[Keep, ...]:
        """Return the limits that `keep` names.

        Raises:
            ValueError: one is neither an age nor a size.
        """
        return tuple(map(read_keep, self.keep))


class CaptureSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole settings file; `engine` is as it is written, for `book.settings` to judge."""

    stream: tuple[StreamSettings, ...]
    recording: RecordingSettings = RecordingSettings()
    engine: dict[str, object] = {}


SettingsType = TypeVar("SettingsType", bound=msgspec.Struct)


def read_capture_settings(path: str | Path) -> CaptureSettings:
    """Read a TOML file.

    Raises:
        StreamSettingsError: it cannot be read, or says something that means nothing here.
    """
    path = Path(path)
    try:
        written = read_toml(path)
    except TomlFileError as fault:
        raise StreamSettingsError(str(path), fault.reason) from fault
    _check_keys(path, written)
    settings = CaptureSettings(
        stream=tuple(
            _converted(_stream_place(path, number), stream, StreamSettings)
            for number, stream in enumerate(written["stream"], 1)
        ),
        recording=_converted(
            f"{path}, [recording]", written.get("recording", {}), RecordingSettings
        ),
        engine=written.get("engine", {}),
    )
    _check_sizes(path, settings.recording)
    return settings


def _stream_place(path: Path, number: int) -> str:
    return f"{path}, [[stream]] number {number}"


def _converted(where: str, table: dict[str, Any], kind: type[SettingsType]) -> SettingsType:
    try:
        return msgspec.convert(table, kind, strict=True)
    except msgspec.ValidationError as fault:
        reason, _, place = str(fault).partition(" - at `$.")
        key = f"{place.rstrip('`')}: " if place else ""
        raise StreamSettingsError(where, f"{key}{reason}.") from None


def _check_keys(path: Path, written: dict[str, Any]) -> None:
    _check_table(str(path), written, CaptureSettings)
    if not written.get("stream"):
        raise StreamSettingsError(str(path), "has no [[stream]] table, so nothing to record.")
    streams = written["stream"]
    if not isinstance(streams, list) or not all(isinstance(one, dict) for one in streams):
        raise StreamSettingsError(str(path), "stream is not a list: write [[stream]], twice [[.")
    for number, stream in enumerate(streams, 1):
        where = _stream_place(path, number)
        _check_table(where, stream, StreamSettings)
        _check_channels(where, stream.get("channels"))
    recording = written.get("recording", {})
    if not isinstance(recording, dict):
        raise StreamSettingsError(str(path), "recording is not a table: write [recording].")
    _check_table(f"{path}, [recording]", recording, RecordingSettings)
    if not isinstance(written.get("engine", {}), dict):
        raise StreamSettingsError(str(path), "engine is not a table: write [engine].")


def _check_table(where: str, table: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    known = kind.__struct_fields__
    for key in table:
        if key in known:
            continue
        if key.lower() in SECRET_KEYS:
            raise StreamSettingsError(
                where,
                f"{key!r} has no place in this file, which is kept and shared. Name an environment "
                "variable instead (key_env, secret_env), or a file of mode 600 (credentials_file).",
            )
        raise StreamSettingsError.unknown_key(where, key, known)


def _check_channels(where: str, channels: object) -> None:
    known = [channel.value for channel in Channel]
    for name in channels if isinstance(channels, list) else ():
        if isinstance(name, str) and name not in known:
            raise StreamSettingsError(
                where,
                f"unknown channel {name!r}{nearest(name, known)}. "
                f"Known channels: {', '.join(known)}.",
            )


def _check_sizes(path: Path, recording: RecordingSettings) -> None:
    for name in ("rotate_bytes", "rotate_interval_s", "budget_bytes"):
        if not 0 < getattr(recording, name) < math.inf:
            raise StreamSettingsError(f"{path}, [recording]", f"{name} has to be above 0.")
    if recording.min_free_bytes is not None and recording.min_free_bytes < 0:
        raise StreamSettingsError(f"{path}, [recording]", "min_free_bytes cannot be below 0.")
    try:
        recording.keeps()
    except ValueError as fault:
        raise StreamSettingsError(f"{path}, [recording]", f"keep: {fault}.") from None
