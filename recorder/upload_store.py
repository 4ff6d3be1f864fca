"""Where recordings are uploaded to: one folder in a store that pyarrow can reach.

Theory. A store is believed in nothing but what it gives back. `put` says what was *sent*; whether
it arrived, is whole and can be had again is known only after `read_back`. So an answer that says
"200 OK" and holds an error, a connection cut after the last part and an object cut short all look
the same here: what is read back is not what was sent.

Rights come from the environment and the store's own usual places (for S3: AWS_ACCESS_KEY_ID and so
on, the profile, the machine's role). An address that holds some is refused, because addresses are
shown, logged and kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from recorder.disk import REAL_DISK
from recorder.upload_errors import StoreFaultError, UploadAddressError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

CHUNK_BYTES = 1 << 20
CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 30.0
_SCHEMES = frozenset({"s3", "gs", "gcs", "file", "hdfs", "viewfs", "abfs", "abfss"})
_QUERY_ALLOWED = frozenset(
    {
        *("region", "scheme", "endpoint_override", "allow_bucket_creation", "tls_ca_file_path"),
        *("retry_limit_seconds", "project_id"),
    }
)
_OF_BUCKETS = frozenset({"s3", "gs", "gcs"})
_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_NO_BUCKET = "there is no such bucket: make it, or give the name of another"
_KEYS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_HOPELESS = {
    re.compile(r"NO_SUCH_BUCKET|Bucket '[^']*' not found"): _NO_BUCKET,
    re.compile("ACCESS_DENIED"): "the store lets nobody in without keys, or not with these. "
    f"{_KEYS}, to what may read and write there",
    re.compile("INVALID_ACCESS_KEY"): f"the store does not know the key. {_KEYS}",
    re.compile("SIGNATURE_DOES_NOT_MATCH"): f"the secret is not that of the key. {_KEYS}",
}
"""What an S3 client calls the refusals that do not pass by themselves, and what they mean."""


class Content(NamedTuple):
    """How many bytes there are and their SHA-256."""

    bytes: int
    sha256: str


class UploadStore:
    """The folder that a URI names. Nothing is reached before the first call.

    Every method may wait for the network as long as pyarrow does, and raises StoreFaultError for
    whatever the store does wrong.
    """

    def __init__(self, uri: str) -> None:
        """Take an address.

        Raises:
            UploadAddressError: it is none, or holds what may be a secret.
        """
        self.uri = checked_uri(uri)
        self._filesystem: FileSystem | None = None
        self._root = ""

    def put(self, path: str, source: IO[bytes]) -> Content:
        """Send a file to `path` below the folder; return what was sent."""
        digest, sent = hashlib.sha256(), 0
        with self._telling(path):
            filesystem, place = self._place(path)
            local = _is_local(filesystem)
            if local:
                filesystem.create_dir(place.rpartition("/")[0], recursive=True)
            with filesystem.open_output_stream(place, compression=None) as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
                    digest.update(chunk)
                    sent += len(chunk)
            if local:
                _sync(Path(place))
        return Content(sent, digest.hexdigest())

    def size_bytes(self, path: str) -> int | None:
        """Return the size of what lies at `path`; None where nothing does."""
        from pyarrow.fs import FileType

        with self._telling(path):
            filesystem, place = self._place(path)
            found = filesystem.get_file_info(place)
            return int(found.size) if found.type == FileType.File else None

    def sizes_bytes(self) -> dict[str, int]:
        """Return the size of all that lies below the folder, by path."""
        from pyarrow.fs import FileSelector, FileType

        with self._telling("."):
            filesystem, place = self._place("")
            root = place.rstrip("/")
            selector = FileSelector(root, allow_not_found=True, recursive=True)
            return {
                found.path[len(root) + 1 :]: int(found.size)
                for found in filesystem.get_file_info(selector)
                if found.type == FileType.File
            }

    def read_back(self, path: str) -> Content:
        """Read all that lies at `path`."""
        digest, size = hashlib.sha256(), 0
        with self._telling(path):
            filesystem, place = self._place(path)
            with filesystem.open_input_stream(place, compression=None) as source:
                while chunk := source.read(CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
        return Content(size, digest.hexdigest())

    def read_small(self, path: str, bytes_max: int = 1 << 20) -> bytes | None:
        """Return the beginning of what lies at `path`; None where nothing does."""
        if self.size_bytes(path) is None:
            return None
        with self._telling(path):
            filesystem, place = self._place(path)
            with filesystem.open_input_stream(place, compression=None) as source:
                return bytes(source.read(bytes_max))

    def _place(self, path: str) -> tuple[Any, str]:
        if self._filesystem is None:
            self._filesystem, self._root = _connect(self.uri)
        return self._filesystem, f"{self._root.rstrip('/')}/{path}"

    @contextmanager
    def _telling(self, path: str) -> Iterator[None]:
        """Turn what pyarrow raises into one error that says which file it was about."""
        try:
            yield
        except (OSError, ValueError, NotImplementedError) as error:
            reason = " ".join(str(error).split())[:400].rstrip(".")
            meaning = refusal(reason)
            hopeless = bool(meaning) or isinstance(error, PermissionError | NotImplementedError)
            sentence = f"{meaning}. The store's own words: {reason}." if meaning else f"{reason}."
            raise StoreFaultError(f"{self.uri}: {path}", sentence, hopeless=hopeless) from error


def refusal(reason: str) -> str:
    """Return what a refusal that does not pass means and what to do; '' where it is none."""
    return next((said for word, said in _HOPELESS.items() if word.search(reason)), "")


def checked_uri(uri: str) -> str:
    """Return the URI without a slash at its end.

    Raises:
        UploadAddressError: it is none, or holds what may be a secret.
    """
    try:
        parts = urllib.parse.urlsplit(uri)
        names = [name for name, _ in urllib.parse.parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        raise UploadAddressError("[unreadable]", "it cannot be read as an address") from None
    shown = urllib.parse.urlunsplit(
        (parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")
    )
    if not parts.scheme:
        raise UploadAddressError(shown, "it does not begin with the kind of the store")
    if "@" in parts.netloc or not _QUERY_ALLOWED.issuperset(names):
        raise UploadAddressError(
            shown,
            "keys have no place in an address, which is shown and kept. Set the environment "
            "variables of the store (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE); of "
            f"options it may have {', '.join(sorted(_QUERY_ALLOWED))}",
        )
    if parts.scheme in _OF_BUCKETS and not _BUCKET_NAME.fullmatch(parts.netloc):
        reason = "it names no bucket"
        if parts.netloc:
            reason = f"{parts.netloc!r} cannot be the name of a bucket"
        raise UploadAddressError(shown, reason)
    if not parts.netloc and not parts.path.strip("/"):
        raise UploadAddressError(shown, "it names no folder")
    if parts.scheme not in _SCHEMES:
        raise UploadAddressError(shown, f"{parts.scheme!r} is no store that is known here")
    path = parts.path.rstrip("/")
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _connect(uri: str) -> tuple[FileSystem, str]:
    """Return the file system of an address and the folder in it."""
    from pyarrow.fs import AwsStandardS3RetryStrategy, FileSystem, S3FileSystem, resolve_s3_region

    parts = urllib.parse.urlsplit(uri)
    if parts.scheme != "s3":
        filesystem, root = FileSystem.from_uri(uri)
        return filesystem, root
    options: dict[str, Any] = dict(urllib.parse.parse_qsl(parts.query))
    options["allow_bucket_creation"] = options.get("allow_bucket_creation") == "true"
    elsewhere = "endpoint_override" in options or os.environ.get("AWS_ENDPOINT_URL")
    if "region" not in options and not elsewhere:
        options["region"] = resolve_s3_region(parts.netloc)
    # Not by `from_uri`, which has no say in these: trying again, and how long to wait, are ours.
    filesystem = S3FileSystem(
        **options,
        connect_timeout=CONNECT_LIMIT_S,
        request_timeout=ANSWER_LIMIT_S,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=2),
    )
    return filesystem, parts.netloc + parts.path


def _is_local(filesystem: object) -> bool:
    from pyarrow.fs import LocalFileSystem

    return isinstance(filesystem, LocalFileSystem)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    REAL_DISK.sync_folder(path.parent)
