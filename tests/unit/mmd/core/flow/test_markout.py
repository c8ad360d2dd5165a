"""Markouts: judged in time, with the mid of that time, against a plain re-computation."""

import bisect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.flow import markout
from mmd.core.flow.markout import FILLS_MAX, HORIZONS, HORIZONS_NS, Markouts
from mmd.core.units import Side
from mmd.jit.kernel import interpreted

MS = 1_000_000
SHORT = (2, 5, 9, 14, 30, 60)


def test_a_fill_is_judged_when_its_horizon_has_passed():
    """Bought at 100 with the mid at 100.5; the mid falls by one tick before the first horizon."""
    markouts = Markouts()
    markouts.on_mid(201, 0)
    markouts.on_fill(Side.BUY, 100, 10, 201, 0)
    assert markouts.on_mid(199, 50 * MS) == 0
    assert markouts.curve(Side.BUY)[0].adverse_ticks is None
    assert markouts.on_time(100 * MS) == 1
    first = markouts.curve(Side.BUY)[0]
    assert (first.horizon_ns, first.fills, first.adverse_ticks, first.adverse_ticks_rms) == (
        100 * MS,
        1,
        -1.0,
        1.0,
    )
    assert markouts.edge_ticks(Side.BUY) == 0.5
    assert markouts.edge_ticks(Side.SELL) is None


def test_a_mid_from_after_the_horizon_is_never_used():
    """The next mid comes late: what held at the horizon is the one before."""
    markouts = Markouts()
    markouts.on_mid(200, 0)
    markouts.on_fill(Side.SELL, 101, 10, 200, 0)
    assert markouts.on_mid(900, 2000 * MS) == 2
    assert [c.adverse_ticks for c in markouts.curve(Side.SELL)[:2]] == [0.0, 0.0]


def test_a_mid_at_the_very_horizon_counts():
    """Known at t + h is known."""
    markouts = Markouts()
    markouts.on_fill(Side.SELL, 101, 10, 200, 0)
    assert markouts.on_mid(210, 100 * MS) == 1
    assert markouts.curve(Side.SELL)[0].adverse_ticks == -5.0


def test_averages_are_weighted_by_quantity():
    """Three lots that lost one tick and one that gained three: nothing on average."""
    markouts = Markouts(SHORT)
    markouts.on_fill(Side.BUY, 100, 3, 202, 0)
    markouts.on_fill(Side.BUY, 100, 1, 194, 0)
    markouts.on_mid(200, 2)
    first = markouts.curve(Side.BUY)[0]
    assert (first.fills, first.adverse_ticks) == (2, 0.0)
    assert first.adverse_ticks_rms == pytest.approx(math.sqrt((3 * 1 + 9) / 4))


def test_a_full_ring_drops_the_oldest_and_says_so():
    """Horizons that a fill had already reached keep it."""
    markouts = Markouts(SHORT)
    dropped = sum(markouts.on_fill(Side.BUY, 100, 1, 200, 0) for _ in range(FILLS_MAX))
    assert dropped == 0
    markouts.on_mid(202, 2)
    assert markouts.on_fill(Side.BUY, 100, 1, 202, 3) == 1
    markouts.on_time(1000)
    curve = markouts.curve(Side.BUY)
    assert [c.dropped for c in curve] == [0, 1, 1, 1, 1, 1]
    assert [c.fills for c in curve] == [FILLS_MAX + 1] + [FILLS_MAX] * (HORIZONS - 1)


def test_standard_horizons_are_those_of_the_design():
    """0.1, 1, 5, 30, 300 and 600 seconds."""
    assert [h / 1e9 for h in HORIZONS_NS] == [0.1, 1, 5, 30, 300, 600]


@pytest.mark.parametrize("horizons", [(1, 2, 3), (6, 5, 4, 3, 2, 1)])
def test_impossible_horizons_are_refused(horizons):
    """A programmer's error."""
    with pytest.raises(AssertionError):
        Markouts(horizons)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["mid", "mid", "fill", "time"]),
        st.integers(150, 250),
        st.sampled_from(Side),
        st.integers(1, 9),
    ),
    max_size=60,
)


