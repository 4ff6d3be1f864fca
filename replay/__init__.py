"""Recording -> frames on a virtual clock, and what is made of them.

It reads the recording format that `recorder` defines, plays frames into `book`'s engine, and stands
in for an exchange. Reading order, as the data flows:

- `errors`: what can go wrong here.
- `recording`, `segment_reader`, `read_ahead`, `frame_merge`: from files to frames in order;
  `frame_source` is whatever has frames.
- `import_recording` and the `import_*` beside it: other programs' recordings become ours.
- `speed`, `steady_clock`, `virtual_clock`, `due_time`, `read_ahead`, `player`: each frame at its
  time.
- `audit` and what it looks at: `audit_listener`, `channel_pulse`, `clock_offset`, `epoch_ledger`,
  `file_integrity`, `recognition`; what it says: `audit_report`, `audit_verdict`.
- `venue_server`: the fake exchange. `server_session` is one client of it, `session_outlet` the way
  out to that client, `sent_ledger` what was sent, `request_gate` who is let in.
- `feed`: what a client is played. `recorded_feed` plays a recording (`source_survey` says what is
  in it, `rest_answers` what it answers by HTTP), `simulated_feed` a simulation.
- `market_simulator`: an exchange without sockets. `market_scenario` is what goes wrong in it,
  `simulated_market` one market, `simulated_book` its book, `simulated_messages` its words.
"""
