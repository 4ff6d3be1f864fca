"""What of the disk a capture may use, and how long it keeps what it sealed."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.errors import StreamSettingsError
from recorder.retention import read_keep
from recorder.stream_settings import read_capture_settings
from tests.cli.commands import run

CAPTURE = ("capture", "reference", "BTCUSDT", "--url", "ws://127.0.0.1:1")


def test_a_capture_does_not_begin_where_less_is_free_than_it_leaves(tmp_path: Path) -> None:
    done = run(*CAPTURE, "-o", str(tmp_path / "night"), "--min-free", "9000TB")
    assert done.code == 2
    assert "of which a recording leaves 9,000,000,000.0 MB. Free some space, or say" in done.err


@pytest.mark.parametrize("option", ["--keep", "--min-free"])
def test_what_is_no_limit_is_refused_in_a_sentence(tmp_path: Path, option: str) -> None:
    done = run(*CAPTURE, "-o", str(tmp_path / "night"), option, "forever")
    assert done.code == 2
    assert "'forever' is n" in done.err
    assert not (tmp_path / "night").exists()


def test_a_settings_file_says_both(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    stream = '[[stream]]\nvenue = "reference"\nsymbols = ["BTCUSDT"]\n'
    path.write_text(f'[recording]\nkeep = ["30d", "500GB"]\nmin_free_bytes = 5\n{stream}')
    recording = read_capture_settings(path).recording
    assert recording.keeps() == (read_keep("30d"), read_keep("500GB"))
    assert recording.min_free_bytes == 5
    for wrong in ('keep = ["30"]', "min_free_bytes = -1", 'keep = "30d"'):
        path.write_text(f"[recording]\n{wrong}\n{stream}")
        with pytest.raises(StreamSettingsError):
            read_capture_settings(path)
