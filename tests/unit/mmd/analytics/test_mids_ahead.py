"""The mid after a row is the last one known when the horizon has passed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.columns import SAMPLE, Rows
from mmd.analytics.mids_ahead import MidsAhead

HORIZONS_NS = (5, 20, 50, 100, 200, 300)


def row(rows: Rows, ts_ns: int) -> None:
    values = np.zeros((), SAMPLE)
    values["ts_ns"] = ts_ns
    rows.append(values.item())


def test_by_hand() -> None:
    """A change at the very end of a horizon counts, the first of several; one after it does not; the rest stays unknown."""
    rows = Rows(SAMPLE)
    ahead = MidsAhead(rows, horizons_ns=HORIZONS_NS)
    ahead.on_mid(100, 0)
    row(rows, 0)
    ahead.on_mid(102, 5)
    ahead.on_mid(104, 21)
    ahead.settle()
    ahead.on_mids([106, 108], [50, 50])
    ahead.settle()
    assert rows.table["mid_after_half_ticks"][0].tolist() == [102, 102, 106, 0, 0, 0]


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(1, 1000), st.booleans(), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_like_a_look_back(steps: list[tuple[int, int, bool, bool]]) -> None:
    """The same as searching the whole history afterwards, for the rows that halving left, whenever it was settled."""
    rows = Rows(SAMPLE)
    ahead = MidsAhead(rows, horizons_ns=HORIZONS_NS)
    now_ns, times, mids = 0, [], []
    for wait_ns, mid, is_row, is_settled in steps:
        now_ns += wait_ns
        ahead.on_mid(mid, now_ns)
        times.append(now_ns)
        mids.append(mid)
        if is_row:
            row(rows, now_ns)
        if is_settled:
            ahead.settle()
        if rows.count == 8:
            ahead.halve(rows)
    ahead.settle()
    for found in rows.table:
        for horizon, wait_ns in enumerate(HORIZONS_NS):
            due_ns = int(found["ts_ns"]) + wait_ns
            known = due_ns <= now_ns
            expected = mids[int(np.searchsorted(times, due_ns, "right")) - 1] if known else 0
            assert found["mid_after_half_ticks"][horizon] == expected
