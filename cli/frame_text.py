"""Frames and events as lines: for people, as ndjson, as CSV."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from cli.report_text import printable
from replay.written_time import utc_text

if TYPE_CHECKING:
    from replay.decoded_frames import Decoded
    from venues.frame import Frame

_encode = msgspec.json.Encoder(decimal_format="string").encode
CSV_HEAD = (
    "frame_number,connection_id,venue,kind,receive_time_ns,monotonic_time_ns,payload,payload_base64"
)


def text_line(frame: Frame) -> str:
    """Return a frame as a line for people; bytes that are no text are escaped."""
    payload = frame.payload.decode("utf-8", "backslashreplace")
    return (
        f"{frame.frame_number:>9} {utc_text(frame.receive_time_ns, 6)} {frame.venue} "
        f"#{frame.connection_id} {frame.kind.name:<6} {printable(payload)}"
    )


def json_line(frame: Frame) -> str:
    """Return a frame as a JSON object; `payload_base64` where the payload is no text."""
    facts = _facts(frame)
    text, packed = _payload(frame)
    facts |= {"payload_base64": packed} if packed else {"payload": text}
    return _encode(facts).decode()


def csv_line(frame: Frame) -> str:
    """Return a frame as a CSV row, in the order of `CSV_HEAD`."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([*_facts(frame).values(), *_payload(frame)])
    return row.getvalue()


FRAME_LINES: dict[str, Callable[[Frame], str]] = {
    "text": text_line,
    "ndjson": json_line,
    "csv": csv_line,
}


def event_lines(each: Decoded, *, as_json: bool) -> Iterable[str]:
    """Yield a line for each event of a frame; one that could not be decoded says so."""
    frame = each.frame
    head = {"frame_number": frame.frame_number, "venue": frame.venue}
    if not each.understood:
        yield (
            _encode({**head, "event": None}).decode()
            if as_json
            else f"{frame.frame_number:>9} {utc_text(frame.receive_time_ns, 6)} {frame.venue} ?"
        )
    for event in each.events:
        kind = type(event).__name__
        if as_json:
            yield _encode({**head, "event": kind, **msgspec.structs.asdict(event)}).decode()
            continue
        facts = {
            name: value
            for name, value in msgspec.structs.asdict(event).items()
            if value is not None and name != "receive_time_ns" and value != ""
        }
        told = " ".join(f"{name}={_encode(value).decode()}" for name, value in facts.items())
        time = utc_text(frame.receive_time_ns, 6)
        yield f"{frame.frame_number:>9} {time} {frame.venue} {kind} {printable(told)}"


def _facts(frame: Frame) -> dict[str, object]:
    return {
        "frame_number": frame.frame_number,
        "connection_id": frame.connection_id,
        "venue": frame.venue,
        "kind": frame.kind.name.lower(),
        "receive_time_ns": frame.receive_time_ns,
        "monotonic_time_ns": frame.monotonic_time_ns,
    }


def _payload(frame: Frame) -> tuple[str, str]:
    """Return the payload as text, or else as base64."""
    try:
        return frame.payload.decode("utf-8"), ""
    except UnicodeDecodeError:
        return "", base64.b64encode(frame.payload).decode("ascii")
