"""Where a result is made, and what is said when the disk refuses it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from replay.output_place import output_file, output_folder


def test_a_full_disk_is_told_of_with_the_name_of_the_result(tmp_path: Path) -> None:
    target = tmp_path / "night.reel"
    with pytest.raises(OSError, match="No space") as caught, output_file(target, force=False):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(target)
    assert not list(tmp_path.iterdir())


def test_the_hidden_place_is_named_by_nobody_and_other_files_are(tmp_path: Path) -> None:
    target, other = tmp_path / "night", str(tmp_path / "source")
    for place, told in ((None, str(target)), (other, other)):
        with (
            pytest.raises(PermissionError) as caught,
            output_folder(target, force=False) as folder,
        ):
            raise PermissionError(errno.EACCES, "no", place or str(folder / "x"))
        assert caught.value.filename == told
