"""The errors of an upload.

RecorderError                     (recorder.errors)
└── UploadError                   every error of an upload
    ├── UploadAddressError        the address cannot be used; nothing was tried
    ├── UploadInUseError          another upload of the same recording runs
    ├── OtherRecordingError       another recording lies at the address; nothing was touched
    └── StoreFaultError           the store failed, refused, or holds something else than was sent

Only the last one can pass by itself. Whatever is raised, nothing local was removed because of it.
"""

from __future__ import annotations

from pathlib import Path

from recorder.errors import RecorderError


class UploadError(RecorderError):
    """An error of an upload."""


class UploadAddressError(UploadError):
    """The address to upload to cannot be used. `uri` is shown without what may be secret."""

    def __init__(self, uri: str, reason: str) -> None:
        self.uri = uri
        self.reason = reason
        super().__init__(
            f"{uri!r} cannot be uploaded to: {reason}. "
            "Give s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or file:///FOLDER."
        )


class UploadInUseError(UploadError):
    """Another upload of this recording runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"{folder}: another tickreel is uploading this recording (a capture with --upload, "
            "perhaps). One at a time: what it has confirmed need not be done again."
        )


class OtherRecordingError(UploadError):
    """Another recording lies at the address."""

    def __init__(self, uri: str, there: str, here: str) -> None:
        self.uri = uri
        self.there = there
        self.here = here
        super().__init__(
            f"{uri}: the recording {there} lies there, and this one is {here}. "
            "Give each recording a folder of its own; nothing there was touched."
        )


class StoreFaultError(UploadError):
    """The store failed, refused, or holds something else than was sent.

    `hopeless` says that trying again as things are cannot help: no such bucket, no such rights.
    """

    def __init__(self, path: str, sentence: str, *, hopeless: bool = False) -> None:
        self.path = path
        self.sentence = sentence
        self.hopeless = hopeless
        super().__init__(f"{path}: {sentence}")
