"""Keeps one instrument's exposure within its limits by hedging: when, how much, where; `execution` says how.

A hedge begins on the timer when the exposure is critical, and ends when what is left is too little for an order.
What our own quotes on the reducing side may still do is not hedged, until the hedge is late: from then on only
fills count, and every algorithm crosses. An exposure is the instrument's own inventory and what is held against it
elsewhere; when the inventory has gone that a third of such a hedge was for, what is too much of it is released.

While a hedge is under way no side is quoted that it would meet, and none that adds to the inventory.
"""

import math
from collections.abc import Callable, Sequence
from enum import IntEnum

from mmd.core.hedging.demand import is_critical, kept_lots
from mmd.core.hedging.execution import (
    ImmediateOrCancel,
    Place,
    Step,
    Wanted,
    hedge_execution,
    withdrawal,
)
from mmd.core.hedging.route import HedgeRoute, RouteCost, sendable_lots
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.maker import Maker
from mmd.core.notices import NoticeKind, Notices
from mmd.core.orders.order import Order
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.reasons import RiskReason
from mmd.core.units import NANOS_PER_SECOND, Side

_CLOSED = (RiskLevel.CANCEL_ALL, RiskLevel.FLATTEN, RiskLevel.HALTED)
_OK = RiskReason.OK
_NO_ROUTE_PERIOD_NS = 10 * NANOS_PER_SECOND

Ratio = Callable[[HedgeRoute], float]
"""Lots of a route's instrument that hedge one lot of the hedged one; 0 where that cannot be said."""


class HedgeState(IntEnum):
    """What a hedger is at."""

    IDLE = 0
    HEDGING = 1
    LATE = 2
    """Hedging for longer than it should have taken."""


_IDLE = HedgeState.IDLE  # a look-up through the metaclass of an Enum takes 0.1 us


