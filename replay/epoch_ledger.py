"""The frames of a recording by connection and kind, counted as they pass."""

from __future__ import annotations

from book.connection_ledger import ConnectionLedger
from replay.audit_report import Epoch
from venues.frame import Frame, FrameKind
from venues.marker import Lost, MarkerError, read_marker


class _EpochCount:
    __slots__ = (
        "closed_ns",
        "first_ns",
        "frames",
        "hidden_frames",
        "hidden_until_ns",
        "last_ns",
        "opened_ns",
        "payload_bytes",
        "venue",
    )

    def __init__(self, frame: Frame) -> None:
        self.venue = frame.venue
        self.frames = 0
        self.payload_bytes = 0
        self.first_ns = frame.receive_time_ns
        self.last_ns = frame.receive_time_ns
        self.opened_ns: int | None = None
        self.closed_ns: int | None = None
        self.hidden_frames = 0  # how many there were where a loss last hid what came next,
        self.hidden_until_ns = 0  # and until when


class EpochLedger:
    """What was counted.

    Attributes:
        payload_bytes: the sum of all payloads.
        first_ns: receive time of the first frame; None without frames.
        last_ns: the greatest receive time; None without frames.
    """

    def __init__(self) -> None:
        # By the kind's number: an enum's own hash is computed in Python, frame by frame.
        self._kinds = [0] * (max(FrameKind) + 1)
        self.payload_bytes = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._epochs: dict[int, _EpochCount] = {}

    def add(self, frame: Frame) -> None:
        """Count a frame."""
        now_ns, kind = frame.receive_time_ns, frame.kind
        self._kinds[kind] += 1
        size = len(frame.payload)
        self.payload_bytes += size
        if self.last_ns is None or now_ns > self.last_ns:
            self.last_ns = now_ns
            if self.first_ns is None:
                self.first_ns = now_ns
        epoch = self._epochs.get(frame.connection_id)
        if epoch is None:
            epoch = self._epochs[frame.connection_id] = _EpochCount(frame)
        epoch.frames += 1
        epoch.payload_bytes += size
        epoch.last_ns = now_ns
        if kind is FrameKind.OPENED:
            epoch.opened_ns = now_ns
        elif kind is FrameKind.CLOSED:
            epoch.closed_ns = now_ns
        elif kind is FrameKind.LOST:
            self._hide(frame)

    def _hide(self, frame: Frame) -> None:
        try:
            until_ns = read_marker(frame, Lost).to_ns
        except MarkerError:
            until_ns = frame.receive_time_ns
        own_id = frame.connection_id
        for number in [own_id] if own_id else self._epochs:
            epoch = self._epochs[number]
            if epoch.hidden_frames < epoch.frames:
                epoch.hidden_frames, epoch.hidden_until_ns = epoch.frames, until_ns

    @property
    def standing(self) -> bool:
        """Whether a connection was opened, and neither closed nor last heard of before a loss.

        A loss may have taken the closing: one of the whole recorder (a crash, damage) that of any
        connection which was open then, one of a connection only that connection's own.
        """
        return any(
            epoch.opened_ns is not None
            and epoch.closed_ns is None
            and epoch.hidden_frames < epoch.frames
            for epoch in self._epochs.values()
        )

    @property
    def kinds(self) -> dict[FrameKind, int]:
        """Frames by kind, of those kinds that there are."""
        return {kind: self._kinds[kind] for kind in FrameKind if self._kinds[kind]}

    @property
    def received(self) -> int:
        """How many messages came."""
        return self._kinds[FrameKind.TEXT] + self._kinds[FrameKind.BINARY]

    def listened_until_ns(self, venue: str) -> int:
        """Return until when the venue's channels could have spoken, as far as frames tell.

        That is the end of the recording, or the closing of the venue's last connection.
        """
        closings_ns = [epoch.closed_ns for epoch in self._epochs.values() if epoch.venue == venue]
        open_still = any(closed_ns is None for closed_ns in closings_ns)
        latest_ns = max((closed_ns for closed_ns in closings_ns if closed_ns), default=0)
        return (self.last_ns or 0) if open_still or not closings_ns else latest_ns

    def pauses_ns(self) -> list[tuple[int, int]]:
        """Return when no connection was open, between those that were: since when, until when.

        Only connections count that were seen to open: of others it is not known since when. One
        whose closing was lost is taken to have stood for as long as that loss lasted.
        """
        spans_ns = sorted(
            (epoch.opened_ns, epoch.closed_ns or max(epoch.last_ns, epoch.hidden_until_ns))
            for epoch in self._epochs.values()
            if epoch.opened_ns is not None
        )
        pauses_ns: list[tuple[int, int]] = []
        open_until_ns = spans_ns[0][1] if spans_ns else 0
        for opened_ns, closed_ns in spans_ns:
            if opened_ns > open_until_ns:
                pauses_ns.append((open_until_ns, opened_ns))
            open_until_ns = max(open_until_ns, closed_ns)
        return pauses_ns

    def epochs(self, connections: ConnectionLedger) -> list[Epoch]:
        """Return what is known of each connection, with what its markers said."""
        return [
            _epoch(number, count, connections)
            for number, count in sorted(self._epochs.items())
            if number
        ]


def _epoch(number: int, count: _EpochCount, connections: ConnectionLedger) -> Epoch:
    record = connections.records.get(number)
    opened = record.opened if record is not None else None
    closed = record.closed if record is not None else None
    return Epoch(
        connection_id=number,
        venue=count.venue,
        stream=opened.stream if opened is not None else "",
        url=opened.url if opened is not None else "",
        frames=count.frames,
        payload_bytes=count.payload_bytes,
        first_ns=count.first_ns,
        last_ns=count.last_ns,
        opened_ns=count.opened_ns,
        closed_ns=count.closed_ns,
        code=closed.code if closed is not None else None,
        reason=closed.reason if closed is not None else "",
        by_us=closed.by_us if closed is not None else None,
    )
