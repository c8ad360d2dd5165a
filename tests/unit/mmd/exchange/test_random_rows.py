"""Randomness by counter: rows do not depend on what was read before."""

from mmd.exchange.random_rows import RandomRows


def test_rows_are_the_same_in_any_order() -> None:
    """Reading backwards, or skipping, gives the same numbers."""
    forward = RandomRows(7, 1, 4)
    rows = [forward.row(i) for i in range(600)]
    backward = RandomRows(7, 1, 4)
    assert [backward.row(i) for i in (599, 300, 0)] == [rows[599], rows[300], rows[0]]


def test_streams_and_seeds_differ_and_numbers_are_uniform() -> None:
    """No two streams share rows; all numbers are in [0, 1) and centred."""
    streams = [RandomRows(seed, stream, 2) for seed in (1, 2) for stream in (1, 2)]
    firsts = {tuple(s.row(0)) for s in streams}
    assert len(firsts) == 4
    values = [u for i in range(2000) for u in streams[0].row(i)]
    assert all(0.0 <= u < 1.0 for u in values)
    assert abs(sum(values) / len(values) - 0.5) < 0.02
