"""Recording -> frames on a virtual clock: played, judged, served.

Data flows one way: a source gives frames, a player hands them out at their time, and the engine of
`book` is given them as it was live. Reading order:

- `errors`: what keeps a recording from being read.
- `recording`, `segment_reader`, `frame_merge`: a folder on disk as frames, and several as one.
- `frame_source`: what can be played: anything with `frames(...)`.
- `speed`, `steady_clock`, `virtual_clock`, `due_time`, `read_ahead`, `player`: when a frame is due,
  and how it is handed out then. Speed delays frames and does nothing else to them.
- `audit`: judges a recording. `audit_listener`, `epoch_ledger`, `clock_offset`, `channel_pulse` and
  `file_integrity` are what it looks at, `audit_verdict` what makes it unclean, `audit_report` what
  it says.
- `import_recording`: other programs' recordings become ours: `import_lines`, `import_draft`, a file
  a format (`import_hftbacktest`, `import_cryptofeed`), `import_errors`.
- `venue_server`: the fake exchange, which serves a recording (`recorded_feed`, `source_survey`,
  `rest_answers`) or a simulated market (`market_simulator`, `market_scenario`, `simulated_*`) to
  any client: `feed`, `server_session`, `session_outlet`, `request_gate`, `sent_ledger`.
"""
