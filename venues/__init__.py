"""What each exchange says, as pure functions and declared traits.

Data flows one way: venues -> recorder -> recording -> replay -> book. This package is the
start of it and imports none of the others; it opens no socket, reads no clock, keeps no book.

Reading order:

- `errors`: the root of all of tickreel's errors, and those of this package.
- `frame`: one complete WebSocket message (or HTTP body, or marker), untouched.
- `marker`: what the frames say that no exchange sent: opened, closed, lost, clock, HTTP.
- `channel`: the names of the streams within a feed: book, trades, liquidations, ...
- `event`: what a frame decodes to: book snapshot, book delta, trade, liquidation, ...
- `traits`: what a venue declares about itself, as data. The engine branches on these alone.
- `venue`: the protocol that a venue is, both sides of it: the client's and the exchange's.
- `registry`: the venues by name.
- `pair`: one spelling of pairs for all venues.
- `channel_pulse`: whether a channel still speaks, as both the recorder and the engine judge it.
- What venues share: `wire` (fields on the wire), `signed_size`, `compression`, `stream_request`
  (what is checked of a request), `address` (another address in the exchange's place),
  `connection_plan` (dividing a request among connections), `http_answer` (frames of HTTP answers),
  `json_web_token`, `nonce` and `named_account` (logins), `op_args` and `account_rows` (the protocol
  that Bybit and the reference venue both speak), `op_arg_objects` and `op_arg_dialect` (OKX and
  Bitget), `stated_book` and `time_shift` (an exchange's side, played from a recording).
- `tardis_csv`: what others have made of a feed, read as one.
- An exchange is a folder (or a file, while it is small: `purpleflea`): `venue` is what a client
  has to know, `market` and `account` what the messages mean, `dialect` how the exchange itself
  speaks. README.md says how to add one, and on what evidence each message is read as it is.
"""
