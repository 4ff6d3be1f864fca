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
- One file an exchange: `reference`, `bybit`, `binance`.
"""
