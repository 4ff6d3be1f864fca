"""`--faults`, `--fault` and `--seed`: which faults are done on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.terminal import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.fault_kind import Fault
    from replay.fault_settings import FaultSettings

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FAULTS_SHOWN_MAX = 20


def fault_file_option(command: Decorated) -> Decorated:
    """Add `--faults`."""
    return click.option(
        "--faults",
        "fault_file",
        metavar="FILE.toml",
        help="Which faults are done and how long they last, from this file's [faults] table.",
    )(command)


def fault_options(command: Decorated) -> Decorated:
    """Add `--faults` and `--fault`, for faults on the way."""
    command = click.option(
        "--fault",
        "fault_words",
        metavar="KIND=PROBABILITY",
        multiple=True,
        help="Do this fault on purpose, to so many of all messages: drop=0.001. Kinds: drop, "
        "duplicate, reorder, delay, corrupt, truncate, cut, stall, slow, checksum, clock. "
        "Lengths too: stall_s=5. May be given several times.",
    )(command)
    return fault_file_option(command)


def fault_seed_option(command: Decorated) -> Decorated:
    """Add `--seed`, of the faults alone."""
    return click.option(
        "--seed",
        type=click.IntRange(0, 2**63 - 1),
        help="Which of the possible faults are done; the same seed does the same ones. Default: 1.",
    )(command)


def read_faults(
    fault_file: str | None, fault_words: tuple[str, ...], seed: int | None
) -> FaultSettings | None:
    """Return which faults to do, the words before the file; None where none are asked for.

    Raises:
        FaultSettingsError: the file or a word means nothing.
    """
    from replay.fault_settings import FaultSettings, read_fault_file, read_fault_words

    if fault_file is None and not fault_words:
        return None
    written = {} if fault_file is None else read_fault_file(fault_file)
    written |= read_fault_words(fault_words)
    if seed is not None:
        written["seed"] = seed
    settings = FaultSettings.read(written, fault_file or "--fault")
    if not settings.probabilities:
        raise click.UsageError("no fault has a probability above 0: nothing would be done.")
    return settings


def tell_faults(done: Sequence[Fault], shown_max: int | None = None) -> None:
    """Say which faults were done: how many of each kind, and each, or the first `shown_max`."""
    from collections import Counter

    counts = Counter(fault.kind for fault in done)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    say(f"faults done on purpose: {kinds or 'none'}")
    for fault in done[:shown_max]:
        say(f"  frame {fault.frame_number:,} {fault.kind}: {fault.text}")
    if shown_max is not None and len(done) > shown_max:
        say(f"  and {len(done) - shown_max:,} more; --json lists them all")
