"""What the connections of a recording were opened for, from its OPENED frames."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from venues.frame import Frame


class Subscribed:
    """Puts together what OPENED frames say; by venue and host, in the order of their coming."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}

    def add(self, frame: Frame) -> None:
        """Take an OPENED frame.

        Raises:
            MarkerError: its payload is none.
        """
        from venues.marker import Opened, read_marker

        opened = read_marker(frame, Opened)
        address = urlsplit(opened.url)
        host = f"{address.scheme}://{address.netloc}" if address.netloc else ""
        symbols, channels = self._asked.setdefault((frame.venue, host), ({}, {}))
        for one in opened.subscriptions:
            channels[one.channel.value] = None
            if one.symbol:
                symbols[one.symbol] = None

    def facts(self) -> list[dict[str, object]]:
        """Return an entry a venue and host: the symbols and channels that were subscribed to."""
        return [
            {"venue": venue, "host": host, "symbols": [*symbols], "channels": [*channels]}
            for (venue, host), (symbols, channels) in self._asked.items()
        ]


def subscribed_rows(facts: object) -> list[tuple[str, str]]:
    """Return a row an entry, for people."""
    rows = []
    for each in facts if isinstance(facts, list) else []:
        text = f"{each['venue']} {', '.join(each['symbols'])}".strip()
        if each["channels"]:
            text += f" ({', '.join(each['channels'])})"
        rows.append(("subscribed", f"{text} at {each['host']}" if each["host"] else text))
    return rows
