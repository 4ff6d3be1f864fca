"""A source of which only some venues, symbols or channels are played."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from replay.frame_selection import Met, Wanted, selected
from replay.frame_source import FrameSource
from venues.channel import Channel
from venues.frame import Frame


class SelectedSource:
    """The frames of a source of some venues, about some symbols and channels, and what they need.

    `met` says what the source had, as far as it was played.
    """

    def __init__(
        self,
        source: FrameSource,
        streams: Collection[str] | None = None,
        symbols: Collection[str] | None = None,
        channels: Collection[Channel] | None = None,
    ) -> None:
        self.met = Met()
        self._source = source
        self._streams = streams
        self._symbols = symbols
        self._channels = channels

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
    ) -> Iterator[Frame]:
        """Return them as `FrameSource.frames` does, with the beginnings of open connections."""
        wanted = Wanted(
            from_ns=from_ns,
            to_ns=to_ns,
            venues=self._streams if streams is None else streams,
            symbols=self._symbols,
            channels=self._channels,
        )
        return selected(self._source, wanted, self.met, skip_damaged=skip_damaged)
