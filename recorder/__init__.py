"""Live streams -> frames -> recording on disk. The recording format is defined here (FORMAT.md)."""
