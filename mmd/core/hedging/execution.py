"""How a hedge is traded: three small state machines, driven by decisions; none of them sees a clock or an account.

    ioc                 an immediate-or-cancel order for all that is wanted, again after a pause while something is left
    passive_then_cross  post-only at the best price, moved along with it, for a time; then as ioc
    twap                equal slices at equal times, each immediate-or-cancel, what one misses goes to the next; then as ioc

Each is asked for its next step with what is wanted now, and answers with one order, with taking back the order
that rests, or with nothing. There is never more than one order at a time, so a partial fill only makes what is wanted
next time smaller, and nothing can be hedged twice.
"""

from typing import NamedTuple, Protocol

from mmd.core.inventory.settings import HedgeSpec
from mmd.core.orders.order import Order
from mmd.core.orders.order_state import OrderState
from mmd.core.units import NANOS_PER_SECOND, Side, TimeInForce

CANCEL_PERIOD_NS = 2 * NANOS_PER_SECOND
_RESTING = (OrderState.WORKING, OrderState.PARTIALLY_FILLED)


class Wanted(NamedTuple):
    """What a hedge needs on the instrument that it is traded on.

    Attributes:
        qty_lots: beyond what the order under way may still fill; negative where that is too much.
        lots_min: less than this is not sent.
        cap_ticks: the worst price to take at.
        best_ticks: the best price of our own side.
        live: the order under way, None where there is none.
        is_resting: whether that one was meant to rest.
    """

    side: Side
    qty_lots: int
    lots_min: int
    cap_ticks: int
    best_ticks: int
    live: Order | None = None
    is_resting: bool = False


class Place(NamedTuple):
    """Send a new order."""

    price_ticks: int
    qty_lots: int
    tif: TimeInForce


class Withdraw(NamedTuple):
    """Take the resting order back."""

    order: Order


Step = Place | Withdraw | None


class HedgeExecution(Protocol):
    """A way to trade a hedge."""

    def begin(self, now_ns: int) -> None:
        """A new hedge starts: forget the last."""
        ...

    def step(self, wanted: Wanted, now_ns: int) -> Step:
        """What to do now."""
        ...


def withdrawal(order: Order, now_ns: int) -> Withdraw | None:
    """Take an order back, and again once a period while nobody answers."""
    if order.state in _RESTING or (
        order.is_open and now_ns - order.requested_ns >= CANCEL_PERIOD_NS
    ):
        return Withdraw(order)
    return None


class ImmediateOrCancel:
    """Takes all that is wanted, no further than the cap."""

    def __init__(self, retry_ns: int) -> None:
        """A pause of retry_ns between two orders lets the book fill up again."""
        self._retry_ns = retry_ns
        self._after_ns = 0

    def begin(self, now_ns: int) -> None:
        """The first order goes at once."""
        self._after_ns = now_ns

    def step(self, wanted: Wanted, now_ns: int) -> Step:
        """One order, if none is under way and the pause is over; a resting one is taken back first."""
        live = wanted.live
        if live is not None:
            return withdrawal(live, now_ns) if wanted.is_resting else None
        if now_ns < self._after_ns or wanted.qty_lots < wanted.lots_min:
            return None
        self._after_ns = now_ns + self._retry_ns
        return Place(wanted.cap_ticks, wanted.qty_lots, TimeInForce.IOC)


class PassiveThenCross:
    """Rests at the best price of its own side for a time, then takes."""

    def __init__(self, passive_ns: int, retry_ns: int) -> None:
        self._passive_ns = passive_ns
        self._retry_ns = retry_ns
        self._crossing = ImmediateOrCancel(retry_ns)
        self._until_ns = self._after_ns = 0

    def begin(self, now_ns: int) -> None:
        """Patience starts anew."""
        self._until_ns, self._after_ns = now_ns + self._passive_ns, now_ns
        self._crossing.begin(now_ns)

    def step(self, wanted: Wanted, now_ns: int) -> Step:
        """Join the best price; leave it when it has moved away or less is wanted; cross when time is up."""
        if now_ns >= self._until_ns:
            return self._crossing.step(wanted, now_ns)
        live = wanted.live
        if live is not None:
            is_behind = wanted.side.sign * (wanted.best_ticks - live.price_ticks) > 0
            is_too_much = wanted.qty_lots < 0
            return withdrawal(live, now_ns) if is_behind or is_too_much else None
        if now_ns < self._after_ns or wanted.qty_lots < wanted.lots_min:
            return None
        self._after_ns = now_ns + self._retry_ns
        return Place(wanted.best_ticks, wanted.qty_lots, TimeInForce.POST_ONLY)


class TimeWeighted:
    """Takes in equal slices at equal times."""

    def __init__(self, slices: int, horizon_ns: int, retry_ns: int) -> None:
        self._slices = slices
        self._horizon_ns = horizon_ns
        self._crossing = ImmediateOrCancel(retry_ns)
        self._began_ns = 0
        self._sent = 0

    def begin(self, now_ns: int) -> None:
        """The first slice is due at once."""
        self._began_ns, self._sent = now_ns, 0
        self._crossing.begin(now_ns)

    def step(self, wanted: Wanted, now_ns: int) -> Step:
        """The slice that is due, with what earlier ones missed; after the last all that is left."""
        if self._sent >= self._slices:
            return self._crossing.step(wanted, now_ns)
        if wanted.live is not None or wanted.qty_lots < wanted.lots_min:
            return None
        elapsed_ns = now_ns - self._began_ns
        due = min(elapsed_ns * self._slices // self._horizon_ns + 1, self._slices)
        if due <= self._sent:
            return None
        self._sent = due
        slice_lots = max(-(-wanted.qty_lots // (self._slices - due + 1)), wanted.lots_min)
        if wanted.qty_lots - slice_lots < wanted.lots_min:
            slice_lots = wanted.qty_lots
        return Place(wanted.cap_ticks, slice_lots, TimeInForce.IOC)


def hedge_execution(spec: HedgeSpec) -> HedgeExecution:
    """The algorithm that the settings name."""
    if spec.algorithm == "passive_then_cross":
        return PassiveThenCross(spec.passive_ns, spec.retry_ns)
    if spec.algorithm == "twap":
        return TimeWeighted(spec.twap_slices, spec.twap_ns, spec.retry_ns)
    assert spec.algorithm == "ioc", f"unknown hedge algorithm {spec.algorithm}"
    return ImmediateOrCancel(spec.retry_ns)