class Hedger:
    """Hedges one instrument on one route at a time.

    Attributes:
        source: the hedged instrument.
        routes: where that can be done.
        state: what it is at.
        route: where the present hedge is traded; None while idle.
        is_release: whether it takes back an earlier hedge.
        choice: costs of the routes when the last hedge began, best first.
        started, done, late: how many hedges there were.
        hedged_lots: traded as hedges, in lots of the route's instrument.
        began_ns, last_took_ns: of the present hedge, and how long the last one took.
    """

    def __init__(
        self,
        source: Maker,
        routes: Sequence[HedgeRoute],
        spec: HedgeSpec,
        levels: RiskLevels,
        notices: Notices,
        ratio: Ratio,
    ) -> None:
        self.source = source
        self.routes = routes
        self.state = HedgeState.IDLE
        self.route: HedgeRoute | None = None
        self.is_release = False
        self.choice: tuple[RouteCost, ...] = ()
        self.started = self.done = self.late = self.hedged_lots = 0
        self.began_ns = self.last_took_ns = 0
        self._spec = spec
        self._levels = levels
        self._notices = notices
        self._ratio = ratio
        self._execution = hedge_execution(spec)
        self._crossing = ImmediateOrCancel(spec.retry_ns)
        self._sign = 0
        self._kept_lots = 0
        self._live: Order | None = None
        self._is_resting = False
        self._no_route_ns = -_NO_ROUTE_PERIOD_NS

    @property
    def exposure_lots(self) -> int:
        """The inventory with what is held against it elsewhere, in lots of the hedged instrument."""
        return self.source.ledger.quoted_lots + self._held_elsewhere()

    @property
    def live(self) -> Order | None:
        """The order that may still be filled; one at a time."""
        order = self._live
        if order is not None and not order.is_open and order.leaves_lots == 0:
            self._live = None
        return self._live

    @property
    def is_busy(self) -> bool:
        """Whether there is anything to do in a decision."""
        return self.state is not _IDLE or self.live is not None

    def on_time(self, now_ns: int, var_ratio: float) -> None:
        """Begin, continue or end a hedge, by the exposure and the limits of now."""
        scale = self.source.scale
        if scale is None or self.source.ledger.pnl is None:
            return
        exposure, limit = self.exposure_lots, scale.position_lots_max
        critical = is_critical(exposure, limit, var_ratio, self._spec)
        if self.state is _IDLE:
            self._consider(exposure, limit, var_ratio, now_ns, critical=critical)
            return
        if not self.is_release:
            self._kept_lots = kept_lots(exposure, limit, var_ratio, self._spec)
        if self.state is HedgeState.HEDGING and now_ns - self.began_ns >= self._spec.deadline_ns:
            self._lapse(now_ns)
        is_over = self._levels.level in _CLOSED or (
            self._is_through() and (self.is_release or not critical)
        )
        if is_over and self.live is None:
            self._end(now_ns)

    def step(self, now_ns: int) -> Step:
        """What to send on the route's instrument now, if anything; its risk view must be settled."""
        live, route = self.live, self.route
        if route is None:
            return None
        if self._levels.level in _CLOSED:
            return None if live is None or not self._is_resting else withdrawal(live, now_ns)
        wanted = self._wanted(route, live)
        if live is None and (
            route.maker.risk.refusal is not _OK or route.is_own_crossed(self.side, wanted.cap_ticks)
        ):
            return None  # no slice or attempt is spent on what could not be sent
        algorithm = self._crossing if self.state is HedgeState.LATE else self._execution
        step = algorithm.step(wanted, now_ns)
        if not isinstance(step, Place):
            return step
        lots = sendable_lots(route.maker.risk, self.side, step.qty_lots, step.price_ticks)
        return step._replace(qty_lots=lots) if lots >= wanted.lots_min else None

    def on_sent(self, order: Order, *, is_resting: bool) -> None:
        """An order that `step` asked for is on its way."""
        self._live, self._is_resting = order, is_resting

    def on_filled(self, route: HedgeRoute, side: Side, lots: int) -> None:
        """One of the hedger's orders was filled with so many lots more."""
        self.hedged_lots += lots
        if not route.is_same:
            route.held_lots += side.sign * lots
            route.maker.ledger.hold_for_others(side.sign * lots)

    @property
    def side(self) -> Side:
        """Which way the present hedge trades: against the exposure."""
        return Side.SELL if self._sign > 0 else Side.BUY

    @property
    def remaining_lots(self) -> int:
        """What has still to be traded, in lots of the route's instrument, beyond the order under way."""
        route, live = self.route, self.live
        if route is None:
            return 0
        live_lots = 0 if live is None else live.leaves_lots
        excess = max(self._sign * self.exposure_lots - self._kept_lots, 0)
        if self.state is HedgeState.HEDGING and not self.is_release:
            quoted_lots = self.source.orders.open_lots[self.side] - live_lots * route.is_same
            excess = max(excess - max(quoted_lots, 0), 0)
        lots = int(excess * self._ratio(route)) - live_lots
        return min(lots, abs(route.held_lots) - live_lots) if self.is_release else lots

    def _held_elsewhere(self) -> int:
        held = 0.0
        for route in self.routes:
            if route.held_lots != 0:
                ratio = self._ratio(route)
                held += route.held_lots / ratio if ratio > 0.0 else 0.0
        return int(held)

    def _consider(
        self, exposure: int, limit: int, var_ratio: float, now_ns: int, *, critical: bool
    ) -> None:
        """Begin a hedge if one is wanted and possible; what is held elsewhere is released before more is added."""
        if self._levels.level in _CLOSED:
            return
        outgrown = [r for r in self.routes if r.held_lots * exposure > 0]
        if outgrown and abs(exposure) > self._spec.target_ratio * abs(self._held_elsewhere()):
            self._begin(exposure, 0, outgrown, now_ns, is_release=True)
        elif critical and not outgrown:
            kept = kept_lots(exposure, limit, var_ratio, self._spec)
            self._begin(exposure, kept, self.routes, now_ns, is_release=False)

    def _begin(
        self,
        exposure: int,
        kept: int,
        candidates: Sequence[HedgeRoute],
        now_ns: int,
        *,
        is_release: bool,
    ) -> None:
        self._sign = 1 if exposure > 0 else -1
        self._kept_lots = kept
        self.is_release = is_release
        route = self._choose(candidates, abs(exposure) - kept)
        if route is None:
            if now_ns - self._no_route_ns >= _NO_ROUTE_PERIOD_NS:
                self._no_route_ns = now_ns
                self._note(now_ns, NoticeKind.HEDGE_NO_ROUTE, f"exposure {exposure} lots")
            return
        self.route, self.state, self.began_ns = route, HedgeState.HEDGING, now_ns
        self.started += 1
        self._execution.begin(now_ns)
        self._crossing.begin(now_ns)
        self._block(self.side.opposite)
        costs = ", ".join(f"{c.name} {c.cost_bps:.2f} bps" for c in self.choice)
        what = "release" if is_release else "hedge"
        self._note(
            now_ns,
            NoticeKind.HEDGE_STARTED,
            f"{what}: exposure {exposure} lots to {kept}; {self.side.name} on {route.name} of {costs}",
        )

    def _choose(self, candidates: Sequence[HedgeRoute], excess_lots: int) -> HedgeRoute | None:
        """The cheapest route that can be used."""
        found = []
        for route in candidates:
            lots = int(excess_lots * self._ratio(route))
            adds = not route.is_same and not self.is_release
            if (
                lots < 1
                or not route.is_usable
                or (adds and self._levels.level > RiskLevel.CAUTIOUS)
            ):
                continue
            found.append((route.cost(self.side, lots), route))
        found.sort(key=lambda pair: pair[0].cost_bps)
        self.choice = tuple(cost for cost, _ in found)
        return found[0][1] if found and found[0][0].cost_bps < math.inf else None

    def _wanted(self, route: HedgeRoute, live: Order | None) -> Wanted:
        cap_ticks = max(route.cap_ticks(self.side), 1)
        return Wanted(
            side=self.side,
            qty_lots=self.remaining_lots,
            lots_min=route.lots_min(cap_ticks),
            cap_ticks=cap_ticks,
            best_ticks=route.best_ticks(self.side),
            live=live,
            is_resting=self._is_resting,
        )

    def _is_through(self) -> bool:
        """Whether nothing is left that an order could be made of."""
        route = self.route
        if route is None or self.live is not None:
            return route is None
        best_ticks = route.best_ticks(self.side)
        return best_ticks > 0 and self.remaining_lots < route.lots_min(best_ticks)

    def _lapse(self, now_ns: int) -> None:
        self.state = HedgeState.LATE
        self.late += 1
        seconds = (now_ns - self.began_ns) / NANOS_PER_SECOND
        text = f"exposure {self.exposure_lots} lots after {seconds:.1f} s, wanted {self._kept_lots}"
        self._note(now_ns, NoticeKind.HEDGE_LATE, text)

    def _end(self, now_ns: int) -> None:
        self._block(None)
        self.done += self._levels.level not in _CLOSED
        self.last_took_ns = now_ns - self.began_ns
        self.state, self.route, self.is_release = HedgeState.IDLE, None, False
        seconds = self.last_took_ns / NANOS_PER_SECOND
        text = f"exposure {self.exposure_lots} lots after {seconds:.1f} s"
        self._note(now_ns, NoticeKind.HEDGE_DONE, text)

    def _block(self, side: Side | None) -> None:
        """Pull the side that the hedge would meet, and the one that adds to what is hedged."""
        assert self.route is not None, "nothing is hedged"
        self.route.maker.quoter.block(side)
        if not self.is_release:
            self.source.quoter.block(side)

    def _note(self, now_ns: int, kind: NoticeKind, text: str) -> None:
        self._notices.add(now_ns, kind, self.source.instrument.id, text)
