"""What a capture says of itself: its first line, its status line, its last line, its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.report_text import byte_text, clock_text, count_text, counted, digest_text, printable
from venues.channel import Channel
from venues.registry import venue_named

if TYPE_CHECKING:
    from cli.engine_messages import EngineEnded
    from cli.engine_process import EngineProcess
    from cli.running_status import RunningStatus
    from recorder.statistics import RecorderReport, RecorderStatistics
    from recorder.stream_settings import StreamSettings


def opening_text(streams: Sequence[StreamSettings], folder: str) -> str:
    """Return the line that says what is captured, and where to."""
    if len(streams) == 1:
        (stream,) = streams
        what = counted(len(stream.symbols), "symbol") if stream.symbols else "the account"
        return f"capturing {what} from {stream.venue} ({_channels_text(stream)}) into {folder}"
    venues = ", ".join(dict.fromkeys(stream.venue for stream in streams))
    return f"capturing {len(streams)} streams from {venues} into {folder}"


def _channels_text(stream: StreamSettings) -> str:
    traits = venue_named(stream.venue).traits
    depth = traits.depth if stream.depth is None else stream.depth
    return ", ".join(
        f"book {depth}" if channel is Channel.BOOK and depth is not None else channel.value
        for channel in (stream.channels or traits.default_channels)
    )


def status_text(
    seconds: float, statistics: RecorderStatistics, engine: EngineProcess | None
) -> str:
    """Return the status line."""
    parts = [
        clock_text(seconds),
        f"{statistics.frames_per_s:,.0f} frames/s",
        f"lag {_lag_text(statistics.lag_s)}",
        f"queue {byte_text(statistics.queue_bytes)}",
        f"disk {byte_text(statistics.disk_bytes)}",
    ]
    if engine is not None and engine.status is not None and engine.attached:
        status = engine.status
        proven = f"{status.proven} of {status.books}"
        parts.append(f"books {status.books if status.proven == status.books else proven} proven")
        parts.append(f"gaps {count_text(status.gaps)}")
    parts.append(f"reconnects {count_text(statistics.reconnects)}")
    if statistics.intake.lost_frames:
        parts.append(f"LOST {count_text(statistics.intake.lost_frames)}")
    if statistics.disk_fault:
        parts.append(f"DISK {printable(statistics.disk_fault)}")
    return "  ".join(parts)


def _lag_text(lag_s: float) -> str:
    return f"{lag_s * 1000:.1f} ms" if lag_s < 1 else f"{lag_s:.1f} s"


def service_text(status: RunningStatus) -> str:
    """Return the line that a service manager shows."""
    connected = sum(one.state == "connected" for one in status.streams)
    parts = [
        f"{connected} of {len(status.streams)} connected",
        f"{status.frames_per_s:,.0f} frames/s",
        f"{count_text(status.lost_frames)} lost",
    ]
    return "; ".join([*map(printable, status.faults), ", ".join(parts)])


def closing_text(report: RecorderReport, ended: EngineEnded | None) -> str:
    """Return the line that says what there is now."""
    lost, unknown = f"{count_text(report.lost_frames)} lost", report.intake.unknown_losses
    if unknown:
        lost += f" and {counted(unknown, 'loss', 'losses')} of unknown size"
    came = f"{counted(report.frames, 'frame')}, {lost}"
    digest = "" if ended is None else f"digest {digest_text(ended.summary.state_digest)}"
    segments, size = counted(report.segments, "segment"), byte_text(report.bytes_on_disk)
    if not report.first_frame_number:
        return ", ".join(filter(None, [segments, came, f"{size} on disk", digest]))
    # The engine has seen only what is new in a recording that was continued.
    this_run = ", ".join(filter(None, [came, digest]))
    return f"in this run {this_run}; the recording has {segments}, {size} on disk"


def mute_texts(report: RecorderReport) -> list[str]:
    """Return a sentence for each connection on which nothing came, and which did not say why."""
    texts = []
    for one in report.connections:
        if one.stream in report.stream_faults or one.messages:
            continue
        what = "connected, but no message came" if one.connects else "never connected"
        texts.append(f"{one.stream}: {what}")
    return texts


def capture_result(
    report: RecorderReport,
    seconds: float,
    engine: EngineProcess | None,
    ended: EngineEnded | None,
) -> dict[str, object]:
    """Return the capture as one object for JSON; what is unknown is None."""
    summary = None if ended is None else ended.summary
    return {
        "frames": report.frames,
        "first_frame_number": report.first_frame_number,
        "received_frames": report.intake.received_frames,
        "received_bytes": report.intake.received_bytes,
        "lost": report.lost_frames,
        "segments": report.segments,
        "bytes_on_disk": report.bytes_on_disk,
        "seconds": round(seconds, 3),
        "connections": report.connections,
        "stream_faults": {name: str(fault) for name, fault in report.stream_faults.items()},
        "sealing_faults": list(report.sealing_faults),
        "state_digest": None if summary is None else summary.state_digest,
        "books": None if summary is None else summary.markets,
        "findings": None if summary is None else summary.findings,
        "signals": None if ended is None else ended.signals,
        "agent_failures": None if engine is None else engine.agent_failures,
        "agent_detached": None if engine is None else engine.agent_detached,
    }
