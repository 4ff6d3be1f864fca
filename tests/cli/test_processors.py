from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.processors import Place, read_processors
from tests.cli.running_capture import running_capture

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins a thread")


def threads(pid: int) -> dict[str, set[int]]:
    """Return the processors that each thread of a process may use, by the thread's number."""
    masks = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        allowed = re.search(r"^Cpus_allowed_list:\s*(.*)$", (task / "status").read_text(), re.M)
        assert allowed is not None
        masks[task.name] = numbers(allowed[1])
    return masks


def numbers(text: str) -> set[int]:
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


@needs_linux
async def test_the_receive_loop_has_its_processor_and_the_writer_the_others(
    tmp_path: Path,
) -> None:
    ours = os.sched_getaffinity(0)
    chosen = min(ours)
    async with running_capture(tmp_path, "--no-engine", "--cpu", str(chosen)) as capture:
        pid = capture.process.pid
        await capture.until(lambda: threads(pid)[str(pid)] == {chosen})
        others = [mask for name, mask in threads(pid).items() if name != str(pid)]
        assert (ours - {chosen} or ours) in others
        assert await capture.end() == 0


@needs_linux
def test_processors_that_are_not_there_are_refused() -> None:
    missing = max(os.sched_getaffinity(0)) + 1
    with pytest.raises(CommandError, match=f"there is no processor {missing} for this process"):
        Place([0, missing])


def test_another_system_says_that_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(CommandError, match="darwin lets no thread choose its processors"):
        Place([0])


def test_processors_are_numbers() -> None:
    assert read_processors("3, 1,3") == (1, 3)
    for wrong in ("", "a", "1-2", "-1", "1,"):
        with pytest.raises(ValueError, match="names no processors"):
            read_processors(wrong)
