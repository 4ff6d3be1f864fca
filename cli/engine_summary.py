"""What an engine knows at the end, as one value: for a table, for JSON, and between processes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cli.report_text import aligned, count_text, printable

if TYPE_CHECKING:
    from book.engine import Engine
    from book.market import Market

_FIGURES_MORE_THAN_PRICE = 2


class MarketSummary(msgspec.Struct, frozen=True):
    """One market at the end. Numbers are texts in the exchange's own digits; None is unknown.

    `proven_share` is the share of the observed time on a proven book; `vwap` and `net_delta` are
    about the tape's last window.
    """

    venue: str
    symbol: str
    state: str
    proven_share: float | None
    best_bid: tuple[str, str] | None
    best_ask: tuple[str, str] | None
    spread: str | None
    bid_levels: int
    ask_levels: int
    vwap: str | None
    net_delta: str
    trades: int
    liquidations: int
    liquidation_notional: str
    cascades: int
    snapshots: int
    deltas: int
    level_updates: int
    gaps: int
    crossed: int
    checksums_verified: int
    checksums_failed: int
    checksums_unverifiable: int
    quote_checks: int
    quote_matches: int


class EngineSummary(msgspec.Struct, frozen=True):
    """An engine at the end of its frames; `findings` counts them by kind."""

    frames: int
    state_digest: str
    undecodable: int
    findings: dict[str, int]
    markets: list[MarketSummary]


def summarise(engine: Engine) -> EngineSummary:
    """Return what `engine` knows now."""
    return EngineSummary(
        frames=engine.frames,
        state_digest=engine.state_digest(),
        undecodable=engine.undecodable,
        findings={kind.value: count for kind, count in sorted(engine.findings.counts.items())},
        markets=[_market_summary(engine.markets[key]) for key in sorted(engine.markets)],
    )


def _market_summary(market: Market) -> MarketSummary:
    book, tape, counters = market.book, market.tape, market.counters
    bid, ask, spread, vwap = book.best_bid, book.best_ask, book.spread, tape.vwap()
    return MarketSummary(
        venue=market.venue,
        symbol=market.symbol,
        state=book.state.value,
        proven_share=book.coverage.share,
        best_bid=None if bid is None else (bid.price_text, bid.size_text),
        best_ask=None if ask is None else (ask.price_text, ask.size_text),
        spread=None if spread is None else _digits(spread),
        bid_levels=len(book.bids),
        ask_levels=len(book.asks),
        vwap=None if vwap is None else _digits(vwap),
        net_delta=_digits(tape.net_delta()),
        trades=counters.trades,
        liquidations=counters.liquidations,
        liquidation_notional=_digits(market.liquidations.notional_total),
        cascades=market.liquidations.cascades,
        snapshots=counters.snapshots,
        deltas=counters.deltas,
        level_updates=counters.level_updates,
        gaps=counters.gaps,
        crossed=counters.crossed,
        checksums_verified=counters.checksums_verified,
        checksums_failed=counters.checksums_failed,
        checksums_unverifiable=counters.checksums_unverifiable,
        quote_checks=counters.quote_checks,
        quote_matches=counters.quote_matches,
    )


def market_table(summary: EngineSummary, width: int | None) -> list[str]:
    """Return the lines of a table of all markets, for people, no wider than `width`."""
    head = (
        *("VENUE", "SYMBOL", "BID", "ASK", "SPREAD", "BOOK", "PROVEN", "VWAP", "NET DELTA"),
        *("TRADES", "LIQUIDATIONS"),
    )
    rows = [
        (
            printable(market.venue),
            printable(market.symbol),
            _best_text(market.best_bid),
            _best_text(market.best_ask),
            _spoken(market.spread),
            market.state,
            share_text(market.proven_share),
            vwap_text(market),
            market.net_delta,
            count_text(market.trades),
            count_text(market.liquidations),
        )
        for market in summary.markets
    ]
    return aligned([head, *rows], right=(2, 3, 4, 6, 7, 8, 9, 10), width=width, keys=2)


def share_text(share: float | None) -> str:
    """Return a share as per cent, cut so that only a whole share reads `100 %`."""
    if share is None:
        return "-"
    if share >= 1:
        return "100 %"
    return f"{int(share * 10_000) / 100:.2f} %"


def vwap_text(market: MarketSummary) -> str:
    """Return the VWAP with a few more decimals than the book's prices have."""
    if market.vwap is None:
        return "-"
    price = market.best_bid or market.best_ask
    decimals = len(price[0].partition(".")[2]) if price else 4
    return f"{Decimal(market.vwap):.{decimals + _FIGURES_MORE_THAN_PRICE}f}"


def _best_text(best: tuple[str, str] | None) -> str:
    return "-" if best is None else printable(best[0])


def _spoken(text: str | None) -> str:
    return "-" if text is None else text


def _digits(number: Decimal) -> str:
    return format(number, "f")
