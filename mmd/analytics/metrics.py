"""Every metric of one instrument's span in one structure: what tables, JSON and the HTML report show."""

from typing import Final

import msgspec
import numpy as np

from mmd.analytics.adverse_selection import (
    AdverseRate,
    MarkoutPoint,
    adverse_rates,
    edge_bps,
    markout_curve,
)
from mmd.analytics.attribution import PnlAttribution, attribution
from mmd.analytics.bootstrap import Interval
from mmd.analytics.fill_quality import (
    LIFETIMES_S,
    FillRate,
    fill_probability,
    fill_rates,
    naive_fill_ratio,
)
from mmd.analytics.inventory import InventoryStats, inventory_stats
from mmd.analytics.performance import BAR_S, Ratio, max_drawdown, pnl_bars, sharpe, sortino
from mmd.analytics.quoting import SpreadStats, StateShare, spread_stats, state_shares
from mmd.analytics.round_trips import TripStats, round_trips, trip_stats
from mmd.analytics.session import Track
from mmd.core.spec import SessionSpec

SEED: Final = 20_260_101
"""Of every interval, so that equal journals give equal reports."""
_BPS: Final = 1e4


class Activity(msgspec.Struct, frozen=True):
    """How much was done.

    Attributes:
        turnover_per_day: traded notional over allocated capital, per 24 hours.
        profit_per_share_bps: PnL over traded notional: what a unit traded earned, inventory included.
        fees_per_notional_bps: commissions less rebates over traded notional.
    """

    orders: int
    fills: int
    maker_fills: int
    notional: float
    turnover_per_day: float | None
    profit_per_share_bps: float | None
    fees_per_notional_bps: float | None


class Fills(msgspec.Struct, frozen=True):
    """How often orders trade, three ways; see mmd.analytics.fill_quality."""

    rates: list[FillRate]
    probability: dict[str, Interval]
    naive_ratio: float | None


class Metrics(msgspec.Struct, frozen=True):
    """One instrument over one span; money in its quote currency.

    Attributes:
        capital: what returns, drawdown and turnover are measured against.
        drawdown: largest fall from a peak; drawdown_of_capital is its share of capital.
    """

    venue: str
    symbol: str
    currency: str
    start_ns: int
    end_ns: int
    capital: float
    pnl: float
    attribution: PnlAttribution
    sharpe: Ratio
    sortino: Ratio
    drawdown: float
    drawdown_of_capital: float
    activity: Activity
    trips: TripStats
    fills: Fills
    edge_bps: Interval
    markouts: list[MarkoutPoint]
    markouts_by_level: list[MarkoutPoint]
    adverse: list[AdverseRate]
    inventory: InventoryStats | None
    spreads: SpreadStats
    states: list[StateShare]
    unpriced_fees: dict[str, float]


def allocated_capital(spec: SessionSpec) -> float:
    """Capital of each instrument: an equal part of risk.capital_base, or its position limit where that is 0."""
    stated = float(spec.risk.capital_base)
    if stated > 0.0:
        return stated / len(spec.instruments)
    return float(spec.risk.position_notional_max)


def measure(track: Track, capital: float) -> Metrics:
    """Every metric of a span.

    Args:
        track: one instrument's columns.
        capital: allocated to it, in its quote currency, above 0.
    """
    rng = np.random.default_rng(SEED)
    samples, instrument = track.samples, track.instrument
    bars = pnl_bars(samples["ts_ns"], samples["equity"], BAR_S)
    fallen = max_drawdown(samples["ts_ns"], samples["equity"])
    drawdown = 0.0 if fallen is None else fallen.amount
    levels = sorted({int(level) for level in track.fills["level"]})
    return Metrics(
        venue=instrument.venue,
        symbol=instrument.symbol,
        currency=instrument.quote,
        start_ns=track.start_ns,
        end_ns=track.end_ns,
        capital=capital,
        pnl=track.pnl,
        attribution=attribution(track),
        sharpe=sharpe(bars, rng),
        sortino=sortino(bars, rng),
        drawdown=drawdown,
        drawdown_of_capital=drawdown / capital,
        activity=activity(track, capital),
        trips=trip_stats(round_trips(track), rng),
        fills=_fills(track),
        edge_bps=edge_bps(track, rng),
        markouts=markout_curve(track, rng),
        markouts_by_level=[p for level in levels for p in markout_curve(track, rng, level)],
        adverse=adverse_rates(track, rng),
        inventory=inventory_stats(samples),
        spreads=spread_stats(samples),
        states=state_shares(track.states, track.end_ns),
        unpriced_fees=track.unpriced_fees,
    )


def activity(track: Track, capital: float) -> Activity:
    """Counts, turnover, and what a unit traded earned and cost."""
    notional = float(track.notional.sum())
    fees = float(track.fills["fee"].sum())
    return Activity(
        orders=len(track.orders),
        fills=len(track.fills),
        maker_fills=int(track.fills["is_maker"].sum()),
        notional=notional,
        turnover_per_day=notional / capital / track.days if track.days > 0.0 else None,
        profit_per_share_bps=_BPS * track.pnl / notional if notional > 0.0 else None,
        fees_per_notional_bps=_BPS * fees / notional if notional > 0.0 else None,
    )


def _fills(track: Track) -> Fills:
    return Fills(
        fill_rates(track.fills, track.samples),
        {f"{s:g}s": fill_probability(track.orders, track.end_ns, s) for s in LIFETIMES_S},
        naive_fill_ratio(track.orders),
    )
