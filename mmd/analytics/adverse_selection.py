"""Markouts and adverse selection: what the mid did after our fills, less what it does anyway.

    s = +1 if we bought, M the mid, P our price, - just before the fill
    edge = s (M- - P)        AS_h = s (M_{t+h} - M-)        markout_h = edge + AS_h + rebate - fee
Source: Huang & Stoll (1996), J. Financial Economics 41: the realised spread, as fills of a maker.
"""

from typing import Final

import msgspec
import numpy as np

from mmd.analytics.bootstrap import Interval, ratio_interval
from mmd.analytics.columns import Floats, Ints, Table
from mmd.analytics.session import Track
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.units import NANOS_PER_SECOND

_BPS: Final = 1e4
BASELINE_DRAWS: Final = 32
"""Times drawn for each fill."""
BASELINE_SPAN_NS: Final = 600 * NANOS_PER_SECOND
"""How far from the fill they may be, so that volatility is the fill's own."""
ALL_LEVELS: Final = None


class MarkoutPoint(msgspec.Struct, frozen=True):
    """One horizon of a markout curve, weighted by quantity, in bps of notional at mid.

    Attributes:
        level: rung of the ladder, None for all together.
        markout_bps: what a fill was worth after the horizon, fees and rebates included.
        adverse_bps: mean AS_h; negative is adverse.
    """

    horizon_s: float
    level: int | None
    markout_bps: Interval
    adverse_bps: Interval


class AdverseRate(msgspec.Struct, frozen=True):
    """Share of fills whose edge the mid took back, P(AS_h < -edge), less the same at random times.

    Attributes:
        rate: of our fills.
        baseline: with the mid's moves from times drawn near each fill, same side and edge.
        excess: rate less baseline; the adverse-selection rate.
    """

    horizon_s: float
    rate: float | None
    baseline: float | None
    excess: Interval


def horizon_s(horizon: int) -> float:
    """Seconds of a horizon by its index."""
    return HORIZONS_NS[horizon] / NANOS_PER_SECOND


def edge_bps(track: Track, rng: np.random.Generator) -> Interval:
    """Mean edge against the mid just before each fill, weighted by quantity, in bps of notional at mid."""
    fills = track.fills
    return _mean_bps(fills, _edge_half_ticks(fills).astype(float), rng)


def markout_curve(
    track: Track, rng: np.random.Generator, level: int | None = ALL_LEVELS
) -> list[MarkoutPoint]:
    """Markout and adverse selection at every horizon of the engine, of one level's fills or of all."""
    every = track.fills
    fills = every if level is ALL_LEVELS else every[every["level"] == level]
    fee_half_ticks: Floats = 2.0 * fills["fee"] / (fills["qty_lots"] * track.lot * track.tick)
    points = []
    for horizon in range(len(HORIZONS_NS)):
        known = fills["mid_after_half_ticks"][:, horizon] > 0
        judged = fills[known]
        moved = _moved_half_ticks(judged, horizon).astype(float)
        kept = moved + _edge_half_ticks(judged).astype(float) - fee_half_ticks[known]
        points.append(
            MarkoutPoint(
                horizon_s(horizon),
                level,
                _mean_bps(judged, kept, rng),
                _mean_bps(judged, moved, rng),
            )
        )
    return points


def adverse_rates(track: Track, rng: np.random.Generator) -> list[AdverseRate]:
    """The adverse-selection rate at every horizon of the engine; every fill counts the same.

    The baseline of a fill is the share of BASELINE_DRAWS sampling times, drawn with replacement within
    BASELINE_SPAN_NS around it, at which the mid then moved against its side by more than its edge.
    """
    rates = []
    for horizon in range(len(HORIZONS_NS)):
        fills = track.fills[track.fills["mid_after_half_ticks"][:, horizon] > 0]
        hits = (_moved_half_ticks(fills, horizon) < -_edge_half_ticks(fills)).astype(float)
        expected = _baseline(fills, track.samples, horizon, rng)
        if expected is None:
            rates.append(AdverseRate(horizon_s(horizon), None, None, Interval(None, None, None, 0)))
            continue
        excess = ratio_interval(hits - expected, np.ones(len(hits)), rng)
        rates.append(
            AdverseRate(horizon_s(horizon), float(hits.mean()), float(expected.mean()), excess)
        )
    return rates


def _baseline(
    fills: Table, samples: Table, horizon: int, rng: np.random.Generator
) -> Floats | None:
    """By fill, how often a random time near it would have been adverse; None without fills or times."""
    probes = samples[samples["mid_after_half_ticks"][:, horizon] > 0]
    if len(fills) == 0 or len(probes) == 0:
        return None
    moves = probes["mid_after_half_ticks"][:, horizon] - probes["mid_half_ticks"]
    times_ns = probes["ts_ns"]
    first = times_ns.searchsorted(fills["ts_ns"] - BASELINE_SPAN_NS)
    last = times_ns.searchsorted(fills["ts_ns"] + BASELINE_SPAN_NS)
    first = np.minimum(first, len(probes) - 1)
    width = np.maximum(last - first, 1)
    drawn = first[:, None] + rng.integers(0, width[:, None], (len(fills), BASELINE_DRAWS))
    against = fills["sign"][:, None] * moves[drawn] < -_edge_half_ticks(fills)[:, None]
    shares: Floats = against.mean(axis=1)
    return shares


def _edge_half_ticks(fills: Table) -> Ints:
    edges: Ints = fills["sign"] * (fills["mid_half_ticks"] - 2 * fills["price_ticks"])
    return edges


def _moved_half_ticks(fills: Table, horizon: int) -> Ints:
    after = fills["mid_after_half_ticks"][:, horizon]
    moved: Ints = fills["sign"] * (after - fills["mid_half_ticks"])
    return moved


def _mean_bps(fills: Table, half_ticks: Floats, rng: np.random.Generator) -> Interval:
    """Quantity-weighted mean of something in half ticks, over the mid, in bps."""
    weight = fills["qty_lots"].astype(float)
    return ratio_interval(_BPS * weight * half_ticks, weight * fills["mid_half_ticks"], rng)
