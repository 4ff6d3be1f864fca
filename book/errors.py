"""The errors of book.

    TickreelError                 (venues.errors)
    ├── EngineSettingsError       settings that no engine can run with
    ├── NoMarketError             a market of which nothing came
    ├── NeverToldError            a subscription to what no engine tells of
    └── CheckpointError           a checkpoint that this engine cannot go on from

Bad data is never one of these: it is a finding.
"""

from __future__ import annotations

from collections.abc import Collection

from venues.errors import TickreelError, nearest


class EngineSettingsError(TickreelError):
    """Settings that no engine can run with. `where` names the file and the place in it."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}")


class NoMarketError(TickreelError, KeyError):
    """A market of which no frame came so far. `known` are those that came: (venue, symbol)."""

    def __init__(self, key: object, known: Collection[tuple[str, str]]) -> None:
        self.key = key
        self.known = sorted(known)
        names = [" ".join(each) for each in self.known]
        name = " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
        came = f"What came: {', '.join(names)}." if names else "No frame was about any market."
        super().__init__(
            f"nothing of {name} came in the frames applied so far{nearest(name, names)}. {came} "
            'A market is named by venue and symbol: engine.markets["okx", "BTC-USDT"].'
        )

    # A KeyError shows its argument as Python would write it; this one has a sentence to say.
    __str__ = Exception.__str__


class NeverToldError(TickreelError):
    """A subscription to something that no engine tells of, so that it would never be called."""

    def __init__(self, kind: object, known: Collection[type]) -> None:
        self.kind = kind
        names = sorted(each.__name__ for each in known)
        name = kind.__name__ if isinstance(kind, type) else str(kind)
        super().__init__(
            f"an engine never tells of {kind!r}{nearest(name, names)}. "
            f"Subscribe to one of these classes: {', '.join(names)}."
        )


class CheckpointError(TickreelError):
    """A checkpoint that this engine cannot go on from. `reason` says why not."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"the checkpoint cannot be used: {reason}. Replay from the first frame instead."
        )
