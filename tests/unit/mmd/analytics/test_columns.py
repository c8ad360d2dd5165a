"""Tables that grow."""

from mmd.analytics.columns import STATE, Rows


def test_rows_survive_growth_and_writes() -> None:
    """Past the first allocation, in order; what is written through the view is kept."""
    rows = Rows(STATE)
    for i in range(1000):
        assert rows.append((i, i % 5, 0)) == i
        rows.table["reason"][i] = i % 7
    assert rows.count == len(rows.table) == 1000
    assert rows.table["ts_ns"].tolist() == list(range(1000))
    assert rows.table["reason"].tolist() == [i % 7 for i in range(1000)]


def test_a_row_is_a_view() -> None:
    """A field set through one row is set in the table."""
    rows = Rows(STATE)
    rows.append((1, 2, 3))
    rows.table[0]["state"] = 4
    assert rows.table["state"].tolist() == [4]


def test_halving_keeps_the_even_rows() -> None:
    """And goes on behind them."""
    rows = Rows(STATE)
    for i in range(7):
        rows.append((i, 0, 0))
    rows.halve()
    rows.append((9, 0, 0))
    assert rows.table["ts_ns"].tolist() == [0, 2, 4, 6, 9]
