"""The one deterministic engine. It runs beside the recorder and in every replay, unchanged.

No I/O, no wall clock, no randomness: frames go in, state and findings come out, and the same
frames give the same state, bit for bit. It imports `venues` and nothing else of ours, so it
cannot know whether a frame is live.

In the order of the data:

- `engine`: applies a frame: decodes it, routes its events, tells the subscribers.
- `subscribers`: who wants to be told of what.
- `settings`: depths, windows, thresholds, limits; `errors`.
- `frame_time`: the engine's now.
- `venue_lane`, `counted_lane`: all markets of one venue, and how its events go into them; where the
  exchange counts the frames of a connection, with `frame_count`.
- `route_table`, `connection_start`: what a connection's short names mean, and how it began.
- `market`: what is known of one symbol at one venue: book, tape, liquidations, `counters`;
  `market_limits` bounds how many there are, `instrument_list` has what the exchange says of them.
- `venue_book`: a venue's book and when it may be trusted: snapshots, continuity, bridging.
- `checked_book`: its state, and the checks that it is put to.
- `level_ids`: levels that an exchange names by ids.
- `book_state`: the states that it can be in.
- `held_deltas`: the deltas that wait for the snapshot which they will be joined to.
- `sequence`: what a delta's numbers say, per continuity scheme.
- `order_book`, `price_levels`: the levels, exact and in the exchange's own digits.
- `exact`: numbers as text and as exact decimals.
- `checksum`: the exchanges' own hashes of a book.
- `quote_check`: a published best bid and offer held against the book of the same number.
- `trade_tape`, `liquidation_monitor`: windows over trades and forced closes, in frame time.
- `contract_value`: what contracts are worth, by the exchange's own rule.
- `game_monitor`: the results of a game of chance, and whether they are what chance would give.
- `connection_ledger`: the connections in the frames, and what was lost.
- `staleness`: channels that fell silent.
- `coverage`: how long a book was proven, and the windows in which it was not.
- `finding`: whatever a reader of the data must know, as values; `notice_finding` which of an
  exchange's notices are.
- `state_digest`: one hash of all of it; `hash_chain` is how what is not kept stays in it.
- `checkpoint`: all of it as bytes, to go on from, with `lane_parts` and `book_parts`.
- `agent`: a class with `on_trade`, `on_book`, ... attached to an engine.
"""
