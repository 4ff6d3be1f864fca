from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.demo_loop import DemoOutcome, broken_promises
from tests.cli.commands import run


def test_the_demo_runs_the_whole_loop_and_everything_holds(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    done = run("demo", "--json", "-o", str(folder))
    assert done.code == 0, done.err
    assert done.json["broken"] == []
    assert done.json["live_digest"] == done.json["replay_digest"]
    assert done.json["checksums_verified"] > 1_000
    assert done.json["gaps"] == 1
    assert run("replay", str(folder), "--digest").out.strip() == done.json["live_digest"]
    refused = run("demo", "-o", str(folder))
    assert refused.code == 2
    assert "is not empty" in refused.err


def outcome() -> DemoOutcome:
    """An outcome in which everything holds."""
    book = {"gaps": 1, "checksums_failed": 1, "crossed": 0, "checksums_verified": 10}
    audit = {"state_digest": "d", "books": [book]}
    return DemoOutcome(
        capture={"lost": 0, "state_digest": "d", "frames": 12, "connections": [{"messages": 10}]},
        replay={"state_digest": "d", "frames": 12},
        audit=audit,
        info={},
        served_audit=audit,
        sent=10,
        signals=(b"a\n", b"a\n"),
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"sent": 11}, "all 11 that were sent are kept: 10 are"),
        ({"replay": {"state_digest": "e", "frames": 12}}, "the digest is d live and in the replay"),
        ({"replay": {"state_digest": "d", "frames": 11}}, "12 kept, 11 played"),
        ({"audit": {"state_digest": "d", "books": []}}, "books are verified"),
        ({"signals": (b"a\n", b"b\n")}, "the agent says the same in both"),
    ],
)
def test_what_does_not_hold_is_named(changed: dict[str, Any], sentence: str) -> None:
    assert broken_promises(outcome()) == []
    assert any(sentence in broken for broken in broken_promises(outcome()._replace(**changed)))
