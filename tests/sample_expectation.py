"""What is known of a sample recording: computed the same way when it is made and when it is tested.

Run `python -m tests.sample_expectation sample_data/calm` to see it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from book.engine import Engine
from book.liquidation_monitor import Cascade
from replay.audit import audit
from replay.player import Player
from replay.recording import Recording

DIGEST_EVERY_FRAMES = 500


def expectation(folder: Path) -> dict[str, Any]:
    """Return counts, findings by kind, the digest every 500 frames and the last one."""
    engine, cascades, digests = Engine(), 0, {}

    def count(*_: object) -> None:
        nonlocal cascades
        cascades += 1

    engine.on(Cascade, count)
    for frame in Player(Recording.open(folder), speed="max"):
        engine.apply(frame)
        if engine.frames % DIGEST_EVERY_FRAMES == 0:
            digests[str(engine.frames)] = engine.state_digest()
    report = audit(Recording.open(folder))
    return {
        "frames": report.frames,
        "frames_by_kind": report.frames_by_kind,
        "payload_bytes": report.payload_bytes,
        "connections": report.connections,
        "clean": report.clean,
        "findings": {str(kind): count for kind, count in sorted(engine.findings.counts.items())},
        "undecodable": report.undecodable,
        "cascades": cascades,
        "books": [
            {
                "symbol": book.symbol,
                "snapshots": book.snapshots,
                "deltas": book.deltas,
                "level_updates": book.level_updates,
                "gaps": book.gaps,
                "duplicates": book.duplicates,
                "checksums_verified": book.checksums_verified,
                "checksums_failed": book.checksums_failed,
                "crossed": book.crossed,
                "best_bid": list(book.best_bid or ()),
                "best_ask": list(book.best_ask or ()),
            }
            for book in report.books
        ],
        "trades": {rows.symbol: rows.rows for rows in report.trades},
        "liquidations": {rows.symbol: rows.rows for rows in report.liquidations},
        "digests": digests,
        "state_digest": engine.state_digest(),
    }


def expectation_text(folder: Path) -> str:
    """Return it as it stands in the `.expected.json` beside the sample."""
    return json.dumps(expectation(folder), indent=2) + "\n"


if __name__ == "__main__":
    print(expectation_text(Path(sys.argv[1])), end="")
