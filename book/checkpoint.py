"""A checkpoint: an engine's whole state as bytes, from which one goes on as if never stopped.

Theory. What a frame does to an engine depends on the engine's state and its settings alone. So an
engine that is restored after frame k and then applied the frames after it comes to the same state,
findings and checkpoints, byte for byte, as one that was applied all of them. For that a checkpoint
holds more than the state that is hashed for the digest: deltas that wait for their snapshot, whole;
windows of tapes with their sums; what each connection's references mean; watches in their order.

It holds no cache (numbers seen, ghosts of levels), nobody's subscription, and of the last frame all
but its payload. It is JSON of plain values in a fixed order. No name of a class or a function is in
it, and nothing in it is ever executed: who reads one from a stranger gets a state or an error.

A change of what any part holds, or means, needs a new VERSION here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from book import state_digest
from book.connection_ledger import LedgerParts
from book.errors import CheckpointError
from book.finding import FindingsParts
from book.lane_parts import LaneParts, lane_parts, take_lane_parts
from book.market import MarketRefusedError
from book.staleness import GuardParts, StalenessGuard
from venues.errors import UnknownVenueError
from venues.frame import Frame

if TYPE_CHECKING:
    from book.engine import Engine
    from book.settings import EngineSettings

VERSION = 1


class _Version(msgspec.Struct, frozen=True):
    checkpoint: int
    state: int
    settings: str


class EngineParts(_Version, frozen=True):
    """An engine as plain values. `settings` is a hash of what it was set to."""

    frames: int
    undecodable: int
    now_ns: int
    last: Frame | None
    unknown_venues: list[str]
    connections: LedgerParts
    findings: FindingsParts
    channels: GuardParts
    lanes: list[LaneParts]


_ENCODER = msgspec.json.Encoder(decimal_format="string", order="deterministic")
_DECODER = msgspec.json.Decoder(EngineParts)
_VERSION_DECODER = msgspec.json.Decoder(_Version)


def settings_hash(settings: EngineSettings) -> str:
    """Return a hash of settings: equal for equal ones, however they were written."""
    encoder = msgspec.json.Encoder(decimal_format="string", order="sorted")
    return hashlib.sha256(encoder.encode(settings)).hexdigest()


def encode(engine: Engine) -> bytes:
    """Return an engine's checkpoint. To be called between two frames."""
    return _ENCODER.encode(engine_parts(engine))


def engine_parts(engine: Engine) -> EngineParts:
    """Return what a checkpoint says; it shares its lists with the engine."""
    last = engine._frame
    return EngineParts(
        checkpoint=VERSION,
        state=state_digest.VERSION,
        settings=settings_hash(engine.settings),
        frames=engine.frames,
        undecodable=engine.undecodable,
        now_ns=engine.now_ns,
        last=None if last is None else msgspec.structs.replace(last, payload=b""),
        unknown_venues=sorted(engine._unknown_venues),
        connections=engine.connections.parts(),
        findings=engine.findings.parts(),
        channels=engine._guard.parts(),
        lanes=[lane_parts(lane, engine._guard) for lane in engine._lanes.values()],
    )


def restore(engine: Engine, content: bytes) -> None:
    """Make an engine what a checkpoint says. Who subscribed to it stays subscribed.

    Raises:
        CheckpointError: it is of another version or other settings, or damaged. Where it is damaged
            in a way that only shows in the end, the engine is of no more use.
    """
    parts = read_parts(content)
    if parts.settings != settings_hash(engine.settings):
        raise CheckpointError("it is of an engine with other settings")
    engine.frames = parts.frames
    engine.undecodable = parts.undecodable
    engine._time.now_ns = parts.now_ns
    engine._frame = parts.last
    engine._unknown_venues = set(parts.unknown_venues)
    engine.connections.take_parts(parts.connections)
    engine.findings.take_parts(parts.findings)
    engine._guard = guard = StalenessGuard()
    guard.take_parts(parts.channels)
    engine._raised = []
    engine._lanes.clear()
    try:
        for said in parts.lanes:
            take_lane_parts(engine.add_lane(said.venue), said, guard)
    except (UnknownVenueError, MarketRefusedError, KeyError, ValueError) as error:
        raise CheckpointError(f"it is damaged ({error})") from error


def read_parts(content: bytes) -> EngineParts:
    """Return what a checkpoint says.

    Raises:
        CheckpointError: it is of another version, or damaged.
    """
    try:
        version = _VERSION_DECODER.decode(content)
        if (version.checkpoint, version.state) != (VERSION, state_digest.VERSION):
            raise CheckpointError("an engine of another version wrote it")
        return _DECODER.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CheckpointError(f"it is damaged ({error})") from error
