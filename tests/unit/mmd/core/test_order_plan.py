"""The plan's verdict is the gate's own, whoever makes the order."""

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.commands import Approved, PlaceOrder, ReplaceOrder
from mmd.core.order_desk import OrderDesk
from mmd.core.orders.order_diff import OP, PLACE, REPLACE
from mmd.core.orders.order_numbers import OrderCounts, OrderNumbers
from mmd.core.quoting.record import QUOTE
from mmd.core.risk.gate import RiskGate
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.risk.throttle import Budget, Counted, Throttle
from mmd.core.units import Side, TimeInForce
from mmd.core.view_record import VIEW
from mmd.jit.kernel import new
from tests.order_events import INSTRUMENT, SESSION, accepted, instrument, place
from tests.risk_views import hold, view

LOT = 1_000_000
MARKET = new(VIEW)
MARKET["bid_ticks"], MARKET["ask_ticks"], MARKET["mid_half_ticks"] = 1000, 1002, 2002
MARKET["last_trade_ticks"], MARKET["is_up"] = 1001, 1
BUDGET = Budget(name="ORDERS", counts=Counted.ORDERS, limit=4, interval_ns=10**10, burst=2)


class Bench:
    """One working order at most, one target, and all that judges what follows from them."""

    def __init__(self, level: RiskLevel, held_lots: int) -> None:
        self.seen = view(position_lots_max_long=30, position_lots_max_short=30)
        hold(self.seen, position_atoms=held_lots * LOT)
        levels = RiskLevels()
        if level > RiskLevel.NORMAL:
            levels.escalate(level, LevelReason.OPERATOR, 0)
        self.gate = RiskGate(levels, Throttle([BUDGET]))
        self.quote = new(QUOTE)
        self.numbers = OrderNumbers(SESSION)
        self.desk = OrderDesk(
            instrument(),
            self.seen.orders,
            self.quote,
            MARKET,
            self.seen,
            self.gate,
            self.numbers,
            OrderCounts(),
        )

    def work(self, side: Side, price_ticks: int) -> None:
        """Let an order be working."""
        self.numbers.next_id()
        self.seen.orders.on_sent(place(1, side, price_ticks), 0)
        self.seen.orders.apply(accepted(1))

    def act(self, side: Side, price_ticks: int, qty_lots: int) -> Approved | None:
        """What the first action towards one target comes to."""
        self.quote["n"] = 0
        self.quote["n"][0, side] = 1
        self.quote["px"][0, side, 0], self.quote["sz"][0, side, 0] = price_ticks, qty_lots
        assert self.desk.plan(0, 0) > 0
        assert self.seen.orders.working["act"][0, 0, OP] in {PLACE, REPLACE}
        return self.desk.act(0)


@given(
    st.sampled_from([RiskLevel.NORMAL, RiskLevel.REDUCE_ONLY, RiskLevel.HALTED]),
    st.integers(-35, 35),
    st.sampled_from(Side),
    st.booleans(),
    st.lists(st.tuples(st.integers(500, 1500), st.integers(1, 120)), min_size=1, max_size=3),
)
def test_a_planned_order_is_judged_as_the_gate_judges_it(
    level, held_lots, side, has_order, targets
):
    """The same verdict and the same counts as for a command that is put to the gate by hand."""
    ours, theirs = Bench(level, held_lots), Bench(level, held_lots)
    if has_order and level is RiskLevel.NORMAL and abs(held_lots) <= 20:
        price_ticks = 990 if side is Side.BUY else 1012
        ours.work(side, price_ticks)
        theirs.work(side, price_ticks)
    for price_ticks, qty_lots in targets:
        approved = ours.act(side, price_ticks, qty_lots)
        old = next(iter(theirs.seen.orders), None)
        theirs.seen.settle()
        number = theirs.numbers.next_id()
        terms = number, side, price_ticks, qty_lots, TimeInForce.POST_ONLY
        command: PlaceOrder | ReplaceOrder = PlaceOrder(INSTRUMENT, *terms)
        if old is not None:
            command = ReplaceOrder(INSTRUMENT, old.client_order_id, *terms)
        verdict = theirs.gate.check(command, theirs.seen)
        if isinstance(verdict, Approved):
            assert approved is not None
            assert approved.command == command
        elif old is not None:  # a replacement that is refused becomes a cancel
            assert approved is not None
            assert approved.command.client_order_id == old.client_order_id
            ours.gate.counts[RiskReason.OK] -= 1
        else:
            assert approved is None
        assert ours.gate.counts == theirs.gate.counts
        assert ours.gate.budgets["last_id"] == theirs.gate.budgets["last_id"]
