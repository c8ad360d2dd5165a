"""Hedges against a venue that fills what it likes, when it likes, on one or two instruments.

Whatever is filled: the worst case of all orders together stays within the position limit, a hedge never adds to the
exposure it is for nor turns it round, what is held for others is what fills on that venue brought, and the books
of both PnL accounts agree.
"""

from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.commands import PlaceOrder
from mmd.core.hedging.hedger import HedgeState
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.units import Side
from tests.hedge_bench import HedgeBench, hedge_spec, two_venues

STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "bid", "none"]), st.floats(0, 1), st.integers(-25, 25)),
    min_size=5,
    max_size=25,
)


def check(bench: HedgeBench) -> None:
    """What must hold after every step."""
    for maker in bench.engine.makers:
        assert maker.scale is not None
        held, (bought, sold) = maker.ledger.position_lots, maker.orders.open_lots
        limit = maker.scale.position_lots_max
        if bought > 0:
            assert held + bought <= max(limit, held), "worst case long"
        if sold > 0:
            assert sold - held <= max(limit, -held), "worst case short"
        assert maker.ledger.pnl is not None
        assert maker.ledger.pnl.identity_error == 0
    for route in bench.hedger.routes:
        assert route.held_lots == (0 if route.is_same else route.maker.ledger.hedge_lots)


def part_of(share: float, order: PlaceOrder) -> int:
    """Lots of an order that a venue fills."""
    return int(order.qty_lots * share)


def play(bench: HedgeBench, steps: list[tuple[str, float, int]]) -> None:
    """Quotes are filled, hedges in part, the book moves; after each step the invariants hold."""
    bench.start()
    for filled, share, ticks in steps:
        bench.takes = partial(part_of, share)
        side = {"ask": Side.SELL, "bid": Side.BUY}.get(filled)
        mine = [i for i, o in bench.open.items() if (o.instrument, o.side) == (0, side)]
        if mine:
            bench.fill(mine[0])
            del bench.open[mine[0]]
        bench.shift(ticks)
        before, sent = bench.hedger.exposure_lots, len(bench.hedges)
        bench.run(500)
        check(bench)
        new = [order for _, order in bench.hedges[sent:]]
        for order in new:
            assert (order.side is Side.SELL) == (before > 0)
        if new:
            assert before * bench.hedger.exposure_lots >= 0
            elsewhere = abs(before - bench.lots)
            revalued = 2 + elsewhere * abs(ticks) // 5_000  # at other mids it is worth other lots
            assert abs(bench.hedger.exposure_lots) <= abs(before) + revalued


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([-9.5, -8.8, 8.8, 9.5]), st.sampled_from(["ioc", "twap"]), STEPS)
def test_hedges_on_the_instrument_itself(carried, algorithm, steps):
    """They only ever reduce the inventory."""
    hedge = HedgeSpec(route="same", algorithm=algorithm)
    play(HedgeBench(hedge_spec(carried, hedge)), steps)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([-9.5, 9.5]), st.sampled_from([0.5, 1.0, 1.5]), STEPS)
def test_hedges_on_another_venue(carried, beta, steps):
    """They only ever reduce the exposure, and never more than one is under way."""
    bench = HedgeBench(two_venues(carried, beta=beta))
    play(bench, steps)
    assert bench.hedger.state in HedgeState
    assert bench.engine.makers[1].orders.open_lots[0] >= 0
