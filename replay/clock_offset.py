"""Receive time minus exchange time: signed, never clamped, in bounded memory.

Theory. Count, least and greatest are exact. The middle is known to a bucket: buckets are
`width_ns` wide, 10 µs at first, and whenever more than `BUCKETS_MAX` of them are in use the width
doubles and neighbours are joined. So offsets that lie within 160 ms of one another keep 10 µs, and
no spread, not even that of a clock that was set by an hour, takes more memory than this. A quantile
is given as the lower edge of its bucket, at most one width below the true one, and always
within the least and the greatest.
"""

from __future__ import annotations

from collections import Counter

WIDTH_NS = 10_000
BUCKETS_MAX = 16_384


class ClockOffsetGauge:
    """The distribution of one kind of offset.

    Attributes:
        count: how many offsets were added.
        min_ns: the least; None without any.
        max_ns: the greatest; None without any.
        width_ns: how exactly the quantiles are known.
    """

    __slots__ = ("_buckets", "count", "max_ns", "min_ns", "width_ns")

    def __init__(self) -> None:
        self.count = 0
        self.min_ns: int | None = None
        self.max_ns: int | None = None
        self.width_ns = WIDTH_NS
        self._buckets: Counter[int] = Counter()

    def add(self, offset_ns: int) -> None:
        """Take an offset in."""
        self.count += 1
        if self.min_ns is None or offset_ns < self.min_ns:
            self.min_ns = offset_ns
        if self.max_ns is None or offset_ns > self.max_ns:
            self.max_ns = offset_ns
        bucket = offset_ns // self.width_ns
        if bucket in self._buckets:
            self._buckets[bucket] += 1
            return
        self._buckets[bucket] = 1
        while len(self._buckets) > BUCKETS_MAX:
            self._widen()

    def quantile_ns(self, share: float) -> int | None:
        """Return the offset that `share` (0 to 1) of all are at most; None without any."""
        if self.min_ns is None or self.max_ns is None:
            return None
        left = max(1, -int(-share * self.count // 1))
        for bucket, count in sorted(self._buckets.items()):
            left -= count
            if left <= 0:
                return max(self.min_ns, min(bucket * self.width_ns, self.max_ns))
        return self.max_ns

    def _widen(self) -> None:
        wider: Counter[int] = Counter()
        for bucket, count in self._buckets.items():
            wider[bucket // 2] += count
        self._buckets = wider
        self.width_ns *= 2
