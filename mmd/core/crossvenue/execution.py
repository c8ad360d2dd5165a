"""One arbitrage that is carried out: a leg that is hard to get, the leg that pays, and what undoes a miss.

The legs go one after the other, the slower or thinner venue first: if that misses nothing has happened, and the
second is sized by what the first was filled with. What the second misses is undone by taking, wherever that
costs least (mmd.core.crossvenue.routing), in slices until nothing tradable is left or the time is up; then it is
inventory like any other. Only what fills report is believed.
"""

from enum import IntEnum
from typing import NamedTuple

from mmd.core.crossvenue.opportunity import Opportunity
from mmd.core.crossvenue.outlet import Outlet
from mmd.core.crossvenue.scanner import Pair
from mmd.core.events import Fill
from mmd.core.inventory.money import Money
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, Side


class Stage(IntEnum):
    """What is waited for."""

    FIRST = 0
    SECOND = 1
    UNWIND = 2
    DONE = 3


class Outcome(IntEnum):
    """How an execution ended."""

    COMPLETE = 0
    """Both legs filled with all that was planned."""
    PARTIAL = 1
    """Both legs filled alike, with less."""
    MISSED = 2
    """The first leg was not filled."""
    UNWOUND = 3
    """The second leg missed, and what the first had brought was undone."""
    LEFT_OPEN = 4
    """Some of it could not be undone in time and stays as inventory; less than an order does not count."""


class Leg(NamedTuple):
    """One order of an execution."""

    outlet: Outlet
    order_id: ClientOrderId
    side: Side
    price_ticks: int
    qty_lots: int
    stage: Stage


class Execution:
    """Carries one opportunity from the first order to its result.

    Attributes:
        number: counts executions of the session from 1.
        pair, opportunity: what is executed.
        first, second: the outlets in the order in which they are sent to.
        planned_atoms, expected_net: as it was when the first order was sent.
        stage, outcome: outcome is None until the stage is DONE.
        legs: orders sent.
        bought_atoms, sold_atoms: filled so far.
        residual_atoms: bought less sold, commissions in base counted.
        began_ns, unwinding_ns, ended_ns: engine time; 0 before.
        realised_net: reporting currency after commissions, what is left valued at the mid; set at the end.
    """

    def __init__(
        self,
        number: int,
        pair: Pair,
        opportunity: Opportunity,
        first: Outlet,
        planned_atoms: int,
        expected_net: float,
        now_ns: int,
    ) -> None:
        """Nothing has been sent yet."""
        self.number = number
        self.pair = pair
        self.opportunity = opportunity
        self.first = first
        self.second = pair.sell if first is pair.buy else pair.buy
        self.planned_atoms = planned_atoms
        self.expected_net = expected_net
        self.stage = Stage.FIRST
        self.outcome: Outcome | None = None
        self.legs: list[Leg] = []
        self.bought_atoms = self.sold_atoms = self.residual_atoms = 0
        self.began_ns = now_ns
        self.unwinding_ns = self.unwound_ns = self.ended_ns = 0
        self.realised_net = 0.0
        self._money: dict[int, Money] = {}
        self._cash_units: dict[int, int] = {}
        self._trades: set[tuple[int, int]] = set()

    @property
    def first_side(self) -> Side:
        """Of the first leg."""
        return Side.BUY if self.first is self.pair.buy else Side.SELL

    def has_order(self, order_id: ClientOrderId) -> bool:
        """Whether an order is one of the execution's."""
        return any(leg.order_id == order_id for leg in self.legs)

    def on_fill(self, outlet: Outlet, fill: Fill) -> None:
        """Count a fill of one of the legs; once, however often it is reported."""
        if (outlet.id, fill.trade_id) in self._trades:
            return
        self._trades.add((outlet.id, fill.trade_id))
        money = self._money.setdefault(outlet.id, Money(outlet.instrument))
        atoms, sign = fill.qty_lots * money.atoms_per_lot, fill.side.sign
        if sign > 0:
            self.bought_atoms += atoms
        else:
            self.sold_atoms += atoms
        notional = money.notional(fill.qty_lots, fill.price_ticks)
        cash = -sign * notional
        base_fee_atoms = 0
        if fill.fee_asset == outlet.instrument.base:
            base_fee_atoms = fill.fee_atoms
        elif fill.fee_asset == outlet.instrument.quote:
            cash -= fill.fee_atoms * money.per_quote_atom
        else:  # in a third asset: worth what the schedule says
            cash -= round(notional * outlet.taker_fee)
        self.residual_atoms += sign * atoms - base_fee_atoms
        self._cash_units[outlet.id] = self._cash_units.get(outlet.id, 0) + cash

    @property
    def is_waiting(self) -> bool:
        """Whether the last order may still be filled, or fills of it are still to come."""
        if not self.legs:
            return False
        leg = self.legs[-1]
        order = leg.outlet.maker.orders.get(leg.order_id)
        return order is not None and (order.is_open or order.leaves_lots > 0)

    @property
    def unmatched_atoms(self) -> int:
        """Filled on the first leg and not on the second, nor undone; in the direction of the first leg."""
        return self.first_side.sign * (self.bought_atoms - self.sold_atoms)

    def finish(self, rates: dict[int, float], now_ns: int, *, is_matched: bool) -> None:
        """Say what it came to.

        Args:
            rates: reporting currency per unit of each outlet's quote currency.
            now_ns: engine time.
            is_matched: whether nothing is left that could be traded away.
        """
        self.stage, self.ended_ns = Stage.DONE, now_ns
        value = 0.0
        for outlet, units in self._cash_units.items():
            value += float(self._money[outlet].decimal(units)) * rates[outlet]
        home = self.first
        mid = home.view.mid_half_ticks / 2 * home.tick * rates.get(home.id, 0.0)
        self.realised_net = value + self.residual_atoms / ATOMS_PER_UNIT * mid
        self.outcome = self._outcome(is_matched=is_matched)

    def _outcome(self, *, is_matched: bool) -> Outcome:
        if self.bought_atoms == 0 and self.sold_atoms == 0:
            return Outcome.MISSED
        if not is_matched:
            return Outcome.LEFT_OPEN
        if any(leg.stage is Stage.UNWIND for leg in self.legs):
            return Outcome.UNWOUND
        matched_atoms = min(self.bought_atoms, self.sold_atoms)
        return Outcome.COMPLETE if matched_atoms >= self.planned_atoms else Outcome.PARTIAL