def naive(fills, mids, now_ns):
    """Every (side, horizon) from the definition: sums over fills whose horizon has passed."""
    sums = {}
    times = [at for at, _ in mids]
    for at, side, lots, before in fills:
        for h, wait in enumerate(SHORT):
            if at + wait <= now_ns:
                later = mids[bisect.bisect_right(times, at + wait) - 1][1]
                moved = side.sign * (later - before)
                n, weight, total, square = sums.get((side, h), (0, 0, 0, 0))
                sums[side, h] = (
                    n + 1,
                    weight + lots,
                    total + lots * moved,
                    square + lots * moved**2,
                )
    return sums


@settings(deadline=None)  # the first example compiles the inlined helpers for the interpreter
@given(STEPS)
def test_sums_equal_the_definition(steps):
    """Any interleaving of fills, mids and silence, compiled and interpreted."""
    compiled, plain = Markouts(SHORT), markout.new_markout(SHORT)
    calls = {
        name: interpreted(getattr(getattr(markout, name), "py_func", getattr(markout, name)))
        for name in ("on_mid", "on_fill", "on_time")
    }
    now_ns, mid, fills, mids = 0, 200, [], [(0, 200)]
    compiled.on_mid(mid, 0)
    calls["on_mid"](plain, mid, 0)
    for wait, what, value, side, lots in steps:
        now_ns += 2 * wait + 1 if what == "mid" else wait
        if what == "mid":
            mid = value
            mids.append((now_ns, mid))
            assert compiled.on_mid(mid, now_ns) == calls["on_mid"](plain, mid, now_ns)
        elif what == "fill":
            fills.append((now_ns, side, lots, mid))
            compiled.on_fill(side, 100, lots, mid, now_ns)
            calls["on_fill"](plain, int(side), 100, lots, mid, now_ns)
        else:
            assert compiled.on_time(now_ns) == calls["on_time"](plain, now_ns)
    now_ns += 1
    compiled.on_time(now_ns)
    calls["on_time"](plain, now_ns)
    assert compiled.record.tobytes() == plain.tobytes()
    m, expected = compiled.record[0], naive(fills, mids, now_ns)
    for side in Side:
        for h in range(HORIZONS):
            got = (
                m["fills"][side, h],
                m["weight"][side, h],
                m["moved"][side, h],
                m["squared"][side, h],
            )
            assert tuple(got) == expected.get((side, h), (0, 0, 0, 0.0))


SWEEPS = st.lists(
    st.tuples(
        st.sampled_from(Side), st.integers(0, 6), st.integers(96, 104), st.integers(190, 210)
    ),
    max_size=40,
)


@given(SWEEPS)
def test_a_streak_is_counted_as_defined(fills):
    """Fills in a row with a negative markout; those of one side within a horizon of the last counted are one."""
    markouts, horizon_ns = Markouts(SHORT), SHORT[0]
    now_ns, expected, counted_ns, counted_side = 0, 0, None, None
    for side, wait_ns, price, mid in fills:
        now_ns += wait_ns
        ts_ns = now_ns
        markouts.on_fill(side, price, 1, 200, now_ns)
        now_ns += horizon_ns
        markouts.on_mid(mid, now_ns)
        if side.sign * (mid - 2 * price) >= 0:
            expected = 0
        elif not (expected and side is counted_side and ts_ns - counted_ns < horizon_ns):
            expected, counted_ns, counted_side = expected + 1, ts_ns, side
        assert markouts.streak(0) == expected
    markouts.forget_streak(0)
    assert markouts.streak(0) == 0


def test_fills_of_one_sweep_are_one_of_the_streak():
    """Three bids filled at once by the same news, then an ask; a good fill ends it."""
    markouts = Markouts(SHORT)
    for _ in range(3):
        markouts.on_fill(Side.BUY, 100, 1, 201, 10)
    markouts.on_mid(190, 12)
    assert markouts.streak(0) == 1
    markouts.on_fill(Side.SELL, 94, 1, 190, 13)
    markouts.on_mid(196, 15)
    assert markouts.streak(0) == 2
    markouts.on_fill(Side.SELL, 99, 1, 196, 20)
    markouts.on_mid(197, 22)
    assert markouts.streak(0) == 0
