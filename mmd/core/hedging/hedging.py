"""All hedging of a session: one hedger for each instrument, their orders, and what these were filled with.

An instrument that others are hedged on is not hedged for what it holds for them: that is no inventory of its own,
neither quoted against nor hedged back.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from mmd.core.commands import Approved, CancelOrder, Command
from mmd.core.crossvenue.order_latency import OrderLatencies
from mmd.core.hedging.execution import Place, Withdraw
from mmd.core.hedging.hedger import Hedger
from mmd.core.hedging.route import HedgeRoute
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.inventory_watch import InventoryWatch
from mmd.core.maker import Maker
from mmd.core.notices import Notices
from mmd.core.orders.order import Order, OrderPurpose
from mmd.core.orders.order_update import OrderEvent
from mmd.core.risk.session_risk import SessionRisk
from mmd.core.units import ClientOrderId, TimeInForce
from mmd.errors import ConfigError

_SENT_KEPT = 1_024
"""Orders whose late fills are still told apart."""
_LATENCY_PRIOR_NS = 50_000_000


class _Sent:
    """A hedge order and how much of it has been counted."""

    __slots__ = ("counted_lots", "hedger", "order", "route")

    def __init__(self, hedger: Hedger, route: HedgeRoute, order: Order) -> None:
        self.hedger = hedger
        self.route = route
        self.order = order
        self.counted_lots = 0


class _Picked(NamedTuple):
    """The instruments of the session that a spec means."""

    same: bool
    others: tuple[Maker, ...]


class Hedging:
    """The hedgers of a session.

    Attributes:
        hedgers: one per instrument that can be hedged, in the order of the makers.
    """

    def __init__(
        self,
        makers: Sequence[Maker],
        spec: HedgeSpec,
        session: SessionRisk,
        watch: InventoryWatch,
        notices: Notices,
    ) -> None:
        """Nothing is hedged yet."""
        self._makers = makers
        self._spec = spec
        self._session = session
        self._watch = watch
        self._latencies = OrderLatencies(makers, _LATENCY_PRIOR_NS)
        self._sent: OrderedDict[ClientOrderId, _Sent] = OrderedDict()
        picked = _picked(makers, spec)
        self.hedgers: list[Hedger] = []
        for maker in makers:
            routes = [self._route(maker, is_same=True)] if picked.same else []
            if maker not in picked.others:
                routes += [self._route(m, is_same=False) for m in picked.others]
            elif not picked.same:
                continue
            ratio = partial(self._ratio, maker)
            self.hedgers.append(Hedger(maker, routes, spec, session.levels, notices, ratio))

    def on_time(self, now_ns: int) -> None:
        """Begin and end hedges; an instrument takes part in one at a time."""
        for hedger in self.hedgers:
            if hedger.is_busy or not self._is_engaged(hedger):
                hedger.on_time(now_ns, self._watch.var_ratio(hedger.source.instrument.id))

    def on_order(self, event: OrderEvent) -> None:
        """Follow an order event that the maker has applied: fills of hedges, and how fast the venue answers."""
        self._latencies.on_order(event)
        sent = self._sent.get(event.client_order_id)
        if sent is not None:
            self._count(sent)

    def decide(self, now_ns: int) -> Iterator[Approved[Command]]:
        """Hedge orders and what takes them back, one by one; the makers have decided before."""
        for hedger in self.hedgers:
            if hedger.is_busy and hedger.route is not None:
                yield from self._act(hedger, hedger.route, now_ns)

    def _act(self, hedger: Hedger, route: HedgeRoute, now_ns: int) -> Iterator[Approved[Command]]:
        maker = route.maker
        if maker.scale is None or not maker.is_private_up:
            return
        maker.settle_risk()
        step = hedger.step(now_ns)
        if isinstance(step, Withdraw):
            cancel = CancelOrder(maker.instrument.id, step.order.client_order_id)
            yield from maker.desk.sending(maker.desk.approve(cancel))
        elif isinstance(step, Place):
            approved = maker.desk.place(hedger.side, step.price_ticks, step.qty_lots, step.tif)
            if approved is None:
                return
            try:
                yield from maker.desk.sending(approved, purpose=OrderPurpose.HEDGE)
            finally:
                self._register(hedger, route, approved.command, step.tif)

    def _register(
        self, hedger: Hedger, route: HedgeRoute, command: Command, tif: TimeInForce
    ) -> None:
        order = route.maker.orders.get(command.client_order_id)  # type: ignore[union-attr]
        assert order is not None, "sending records an order"
        self._sent[order.client_order_id] = _Sent(hedger, route, order)
        if len(self._sent) > _SENT_KEPT:
            self._sent.popitem(last=False)
        hedger.on_sent(order, is_resting=tif is TimeInForce.POST_ONLY)

    def _count(self, sent: _Sent) -> None:
        new_lots = sent.order.filled_lots - sent.counted_lots
        if new_lots > 0:
            sent.counted_lots += new_lots
            sent.hedger.on_filled(sent.route, sent.order.side, new_lots)

    def _is_engaged(self, hedger: Hedger) -> bool:
        """Whether another hedge is under way on the instrument, or on one that it could be hedged on."""
        others = [other for other in self.hedgers if other is not hedger and other.is_busy]
        if not others:
            return False
        mine = {hedger.source, *(route.maker for route in hedger.routes)}
        return any(
            other.source in mine or (other.route is not None and other.route.maker in mine)
            for other in others
        )

    def _ratio(self, source: Maker, route: HedgeRoute) -> float:
        """Lots of a route's instrument that hedge one lot of a source, at the mids of now; 0 without them."""
        if route.is_same:
            return 1.0
        shared = self._session.commitments
        worth = shared.lot_atoms(source.instrument.id)
        other = shared.lot_atoms(route.maker.instrument.id)
        return 0.0 if worth is None or other is None else self._spec.beta * worth / other

    def _route(self, maker: Maker, *, is_same: bool) -> HedgeRoute:
        return HedgeRoute(maker, self._spec, self._latencies.of(maker), is_same=is_same)


def _picked(makers: Sequence[Maker], spec: HedgeSpec) -> _Picked:
    """Find the named instruments. Raises: ConfigError if one of them is not traded."""
    if spec.route == "same":
        return _Picked(same=True, others=())
    by_name = {f"{m.instrument.venue}:{m.instrument.symbol}": m for m in makers}
    for name in spec.instruments:
        if name not in by_name:
            raise ConfigError(
                f"hedge.instruments: {name} is not traded; expected one of {', '.join(by_name)}"
            )
    others = tuple(by_name[name] for name in spec.instruments)
    return _Picked(same=spec.route == "best", others=others)
