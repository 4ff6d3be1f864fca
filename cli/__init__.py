"""One file a command: parse, wire, print. What a command does lives in the other packages.

Reading order:

- `errors`: what only the command line can get wrong.
- `options`: durations, speeds, times of a recording, as a user writes them.
- `report_text`: counts, sizes, times and feed text, as a user reads them.
- `terminal`: whether anyone is looking: colour, status line, progress.
- `command_group`: the commands by name, each loaded when it is called.
- `agent_file`, `signal_file`, `attached_engine`: an engine with a user's agent on it.
- `engine_summary`: what an engine knows at the end, as one value and as a table.
- `child_process`, `engine_messages`, `live_engine`, `engine_process`: the engine beside the
  recorder, in a process of its own; `collector`: the garbage collector's part in its speed.
- One file a command: `capture` (with `capture_text`, `event_loop`), `replay` (with
  `replay_progress`), `audit` (with `audit_text`), `info`, `recover`, `serve`, `import_command`,
  `demo` (with `demo_loop`), `venues`.
- `__main__`: errors become sentences and exit codes.
"""
