"""`^C` and SIGTERM: a command ends with the code that says so, and without a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.child_process import child_command
from cli.command_line import exit_code_of
from tests.cli.commands import LIMIT_S, environment

ROUGH = Path(__file__).parents[2] / "sample_data" / "rough"

LOADING = """
import os, signal, sys
sys.addaudithook(lambda event, given: (
    event == "import" and given[0] == NAME and os.kill(os.getpid(), signal.SIGINT)
))
from cli.__main__ import main
main(["faults", ROUGH])
"""


@pytest.mark.parametrize(
    "name", ["click", "msgspec", "cli.fault_text", "replay.fault_survey", "book"]
)
def test_an_interrupt_while_a_command_loads_ends_it_without_a_traceback(name: str) -> None:
    code = LOADING.replace("NAME", repr(name)).replace("ROUGH", repr(str(ROUGH)))
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr.strip() == ""
    assert done.stdout == ""


def test_a_command_that_works_is_interrupted_without_a_traceback() -> None:
    process = subprocess.Popen(
        child_command("cli", "faults", str(ROUGH), "--runs", "50000"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert (out, err.strip()) == ("", "")


def test_an_interrupt_that_a_library_tells_in_its_own_way_is_no_fault_of_ours() -> None:
    error = ImportError("numpy._core failed to import")
    error.__cause__ = KeyboardInterrupt()
    assert exit_code_of(error) == 130


def test_a_command_that_was_begun_with_interrupts_ignored_ignores_them() -> None:
    code = LOADING.replace("NAME", "'click'").replace('"faults", ROUGH', '"venues"')
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-P", "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "reference" in done.stdout


def test_the_first_process_of_a_container_is_ended_by_sigterm_while_it_loads() -> None:
    # The handler alone is asked for here: without one, a first process goes on, any other has -15.
    code = LOADING.replace("NAME", "'click'").replace("ROUGH", repr(str(ROUGH)))
    code = code.replace("os.getpid()", "own").replace("SIGINT", "SIGTERM")
    first = "import os\nown = os.getpid()\nos.getpid = lambda: 1\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", first + code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (143, "", "")
