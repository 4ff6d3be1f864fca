"""One file a command: parse, wire, print. What a command does lives in the other packages.

Reading order:

- `errors`: what only the command line can get wrong.
- `options`: durations, speeds, times of a recording, as a user writes them.
- `report_text`: counts, sizes, times and feed text, as a user reads them.
- `terminal`: whether anyone is looking: colour, status line, progress.
- `command_group`: the commands by name, each loaded when it is called.
- `agent_file`, `signal_file`: a user's agent, and what it says.
- `live_engine`, `engine_process`: the engine beside the recorder, in a process of its own.
- One file a command: `capture`, `replay`, `audit`, `info`, `recover`, `serve`, `import_command`,
  `demo`, `venues`.
- `__main__`: errors become sentences and exit codes.
"""
