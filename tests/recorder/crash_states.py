"""What a power cut may leave of a folder: every state that the calls made so far allow.

Theory. `RecordedDisk` takes down each call in order. A crash happens between two of them. What was
synced before it is there. Of the rest any part may be: POSIX promises no order.

- A file: what was written since its last successful sync may be there, be missing, be cut at any
  byte, or be zeros or garbage of the right length. A sync that failed makes nothing durable, and
  what it should have made so stays doubtful whatever later syncs say: the kernel has dropped it.
- A name (of a new file, a new folder, a rename, an unlink) is there once its folder was synced.
  Before, any selection of such changes may be, each whole: in order over all folders (a journal of
  metadata), in order within each folder, or any at all.

So a rename can be there and what was written before it not, and a file whose name is not there is
gone with all that was synced in it.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from recorder.disk import Disk

FOLDER = -1
"""Stands for a folder where a file's number would."""


@dataclass(slots=True)
class _Change:
    """One change of a file's content: bytes at an offset, or (None) its length."""

    offset: int
    content: bytes | None
    durable: bool = False
    doomed: bool = False


@dataclass(slots=True)
class _File:
    durable: bytes = b""  # the result of all changes before the first that is not durable
    changes: list[_Change] = field(default_factory=list)

    def synced(self) -> None:
        for change in self.changes:
            change.durable = change.durable or not change.doomed
        while self.changes and self.changes[0].durable:
            self.durable = _applied(self.durable, self.changes.pop(0), None)

    def not_synced(self) -> None:
        for change in self.changes:
            change.doomed = change.doomed or not change.durable


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what it does to the model of the disk."""

    name: str
    file: int = FOLDER
    path: str = ""
    target: str = ""
    change: _Change | None = None
    promised: int = 0
    given_up: frozenset[int] = frozenset()


class RecordedDisk(Disk):
    """Makes every call (but for syncs, which only the model needs) and takes it down.

    `refuses` says which syncs fail. `promised` is set by the test to what it was promised so far,
    and is taken down with each call; `given_up` is what it has let go of, so that it may be gone.
    """

    def __init__(self, root: Path, refuses: Callable[[], bool] = lambda: False) -> None:
        self.calls: list[Call] = []
        self.promised = 0
        self.given_up: frozenset[int] = frozenset()
        self._root = root
        self._refuses = refuses
        self._numbers: dict[str, int] = {}
        self._opened: dict[int, int] = {}
        self._sizes: dict[int, int] = {}

    def end(self) -> None:
        """Take down the last promise."""
        self._note("end", FOLDER)

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        name = self._name(path)
        is_new = not path.exists()
        descriptor = super().open(path, flags, mode)
        if is_new:
            self._numbers[name] = len(self._sizes)
            self._sizes[self._numbers[name]] = 0
            self._note("create", self._numbers[name], name)
        number = self._opened[descriptor] = self._numbers[name]
        if flags & os.O_TRUNC and not is_new:
            self._change(number, _Change(0, None))
        return descriptor

    def write(self, descriptor: int, content: bytes | memoryview) -> int:
        number = self._opened[descriptor]
        taken = super().write(descriptor, content)
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._change(number, _Change(end - taken, bytes(content[:taken])))
        return taken

    def write_at(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        taken = super().write_at(descriptor, content, offset)
        self._change(self._opened[descriptor], _Change(offset, bytes(content[:taken])))
        return taken

    def truncate(self, descriptor: int, size: int) -> None:
        super().truncate(descriptor, size)
        self._change(self._opened[descriptor], _Change(size, None))

    def allocate(self, descriptor: int, size: int) -> None:
        return

    def sync(self, descriptor: int) -> None:
        number = self._opened[descriptor]
        if self._refuses():
            self._note("not synced", number)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._note("synced", number)

    def sync_content(self, descriptor: int) -> None:
        self.sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self._numbers[self._name(target)] = number = self._numbers.pop(self._name(source))
        self._note("rename", number, self._name(source), self._name(target))

    def remove(self, path: Path) -> None:
        super().remove(path)
        self._note("remove", self._numbers.pop(self._name(path)), self._name(path))

    def remove_folder(self, path: Path) -> None:
        super().remove_folder(path)
        self._note("remove", FOLDER, self._name(path))

    def make_folder(self, path: Path, mode: int) -> None:
        super().make_folder(path, mode)
        self._note("create", FOLDER, self._name(path))

    def sync_folder(self, path: Path) -> None:
        self._note("folder synced", FOLDER, self._name(path))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _change(self, number: int, change: _Change) -> None:
        self._note("change", number, change=change)

    def _note(
        self,
        name: str,
        file: int,
        path: str = "",
        target: str = "",
        change: _Change | None = None,
    ) -> None:
        self.calls.append(Call(name, file, path, target, change, self.promised, self.given_up))


class CrashModel:
    """The disk after the calls given so far, in all the states that a crash could leave it in."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._names: dict[str, int] = {}
        self._unsynced: list[Call] = []

    def make(self, call: Call) -> None:
        """Let one more call happen."""
        match call.name:
            case "change":
                assert call.change is not None
                change = _Change(call.change.offset, call.change.content)
                self._files[call.file].changes.append(change)
            case "synced":
                self._files[call.file].synced()
            case "not synced":
                self._files[call.file].not_synced()
            case "end":
                pass
            case "folder synced":
                kept = []
                for change_of_name in self._unsynced:
                    if _folder(change_of_name.path) == call.path:
                        _rename(self._names, change_of_name)
                    else:
                        kept.append(change_of_name)
                self._unsynced = kept
            case _:
                self._files.setdefault(call.file, _File())
                self._unsynced.append(call)

    def state(self, chance: random.Random) -> dict[str, bytes | None]:
        """Return one state: content by path, None for a folder."""
        names = dict(self._names)
        for call in self._surviving(chance):
            _rename(names, call)
        state: dict[str, bytes | None] = {}
        for path, number in sorted(names.items()):
            if _folder(path) == "." or state.get(_folder(path), b"") is None:
                state[path] = None if number == FOLDER else self._content(number, chance)
        return state

    def _surviving(self, chance: random.Random) -> Iterator[Call]:
        match chance.randrange(4):
            case 0:
                yield from self._unsynced
            case 1:
                yield from self._unsynced[: chance.randint(0, len(self._unsynced))]
            case 2:
                ended: dict[str, bool] = {}
                for call in self._unsynced:
                    place = _folder(call.path)
                    ended[place] = ended.get(place, False) or chance.random() < 0.4
                    if not ended[place]:
                        yield call
            case _:
                yield from (call for call in self._unsynced if chance.random() < 0.5)

    def _content(self, number: int, chance: random.Random) -> bytes:
        file = self._files[number]
        content = file.durable
        loss = chance.choice((0.0, 0.3, 0.7, 1.0))
        ends_at = chance.randint(0, len(file.changes)) if chance.random() < 0.5 else None
        for index, change in enumerate(file.changes):
            if change.durable:
                content = _applied(content, change, None)
            elif (ends_at is None or index <= ends_at) and chance.random() >= loss:
                whole = index != ends_at and chance.random() < 0.8
                content = _applied(content, change, None if whole else chance)
        return content


def write_state(folder: Path, state: dict[str, bytes | None]) -> None:
    """Put a state onto a real disk."""
    for path, content in sorted(state.items()):
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "."


def _rename(names: dict[str, int], call: Call) -> None:
    if call.name == "create":
        names[call.path] = call.file
    else:
        names.pop(call.path, None)
        if call.name == "rename":
            names[call.target] = call.file


def _applied(content: bytes, change: _Change, harm: random.Random | None) -> bytes:
    if change.content is None:
        return content[: change.offset].ljust(change.offset, b"\0")
    written = change.content
    if harm is not None:
        cut = harm.randint(0, len(written))
        rest = len(written) - cut
        end = harm.choice((b"", bytes(rest), harm.randbytes(rest)))
        written = written[:cut] + end
    before = content[: change.offset].ljust(change.offset, b"\0")
    return before + written + content[change.offset + len(written) :]
