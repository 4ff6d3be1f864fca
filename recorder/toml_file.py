"""Settings files: TOML from disk, or a sentence that says why not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from recorder.errors import RecorderError


class TomlFileError(RecorderError):
    """A file that cannot be read as TOML.

    `reason` goes on after the file's name; `quotes_file` says whether it may repeat what is in it.
    """

    def __init__(self, path: Path, reason: str, *, quotes_file: bool) -> None:
        self.path = path
        self.reason = reason
        self.quotes_file = quotes_file
        super().__init__(f"{path}: {reason}")


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the file says.

    Raises:
        TomlFileError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as fault:
        reason = f"cannot be read: {fault.strerror}."
        raise TomlFileError(path, reason, quotes_file=False) from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise TomlFileError(path, f"is no TOML: {fault}.", quotes_file=True) from fault
    except RecursionError:
        # Hundreds of brackets within each other; the stack's own traceback would say nothing.
        raise TomlFileError(path, "is nested too deeply.", quotes_file=False) from None
