"""Which boot of the machine a steady clock belongs to: its times are compared within one only."""

from __future__ import annotations

import hashlib
from pathlib import Path

LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""A random number for each boot: proc_sys_kernel(5)."""


def boot_name(recording_id: str, source: Path = LINUX_BOOT_ID) -> str:
    """Return 16 hex digits that name this boot in this recording; '' where the system has no name.

    No other recording has the same, so that nobody can tell by them which came from one machine.
    """
    try:
        boot_id = source.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(f"{recording_id} {boot_id}".encode()).hexdigest()[:16]
