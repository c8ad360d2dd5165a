"""What a session does across venues: one view of all books, opportunities, executions and routes.

The engine holds one of these only where two of its instruments share a base asset and the session asks for it.
It looks after the makers have decided, so that pulling a stale quote never waits for it, and only when a book
has changed or an opportunity is open.
"""

from collections.abc import Iterator, Sequence

from mmd.core.commands import Approved, Command
from mmd.core.crossvenue.consolidated import ConsolidatedBook
from mmd.core.crossvenue.conversion import Conversions
from mmd.core.crossvenue.executor import Executor
from mmd.core.crossvenue.order_latency import OrderLatencies
from mmd.core.crossvenue.outlet import Outlet
from mmd.core.crossvenue.routing import Router
from mmd.core.crossvenue.scanner import Scanner, pairs_of
from mmd.core.events import ClockOffset, Fill
from mmd.core.maker import Maker
from mmd.core.orders.order_update import OrderEvent
from mmd.core.risk.session_risk import SessionRisk, venue_less_engine_ns
from mmd.core.spec import ArbitrageSpec, SessionSpec


class CrossVenue:
    """Everything across venues.

    Attributes:
        outlets: one per instrument whose base another one shares.
        books: one per such base.
        conversions, scanner, router: the parts.
        executor: None where opportunities are only found.
        latencies: of orders, by venue.
    """

    def __init__(
        self, spec: ArbitrageSpec, makers: Sequence[Maker], risk: SessionRisk, bases: Sequence[str]
    ) -> None:
        instruments = [m.instrument for m in makers]
        self.reporting = risk.commitments.reporting
        self.latencies = OrderLatencies(makers, spec.latency_prior_ns)
        self.outlets = [
            Outlet(m, self.latencies.of(m), spec.age_ns_max)
            for m in makers
            if m.instrument.base in bases
        ]
        self.conversions = Conversions(
            instruments, [m.view for m in makers], self.reporting, spec.rate_age_ns_max
        )
        self.books = [
            ConsolidatedBook(
                base,
                [o for o in self.outlets if o.instrument.base == base],
                self.conversions,
            )
            for base in bases
        ]
        pairs = pairs_of(self.outlets, self.conversions, spec.slippage_share)
        self.scanner = Scanner(pairs, float(spec.profit_min))
        self.router = Router(self.conversions, spec.unwind_slippage_bps)
        self.executor = None
        if spec.executes:
            self.executor = Executor(
                spec,
                self.scanner,
                self.router,
                self.outlets,
                self.conversions,
                risk.levels,
                risk.throttle,
            )
        self._makers = makers
        self._unix_less_engine_ns = risk.unix_less_engine_ns

    def on_order(self, event: OrderEvent) -> None:
        """Anything about one of our orders, after its maker has seen it."""
        self.latencies.on_order(event)
        if isinstance(event, Fill) and self.executor is not None:
            self.executor.on_fill(event)

    def on_clock_offset(self, event: ClockOffset) -> None:
        """A venue's clock was compared with ours."""
        for outlet in self.outlets:
            if outlet.instrument.venue == event.venue:
                outlet.venue_less_engine_ns = venue_less_engine_ns(event, self._unix_less_engine_ns)

    def decide(self, now_ns: int) -> Iterator[Approved[Command]]:
        """Follow the opportunities; orders of those that are carried out."""
        if self.scanner.opportunities.open or any(m.view.is_dirty for m in self._makers):
            self.scanner.look(now_ns)
        if self.executor is not None:
            yield from self.executor.decide(now_ns)


def cross_venue(spec: SessionSpec, makers: Sequence[Maker], risk: SessionRisk) -> CrossVenue | None:
    """What a session needs of it; None where no two instruments share a base asset, or nobody asked."""
    if spec.arbitrage is None:
        return None
    held = [m.instrument.base for m in makers]
    shared = tuple(dict.fromkeys(base for base in held if held.count(base) > 1))
    return CrossVenue(spec.arbitrage, makers, risk, shared) if shared else None
