"""`tickreel faults`: faults done on purpose, and what noticed each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.engine_options import engine_settings_option, read_engine_settings
from cli.fault_options import fault_file_option, fault_seed_option
from cli.options import json_option, read_names, reading
from cli.terminal import line_width, print_json

if TYPE_CHECKING:
    from replay.fault_kind import FaultKind
    from replay.fault_settings import FaultSettings

EXIT_MISSED = 1
RUNS_MAX = 100_000


@click.command(short_help="Do faults on purpose, and say what noticed each.")
@click.argument("folder", metavar="RECORDING", type=click.Path())
@click.option(
    "--kinds",
    metavar="KIND,...",
    callback=reading(read_names),
    help="Only these kinds: drop, duplicate, reorder, delay, corrupt, truncate, cut, stall, slow, "
    "checksum, clock.",
)
@click.option(
    "--runs",
    type=click.IntRange(1, RUNS_MAX),
    default=20,
    show_default=True,
    help="How often each kind is done, each time to another message.",
)
@fault_seed_option
@fault_file_option
@click.option(
    "--frames",
    "frames_max",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    help="Of a long recording, use so many frames from its start.",
)
@engine_settings_option
@json_option
def faults(
    folder: str,
    kinds: tuple[str, ...] | None,
    runs: int,
    seed: int | None,
    fault_file: str | None,
    frames_max: int,
    engine_file: str | None,
    as_json: bool,
) -> None:
    """Do each kind of fault to a recording many times, one at a time, and say what noticed it.

    A fault is noticed where a finding or a doubt about its book or connection follows; harmless
    where books, trades and all else are the same after it; hidden where the venue sends nothing
    that could show it, and says so; and missed otherwise. Exit code 0: none was missed. 1: some
    were, and are named. 2: it could not be done.

    Of --faults, the seed and the lengths count (`stall_s`, say); each kind is done --runs times
    whatever its probability. To try a client of your own, serve it faults: `tickreel serve
    RECORDING --fault drop=0.001`.
    """
    from cli.fault_text import fault_lines
    from replay.engine_settings import recorded_settings
    from replay.fault_trial import TrialSettings, try_faults
    from replay.recording import Recording

    chosen = _kinds(kinds)
    how = _settings(fault_file, seed)
    engine = None if engine_file is None else read_engine_settings(engine_file)
    recording = Recording.open(folder)
    settings = TrialSettings(
        kinds=chosen,
        runs=runs,
        faults=how,
        engine=engine or recorded_settings(recording),
        frames_max=frames_max,
    )
    with _Progress(quiet=as_json) as progress:
        report = try_faults(recording.frames(), settings, on_progress=progress.tell)
    if as_json:
        print_json(report)
    else:
        click.echo("\n".join(fault_lines(report, line_width())))
    click.get_current_context().exit(EXIT_MISSED if report.missed else 0)


def _kinds(names: tuple[str, ...] | None) -> tuple[FaultKind, ...]:
    from replay.fault_kind import FaultKind
    from venues.errors import nearest

    for name in names or ():
        if name not in list(FaultKind):
            raise click.BadParameter(
                f"there is no fault {name!r}{nearest(name, FaultKind)}. "
                f"Faults: {', '.join(FaultKind)}.",
                param_hint="'--kinds'",
            )
    return tuple(kind for kind in FaultKind if names is None or kind in names)


def _settings(fault_file: str | None, seed: int | None) -> FaultSettings:
    from replay.fault_settings import FaultSettings, read_fault_file

    written = {} if fault_file is None else read_fault_file(fault_file)
    if seed is not None:
        written["seed"] = seed
    return FaultSettings.read(written, fault_file or "--seed")


class _Progress:
    """How many messages were tried, on a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        from cli.terminal import StatusLine

        self._status = StatusLine(quiet=quiet, live_only=True)

    def tell(self, done: int, of: int) -> None:
        """Show how far the trials are."""
        self._status.show(f"{done / of:4.0%}  {done:,} of {of:,} messages tried")

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._status.clear()
