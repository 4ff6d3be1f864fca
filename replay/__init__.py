"""Recording -> frames on a virtual clock, and what is made of them.

It reads the recording format that `recorder` defines, plays frames into `book`'s engine, and stands
in for an exchange. Reading order, as the data flows:

- `errors`: what can go wrong here.
- `recording`, `segment_reader`, `read_ahead`, `frame_merge`: from files to frames in order;
  `frame_source` is whatever has frames, `engine_settings` how the engine beside the recorder was
  set.
- `reel_file`, `pack`: a recording in one file, and the folder that it is of; `reel_errors` are
  those of recordings made of recordings.
- `import_recording`: other programs' recordings become ours. `import_lines` reads their files,
  `import_cryptofeed`, `import_hftbacktest` and `import_tardis` make an `import_draft` of each line;
  `import_recognition` is what the files say of themselves, `import_understanding` whether the
  messages are that venue's, `import_errors` what can go wrong.
- `shared_feed`: what several recordings both have, and would count twice.
- `speed`, `steady_clock`, `virtual_clock`, `due_time`, `read_ahead`, `player`: each frame at its
  time.
- `seek`: the engine as it was at any instant, by `checkpoint_store` and the frames after;
  `checkpoint_index` writes the checkpoints, `engine_version` says whose they are. `place` is where
  one may go, `written_time` how people write when, `landmark` finds the next gap or liquidation,
  `selected_source` plays only some.
- `receipts`: what the live engine's state was, for a replay to reproduce.
- `audit` and what it looks at: `audit_listener`, `clock_offset`, `epoch_ledger`,
  `file_integrity`, `recognition`, `cut_recording`, `removal_note`; what it says: `audit_report`,
  `audit_verdict`.
- `secret_scan`: whether a recording may be given to anyone; `secret_patterns` are what it looks
  for.
- Faults on purpose: `fault_kind` has the kinds, `fault_settings` and `fault_draw` say which are
  done where, `fault_injection` does them to frames (`fault_payload` to their bytes, by the
  `fault_content` in them, `fault_source` to a whole source) and `fault_steps` to what clients are
  sent. `fault_trial` does them one at a time, with `fault_survey`, `fault_state`, `fault_hiding`;
  `fault_report` says what noticed each.
- `venue_server`: the fake exchange. `request_gate` and `handshake_login` say who is let in,
  `posted_request` reads what came with a request; `http_side` answers the exchange's own requests,
  `server_control` those about its time (`http_response` is how). `playback` is one pass of all
  clients on one `served_time`; `server_session` is one client of it, `session_voice` what it says
  of itself to that client, `session_outlet` the way out, `sent_ledger` what was sent, `time_move`
  times moved to now. `tardis_replay` is another protocol to ask by.
- `feed`: what a client is played; `step_change` may stand between it and the client.
  `served_source` makes feeds: `recorded_feed` plays a recording (`step_chain` reads it once for
  all, `recorded_connection` tells what its messages are, `source_survey` what is in it,
  `book_history` tells a book to who comes late, `rest_answers` answers requests), `simulated_feed`
  a simulation.
- `background_server`: the fake exchange in a thread, for tests.
- `decoded_frames`: frames with their events, `event_channel` which channel those came by.
  `frame_selection` takes some frames such that they still are a recording, `recording_parts` cuts
  one and joins the parts, `derived_recording` writes what came of it (`output_place`: there when
  it is whole), `frame_dependencies` and `shrink` search for the fewest frames that show a bug.
- `state_trace`: what an engine made of its frames, kept beside a recording; `trace_difference` and
  `state_difference` say where two runs parted, `recording_difference` which frames two have.
- `event_rows`: the engine's view as rows; `event_tables` and `event_table` for Arrow, Polars and
  pandas, `export_parquet`, `export_tardis`, `export_hftbacktest` as files of other programs.
- `market_simulator`: an exchange without sockets. `market_scenario` is what goes wrong in it,
  `simulated_market` one market, `simulated_book` its book, `simulated_depth` that at other depths,
  `simulated_account` an account, `simulated_messages` its words.
"""
