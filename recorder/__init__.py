"""Live streams -> frames -> recording on disk. The recording format is defined here (FORMAT.md).

Reading order, as the data flows:

- What is wanted: `stream_settings` (and `toml_file`), `planned_connection` (which also tries the
  keys), `recorder_settings`.
- Getting connected: `streams` has them all, `stream` keeps one plan alive; `reconnect` says when to
  try again, `connect_fault` what went wrong, `lifecycle` which state it is in; `entry` has what is
  needed before connecting (a token, an address, signed headers), `stream_context` what all of them
  share.
- On a connection: `tls_context` secures it; `connection` takes messages as their bytes arrive;
  `conversation` is what goes on there and keeps it alive, with `greeting` (login and
  subscriptions), `admission` (what was answered), `speech` (what we say, in turn), `watchdog`
  (when it is dead), `vigil` (who looks after that) and `access_renewal` (what lets it in, for
  another while). `redaction` removes secrets before anything is queued, some by their `key_fields`.
- What a connection brings: `channel_watch` says what is silent, `stalls` what is done about it;
  `line_group` makes one connection of several lines, with `line_merge` (each message once) and
  `line_tally` (who brought it).
- Beside the streams: `http_desk` asks over `http_request` within each host's budget, for
  `rest_snapshot` (books), `instruments` (tick and lot sizes) and `entry`. What blocks is done in
  its `own_thread`.
- Becoming frames: `frame_intake` numbers them within a budget, `clock_watch` reads the clocks of
  this `boot`, `frame_feed` hands them to who iterates, `writer` to the disk.
- On disk: `recording` (one writer a folder), `durable_journal` (one `journal` after another, none
  trusted after a sync that failed, `journal_sync`) -> `sealing` (in a `sealing_process`) ->
  `segment`, `manifest`, `recovery` after an unclean stop. `recording_folder` says where things
  lie, `description` what the recording is. `disk` has the calls of them all, `disk_room` what is
  left free, `folder_size` what it takes; `unwritten` and `closing` are for an end on a disk that is
  full or stalls.
- Read again: `journal_reader`, by whole `zstd_frame`s, with `journal_losses` for what is damaged;
  `segment_file`; errors in `recording_errors`.
- Once sealed: `retention` (what is too old or too much), `removals` (what goes on purpose), `ring`
  (what a dashcam keeps), `upload` to an `upload_store` with an `upload_ledger`, in
  `upload_rounds`; errors in `upload_errors`.
- `recorder` puts it together, `statistics` is what it says of itself, `errors` what can go wrong.
- Operating it: `part_watch` sees to it that nothing ends silently, `health` says whether bytes
  reach the disk, `marker_tally` tells what the recording says of itself, `sd_notify` tells systemd.
"""
