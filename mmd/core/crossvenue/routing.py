"""Where an order should go when several venues would take it: price after fees, chance of a fill, and latency.

Everything is an expected cost (mmd.core.crossvenue.order_cost) in basis points of the mean of the venues' mids, so that
the three weigh in one unit. Every choice is kept with its alternatives; it depends on events alone, so that a replay of
the journal makes the same.
"""

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from mmd.core.crossvenue.conversion import Conversions, Rate
from mmd.core.crossvenue.depth import taken
from mmd.core.crossvenue.order_cost import (
    BPS,
    NOTHING,
    OrderCost,
    Terms,
    taking_cost,
)
from mmd.core.crossvenue.outlet import Condition, Outlet
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND, Side

ROUTES_KEPT: Final = 64
_RETRY_NS: Final = NANOS_PER_SECOND // 4
_NEVER: Final = math.inf


class Candidate(NamedTuple):
    """What an outlet offers."""

    outlet: int
    cost_bps: float
    """Expected, all in; infinite where it cannot be used."""
    price: float
    """Average price after commission, reporting currency; 0 where there is none."""
    fill_probability: float
    latency_ns: int
    condition: Condition


class Route(NamedTuple):
    """One choice and its alternatives, best first."""

    ts_ns: int
    side: Side
    qty_atoms: int
    chosen: int | None
    """An instrument; None where none could be used."""
    candidates: tuple[Candidate, ...]


class Router:
    """Chooses between outlets of one base asset.

    Attributes:
        routes: the last ROUTES_KEPT choices.
        chosen: how often each instrument was.
        made: how many choices there were.
    """

    def __init__(self, conversions: Conversions, cap_bps: float) -> None:
        """An order that takes may go cap_bps beyond the level that it reaches."""
        self.routes: deque[Route] = deque(maxlen=ROUTES_KEPT)
        self.chosen: Counter[int] = Counter()
        self.made = 0
        self._conversions = conversions
        self._cap_bps = cap_bps

    def take(self, outlets: Sequence[Outlet], side: Side, qty_atoms: int, now_ns: int) -> Route:
        """Where an order that takes should go."""
        middle = self._middle(outlets, now_ns)
        found = [self._candidate(o, side, qty_atoms, middle, now_ns) for o in outlets]
        return self._choose(side, qty_atoms, found, now_ns)

    def _choose(self, side: Side, qty_atoms: int, found: list[Candidate], now_ns: int) -> Route:
        ranked = tuple(sorted(found, key=lambda c: (c.cost_bps, c.outlet)))
        is_possible = len(ranked) > 0 and ranked[0].cost_bps < _NEVER
        chosen = ranked[0].outlet if is_possible else None
        route = Route(now_ns, side, qty_atoms, chosen, ranked)
        self.routes.append(route)
        self.made += 1
        if chosen is not None:
            self.chosen[chosen] += 1
        return route

    def _middle(self, outlets: Sequence[Outlet], now_ns: int) -> float:
        """Mean of the usable outlets' mids in reporting currency; 0 where there is none."""
        mids = []
        for outlet in outlets:
            rate = self._conversions.rate(outlet.id, now_ns)
            if rate is not None and outlet.condition(now_ns) is Condition.GOOD:
                mids.append(outlet.view.mid_half_ticks / 2 * outlet.tick * rate.mid)
        return sum(mids) / len(mids) if mids else 0.0

    def _candidate(
        self, outlet: Outlet, side: Side, qty_atoms: int, middle: float, now_ns: int
    ) -> Candidate:
        """What an outlet would cost."""
        rate, condition = self._conversions.rate(outlet.id, now_ns), outlet.condition(now_ns)
        cost, tick = NOTHING, 0.0
        if rate is not None and condition is Condition.GOOD:
            tick = outlet.tick * rate.mid
            terms = Terms(side, middle / tick, _RETRY_NS, _paid(rate, side) / rate.mid)
            cost = self._cost(outlet, qty_atoms, terms)
        latency_ns, price = round(outlet.latency.latency_ns), cost.price_ticks * tick
        return Candidate(
            outlet.id, cost.cost_bps, price, cost.fill_probability, latency_ns, condition
        )

    def _cost(self, outlet: Outlet, qty_atoms: int, terms: Terms) -> OrderCost:
        """The cost at an outlet, where there is enough for an order."""
        levels = outlet.reachable(terms.side)
        there_atoms = min(sum(atoms for _, atoms in levels), qty_atoms)
        last_ticks, _ = taken(levels, there_atoms)
        if there_atoms == 0 or there_atoms < outlet.least_atoms(last_ticks):
            return NOTHING
        limit_ticks = last_ticks * (1.0 + terms.side.sign * self._cap_bps / BPS)
        return taking_cost(outlet, levels, qty_atoms, limit_ticks, terms)


def describe(route: Route, names: Mapping[int, str]) -> str:
    """One line for people: the choice, then what each would have cost."""
    costs = ", ".join(
        f"{names[c.outlet]} {c.cost_bps:+.2f} bps"
        if c.cost_bps < _NEVER
        else f"{names[c.outlet]} {c.condition.name.lower()}"
        for c in route.candidates
    )
    where = "nowhere" if route.chosen is None else names[route.chosen]
    qty = route.qty_atoms / ATOMS_PER_UNIT
    return f"{route.side.name.lower()} {qty:g} at {where}: {costs}"


def _paid(rate: Rate, side: Side) -> float:
    """What is bought is paid for dear, what is sold brings less."""
    return rate.high if side is Side.BUY else rate.low
