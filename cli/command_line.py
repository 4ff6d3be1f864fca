"""The command `tickreel`: errors become sentences and exit codes.

Exit codes: 0 all is well, 1 found what it looks for (faults, differences, secrets), 2 could not
run, 3 something was lost for good, 130 interrupted, 141 its output is not read any more. README.md
has those of each command.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from cli.command_group import LazyGroup
from cli.report_text import printable_lines, system_text
from cli.stop_signals import EXIT_INTERRUPTED
from cli.terminal import print_error
from venues.errors import TickreelError

EXIT_COULD_NOT_RUN = 2


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="tickreel", message="tickreel %(version)s")
def tickreel() -> None:
    """Record live market-data WebSocket feeds, and replay them into the engine that ran live.

    A recording is evidence: every frame is kept as it came, every loss is named, every claim is
    checked. `tickreel COMMAND --help` says more of each command.
    """


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        result = tickreel.main(
            list(arguments) if arguments is not None else None,
            prog_name="tickreel",
            standalone_mode=False,
        )
    except Exception as error:  # noqa: BLE001 - nothing goes on: each becomes an exit code
        sys.exit(exit_code_of(error))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(result if isinstance(result, int) else 0)


def exit_code_of(error: Exception) -> int:
    """Print what went wrong, as far as it is the user's to know, and return the exit code."""
    if isinstance(error, click.Abort) or _was_interrupted(error):
        return EXIT_INTERRUPTED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
    elif isinstance(error, click.ClickException):
        print_error(printable_lines(_usage_text(error)))
    elif isinstance(error, TickreelError):
        print_error(printable_lines(str(error)))
    elif isinstance(error, OSError) and error.strerror:
        print_error(printable_lines(system_text(error)))
    else:
        traceback.print_exception(error)
        print_error("this is a fault in tickreel itself; please report it with the lines above.")
    return EXIT_COULD_NOT_RUN


def _was_interrupted(error: BaseException | None) -> bool:
    """Return whether it came of `^C`: a library that was being loaded may say it in its own way."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _usage_text(error: click.ClickException) -> str:
    # Click sets what can be chosen from apart by tabs, which would be escaped.
    text = error.format_message().replace("\n\t", "\n  ")
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text += f"\n`{error.ctx.command_path} --help` shows how it is called."
    return text
