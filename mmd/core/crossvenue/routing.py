"""Where an order should go when several venues would take it: price after fees, chance of a fill, and latency.

Everything is an expected cost in basis points of the mean of the venues' mids, so that the three weigh in one
unit. Taking costs the average price of the levels that are there, the commission, the adverse move to be
expected until the order arrives, and, for what is missed, the move until the next attempt. Resting costs its
price less a rebate (or with the maker commission) where it is filled within the patience given, and taking
where it is not. Every choice is kept with its alternatives; it depends on events alone, so that a replay of the
journal makes the same.
"""

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from mmd.core.crossvenue.conversion import Conversions, Rate
from mmd.core.crossvenue.depth import taken
from mmd.core.crossvenue.outlet import Condition, Outlet
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND, Side

ROUTES_KEPT: Final = 64
_RETRY_S: Final = 0.25
_BPS: Final = 1e4
_NEVER: Final = math.inf


class Manner(IntEnum):
    """How an order is meant to be filled."""

    TAKE = 0
    REST = 1


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
    manner: Manner
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
        found = [self._take(o, side, qty_atoms, middle, now_ns) for o in outlets]
        return self._choose(Manner.TAKE, side, qty_atoms, found, now_ns)

    def rest(
        self,
        outlets: Sequence[Outlet],
        side: Side,
        qty_atoms: int,
        patience_s: float,
        now_ns: int,
    ) -> Route:
        """Where an order that joins the best price and takes what is left after patience_s should go."""
        middle = self._middle(outlets, now_ns)
        found = [self._rest(o, side, qty_atoms, patience_s, middle, now_ns) for o in outlets]
        return self._choose(Manner.REST, side, qty_atoms, found, now_ns)

    def _choose(
        self, manner: Manner, side: Side, qty_atoms: int, found: list[Candidate], now_ns: int
    ) -> Route:
        ranked = tuple(sorted(found, key=lambda c: (c.cost_bps, c.outlet)))
        is_possible = len(ranked) > 0 and ranked[0].cost_bps < _NEVER
        chosen = ranked[0].outlet if is_possible else None
        route = Route(now_ns, manner, side, qty_atoms, chosen, ranked)
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

    def _take(
        self, outlet: Outlet, side: Side, qty_atoms: int, middle: float, now_ns: int
    ) -> Candidate:
        """Price, chance and cost of taking."""
        condition, rate = outlet.condition(now_ns), self._conversions.rate(outlet.id, now_ns)
        levels = outlet.reachable(side)
        there_atoms = min(sum(atoms for _, atoms in levels), qty_atoms)
        if condition is not Condition.GOOD or rate is None or there_atoms == 0:
            return _useless(outlet, condition)
        last_ticks, total = taken(levels, there_atoms)
        if there_atoms < outlet.least_atoms(last_ticks):
            return _useless(outlet, condition)
        fee = side.sign * outlet.taker_fee
        price = total / there_atoms * outlet.tick * _paid(rate, side) * (1.0 + fee)
        sigma_ticks = float(outlet.view.vol["sigma"][0])
        latency_s = outlet.latency.latency_ns / NANOS_PER_SECOND
        cap_ticks = last_ticks * self._cap_bps / _BPS
        probability = there_atoms / qty_atoms
        probability *= _stays_within(cap_ticks, sigma_ticks * math.sqrt(latency_s))
        tick_bps = outlet.tick * rate.mid / middle * _BPS
        cost_bps = side.sign * (price - middle) / middle * _BPS
        cost_bps += outlet.slippage_ticks() * tick_bps
        cost_bps += (1.0 - probability) * sigma_ticks * math.sqrt(_RETRY_S) * tick_bps
        latency_ns = round(outlet.latency.latency_ns)
        return Candidate(outlet.id, cost_bps, price, probability, latency_ns, condition)

    def _rest(
        self,
        outlet: Outlet,
        side: Side,
        qty_atoms: int,
        patience_s: float,
        middle: float,
        now_ns: int,
    ) -> Candidate:
        """Price, chance and cost of joining the best price, with taking as what is left to do."""
        taking = self._take(outlet, side, qty_atoms, middle, now_ns)
        rate = self._conversions.rate(outlet.id, now_ns)
        if taking.cost_bps == _NEVER or rate is None:
            return taking
        view, intensity = outlet.view, outlet.maker.quoter.intensity[0]
        ticks = view.bid_ticks if side is Side.BUY else view.ask_ticks
        away_ticks = abs(view.mid_half_ticks / 2 - ticks)
        fills = float(intensity["rate"][side]) * math.exp(
            -float(intensity["decay"][side]) * away_ticks
        )
        probability = 1.0 - math.exp(-fills * patience_s)
        fee = side.sign * outlet.maker_fee
        price = ticks * outlet.tick * _paid(rate, side) * (1.0 + fee)
        resting_bps = side.sign * (price - middle) / middle * _BPS
        cost_bps = probability * resting_bps + (1.0 - probability) * taking.cost_bps
        return taking._replace(cost_bps=cost_bps, price=price, fill_probability=probability)


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
    return f"{route.manner.name.lower()} {route.side.name.lower()} {qty:g} at {where}: {costs}"


def _useless(outlet: Outlet, condition: Condition) -> Candidate:
    return Candidate(outlet.id, _NEVER, 0.0, 0.0, round(outlet.latency.latency_ns), condition)


def _paid(rate: Rate, side: Side) -> float:
    """What is bought is paid for dear, what is sold brings less."""
    return rate.high if side is Side.BUY else rate.low


def _stays_within(cap: float, deviation: float) -> float:
    """P(a normal move of a standard deviation stays below a cap)."""
    return 1.0 if deviation == 0.0 else 0.5 * (1.0 + math.erf(cap / deviation / math.sqrt(2.0)))
