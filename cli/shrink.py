"""`tickreel shrink`: the fewest frames that still show a bug."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import force_option, json_option, reading
from cli.report_text import counted
from cli.terminal import StatusLine, say
from replay.written_time import read_duration_ns

if TYPE_CHECKING:
    from recorder.description import RecordingDescription
    from venues.frame import Frame

PLACE = "{}"


@click.command(short_help="Find the fewest frames that still show a bug.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--while",
    "command",
    metavar="COMMAND",
    required=True,
    help="Ends with 0 while a recording shows it; run by the shell, {} is the recording.",
)
@click.option("-o", "--output", required=True, type=click.Path(), help="The small recording.")
@click.option(
    "--tries",
    "tries_max",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="Run the command so often and no more.",
)
@click.option(
    "--limit",
    "limit_ns",
    metavar="DURATION",
    default="60s",
    show_default=True,
    callback=reading(read_duration_ns),
    help="A command that takes longer does not show it.",
)
@force_option
@json_option
def shrink(
    folder: str,
    command: str,
    output: str,
    tries_max: int,
    limit_ns: int,
    force: bool,
    as_json: bool,
) -> None:
    """Find the fewest frames of a recording with which COMMAND still ends with 0.

    What is left out is left out with all that needs it, so every part is a recording whose books
    begin with their snapshots and miss nothing that they did not miss before. All frames are held
    in memory: cut a long recording with `tickreel filter` first.

    \b
    tickreel shrink night -o bug.reel --while 'tickreel audit {} | grep -q "crossed at"'
    """  # noqa: D301 - click's mark for lines that are not to be filled
    from cli.derived_text import print_derived
    from replay.derived_recording import derived_description, renumbered, write_derived
    from replay.output_place import refuse_source, refuse_taken
    from replay.recording import Recording
    from replay.shrink import NothingShownError
    from replay.shrink import shrink as shrink_frames

    target = Path(output)
    refuse_taken(target, force=force)
    source = Recording.open(folder)
    refuse_source(target, [source.origin])
    frames = list(source.frames())
    description = derived_description(source, "shrunk", {"while": command})
    line = StatusLine(quiet=as_json, live_only=True)
    workplace = Path(tempfile.mkdtemp(prefix="tickreel-"))
    candidate = _Candidate(workplace, description, command, limit_ns / 1e9, len(frames), line)
    try:
        shrunk = shrink_frames(frames, candidate.shows, tries_max=tries_max)
    except NothingShownError:
        raise NothingShownError(candidate.ended) from None
    finally:
        line.clear()
        shutil.rmtree(workplace, ignore_errors=True)
    report = write_derived(renumbered(shrunk.frames), description, target, force=force)
    if not as_json:
        least = (
            "none of them can be left out"
            if shrunk.least
            else "the tries ran out before it was known whether all are needed; --tries gives more"
        )
        say(
            f"{len(shrunk.frames):,} of {counted(len(frames), 'frame')} are left after "
            f"{counted(shrunk.tries, 'run')}: {least}"
        )
    print_derived(report, as_json=as_json, frames_before=len(frames), runs=shrunk.tries,
                  least=shrunk.least)  # fmt: skip


class _Candidate:
    """Writes a part of a recording and runs the command on it.

    Attributes:
        ended: how the command ended last, and the last that it said on stderr.
    """

    def __init__(
        self,
        workplace: Path,
        description: RecordingDescription,
        command: str,
        limit_s: float,
        frames: int,
        line: StatusLine,
    ) -> None:
        self._place = workplace / "candidate"
        self._description = description
        place = shlex.quote(str(self._place))
        self._command = command.replace(PLACE, place) if PLACE in command else f"{command} {place}"
        self._limit_s = limit_s
        self._frames = frames
        self._line = line
        self._runs = 0
        self.ended = ""
        self._least = frames

    def shows(self, frames: Sequence[Frame]) -> bool:
        """Return whether the command ends with 0 for these frames."""
        from replay.derived_recording import renumbered, write_derived

        write_derived(renumbered(frames), self._description, self._place, force=True, level=1)
        try:
            done = subprocess.run(  # noqa: S602 - the user's own command, as the user wrote it
                self._command,
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=self._limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.ended = f"it took longer than {self._limit_s:g} s"
            return False
        said = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()[-1:]
        self.ended = f"it ended with {done.returncode}" + (f": {said[0]}" if said else "")
        shown = done.returncode == 0
        self._runs += 1
        if shown:
            self._least = len(frames)
        self._line.show(f"{counted(self._runs, 'run')}, {self._least:,} of {self._frames:,} frames")
        return shown
