"""Whatever happens in whatever order, what works and what is held stays within the limits, and no quote crosses.

The real engine is driven through a market that moves, and a venue that acknowledges, fills, cancels and loses what it
likes, when it likes.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mmd.core.commands import CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.events import EndReason, OrderAccepted, OrderEnded, OrderRejected, RejectReason
from mmd.core.units import Side
from tests.engine_bench import ZERO, EngineBench
from tests.session import construction, quoting, risk, session_spec


class QuotesWithinLimits(RuleBasedStateMachine):
    """`pending` are commands that the venue has not acted upon yet; it does so in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = EngineBench()
        self.pending: list[Command] = []

    @initialize(shows_own=st.booleans(), model=st.sampled_from(["fixed", "glft"]))
    def begin(self, shows_own: bool, model: str) -> None:
        spec = session_spec(
            quoting=quoting(spread_model=model, quote_inside_break_even=True),
            risk=risk(
                position_notional_max=400,
                order_notional_max=200,
                loss_max=10**6,
                drawdown_max=10**6,
            ),
            construction=construction(reducing_spacing_multiplier=2.0, volatility_skew=1.0),
            book_shows_own=shows_own,
        )
        self.bench = EngineBench(spec)
        self.bench.bring_up()
        self.decide()

    @rule(ms=st.integers(1, 400))
    def decide(self, ms: int = 1) -> None:
        """Time passes and the engine decides."""
        bench = self.bench
        bench.pass_time(ms)
        view = bench.maker.view
        for command in bench.decide():
            self.pending.append(command)
            if isinstance(command, PlaceOrder | ReplaceOrder):
                if command.side is Side.BUY:
                    assert command.price_ticks < view.ask_ticks, "a bid reached the best ask"
                else:
                    assert command.price_ticks > view.bid_ticks, "an ask reached the best bid"

    @rule(ticks=st.integers(-12, 12), spread=st.integers(1, 6))
    def move(self, ticks: int, spread: int) -> None:
        """The market jumps."""
        bid = max(self.bench.maker.view.bid_ticks + ticks, 9_000)
        self.bench.snapshot(bid, bid + spread)

    @rule(data=st.data())
    def obey(self, data: st.DataObject) -> None:
        """The venue acts upon one of the commands, not always the first."""
        if self.pending:
            at = data.draw(st.integers(0, len(self.pending) - 1))
            self._do(self.pending.pop(at), refuses=data.draw(st.integers(0, 9)) == 0)

    @rule()
    def obey_all(self) -> None:
        """The venue catches up."""
        pending, self.pending = self.pending, []
        for command in pending:
            self._do(command, refuses=False)

    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """An order that the venue has is filled, in part or in full."""
        bench = self.bench
        if bench.open:
            order_id = data.draw(st.sampled_from(sorted(bench.open)))
            left = bench.open[order_id].qty_lots - self._filled(order_id)
            lots = data.draw(st.integers(1, left))
            bench.fill(order_id, lots)
            if lots == left:
                del bench.open[order_id]

    @rule()
    def tick(self) -> None:
        """The driver's timer."""
        self.bench.tick()

    @invariant()
    def worst_case_is_within_the_limit(self) -> None:
        """Position, and all that may still be filled on either side."""
        maker = self.bench.maker
        if maker.scale is None:
            return
        limit, held = (
            maker.risk.bounds.long_atoms_max // maker.instrument.atoms_per_lot,
            maker.ledger.position_lots,
        )
        assert held + maker.orders.open_lots[Side.BUY] <= limit
        assert held - maker.orders.open_lots[Side.SELL] >= -limit

    @invariant()
    def our_orders_do_not_meet(self) -> None:
        """No bid of ours at or above an ask of ours, those that are leaving included."""
        bid, ask = self.bench.maker.orders.best_price_ticks
        assert bid is None or ask is None or bid < ask

    @invariant()
    def sizes_are_within_their_limits(self) -> None:
        """No order below the venue's least or above our largest."""
        bounds = self.bench.maker.risk.bounds
        for order in self.bench.maker.orders:
            assert bounds.qty_lots_min <= order.qty_lots <= bounds.qty_lots_max
            assert bounds.notional_min <= order.qty_lots * order.price_ticks <= bounds.notional_max

    def _filled(self, order_id: int) -> int:
        order = self.bench.maker.orders.get(order_id)  # type: ignore[arg-type]
        return 0 if order is None else order.filled_lots

    def _do(self, command: Command, *, refuses: bool) -> None:
        bench = self.bench
        if isinstance(command, CancelOrder):
            self._end(command.client_order_id)
        if isinstance(command, ReplaceOrder):
            self._end(command.cancel_id)
        if isinstance(command, PlaceOrder | ReplaceOrder):
            new_id = command.client_order_id
            if refuses:
                bench.event(
                    OrderRejected(bench.now_ns, ZERO, new_id, RejectReason.WOULD_TAKE, -1, "no")
                )
            else:
                bench.open[new_id] = command
                bench.event(OrderAccepted(bench.now_ns, ZERO, new_id, new_id, bench.now_ns))

    def _end(self, order_id: int) -> None:
        bench, filled = self.bench, self._filled(order_id)
        if bench.open.pop(order_id, None) is not None:  # type: ignore[call-overload]
            bench.event(
                OrderEnded(bench.now_ns, ZERO, order_id, EndReason.CANCELED, filled, bench.now_ns)  # type: ignore[arg-type]
            )


TestQuotesWithinLimits = QuotesWithinLimits.TestCase
TestQuotesWithinLimits.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
