"""One file a command: parse, wire, print. What a command does lives in the other packages.

Reading order:

- `errors`: what only the command line can get wrong.
- `options`: what a user writes for an option, and the options that commands share; more of those
  in `engine_options`, `streams_option` and `disk_options`.
- `report_text`: counts, sizes, times and feed text, as a user reads them.
- `stop_signals`: which signals end a command in good order.
- `side_by_side`: several recordings together, in which nothing may count twice unsaid.
- `terminal`: whether anyone is looking: colour, status line, progress; `queued_stderr`: a stderr
  that holds up nobody, whoever looks.
- `command_group`: the commands by name, each loaded when it is called.
- `agent_file`, `signal_file`, `attached_engine`: an engine with a user's agent on it.
- `engine_summary`: what an engine knows at the end, as one value and as a table.
- `child_process`, `engine_messages`, `live_engine`, `engine_process`: the engine beside the
  recorder, in a process of its own, and the `receipt_keeper` in it; `collector`: the garbage
  collector's part in its speed.
- `running_status`: how a running capture stands, for `status_text`, `metrics`, `json_log` and the
  `operations_server`; `feed_standing`: which streams bring nothing; `capture_operations` takes and
  tells it; `latency_gauge` and `finding_lines` are the engine's part.
- `beside_options`, `capture_beside`: what goes on beside a capture with what is sealed: an upload
  in a process of its own (`upload_process`, `live_upload`), a ring (`ring_watch`); `whereabouts`
  says what came of it.
- One file a command: `capture` (with `capture_request`, `capture_run`, `capture_text`,
  `capture_log`, `operations_options`, `processors`, `event_loop`), `status`, `replay` (with
  `replay_range`, `replay_playback`, `replay_progress`, `replay_keys`, `replay_proof`), `index`,
  `audit` (with `audit_text`), `info` (with `line_shares`, `subscribed`), `recover`, `serve`,
  `import_command`, `faults` (with `fault_options`, `fault_text`),
  `upload` and `scan_secrets` (with `known_secrets`), `demo` (with `demo_loop`), `venues`.
- What makes recordings of recordings, and says what is in them: `pack`, `unpack`, `cat` (with
  `frame_text`), `filter` (with `filter_options`), `merge`, `split`, `compact` (with
  `derived_text`), `diff` (with `trace_text`), `export`, `shrink`.
- `__main__` is where it begins; `command_line`: errors become sentences and exit codes.
"""
