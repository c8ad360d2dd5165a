"""Carries out arbitrage: starts executions where enough is to be had, and takes each through its legs.

Every order goes through the risk gate. An instrument takes part in one execution at a time, because two that
share a book would count on the same levels. The gate lets no order meet one of our own, so quotes that stand
in the way are taken back first, and that side is not quoted again until the execution is over.
"""

import math
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Final

from mmd.core.commands import Approved, Command, PlaceOrder
from mmd.core.crossvenue.conversion import Conversions
from mmd.core.crossvenue.depth import Prices, Walk, walk
from mmd.core.crossvenue.execution import Execution, Leg, Outcome, Stage
from mmd.core.crossvenue.leg_orders import (
    clear,
    hold,
    in_the_way,
    leg_order,
    sendable_atoms,
    within,
)
from mmd.core.crossvenue.outlet import Outlet
from mmd.core.crossvenue.routing import Router
from mmd.core.crossvenue.scanner import Pair, Scanner
from mmd.core.events import Fill
from mmd.core.order_desk import TAKE_PERIOD_NS
from mmd.core.orders.order import OrderPurpose
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.reasons import RiskReason
from mmd.core.risk.throttle import Counted, Throttle
from mmd.core.spec import ArbitrageSpec
from mmd.core.units import ATOMS_PER_UNIT, Side

EXECUTIONS_KEPT: Final = 64
_SLOWER: Final = 1.25
"""A venue whose orders take this many times longer goes first; within that the thinner one does."""
_BPS: Final = 1e-4
_UNDOING: Final = 1
"""Besides the legs, what undoes a miss must fit into the order rate of either venue before the first is sent."""
_OK = RiskReason.OK


