"""The exact queue against a simulation that keeps every order in a list."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.units import Side
from mmd.exchange.fills import fifo, matching
from mmd.exchange.fills.record import RISK_AVERSE
from mmd.jit.kernel import bind
from tests.fill_bench import FillBench

BIDS, ASKS = {100: 0, 90: 5}, {102: 40}
OURS = -1


class Queue:
    """One price level, order by order; ours is OURS."""

    def __init__(self) -> None:
        self.orders: list[list[int]] = []

    def lots_ahead(self) -> int:
        at = [i for i, _ in self.orders].index(OURS)
        return sum(lots for _, lots in self.orders[:at])

    def execute(self, lots: int) -> list[tuple[int, int]]:
        """A market order takes from the front, as it would with us there; returns who was executed in the record.

        In the record we are not there, so what we get is what the order behind us is said to have got.
        """
        done, left = [], lots
        for order in self.orders:
            if order[0] == OURS:
                continue
            step = min(left, order[1])
            if step > 0:
                done.append((order[0], step))
                left -= step
        return done


def on_event(bench: FillBench, op: int, order_id: int, side: int, px: int, qty: int) -> None:
    """A recorded order event, and what an execution means for ours."""
    records = (bench.exchange.fills, bench.exchange.l3)
    born = bind(fifo.on_order_event, *records, 0, 0, 0, 0, 0)(*records, op, order_id, side, px, qty)
    if op == fifo.EXECUTE and born > 0:
        fills = bench.exchange.fills
        bind(matching.on_execution, fills, 0, 0, 0, 0)(fills, side, px, born, qty)


def new_bench() -> FillBench:
    bench = FillBench("fifo")
    bench.snapshot({100: 10, 90: 5}, ASKS)
    return bench


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 15), st.integers(1, 20)), max_size=30),
    st.integers(1, 25),
)
def test_places_and_fills_are_those_of_a_list_of_orders(
    before: list[int], events: list[tuple[int, int, int]], ours: int
) -> None:
    """Orders come, shrink, grow, leave and are executed from the front: lots ahead and fills agree throughout."""
    bench, queue, ids = new_bench(), Queue(), 0
    for lots in before:
        ids += 1
        queue.orders.append([ids, lots])
        on_event(bench, fifo.ADD, ids, 0, 100, lots)
    bench.place(Side.BUY, 100, ours)
    queue.orders.append([OURS, ours])
    left = ours
    for kind, pick, lots in events:
        others = [o for o in queue.orders if o[0] != OURS]
        if kind == 0 or not others:
            ids += 1
            queue.orders.append([ids, lots])
            on_event(bench, fifo.ADD, ids, 0, 100, lots)
        elif kind == 3:
            for order_id, step in queue.execute(lots):
                order = next(o for o in queue.orders if o[0] == order_id)
                at = [i for i, _ in queue.orders]
                if OURS in at and at.index(OURS) < at.index(order_id):
                    got = min(left, step)
                    left -= got
                    if left == 0:
                        queue.orders = [o for o in queue.orders if o[0] != OURS]
                order[1] -= step
                on_event(bench, fifo.EXECUTE, order_id, 0, 100, step)
                queue.orders = [o for o in queue.orders if o[1] > 0]
        else:
            order = others[pick % len(others)]
            if kind == 1:
                step = min(lots, order[1])
                order[1] -= step
                on_event(bench, fifo.DELETE, order[0], 0, 100, step)
                queue.orders = [o for o in queue.orders if o[1] > 0]
            else:
                grows = lots > order[1]
                order[1] = lots
                if grows:
                    queue.orders.remove(order)
                    queue.orders.append(order)
                on_event(bench, fifo.MODIFY, order[0], 0, 100, lots)
        assert sum(f.qty_lots for f in bench.fills()) == ours - left
        if left > 0:
            assert bench.ahead(1) == queue.lots_ahead()
        ours = left


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_table_finds_orders_whatever_was_removed(sizes: list[int], shuffled: object) -> None:
    """Ids that collide are still found after others were deleted: the level's total is always right."""
    bench = new_bench()
    ids = [1 + i * fifo.CAPACITY for i in range(len(sizes))]
    for order_id, lots in zip(ids, sizes, strict=True):
        on_event(bench, fifo.ADD, order_id, 0, 100, lots)
    order = list(zip(ids, sizes, strict=True))
    shuffled.shuffle(order)  # type: ignore[attr-defined]
    total = sum(sizes)
    ahead = bind(fifo.lots_ahead, bench.exchange.l3, 0, 0, 0)
    for order_id, lots in order:
        on_event(bench, fifo.DELETE, order_id, 0, 100, lots)
        total -= lots
        assert ahead(bench.exchange.l3, 0, 100, 10**9) == total
    assert int(bench.exchange.l3["n"][0]) == 0


def test_a_better_price_is_filled_before_any_execution_behind_it() -> None:
    """An order executed at 99 says that our bid at 100 would have gone first."""
    bench = new_bench()
    on_event(bench, fifo.ADD, 1, 0, 99, 10)
    bench.place(Side.BUY, 100, 4)
    on_event(bench, fifo.EXECUTE, 1, 0, 99, 10)
    assert [f.qty_lots for f in bench.fills()] == [4]


def test_an_execution_of_an_unknown_order_fills_nothing() -> None:
    """It stood there before the recording began: ahead of everything."""
    bench = new_bench()
    bench.place(Side.BUY, 100, 4)
    on_event(bench, fifo.EXECUTE, 77, 0, 100, 10)
    assert bench.fills() == []


def test_risk_averse_is_never_ahead_of_the_truth() -> None:
    """The level's totals and prints of one stream: the cautious estimate is an upper bound."""
    exact, careful = new_bench(), FillBench("risk_averse")
    careful.snapshot({100: 10, 90: 5}, ASKS)
    assert int(careful.exchange.fills["model"][0]) == RISK_AVERSE
    on_event(exact, fifo.ADD, 1, 0, 100, 10)
    for bench in (exact, careful):
        bench.place(Side.BUY, 100, 2)
    on_event(exact, fifo.ADD, 2, 0, 100, 30)
    careful.diff({100: 40})
    on_event(exact, fifo.DELETE, 1, 0, 100, 6)
    careful.diff({100: 34})
    assert (exact.ahead(1), careful.ahead(1)) == (4.0, 10.0)
