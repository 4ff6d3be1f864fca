"""Messages that reach what none has reached: `python -m tests.soak.guided_fuzz --seconds 600`.

Atheris (`pip install atheris`, where it has a wheel) changes messages of every venue and keeps what
runs a line that nothing ran before. Each is given to what reads it at a recorder, and to an engine:
a finding or a clean decode comes of it, and never anything else.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ENGINE_MESSAGES = 1_000
"""After so many an engine is left, so that what one message does is not hidden by all before it."""


class Reader:
    """Reads what the fuzzer gives: a byte that says whose it is, and the message."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._engines: dict[str, Any] = {}
        self._number = 0
        self.messages = 0

    def read(self, data: bytes) -> None:
        """Give a message to all that reads one."""
        from book.engine import Engine
        from venues.frame import Frame, FrameKind
        from venues.registry import venue_named

        if len(data) < 2:
            return
        name, payload = self._names[data[0] % len(self._names)], data[1:]
        venue = venue_named(name)
        venue.read_notice(payload)
        venue.reply(payload)
        venue.dialect.topic(payload)
        venue.dialect.answer(venue.dialect.read_request(payload), None)
        if self.messages % ENGINE_MESSAGES == 0:
            self._engines.clear()
        self.messages += 1
        engine = self._engines.setdefault(name, Engine())
        number = self._number = self._number + 1
        engine.apply(Frame(number, 1, name, FrameKind.TEXT, number, None, payload))


def write_corpus(folder: Path) -> list[str]:
    """Write the messages to begin with, and return the names of the venues."""
    from tests.venues.sample_frames import ALL_NAMES, SAMPLES

    for which, name in enumerate(ALL_NAMES):
        for number, sample in enumerate(SAMPLES[name]):
            (folder / f"{name}-{number}").write_bytes(bytes([which]) + sample)
    return list(ALL_NAMES)


def main() -> None:
    """Fuzz; whatever is raised ends it, with the message in a file that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    atheris = importlib.import_module("atheris")
    corpus = Path(tempfile.mkdtemp())
    with atheris.instrument_imports(include=["venues", "book"]):
        names = write_corpus(corpus)
        reader = Reader(names)
        for which in range(len(names)):
            reader.read(bytes([which]) + b"{}")  # venues are imported when they are first named
    limits = [f"-max_total_time={options.seconds}", "-len_control=0", "-max_len=20000"]
    watched = ["-timeout=5", "-rss_limit_mb=1024"]
    atheris.Setup([sys.argv[0], str(corpus), *watched, *limits], reader.read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
