"""Where a result goes: beside its place under a hidden name, and there only when it is whole.

So a command that fails, or is killed, never leaves a file or folder that passes for its result.
What is in the place already is refused before any work is done; with `force` it is replaced, but
only if it is a file, an empty folder, a recording, or a folder with nothing in it but what an
earlier run of the same command made: nobody's other things are ever removed. Neither is a recording
that something is at work on, nor the one that the result is made from.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recorder.recording_folder import RecordingFolder, is_locked
from recorder.retention import UPLOAD_LOCK_NAME
from replay.reel_errors import TargetInUseError, TargetIsSourceError, TargetTakenError

_WORKPLACE = ".being-made-"


def refuse_taken(target: Path, *, force: bool, own: re.Pattern[str] | None = None) -> None:
    """Refuse a target that is there.

    `own` are the names of the files that the same command writes into a folder.

    Raises:
        TargetTakenError: it is, and may not be replaced.
        TargetInUseError: it is a recording, and something is at work on it.
    """
    if not os.path.lexists(target):
        return
    if target.is_dir() and not target.is_symlink():
        if not any(target.iterdir()):
            return
        replaceable = RecordingFolder(target).description.is_file() or _all_own(target, own)
    else:
        replaceable = target.is_file()
    if not (force and replaceable):
        raise TargetTakenError(target, replaceable=replaceable)
    place = RecordingFolder(target)
    locks = (place.lock, place.sealing_lock, place.path / UPLOAD_LOCK_NAME)
    if any(map(is_locked, locks)):
        raise TargetInUseError(target)


def refuse_source(target: Path, sources: Iterable[Path]) -> None:
    """Refuse a target that is, or holds, one of the recordings that the result is made from.

    Raises:
        TargetIsSourceError: it does.
    """
    place = target.resolve()
    for source in sources:
        origin = source.resolve()
        if place == origin or place in origin.parents:
            raise TargetIsSourceError(target)


def _all_own(folder: Path, own: re.Pattern[str] | None) -> bool:
    return own is not None and all(
        own.fullmatch(each.name) and each.is_file() and not each.is_symlink()
        for each in folder.iterdir()
    )


@contextmanager
def output_file(target: Path, *, force: bool) -> Iterator[Path]:
    """Give the path to write a file to; it is at `target` once the block has ended well.

    Raises:
        TargetTakenError: `target` is there.
        OSError: the disk refused.
    """
    with output_folder(target, force=force) as folder:
        folder.rmdir()
        yield folder


@contextmanager
def output_folder(
    target: Path, *, force: bool, own: re.Pattern[str] | None = None
) -> Iterator[Path]:
    """Give an empty folder to write to; it is at `target` once the block has ended well.

    `own` are the names of the files that the same command writes into a folder.

    Raises:
        TargetTakenError: `target` is there.
        OSError: the disk refused.
    """
    refuse_taken(target, force=force, own=own)
    with _told_of(target), _made_parent(target.absolute().parent) as parent:
        workplace = Path(tempfile.mkdtemp(prefix=f".{target.name}{_WORKPLACE}", dir=parent))
        try:
            yield workplace
            _put(workplace, target, force=force, own=own)
        finally:
            _remove(workplace)


@contextmanager
def _told_of(target: Path) -> Iterator[None]:
    """Let an error of the disk name the result, and not the hidden place where it is made."""
    try:
        yield
    except OSError as error:
        full = error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or _WORKPLACE in os.fsdecode(error.filename or ""):
            error.filename = str(target)
        raise


@contextmanager
def _made_parent(parent: Path) -> Iterator[Path]:
    """Make a folder and those above it; take away those that were not there if the block fails."""
    new = [each for each in (parent, *parent.parents) if not each.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        yield parent
    except BaseException:
        for each in new:
            # Where something else has come into one meanwhile, that one and those above it stay.
            with suppress(OSError):
                each.rmdir()
        raise


def _put(made: Path, target: Path, *, force: bool, own: re.Pattern[str] | None) -> None:
    refuse_taken(target, force=force, own=own)
    old = None
    if target.is_dir() or (target.exists() and made.is_dir()):
        old = made.with_name(f"{made.name}.replaced")
        target.rename(old)
    try:
        made.replace(target)
    except OSError:
        if old is not None:
            old.rename(target)
        raise
    if old is not None:
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
