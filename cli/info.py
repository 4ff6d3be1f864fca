"""`tickreel info`: what a recording holds, as far as its manifest and journals say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.line_shares import LineShares, line_rows
from cli.options import json_option
from cli.report_text import (
    aligned,
    byte_text,
    count_text,
    counted,
    kept_count,
    lost_text,
    printable,
    span_text,
)
from cli.subscribed import Subscribed, subscribed_rows
from cli.terminal import print_json
from cli.whereabouts import whereabouts, whereabouts_rows
from replay.written_time import utc_text

if TYPE_CHECKING:
    from replay.recording import Recording


@click.command(short_help="Say what a recording holds.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--scan",
    is_flag=True,
    help="Read every frame: what was subscribed to, kinds of frames, and what was lost.",
)
@json_option
def info(folder: str, scan: bool, as_json: bool) -> None:
    """Say what a recording holds: what it was begun for, when, how much, on how many connections.

    A recording may have been continued with other streams: --scan says what all of its connections
    subscribed to.

    It reads the manifest and whatever is not sealed yet, so it answers at once for weeks of data,
    and while the recording is being made. `tickreel audit` says whether it can be trusted.
    """
    from replay.recording import Recording

    facts = _facts(Recording.open(folder), scan=scan)
    if as_json:
        print_json(facts)
    else:
        click.echo("\n".join(_lines(folder, facts)))


def _facts(recording: Recording, *, scan: bool) -> dict[str, object]:
    from recorder.recording_folder import RecordingFolder, is_locked

    place = RecordingFolder(recording.path)
    totals, description = recording.totals, recording.description
    missing = recording.missing_segments
    missing_frames = sum(entry.frames for entry in missing)
    # A reader gives a LOST frame for each: so this is what a replay around them counts.
    frames = totals.frames - missing_frames + len(missing)
    payload_bytes = totals.payload_bytes - sum(entry.payload_bytes for entry in missing)
    bytes_on_disk = totals.bytes_on_disk - sum(entry.file_bytes for entry in missing)
    first_ns, last_ns = totals.first_receive_time_ns, totals.last_receive_time_ns
    facts: dict[str, object] = {
        "recording_id": description.recording_id,
        "created": description.created,
        "tool_version": description.tool_version,
        "clock_source": description.clock_source,
        "asked_for": description.asked_for,
        "venues": list(recording.venues),
        "first": None if first_ns is None else utc_text(first_ns, 9),
        "last": None if last_ns is None else utc_text(last_ns, 9),
        "seconds": None if first_ns is None or last_ns is None else (last_ns - first_ns) / 1e9,
        "frames": frames,
        "payload_bytes": payload_bytes,
        "bytes_on_disk": bytes_on_disk,
        "bytes_per_frame": bytes_on_disk / frames if frames else None,
        "segments": len(recording.segments) - len(missing),
        "missing_frames": missing_frames,
        "missing_segments": [entry.path for entry in missing],
        "connections": totals.connections,
        "unsealed_journals": len(place.journal_numbers()),
        "being_written": is_locked(place.lock),
    }
    facts |= whereabouts(recording)
    return facts | (_scanned(recording) if scan else {})


def _scanned(recording: Recording) -> dict[str, object]:
    from venues.frame import FrameKind
    from venues.marker import DROPPED, Lost, read_marker

    kinds: Counter[FrameKind] = Counter()
    lost_frames, lost_unknown = 0, 0
    shares, subscribed = LineShares(), Subscribed()
    for batch in recording.frame_batches(skip_damaged=True):
        kinds.update(frame.kind for frame in batch)
        for frame in batch:
            if frame.kind is FrameKind.LOST:
                lost = read_marker(frame, Lost)
                if lost.cause == DROPPED:
                    continue
                lost_frames += lost.frames or 0
                lost_unknown += lost.frames is None
            elif frame.kind is FrameKind.LINES:
                shares.add(frame)
            elif frame.kind is FrameKind.OPENED:
                subscribed.add(frame)
    names = {kind.name.lower(): kinds[kind] for kind in sorted(kinds)}
    return {
        "subscribed": subscribed.facts(),
        "kinds": names,
        "received": kept_count(names) + lost_frames,
        "kept": kept_count(names),
        "lost": lost_frames,
        "losses_of_unknown_size": lost_unknown,
        "lines": shares.facts(),
    }


def _lines(folder: str, facts: Mapping[str, object]) -> list[str]:
    rows = [("begun for", printable(text)) for text in _asked_for(facts["asked_for"])]
    rows += [(label, printable(text)) for label, text in subscribed_rows(facts.get("subscribed"))]
    if engine := _engine(facts["asked_for"]):
        rows.append(("engine", printable(engine)))
    if facts["first"] is not None:
        rows.append(("recorded", _span(facts)))
    size = f"{byte_text(_number(facts['bytes_on_disk']))} on disk"
    if facts["bytes_per_frame"] is not None:
        size += (
            f", {_number(facts['bytes_per_frame']):.1f} bytes a frame "
            f"(of {byte_text(_number(facts['payload_bytes']))} received)"
        )
    rows += [
        ("frames", count_text(int(_number(facts["frames"])))),
        ("size", size),
        ("segments", _segments(facts)),
        ("connections", count_text(int(_number(facts["connections"])))),
        ("made by", f"tickreel {facts['tool_version']}, clock: {facts['clock_source']}"),
    ]
    if missing := _missing(facts):
        rows.append(("missing", missing))
    rows += whereabouts_rows(facts)
    if isinstance(kinds := facts.get("kinds"), dict):
        rows.append(("kinds", ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())))
        unknown = int(_number(facts["losses_of_unknown_size"]))
        lost = lost_text(kinds, int(_number(facts["lost"])))
        rows.append(("lost", f"{lost}; of unknown size: {count_text(unknown)}"))
    rows += line_rows(facts.get("lines"))
    return [printable(folder), *(f"  {line}" for line in aligned(rows))]


def _span(facts: Mapping[str, object]) -> str:
    seconds = _number(facts["seconds"])
    return f"{str(facts['first'])[:23]}Z to {str(facts['last'])[:23]}Z ({span_text(seconds)})"


def _segments(facts: Mapping[str, object]) -> str:
    text = f"{int(_number(facts['segments'])):,} sealed"
    unsealed = int(_number(facts["unsealed_journals"]))
    if facts["being_written"]:
        return f"{text}; being written to now"
    if unsealed:
        return f"{text}; {counted(unsealed, 'journal')} not sealed: run `tickreel recover`"
    return text


def _missing(facts: Mapping[str, object]) -> str:
    """Return which files are gone, '' where none is."""
    paths = facts["missing_segments"]
    if not isinstance(paths, list) or not paths:
        return ""
    frames = counted(int(_number(facts["missing_frames"])), "frame")
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return (
        f"{counted(len(paths), 'segment')} with {frames} not on the disk: "
        f"{printable(str(paths[0]))}{more}; restore from a copy"
    )


def _asked_for(asked_for: object) -> list[str]:
    """Return a line a stream; what another tool's import asked for is shown as it is."""
    streams = asked_for.get("streams") if isinstance(asked_for, dict) else None
    if not isinstance(streams, list):
        pairs = asked_for.items() if isinstance(asked_for, dict) else ()
        return [f"{key.replace('_', ' ')}: {_plain(value)}" for key, value in pairs]
    lines = []
    for stream in streams:
        if isinstance(stream, dict):
            told = f"{stream.get('venue')} {', '.join(map(str, stream.get('symbols') or ()))}"
            channels = ", ".join(map(str, stream.get("channels") or ("the usual channels",)))
            url = f" at {stream['url']}" if stream.get("url") else ""
            lines.append(f"{told.strip()} ({channels}){url}")
    return lines


def _engine(asked_for: object) -> str:
    """Return how the engine was set where that is not as usual, '' where it is."""
    engine = asked_for.get("engine") if isinstance(asked_for, dict) else None
    if not isinstance(engine, dict) or not engine:
        return ""
    return ", ".join(f"{name} {value}" for name, value in engine.items())


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return value