class Executor:
    """The executions of a session.

    Attributes:
        active: those under way.
        history: the last EXECUTIONS_KEPT that ended.
        begun: how many there were.
        outcomes: how many ended in each.
        held_back: why an opportunity was not begun with, counted by word.
        expected_net, realised_net: sums over those that ended, reporting currency.
    """

    def __init__(
        self,
        spec: ArbitrageSpec,
        scanner: Scanner,
        router: Router,
        outlets: Sequence[Outlet],
        conversions: Conversions,
        levels: RiskLevels,
        throttle: Throttle,
    ) -> None:
        self.active: list[Execution] = []
        self.history: deque[Execution] = deque(maxlen=EXECUTIONS_KEPT)
        self.begun = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.held_back: Counter[str] = Counter()
        self.expected_net = self.realised_net = 0.0
        self._spec = spec
        self._scanner = scanner
        self._router = router
        self._outlets = outlets
        self._conversions = conversions
        self._levels = levels
        self._throttle = throttle
        self._after_ns: dict[Pair, int] = {}
        self._profit_min_atoms = float(spec.profit_min) * ATOMS_PER_UNIT

    def on_fill(self, fill: Fill) -> None:
        """A fill of any order; those of legs are counted."""
        for execution in self.active:
            for leg in execution.legs:
                if leg.order_id == fill.client_order_id:
                    execution.on_fill(leg.outlet, fill)
                    return

    def decide(self, now_ns: int) -> Iterator[Approved[Command]]:
        """Orders of executions under way, then those of new ones."""
        for execution in tuple(self.active):
            yield from self._advance(execution, now_ns)
        if not self._scanner.opportunities.open or self._levels.level is not RiskLevel.NORMAL:
            return
        paying = [p for p in self._scanner.pairs if p.opportunity is not None]
        for pair in sorted(paying, key=_net, reverse=True):
            yield from self._begin(pair, now_ns)

    # Beginning

    def _begin(self, pair: Pair, now_ns: int) -> Iterator[Approved[Command]]:
        """The first leg, if the opportunity still pays with what we may trade."""
        found = pair.opportunity
        assert found is not None, "only paying pairs begin"
        busy = {o.id for e in self.active for o in (e.first, e.second)}
        if pair.buy.id in busy or pair.sell.id in busy or now_ns < self._after_ns.get(pair, 0):
            return
        ways = (
            (pair.buy, Side.BUY, found.walk.buy_ticks),
            (pair.sell, Side.SELL, found.walk.sell_ticks),
        )
        if any(in_the_way(*way) for way in ways):
            self.held_back["own_orders"] += 1
            for way in ways:
                yield from clear(way[0], way[1], now_ns)
            return
        if not self._has_order_rate(pair, now_ns):
            self.held_back["order_rate"] += 1
            return
        self._after_ns[pair] = now_ns + self._spec.retry_ns
        planned = self._plan(pair, found.prices)
        net_atoms = 0.0 if planned is None else planned.net_atoms(found.prices)
        if planned is None or net_atoms < self._profit_min_atoms or not pair.is_tradable(planned):
            self.held_back["size"] += 1
            return
        first = _harder(pair, planned)
        execution = Execution(
            self.begun + 1,
            pair,
            found,
            first,
            planned.qty_atoms,
            net_atoms / ATOMS_PER_UNIT,
            now_ns,
        )
        side = execution.first_side
        price_ticks = planned.buy_ticks if side is Side.BUY else planned.sell_ticks
        approved = leg_order(first, side, price_ticks, planned.qty_atoms)
        if approved is None:
            self.held_back["risk"] += 1
            return
        self.begun += 1
        self.active.append(execution)
        for outlet, taking, _ in ways:
            hold(outlet, taking, now_ns)
        yield from _sending(execution, first, approved, Stage.FIRST)

    def _has_order_rate(self, pair: Pair, now_ns: int) -> bool:
        """Whether the venues' budgets leave orders enough for both legs, and for undoing one of them."""
        at = [self._throttle.number_of(o.instrument.venue) for o in (pair.buy, pair.sell)]
        for venue in set(at):
            left = self._throttle.available(Counted.ORDERS, now_ns, venue=venue)
            if left is not None and left < at.count(venue) + _UNDOING:
                return False
        return True

    def _plan(self, pair: Pair, prices: Prices) -> Walk | None:
        """What we may trade of an opportunity: within funds and limits, and not through our own orders."""
        found = pair.opportunity
        assert found is not None, "only paying pairs are planned"
        buy_ticks, sell_ticks = found.walk.buy_ticks, found.walk.sell_ticks
        for outlet in (pair.buy, pair.sell):
            outlet.maker.settle_risk()
            if outlet.maker.risk.refusal is not _OK or outlet.maker.risk.hindrance is not _OK:
                return None
        bought = found.walk.bought * prices.buy / found.walk.qty_atoms
        atoms_max = min(
            sendable_atoms(pair.buy, Side.BUY, buy_ticks),
            sendable_atoms(pair.sell, Side.SELL, sell_ticks),
            int(float(self._spec.notional_max) / bought * ATOMS_PER_UNIT),
        )
        asks, bids = pair.buy.reachable(Side.BUY), pair.sell.reachable(Side.SELL)
        return walk(asks, bids, prices, pair.step_atoms, atoms_max)

    # Going on

    def _advance(self, execution: Execution, now_ns: int) -> Iterator[Approved[Command]]:
        """What comes next once the last order is done with."""
        pair = execution.pair
        for outlet, taking in ((pair.buy, Side.BUY), (pair.sell, Side.SELL)):
            hold(outlet, taking, now_ns)
        if execution.is_waiting:
            return
        if execution.stage is Stage.FIRST:
            execution.stage = Stage.SECOND
            if execution.unmatched_atoms > 0:
                yield from self._second(execution)
                if execution.legs[-1].stage is Stage.SECOND:
                    return
        if not self._has_rest(execution):
            self._finish(execution, now_ns)
            return
        if execution.stage is Stage.SECOND:
            execution.stage, execution.unwinding_ns = Stage.UNWIND, now_ns
        is_over = now_ns - execution.unwinding_ns >= self._spec.unwind_ns_max
        if is_over or self._levels.level >= RiskLevel.CANCEL_ALL:
            self._finish(execution, now_ns)
        elif execution.unwound_ns == 0 or now_ns - execution.unwound_ns >= TAKE_PERIOD_NS:
            execution.unwound_ns = now_ns
            yield from self._unwind(execution, now_ns)

    def _second(self, execution: Execution) -> Iterator[Approved[Command]]:
        """The other leg for what the first was filled with, at any price that does not lose."""
        outlet, side = execution.second, execution.first_side.opposite
        prices = execution.opportunity.prices
        leg = execution.legs[0]
        if side is Side.SELL:
            price_ticks = math.ceil(leg.price_ticks * prices.buy / prices.sell)
        else:
            price_ticks = math.floor(leg.price_ticks * prices.sell / prices.buy)
        outlet.maker.settle_risk()
        approved = leg_order(
            outlet, side, within(outlet, side, price_ticks), execution.unmatched_atoms
        )
        if approved is None:
            self.held_back["second_leg"] += 1
            return
        yield from _sending(execution, outlet, approved, Stage.SECOND)

    def _unwind(self, execution: Execution, now_ns: int) -> Iterator[Approved[Command]]:
        """Undo a slice of what is left of one leg, wherever that costs least."""
        rest_atoms = execution.unmatched_atoms
        first_side = execution.first_side
        side = first_side.opposite if rest_atoms > 0 else first_side
        outlets = self._alike(execution)
        route = self._router.take(outlets, side, abs(rest_atoms), now_ns)
        chosen = [o for o in outlets if o.id == route.chosen]
        for outlet in chosen:
            view, slippage = outlet.view, self._spec.unwind_slippage_bps * _BPS
            touch = view.bid_ticks if side is Side.SELL else view.ask_ticks
            away = math.floor if side is Side.SELL else math.ceil
            price_ticks = away(touch * (1.0 + side.sign * slippage))
            outlet.maker.settle_risk()
            price_ticks = within(outlet, side, price_ticks)
            qty_atoms = min(abs(rest_atoms), sendable_atoms(outlet, side, price_ticks))
            approved = leg_order(outlet, side, price_ticks, qty_atoms)
            if approved is not None:
                yield from _sending(execution, outlet, approved, Stage.UNWIND)

    def _has_rest(self, execution: Execution) -> bool:
        """Whether what is unmatched is enough for an order anywhere."""
        rest_atoms = abs(execution.unmatched_atoms)
        return any(
            o.view.mid_half_ticks > 0 and rest_atoms >= o.least_atoms(o.view.mid_half_ticks // 2)
            for o in self._alike(execution)
        )

    def _alike(self, execution: Execution) -> list[Outlet]:
        """Every outlet at which the rest of an execution can be traded."""
        at = execution.first.instrument
        return [
            o
            for o in self._outlets
            if o.instrument.base == at.base and o.instrument.kind is at.kind
        ]

    def _finish(self, execution: Execution, now_ns: int) -> None:
        """Book the result at the rates of now; at those of the start where there are none any more."""
        rates: dict[int, float] = {}
        for outlet in self._alike(execution):
            rate = self._conversions.rate(outlet.id, now_ns)
            rates[outlet.id] = self._rate_then(execution, outlet) if rate is None else rate.mid
        execution.finish(rates, now_ns, is_matched=not self._has_rest(execution))
        self.active.remove(execution)
        self.history.append(execution)
        assert execution.outcome is not None, "it has just ended"
        self.outcomes[execution.outcome] += 1
        self.expected_net += execution.expected_net
        self.realised_net += execution.realised_net
        self._after_ns[execution.pair] = now_ns + self._spec.retry_ns

    @staticmethod
    def _rate_then(execution: Execution, outlet: Outlet) -> float:
        """Reporting currency per unit of an outlet's quote currency as the opportunity was valued."""
        prices, pair = execution.opportunity.prices, execution.pair
        if outlet is pair.buy:
            return prices.buy / (outlet.tick * (1.0 + outlet.taker_fee))
        return prices.sell / (pair.sell.tick * (1.0 - pair.sell.taker_fee))


def _net(pair: Pair) -> float:
    return 0.0 if pair.opportunity is None else pair.opportunity.net


def _harder(pair: Pair, planned: Walk) -> Outlet:
    """The outlet that is likelier to miss: where orders take longer, or else where less is on offer."""
    buy, sell = pair.buy, pair.sell
    if buy.latency.latency_ns > _SLOWER * sell.latency.latency_ns:
        return buy
    if sell.latency.latency_ns > _SLOWER * buy.latency.latency_ns:
        return sell
    offered = sum(a for ticks, a in buy.levels(Side.SELL) if ticks <= planned.buy_ticks)
    wanted = sum(a for ticks, a in sell.levels(Side.BUY) if ticks >= planned.sell_ticks)
    return buy if offered <= wanted else sell


def _sending(
    execution: Execution, outlet: Outlet, approved: Approved[Command], stage: Stage
) -> Iterator[Approved[Command]]:
    """Hand a leg over, on record before it is on the wire."""
    order = approved.command
    assert isinstance(order, PlaceOrder), "legs are new orders"
    execution.legs.append(
        Leg(outlet, order.client_order_id, order.side, order.price_ticks, order.qty_lots, stage)
    )
    yield from outlet.maker.desk.sending(approved, purpose=OrderPurpose.ARBITRAGE)
