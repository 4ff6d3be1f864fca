"""Which faults are asked for: a file, words of the command line, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay.fault_kind import FaultKind
from replay.fault_settings import (
    FaultSettings,
    FaultSettingsError,
    read_fault_file,
    read_fault_words,
)


def written(folder: Path, text: str) -> str:
    path = folder / "faults.toml"
    path.write_text(text)
    return str(path)


def test_a_file_says_how_often_and_how_long(tmp_path: Path) -> None:
    table = read_fault_file(written(tmp_path, "[faults]\nseed = 7\ndrop = 0.5\nstall_s = 3\n"))
    settings = FaultSettings.read(table, "here")
    assert (settings.seed, settings.drop, settings.stall_s) == (7, 0.5, 3)
    assert settings.probabilities == {FaultKind.DROP: 0.5}


def test_words_say_the_same() -> None:
    settings = FaultSettings.read(read_fault_words(["drop=0.5", "cut=1", "outage_s=2"]), "here")
    assert settings.probabilities == {FaultKind.DROP: 0.5, FaultKind.CUT: 1.0}
    assert settings.outage_s == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[faults]\ndorp = 0.1\n", "unknown fault 'dorp' (did you mean 'drop'?)"),
        ("[faults]\nstal_s = 1\n", "(did you mean 'stall_s'?)"),
        ("[faults]\ndrop = 1.01\n", "a probability is a number from 0 to 1"),
        ("[faults]\ndrop = -0.1\n", "a probability is a number from 0 to 1"),
        ("[faults]\ndrop = nan\n", "a probability is a number from 0 to 1"),
        ('[faults]\ndrop = "often"\n', "drop"),
        ("[faults]\nstall_s = 0\n", "a length is above 0"),
        ("[faults]\nseed = -1\n", "a seed is from 0"),
        ("[fault]\ndrop = 0.1\n", "has no [faults] table (did you mean 'fault'?)"),
        ("faults = 3\n", "write [faults]"),
        ("[faults\n", "is no TOML"),
    ],
)
def test_a_file_that_means_nothing_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(FaultSettingsError) as raised:
        read_fault_file(written(tmp_path, text))
    assert says in str(raised.value)
    assert "faults.toml" in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaultSettingsError, match=r"none\.toml: cannot be read"):
        read_fault_file(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("dorp=0.1", "did you mean 'drop'?"),
        ("drop=2", "from 0 to 1"),
        ("drop=often", "'often' is no number"),
        ("drop", "write a fault and its probability"),
        ("seed=3", "--seed"),
    ],
)
def test_a_word_that_means_nothing_says_what_is_wrong(word: str, says: str) -> None:
    with pytest.raises(FaultSettingsError) as raised:
        read_fault_words([word])
    assert says in str(raised.value)
    assert word in str(raised.value)
