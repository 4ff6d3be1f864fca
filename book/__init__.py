"""The one deterministic engine: no I/O, no wall clock, no randomness."""
