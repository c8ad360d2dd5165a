"""Aggregate trades: neighbours of one price and aggressor become one, everything else stays apart."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.units import Side
from mmd.exchange.aggregates import aggregate
from mmd.exchange.executions import PublicTrade

_TRADES = st.lists(
    st.tuples(st.integers(99, 101), st.integers(1, 9), st.sampled_from(Side)), max_size=20
)


def _trades(rows: list[tuple[int, int, Side]]) -> list[PublicTrade]:
    return [
        PublicTrade(instrument=0, trade_id=n, price_ticks=p, qty_lots=q, aggressor=side, ts_ns=7)
        for n, (p, q, side) in enumerate(rows, 1)
    ]


@given(_TRADES)
def test_nothing_is_lost_and_neighbours_differ(rows: list[tuple[int, int, Side]]) -> None:
    """Quantities add up, ids are without holes, and no two neighbours could be joined."""
    trades = _trades(rows)
    joined = aggregate(trades, 5)
    assert sum(a.qty_lots for a in joined) == sum(t.qty_lots for t in trades)
    assert [i for a in joined for i in range(a.first_id, a.last_id + 1)] == [
        t.trade_id for t in trades
    ]
    assert [a.aggregate_id for a in joined] == list(range(5, 5 + len(joined)))
    for one, next_one in itertools.pairwise(joined):
        assert (one.price_ticks, one.aggressor) != (next_one.price_ticks, next_one.aggressor)
