"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy is no fault of the code: nothing here is judged by the time it takes.
settings.register_profile(
    "tickreel", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tickreel")


@pytest.fixture(scope="session", autouse=True)
def signals_are_heeded() -> None:
    """A suite begun by nohup, or in the background, would hand on that it ignores them."""
    for number, handler in (
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGINT, signal.default_int_handler),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
