"""What a capture and the engine beside it say to each other.

Capture to engine, on its stdin: one `EngineStart` and then batches of frames, each as msgpack
behind its length (4 bytes, little-endian). Engine to capture, on its stdout: a JSON object a line,
one of `EngineMessage`.
"""

from __future__ import annotations

import os
import struct

import msgspec

from book.finding import Finding, FindingKind
from book.settings import EngineSettings
from cli.engine_summary import EngineSummary
from cli.latency_gauge import LatencyCounts

LENGTH = struct.Struct("<I")
"""What stands before each message to the engine: how many bytes it has."""


class EngineStart(msgspec.Struct, frozen=True):
    """What the engine runs with. Paths are as the user wrote them.

    `recording` is the folder that its receipts go to; None for none.
    """

    agent_reference: str | None
    signals_file: str | None
    settings: EngineSettings = EngineSettings()
    recording: str | None = None


class _PackedStart(msgspec.Struct, frozen=True, array_like=True):
    agent_reference: bytes | None
    signals_file: bytes | None
    settings: EngineSettings
    recording: bytes | None


def packed_start(start: EngineStart) -> bytes:
    """Return the message that `read_start` reads. A path need not be text in UTF-8."""

    def packed(path: str | None) -> bytes | None:
        return None if path is None else os.fsencode(path)

    return msgspec.msgpack.encode(
        _PackedStart(
            packed(start.agent_reference),
            packed(start.signals_file),
            start.settings,
            packed(start.recording),
        )
    )


def read_start(message: bytes) -> EngineStart:
    """Return what `packed_start` packed."""

    def path(packed: bytes | None) -> str | None:
        return None if packed is None else os.fsdecode(packed)

    found = msgspec.msgpack.decode(message, type=_PackedStart)
    return EngineStart(
        path(found.agent_reference),
        path(found.signals_file),
        found.settings,
        path(found.recording),
    )


class EngineReady(msgspec.Struct, frozen=True, tag="ready"):
    """The agent, if any, is loaded and attached: frames can come."""


class EngineRefused(msgspec.Struct, frozen=True, tag="refused"):
    """The engine cannot start as asked; `text` is the sentence for the user."""

    text: str


class SnapshotWanted(msgspec.Struct, frozen=True, tag="snapshot wanted"):
    """A book cannot be trusted: fetch a fresh snapshot of it."""

    venue: str
    connection_id: int
    symbol: str


class AgentFailed(msgspec.Struct, frozen=True, tag="agent failed"):
    """The agent raised, and maybe was detached; `text` has the sentences for the user."""

    text: str
    detached: bool = False


class FindingTold(msgspec.Struct, frozen=True):
    """A finding, and how many of its kind in that market came with it since the last status."""

    finding: Finding
    count: int


class EngineStatus(msgspec.Struct, frozen=True, tag="status"):
    """How the engine stands after `frames` frames.

    `findings` counts them by kind; `told` has those since the last status, the first of each kind
    and market; `latency` is what `cli.latency_gauge` measured. `cascades` counts all so far, and
    `cascade_time_ns` is the receive time of the last.
    """

    frames: int
    books: int
    proven: int
    gaps: int
    findings: dict[FindingKind, int] = {}
    told: list[FindingTold] = []
    latency: list[LatencyCounts] = []
    cascades: int = 0
    cascade_time_ns: int | None = None


class EngineEnded(msgspec.Struct, frozen=True, tag="ended"):
    """All that came was applied; nothing follows."""

    summary: EngineSummary
    signals: int


EngineMessage = (
    EngineReady | EngineRefused | SnapshotWanted | AgentFailed | EngineStatus | EngineEnded
)
