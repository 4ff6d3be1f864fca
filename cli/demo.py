"""`tickreel demo`: the whole loop on this machine, over real WebSockets, and what must hold."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option
from cli.terminal import line_width, print_json, say

if TYPE_CHECKING:
    from cli.demo_loop import DemoOutcome


@click.command(short_help="Run the whole loop on this machine.")
@click.option(
    "-o", "--output", "folder", type=click.Path(), help="Keep the recording here afterwards."
)
@json_option
def demo(folder: str | None, as_json: bool) -> None:
    """Run the whole loop on this machine: serve, capture, replay, audit. It takes half a minute.

    A fake exchange serves a recording from sample_data (or, without a checkout, a simulated
    market) over real WebSockets on loopback; `capture` records it with the engine beside it;
    `replay --speed 10x` plays the recording; `audit` judges it. Exit code 2 if anything that must
    hold does not.
    """
    from cli.demo_loop import run_loop

    begun_s = time.monotonic()
    if folder is not None and Path(folder).exists() and any(Path(folder).iterdir()):
        raise click.UsageError(f"{folder} is not empty; give a folder that is not there yet.")
    with tempfile.TemporaryDirectory(prefix="tickreel-demo-") as place:
        outcome = run_loop(Path(folder) if folder else Path(place) / "recording", Path(place), say)
    _tell(outcome, time.monotonic() - begun_s, as_json=as_json)


def _tell(outcome: DemoOutcome, seconds: float, *, as_json: bool) -> None:
    from cli.demo_loop import broken_promises, summary_lines

    broken = broken_promises(outcome)
    if as_json:
        print_json({**outcome.facts(), "seconds": round(seconds, 1), "broken": broken})
    else:
        click.echo("\n".join(summary_lines(outcome, line_width())))
        for sentence in broken:
            click.echo(f"does not hold: {sentence}")
        verdict = "everything holds" if not broken else "this must not happen; please report it"
        click.echo(f"{verdict} ({seconds:.0f} s)")
    if broken:
        click.get_current_context().exit(2)
