"""Live streams -> frames -> recording on disk. The recording format is defined here (FORMAT.md).

Reading order, as the data flows:

- What is wanted: `stream_settings` (and the TOML file), `planned_connection`, `recorder_settings`.
- Getting connected: `stream` keeps one plan alive; `reconnect` says when to try again,
  `connect_fault` what went wrong, `lifecycle` which state it is in.
- On a connection: `connection` takes messages as their bytes arrive; `conversation` logs in,
  subscribes and keeps it alive, with `admission` (what the exchange answered) and `watchdog` (when
  it is dead). `redaction` removes secrets before anything is queued.
- Snapshots beside the stream: `rest_snapshot`, over `http_get`.
- Becoming frames: `frame_intake` numbers them within a budget, `clock_watch` reads the clocks,
  `frame_feed` hands them to who iterates, `writer` to the disk.
- On disk: `recording` (one writer a folder), `journal` -> `sealing` -> `segment`, `manifest`,
  `recovery` after an unclean stop.
- `recorder` puts it together, `statistics` is what it says of itself, `errors` what can go wrong.
"""
