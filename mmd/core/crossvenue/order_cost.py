"""What an order is expected to cost before it is sent: taken at once, or rested at the best price first.

One sum for all who choose between venues, hedges as well as what an arbitrage leaves over. Taking costs the average price
of the levels that are there, the commission, the adverse move to be expected until the order arrives, and, for what is
missed, the move until the next attempt. Resting costs the best price of its own side with the maker commission where it
is filled within the patience given, and taking where it is not.
"""

import math
from typing import Final, NamedTuple

from mmd.core.crossvenue.depth import Levels, taken
from mmd.core.crossvenue.outlet import Outlet
from mmd.core.units import NANOS_PER_SECOND, Side

BPS: Final = 1e4


class Terms(NamedTuple):
    """What costs are counted against; prices in ticks of the outlet."""

    side: Side
    reference_ticks: float
    """The price without any cost."""
    retry_ns: int
    """Until the next attempt at what is missed."""
    conversion: float = 1.0
    """Reporting currency that a unit of the quote currency costs (or brings), over its middle."""

    def bps(self, price_ticks: float) -> float:
        """What a price, all in, costs."""
        off_ticks = self.side.sign * (price_ticks - self.reference_ticks)
        return off_ticks / self.reference_ticks * BPS


class OrderCost(NamedTuple):
    """An expectation."""

    cost_bps: float
    """Of the reference; infinite where nothing can be had."""
    price_ticks: float
    """Average, with commission and conversion."""
    fill_probability: float
    """Share of the quantity that is expected to be filled at that price."""


NOTHING: Final = OrderCost(math.inf, 0.0, 0.0)


def taking_cost(
    outlet: Outlet, levels: Levels, qty_atoms: int, limit_ticks: float, terms: Terms
) -> OrderCost:
    """The cost of an order that takes.

    Args:
        outlet: where.
        levels: what can be taken there, best first.
        qty_atoms: of base.
        limit_ticks: the worst price that the order will take when it arrives.
        terms: what costs are counted against.
    """
    there_atoms = min(sum(atoms for _, atoms in levels), qty_atoms)
    if there_atoms == 0:
        return NOTHING
    last_ticks, total = taken(levels, there_atoms)
    leeway_ticks = terms.side.sign * (limit_ticks - last_ticks)
    price_ticks = _all_in(total / there_atoms, outlet.taker_fee, terms)
    sigma_ticks = float(outlet.view.vol["sigma"][0])
    latency_s = outlet.latency.latency_ns / NANOS_PER_SECOND
    probability = there_atoms / qty_atoms
    probability *= _stays_within(leeway_ticks, sigma_ticks * math.sqrt(latency_s))
    missed_ticks = sigma_ticks * math.sqrt(terms.retry_ns / NANOS_PER_SECOND)
    moved_ticks = outlet.slippage_ticks() + (1.0 - probability) * missed_ticks
    cost_bps = terms.bps(price_ticks) + moved_ticks / terms.reference_ticks * BPS
    return OrderCost(cost_bps, price_ticks, probability)


def resting_cost(outlet: Outlet, taking: OrderCost, patience_ns: int, terms: Terms) -> OrderCost:
    """The cost of an order that joins the best price of its side and takes what is not filled in time.

    The chance of a fill is by the intensity measured on our own quotes there: 1 - exp(-A exp(-k distance) patience).
    """
    view, intensity = outlet.view, outlet.maker.quoter.intensity[0]
    side = terms.side
    ticks = view.bid_ticks if side is Side.BUY else view.ask_ticks
    away_ticks = abs(view.mid_half_ticks / 2 - ticks)
    decayed = math.exp(-float(intensity["decay"][side]) * away_ticks)
    fills = float(intensity["rate"][side]) * decayed
    probability = 1.0 - math.exp(-fills * patience_ns / NANOS_PER_SECOND)
    price_ticks = _all_in(ticks, outlet.maker_fee, terms)
    cost_bps = probability * terms.bps(price_ticks)
    if probability < 1.0:
        cost_bps += (1.0 - probability) * taking.cost_bps
    return OrderCost(cost_bps, price_ticks, probability)


def _all_in(price_ticks: float, fee: float, terms: Terms) -> float:
    return price_ticks * terms.conversion * (1.0 + terms.side.sign * fee)


def _stays_within(leeway: float, deviation: float) -> float:
    """P(a normal move of a standard deviation stays below a leeway)."""
    return 1.0 if deviation == 0.0 else 0.5 * (1.0 + math.erf(leeway / deviation / math.sqrt(2.0)))
