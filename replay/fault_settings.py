"""How often each fault is done, and how long those last that last: `[faults]` of a TOML file.

    [faults]
    seed = 7
    drop = 0.001        # one message in a thousand
    stall = 0.0001
    stall_s = 10

The same settings do the same faults to the same recording on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from recorder.toml_file import TomlFileError, read_toml
from replay.errors import ReplayError
from replay.fault_kind import FaultKind
from venues.errors import nearest

NS_PER_S = 1_000_000_000
_LENGTH_MAX_S = 86_400.0
_SEED_MAX = 2**63


class FaultSettingsError(ReplayError):
    """Settings of faults that mean nothing. `where` names the file or the option."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}")


class FaultSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The probability, per received message, of each kind of fault; and their lengths.

    Attributes:
        seed: which of the possible faults are done.
        delay_s: by how much a delayed message is late.
        stall_s: how long a stalled connection says nothing.
        outage_s: for how long after a cut nothing comes.
        slow_s: for how long a slow reader loses what comes.
        clock_step_s: how far the wall clock steps, forward or back.
    """

    seed: int = 1
    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    corrupt: float = 0.0
    truncate: float = 0.0
    cut: float = 0.0
    stall: float = 0.0
    slow: float = 0.0
    checksum: float = 0.0
    clock: float = 0.0
    delay_s: float = 0.25
    stall_s: float = 30.0
    outage_s: float = 1.0
    slow_s: float = 2.0
    clock_step_s: float = 2.5

    @property
    def probabilities(self) -> dict[FaultKind, float]:
        """The kinds that may be done, in the order in which they are asked about."""
        found = {kind: float(getattr(self, kind.value)) for kind in FaultKind}
        return {kind: chance for kind, chance in found.items() if chance}

    @classmethod
    def read(cls, written: object, where: str) -> FaultSettings:
        """Return what a table such as `[faults]` asks for.

        Raises:
            FaultSettingsError: an unknown key (the nearest is named), or a value that is none.
        """
        if not isinstance(written, Mapping):
            raise FaultSettingsError(where, "is no table: write [faults] and a key a line.")
        for key in written:
            _require_known(str(key), where)
        try:
            settings = msgspec.convert(dict(written), cls, strict=True)
        except msgspec.ValidationError as fault:
            raise FaultSettingsError(where, f"{fault}.") from None
        settings._check(where)
        return settings

    def _check(self, where: str) -> None:
        for kind in FaultKind:
            chance = getattr(self, kind.value)
            if not (math.isfinite(chance) and 0 <= chance <= 1):
                raise FaultSettingsError(
                    where, f"{kind} = {chance:g}: a probability is a number from 0 to 1."
                )
        for name in LENGTHS:
            length_s = getattr(self, name)
            if not 0 < length_s <= _LENGTH_MAX_S:
                raise FaultSettingsError(
                    where,
                    f"{name} = {length_s:g}: a length is above 0 and at most "
                    f"{_LENGTH_MAX_S:,.0f} seconds.",
                )
        if not 0 <= self.seed < _SEED_MAX:
            raise FaultSettingsError(where, f"seed = {self.seed}: a seed is from 0 to 2^63 - 1.")


LENGTHS = ("delay_s", "stall_s", "outage_s", "slow_s", "clock_step_s")
_KEYS = FaultSettings.__struct_fields__


def _require_known(key: str, where: str) -> None:
    if key not in _KEYS:
        raise FaultSettingsError(
            where,
            f"unknown fault {key!r}{nearest(key, _KEYS)}. "
            f"Faults: {', '.join(FaultKind)}. Also: {', '.join(('seed', *LENGTHS))}.",
        )


def read_fault_file(file_name: str) -> dict[str, object]:
    """Return the `[faults]` table of a TOML file, as written.

    Raises:
        FaultSettingsError: the file cannot be read, or has no such table.
    """
    try:
        written = read_toml(Path(file_name))
    except TomlFileError as fault:
        raise FaultSettingsError(file_name, fault.reason) from fault
    table = written.get("faults")
    if table is None:
        found = nearest("faults", written)
        raise FaultSettingsError(file_name, f"has no [faults] table{found}.")
    if not isinstance(table, dict):
        raise FaultSettingsError(file_name, "`faults` is no table: write [faults].")
    FaultSettings.read(table, f"{file_name}, [faults]")
    return table


def read_fault_words(words: Iterable[str]) -> dict[str, object]:
    """Return what words such as `drop=0.001` and `stall_s=5` ask for.

    Raises:
        FaultSettingsError: one of them is none.
    """
    table: dict[str, object] = {}
    for word in words:
        where = f"--fault {word}"
        key, sign, text = word.partition("=")
        key = key.strip()
        if not sign:
            raise FaultSettingsError(where, "write a fault and its probability: drop=0.001.")
        _require_known(key, where)
        if key == "seed":
            raise FaultSettingsError(where, "the seed has an option of its own: --seed.")
        try:
            table[key] = float(text)
        except ValueError:
            raise FaultSettingsError(where, f"{text.strip()!r} is no number.") from None
        FaultSettings.read({key: table[key]}, where)
    return table


def nanoseconds(seconds: float) -> int:
    """Return a length given in seconds as integer nanoseconds."""
    return round(seconds * NS_PER_S)
