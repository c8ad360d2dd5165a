"""From tapes to a preset: everything that the generator needs, estimated."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from mmd.calibration.hawkes_fit import HawkesFit, compensators, fit_hawkes
from mmd.calibration.intensity_estimate import (
    IMBALANCE_EDGES,
    Shape,
    count_intensities,
    survey,
)
from mmd.calibration.observed_market import Floats, Observed, observe
from mmd.calibration.price_fit import Diffusion, Information, fit_diffusion, fit_information
from mmd.calibration.touch_estimate import count_touch, states
from mmd.core.instrument import Instrument
from mmd.errors import TapeError
from mmd.exchange.generator_tables import FlowTables
from mmd.exchange.presets import FlowPreset
from mmd.tape.format import Rows

Batches = Callable[[], Iterator[Rows]]
"""Gives the rows from the start, as often as it is called."""
_ORDERS_MIN = 50
_NEWS_SHARE_MAX = 0.8
_PHI_MAX = 0.5
_BRANCHING_MAX = 0.9
"""Rates that change over a day look like excitation; closer to 1 the process would hardly settle."""
_SLOW_DIFFS_NS = 1_000_000_000
_RATE_QUANTILE = 0.9995
_PRIOR_ORDERS = 10.0
_WEIGHT_MAX = 4.0


class Calibrated(NamedTuple):
    """A preset and the estimates that it came from."""

    preset: FlowPreset
    observed: Observed
    hawkes: HawkesFit
    diffusion: Diffusion
    information: Information


def calibrate(batches: Batches, instrument: Instrument, *, about: str, command: str) -> Calibrated:
    """Estimate a preset; the rows are read three times.

    Raises: TapeError if there are too few trades or no book in them.
    """
    observed = observe(batches())
    _check(observed)
    diffs = max(round(observed.span_s * 1e9 / observed.diff_period_ns), 1)
    spreads = observed.quotes.ask - observed.quotes.bid
    shape = survey(batches(), diffs, spreads)
    count = count_intensities(batches(), shape, diffs)
    hawkes = fit_hawkes(observed.orders.ts_ns, observed.orders.side, observed.span_s)
    lag_s = horizon_s(observed)
    diffusion = fit_diffusion(observed.quotes, lag_s)
    information = budgeted(fit_information(observed, lag_s), diffusion, observed)
    weights = market_weights(observed, shape, hawkes)
    touch = count_touch(observed, shape) if observed.has_tops else None
    tables = count.tables(weights, observed.orders.lots.astype(float), touch)
    preset = _preset(observed, shape, hawkes, diffusion, information, tables)
    preset = msgspec.structs.replace(
        preset,
        about=about,
        command=command,
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        price=round(preset.price * float(instrument.tick_size), 8),
    )
    return Calibrated(preset, observed, hawkes, diffusion, information)


def _preset(
    observed: Observed,
    shape: Shape,
    hawkes: HawkesFit,
    diffusion: Diffusion,
    information: Information,
    tables: FlowTables,
) -> FlowPreset:
    """A preset on a grid that is not known here: its price is in ticks."""
    mid = float(np.median(observed.quotes.mid))
    news_variance = _order_rate(observed) * information.phi * information.jump_ticks**2
    sigma = np.sqrt(max(diffusion.sigma_ticks**2 - news_variance, 0.0))
    branching = min(hawkes.branching, _BRANCHING_MAX)
    chance = (1.0 - information.phi) * _order_rate(observed) * (1.0 - branching)
    excitation = branching * hawkes.decay
    return FlowPreset(
        not_estimated=_not_estimated(observed),
        price=mid,
        sigma_bps=_short(sigma / mid * 1e4),
        jump_rate=_short(diffusion.jump_rate),
        jump_ticks=_short(diffusion.jump_ticks),
        anchor=_short(_anchor(observed)),
        zone_ticks=_short(zone_ticks(observed, diffusion)),
        stale_alertness=1.0,
        depth_min=max(2, round(0.5 * float(shape.level_counts.sum()))),
        market_rate=_short(chance),
        excitation=_short(excitation),
        excitation_across=_short(hawkes.across / max(hawkes.branching, 1e-9)),
        decay=_short(hawkes.decay),
        market_rate_max=_short(_rate_max(observed, hawkes)),
        market_reach=shape.distance_edges[-1],
        informed_share=_short(information.phi),
        attention_rate=_short(information.phi * _order_rate(observed)),
        informed_fee=0.0,
        news_jump_ticks=_short(information.jump_ticks),
        news_release=_short(information.release),
        far_ticks=2 * shape.distance_edges[-1],
        tables=tables,
    )


def horizon_s(observed: Observed) -> float:
    """A lag at which what one market order did to the book is over: fifty of them, 5 s to 5 min."""
    return float(np.clip(50.0 / _order_rate(observed), 5.0, 300.0))


def budgeted(found: Information, diffusion: Diffusion, observed: Observed) -> Information:
    """Give phi and J a split that leaves the mid its variance: news may make four fifths of it.

    The response is phi J, the variance it brings is the order rate times phi J^2: a larger phi keeps the
    first and lowers the second. Beyond PHI_MAX J is cut: the response counts a cluster of market orders once
    for each of them, so signs that follow each other overstate it.
    """
    rate, size = _order_rate(observed), found.phi * found.jump_ticks
    allowed = _NEWS_SHARE_MAX * diffusion.sigma_ticks**2
    phi = min(max(found.phi, rate * size**2 / max(allowed, 1e-9)), max(found.phi, _PHI_MAX))
    jump = min(size / phi, float(np.sqrt(allowed / (rate * phi))))
    return Information(phi, jump, found.release)


def market_weights(observed: Observed, shape: Shape, hawkes: HawkesFit) -> Floats:
    """Market orders of a side in each state over those that excitation alone explains, [spread][imbalance].

    The mean weight of an order's state is 1: wide spreads follow market orders, so that comparing with the
    mean rate would count their excitation twice.
    """
    quotes, orders = observed.quotes, observed.orders
    cells = (len(shape.spread_edges), len(IMBALANCE_EDGES) + 1)
    counts, expected = np.zeros(cells), np.zeros(cells)
    at = quotes.at(orders.ts_ns)
    intensity = compensators(orders, quotes.ts_ns, hawkes)
    for own, side in enumerate((1, -1)):
        s, i = states(quotes, shape, own)
        np.add.at(expected, (s, i), np.where(quotes.held_s > 0, intensity[own], 0.0))
        mine = at[(orders.side == side) & (at >= 0)]
        np.add.at(counts, (s[mine], i[mine]), 1.0)
    mean = counts.sum() / max(expected.sum(), 1e-9)
    weights = (counts / mean + _PRIOR_ORDERS) / (expected + _PRIOR_ORDERS)
    bounded: Floats = np.minimum(weights, _WEIGHT_MAX) / float(
        (weights * expected).sum() / expected.sum()
    )
    return bounded


def zone_ticks(observed: Observed, diffusion: Diffusion) -> float:
    """How far the price moves before quotes follow it: a walk leaves so wide a zone as often as the mid moves.

    A Brownian motion with variance s^2 a second leaves [-z, z] after z^2 / s^2 seconds on average.
    """
    quotes = observed.quotes
    changes = int((np.diff(quotes.bid + quotes.ask) != 0).sum())
    return diffusion.sigma_ticks / float(np.sqrt(max(changes, 1) / max(observed.span_s, 1e-9)))


def _rate_max(observed: Observed, hawkes: HawkesFit) -> float:
    """Nearly the highest intensity that the fit reached: the bound of the candidate stream."""
    ts_s = observed.orders.ts_ns / 1e9
    gaps = np.diff(ts_s)
    excited, reached = 0.0, []
    for kept in np.exp(-hawkes.decay * gaps).tolist():
        excited = (excited + hawkes.branching * hawkes.decay) * kept
        reached.append(excited)
    top = float(np.quantile(reached, _RATE_QUANTILE)) if reached else 0.0
    return 1.2 * (2.0 * hawkes.mu + top)


def _anchor(observed: Observed) -> float:
    """Half of what the mean spread is above one tick; the widest twentieth of the time is left out.

    Bids at floor(x - a) and asks at ceil(x + a) of an even x are 1 + 2 a ticks apart on average.
    """
    quotes = observed.quotes
    spread, held = (quotes.ask - quotes.bid).astype(float), quotes.held_s
    order = np.argsort(spread)
    reached = np.cumsum(held[order])
    kept = order[reached <= 0.95 * reached[-1]]
    mean = float((spread[kept] * held[kept]).sum() / max(held[kept].sum(), 1e-9))
    return max((mean - 1.0) / 2.0, 0.0)


def _order_rate(observed: Observed) -> float:
    return len(observed.orders.ts_ns) / max(observed.span_s, 1e-9)


def _not_estimated(observed: Observed) -> tuple[str, ...]:
    missing = [
        "stale_alertness, informed_fee: not visible in market data; 1 and 0 ticks instead",
        f"orders that came and went within {observed.diff_period_ns / 1e6:.0f} ms: rates are of net changes",
    ]
    if observed.diff_period_ns >= _SLOW_DIFFS_NS:
        missing.append(
            "book dynamics between snapshots seconds apart: rates are lower bounds, and orders that trades "
            "met in between look like cancels of the rest"
        )
    return tuple(missing)


def _check(observed: Observed) -> None:
    if len(observed.orders.ts_ns) < _ORDERS_MIN or len(observed.quotes.ts_ns) < _ORDERS_MIN:
        raise TapeError(
            f"expected at least {_ORDERS_MIN} market orders and quotes to calibrate from, found "
            f"{len(observed.orders.ts_ns)} and {len(observed.quotes.ts_ns)}; take a longer tape with depth and trades"
        )


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def chained(sources: Sequence[Batches]) -> Batches:
    """Several tapes as one, in order."""

    def rows() -> Iterator[Rows]:
        for source in sources:
            yield from source()

    return rows
