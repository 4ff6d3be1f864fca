"""`tickreel status`: how a running capture stands, asked from outside."""

from __future__ import annotations

import contextlib
import http.client
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from cli.options import json_option, reading
from cli.terminal import line_width, print_json
from replay.written_time import NS_PER_S, read_duration_ns

if TYPE_CHECKING:
    from cli.running_status import RunningStatus

ANSWER_LIMIT_S = 3.0
EXIT_UNHEALTHY = 1
EXIT_NOT_RUNNING = 2


class Asked(NamedTuple):
    """What asking came to: whether a capture runs, how it stands, or why that is not known."""

    running: bool
    status: RunningStatus | None
    reason: str


@click.command(short_help="Say how a running capture stands.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path())
@click.option(
    "--silence-limit",
    "silence_limit_ns",
    metavar="TIME",
    callback=reading(read_duration_ns),
    help="Exit code 1 also where a stream brought nothing for so long: 60s, 15m.",
)
@json_option
def status(folder: str, silence_limit_ns: int | None, as_json: bool) -> None:
    """Say how the capture that records into DIR stands: streams, queue, disk, engine, losses.

    Exit code 0 says that it runs and is well: bytes reach the disk and every part lives. 1 says
    that something is wrong with it, or that it does not answer; 2 that none is running.

    A feed that is dead is told of, and is no fault of the capture, which goes on trying: a monitor
    that shall see it too gives --silence-limit.
    """
    from cli.feed_standing import silent_streams
    from cli.status_text import not_known_text, status_lines

    asked = ask(Path(folder))
    if as_json:
        print_json(_result(asked))
    elif asked.status is not None:
        click.echo("\n".join(status_lines(asked.status, line_width())))
    else:
        click.echo(not_known_text(folder, asked.reason))
    if not asked.running:
        click.get_current_context().exit(EXIT_NOT_RUNNING)
    if asked.status is None or not asked.status.healthy:
        click.get_current_context().exit(EXIT_UNHEALTHY)
    if silence_limit_ns is not None and silent_streams(asked.status, silence_limit_ns / NS_PER_S):
        click.get_current_context().exit(EXIT_UNHEALTHY)


def ask(folder: Path) -> Asked:
    """Ask the capture in `folder`.

    The lock tells whether there is one, as no process can keep it that has ended; what it says of
    itself comes through its socket.

    Raises:
        NotARecordingError: the folder holds no recording.
        OSError: it may not be entered.
    """
    from cli.running_status import RunningStatus
    from recorder.description import read_description
    from recorder.recording_folder import RecordingFolder, is_locked

    place = RecordingFolder(folder.absolute())
    read_description(place)
    if not is_locked(place.lock):
        return Asked(running=False, status=None, reason="no capture is running")
    import msgspec

    try:
        answer = _get_status(folder.absolute())
        told = msgspec.json.decode(answer, type=RunningStatus)
    except (FileNotFoundError, ConnectionRefusedError):
        reason = "it is in use, by a capture that is starting or ending or by another command"
        return Asked(running=True, status=None, reason=reason)
    except TimeoutError:
        reason = f"a capture has it and did not answer within {ANSWER_LIMIT_S:g} s"
        return Asked(running=True, status=None, reason=reason)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
        reason = f"a capture has it, and its answer cannot be read: {error}"
        return Asked(running=True, status=None, reason=reason)
    return Asked(running=True, status=told, reason="")


def _get_status(folder: Path) -> bytes:
    from cli.operations_server import SOCKET_NAME, short_path

    with contextlib.closing(http.client.HTTPConnection("localhost")) as connection:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(ANSWER_LIMIT_S)
        with short_path(folder / SOCKET_NAME) as address:
            connection.sock.connect(address)
        connection.request("GET", "/status")
        return connection.getresponse().read()


def _result(asked: Asked) -> dict[str, object]:
    import msgspec

    from cli.feed_standing import feed_faults

    result: dict[str, object] = {"running": asked.running, "healthy": False}
    if asked.status is None:
        result["faults"] = [asked.reason]
    else:
        result |= msgspec.structs.asdict(asked.status)
        result["healthy"] = asked.status.healthy
        result["feed_faults"] = feed_faults(asked.status)
    return result
