"""The options by which a capture is operated: log, metrics, processors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cli.options import reading

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
METRICS_EXAMPLE = "127.0.0.1:9464"


def _read_address(text: str) -> object:
    from cli.operations_server import read_metrics_address

    return read_metrics_address(text)


def log_options(command: Decorated) -> Decorated:
    """Add `--log-json` and `--log-file`."""
    command = click.option(
        "--log-file",
        type=click.Path(dir_okay=False),
        help="Write the log as JSON lines to this file; stderr stays for people.",
    )(command)
    return click.option(
        "--log-json",
        is_flag=True,
        help="Log as JSON, one object a line, on stderr (or to --log-file) and nothing else there.",
    )(command)


def metrics_options(command: Decorated) -> Decorated:
    """Add `--metrics` and `--metrics-insecure`."""
    command = click.option(
        "--metrics-insecure",
        is_flag=True,
        help="Allow a --metrics address that other machines reach; nobody is asked who they are.",
    )(command)
    return click.option(
        "--metrics",
        "metrics_address",
        metavar="HOST:PORT",
        callback=reading(_read_address),
        help=f"Serve Prometheus metrics and /health here, such as {METRICS_EXAMPLE}.",
    )(command)


def cpu_option(command: Decorated) -> Decorated:
    """Add `--cpu`."""
    from cli.processors import read_processors

    return click.option(
        "--cpu",
        "processors",
        metavar="N[,N...]",
        callback=reading(read_processors),
        help="Run the receive loop on these processors alone; the engine and sealing on the rest.",
    )(command)
