"""Signs and weights of markouts, and the baseline of the adverse rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.adverse_selection import adverse_rates, edge_bps, horizon_s, markout_curve
from tests.unit.mmd.analytics.tracks import fill, sample, track


def rng() -> np.random.Generator:
    return np.random.default_rng(2)


def test_markout_by_hand() -> None:
    """Bought 10 at 99.98 under a mid of 100.00 that goes to 99.99, for a fee of 0.0001 a lot's 0.1 notional."""
    bought = fill(1, 1, 9_998, 10, mid_half_ticks=20_000, fee=0.0005, after=[19_998])
    point = markout_curve(track([bought]), rng())[0]
    assert point.horizon_s == horizon_s(0) == 0.1
    assert point.adverse_bps.estimate == pytest.approx(-1.0)
    assert edge_bps(track([bought]), rng()).estimate == pytest.approx(2.0)
    fee_bps = 1e4 * 0.0005 / (10 * 0.001 * 100.0)
    assert point.markout_bps.estimate == pytest.approx(2.0 - 1.0 - fee_bps)


def test_a_sale_has_the_other_sign() -> None:
    """Sold at 100.03, the mid rises to 100.05: an edge of 3, an adverse 5, a rebate of 1 bps."""
    sold = fill(1, -1, 10_003, 10, mid_half_ticks=20_000, fee=-0.0001, after=[20_010])
    point = markout_curve(track([sold]), rng())[0]
    assert point.adverse_bps.estimate == pytest.approx(-5.0)
    assert point.markout_bps.estimate == pytest.approx(3.0 - 5.0 + 1.0)


def test_quantity_weighs_and_levels_part() -> None:
    """Three lots count three times; a horizon that has not passed has no estimate."""
    fills = [
        fill(1, 1, 10_000, 30, after=[20_002], level=0),
        fill(2, 1, 10_000, 10, after=[19_994], level=1),
    ]
    curve = markout_curve(track(fills), rng())
    assert curve[0].adverse_bps.estimate == pytest.approx((3 * 1.0 - 3.0) / 4)
    assert curve[1].adverse_bps.estimate is None
    assert markout_curve(track(fills), rng(), 0)[0].adverse_bps.estimate == pytest.approx(1.0)
    assert markout_curve(track(fills), rng(), 1)[0].adverse_bps.estimate == pytest.approx(-3.0)
    assert markout_curve(track(fills), rng(), 2)[0].adverse_bps.count == 0


def test_adverse_rate_by_hand() -> None:
    """One of two edges is taken back; at random times the mid falls by 4 half ticks in half of all."""
    fills = [
        fill(100, 1, 9_999, 10, after=[19_997]),  # edge 2 half ticks, moved -3
        fill(100, 1, 9_999, 10, after=[19_999]),  # moved -1
    ]
    probes = [
        sample(t, mid_after_half_ticks=[20_000 - 4 * (t % 2), 0, 0, 0, 0, 0]) for t in range(200)
    ]
    rate = adverse_rates(track(fills, probes), rng())[0]
    assert rate.rate == 0.5
    assert rate.baseline == pytest.approx(0.5, abs=0.15)
    assert rate.excess.estimate == pytest.approx(rate.rate - rate.baseline)


def test_an_equal_move_is_not_adverse() -> None:
    """P(AS < -edge) is strict, for fills and for the baseline."""
    fills = [fill(100, 1, 9_999, 10, after=[19_998])]
    probes = [sample(t, mid_after_half_ticks=[19_998, 0, 0, 0, 0, 0]) for t in range(50)]
    rate = adverse_rates(track(fills, probes), rng())[0]
    assert (rate.rate, rate.baseline) == (0.0, 0.0)


def test_the_baseline_is_drawn_near_the_fill() -> None:
    """What the mid did an hour before, when all fell, says nothing about this fill."""
    early = [sample(t, mid_after_half_ticks=[19_000] + [0] * 5) for t in range(60)]
    near = [sample(3600 + t, mid_after_half_ticks=[20_000] + [0] * 5) for t in range(60)]
    fills = [fill(3630, 1, 10_000, 10, after=[20_000])]
    assert adverse_rates(track(fills, early + near), rng())[0].baseline == 0.0


def test_no_fills_no_rates() -> None:
    """And none without samples to compare with."""
    assert all(r.rate is None for r in adverse_rates(track([], [sample(1)]), rng()))
    assert all(
        r.rate is None for r in adverse_rates(track([fill(1, 1, 9_999, 1, after=[1])]), rng())
    )


def test_uninformed_flow_is_not_adverse() -> None:
    """Fills at random times on a random walk: the excess is zero within its interval, the raw rate is not."""
    walk_rng = np.random.default_rng(8)
    mids = 20_000 + 2 * walk_rng.integers(-2, 3, 4000).cumsum()
    probes = [
        sample(t, mid_half_ticks=int(mids[t]), mid_after_half_ticks=[int(mids[t + 5])] + [0] * 5)
        for t in range(3990)
    ]
    fills = []
    for t in np.sort(walk_rng.integers(0, 3990, 400)).tolist():
        sign, mid = int(walk_rng.choice([-1, 1])), int(mids[t])
        price = (mid - 2 * sign) // 2
        fills.append(fill(t, sign, price, 10, mid_half_ticks=mid, after=[int(mids[t + 5])]))
    rate = adverse_rates(track(fills, probes), rng())[0]
    assert rate.rate > 0.2
    assert rate.excess.low < 0.0 < rate.excess.high
    assert abs(rate.excess.estimate) < 0.06


@given(st.integers(-50, 50), st.integers(-50, 50), st.sampled_from([-1, 1]))
def test_markout_is_what_closing_at_the_mid_would_pay(edge: int, moved: int, sign: int) -> None:
    """Edge plus adverse move: s (M after - P), whatever the mid was at the fill."""
    price, mid, after = 10_000, 2 * (10_000 + sign * edge), 2 * (10_000 + sign * edge + moved)
    point = markout_curve(
        track([fill(1, sign, price, 7, mid_half_ticks=mid, after=[after])]), rng()
    )[0]
    assert point.markout_bps.estimate == pytest.approx(1e4 * sign * (after / 2 - price) / (mid / 2))
