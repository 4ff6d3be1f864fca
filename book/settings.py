"""Depths, windows, thresholds and limits of the engine. All times are measured in frame time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from book.errors import EngineSettingsError
from book.exact import EXACT
from venues.channel import Channel
from venues.errors import nearest


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may set. The same settings and the same frames give the same state.

    Attributes:
        tape_window_s: length of the trade tape's rolling window.
        tape_trades_max: at most so many trades are in the window.
        spike_window_s: the latest part of the window that a volume spike is looked for in.
        spike_ratio: a spike is more than this many times the window's mean volume for such a part.
        cascade_notional: liquidations worth this much within `cascade_window_s` are a cascade.
        cascade_window_s: over which the worth is summed.
        cascade_cooldown_s: at most one cascade is reported in this time, per market.
        games_window_s: length of the window of a game's results.
        games_results_max: at most so many results are in it.
        games_edge: the house edge that a crash game states, as a share of the stake.
        dice_low: the least number that the dice game can show.
        dice_high: the greatest one.
        dice_step: how far its numbers are apart.
        stale_limits_s: silence after which a channel is stale, where it is not the venue's own.
        deltas_held_max: deltas kept per market while a snapshot is awaited.
        quotes_held_max: quotes, and tops of book, kept per market until the other one comes.
        findings_kept_max: findings kept per kind; all are counted, and all enter the digest.
        windows_kept_max: suspect windows kept per market; all are counted.

    Raises:
        EngineSettingsError: a value is out of its range, or a float where it has to be exact.
    """

    tape_window_s: float = 60.0
    tape_trades_max: int = 10_000
    spike_window_s: float = 5.0
    spike_ratio: int = 3
    cascade_notional: Decimal = Decimal(500_000)
    cascade_window_s: float = 10.0
    cascade_cooldown_s: float = 30.0
    games_window_s: float = 3600.0
    games_results_max: int = 10_000
    games_edge: Decimal = Decimal("0.01")
    dice_low: Decimal = Decimal(1)
    dice_high: Decimal = Decimal(100)
    dice_step: Decimal = Decimal(1)
    stale_limits_s: Mapping[Channel, float] = msgspec.field(default_factory=dict)
    deltas_held_max: int = 10_000
    quotes_held_max: int = 1_024
    findings_kept_max: int = 1_000
    windows_kept_max: int = 1_000

    def __post_init__(self) -> None:
        """Check what was given."""
        self._check("EngineSettings")

    def described(self) -> dict[str, object]:
        """Return what differs from the defaults, as JSON can say it and `read` reads it."""
        plain = msgspec.to_builtins(self)
        usual = msgspec.to_builtins(EngineSettings())
        return {name: value for name, value in plain.items() if value != usual[name]}

    @classmethod
    def read(cls, written: object, where: str) -> EngineSettings:
        """Return the settings that a table such as `[engine]` in a TOML file asks for.

        Raises:
            EngineSettingsError: an unknown key (the nearest is named), or a value that is none.
        """
        if not isinstance(written, Mapping):
            raise EngineSettingsError(where, "is not a table: write [engine] and a key a line.")
        known = cls.__struct_fields__
        for key in written:
            if key not in known:
                raise EngineSettingsError(
                    where,
                    f"unknown key {key!r}{nearest(str(key), known)}. "
                    f"Known keys: {', '.join(sorted(known))}.",
                )
        try:
            return msgspec.convert(written, cls, strict=True)
        except msgspec.ValidationError as fault:
            raise EngineSettingsError(where, f"{fault}.") from None
        except EngineSettingsError as fault:
            raise EngineSettingsError(where, fault.reason) from None

    def _check(self, where: str) -> None:
        limits = self.stale_limits_s
        values: dict[str, float | Decimal] = {
            name: value
            for name in self.__struct_fields__
            if isinstance(value := getattr(self, name), int | float | Decimal)
        }
        values |= {f"stale_limits_s.{channel}": limit for channel, limit in limits.items()}
        for name, value in values.items():
            if name in _EXACT and isinstance(value, float):
                raise EngineSettingsError(where, f"{name} has to be a Decimal, not a float.")
            least = "from 0 to" if name in _MAY_BE_ZERO else "above 0 and at most"
            fits = math.isfinite(value) and 0 <= value <= _VALUE_MAX
            if not fits or (not value and name not in _MAY_BE_ZERO):
                raise EngineSettingsError(where, f"{name} has to be {least} {_VALUE_MAX:,}.")
        if self.spike_window_s > self.tape_window_s:
            raise EngineSettingsError(where, "spike_window_s has to be within tape_window_s.")
        self._check_games(where)

    def _check_games(self, where: str) -> None:
        if self.games_edge >= 1:
            raise EngineSettingsError(where, "games_edge has to be below 1: it is a share.")
        try:
            whole = not EXACT.remainder(
                EXACT.subtract(self.dice_high, self.dice_low), self.dice_step
            )
        except ArithmeticError:  # so many digits that no die has such faces
            whole = False
        if self.dice_low > self.dice_high or not whole:
            raise EngineSettingsError(
                where, "dice_low has to be whole steps (dice_step) below dice_high."
            )


_EXACT = frozenset({"cascade_notional", "games_edge", "dice_low", "dice_high", "dice_step"})
_MAY_BE_ZERO = frozenset({"games_edge", "dice_low", "dice_high"})
_VALUE_MAX = 10**12
NS_PER_S = 1_000_000_000


def nanoseconds(seconds: float) -> int:
    """Return a setting given in seconds as integer nanoseconds."""
    return round(seconds * NS_PER_S)
