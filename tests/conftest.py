"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A machine that is busy is no fault of the code: nothing here is judged by the time it takes.
settings.register_profile(
    "tickreel", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tickreel")
