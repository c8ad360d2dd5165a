"""Trade flow against its definition as a sum over all trades."""

import math

import numpy as np
import pytest

from mmd.core.market import trade_flow as kernels
from mmd.core.market.record import MARKET
from mmd.core.market.trade_flow import LONG_TAU_S, TAUS_S, TRADE_FLOW
from mmd.jit.kernel import Rec, bind, kernel, new
from tests.market_events import fill, trade

SECOND = 1_000_000_000
MARKET_REC = new(MARKET)
on_trade = bind(kernels.on_trade, new(TRADE_FLOW), MARKET_REC)
decay_to = bind(kernels.decay_to, new(TRADE_FLOW), 0)


@kernel
def imbalance(flow: Rec) -> float:
    return kernels.imbalance(flow[0])


@pytest.fixture
def flow() -> Rec:
    """No trades yet."""
    return new(TRADE_FLOW)


def test_flow_is_the_sum_of_signed_lots_by_age(flow) -> None:
    """Each trade weighs exp(-age / tau); sellers' trades count as negative."""
    rng = np.random.default_rng(3)
    times_ns = np.cumsum(rng.integers(0, SECOND, 200)) + 10**18
    lots, sides = rng.integers(1, 50, 200), rng.integers(0, 2, 200)
    for time_ns, n, side in zip(times_ns.tolist(), lots.tolist(), sides.tolist(), strict=True):
        on_trade(flow, trade(100, n, side, time_ns))
    now_ns = int(times_ns[-1]) + 700_000_000
    decay_to(flow, now_ns)
    age_s = (now_ns - times_ns) / SECOND
    signed = lots * (1 - 2 * sides)
    expected = [float((signed * np.exp(-age_s / tau)).sum()) for tau in TAUS_S]
    assert flow["signed_lots"][0] == pytest.approx(expected, rel=1e-9)
    assert flow["trades_per_s"][0] == pytest.approx(np.exp(-age_s / 30).sum() / 30, rel=1e-9)


def test_intensity_approaches_the_rate_of_regular_trades(flow) -> None:
    """Four trades a second for five minutes read as four a second."""
    for k in range(1200):
        on_trade(flow, fill(MARKET_REC, 4, [(100, 1)], ts_recv_ns=10**9 + k * SECOND // 4))
    assert flow["trades_per_s"][0] == pytest.approx(4.0, rel=0.01)


def test_time_before_the_flows_own_changes_nothing(flow) -> None:
    """A clock that steps back neither grows nor shrinks what is known."""
    on_trade(flow, trade(100, 8, 0, 5 * SECOND))
    before = flow.tobytes()
    decay_to(flow, 4 * SECOND)
    assert flow.tobytes() == before


def test_decay_in_steps_is_decay_at_once(flow) -> None:
    """Ten tenths of a second forget as much as one second."""
    on_trade(flow, trade(100, 8, 1, 5 * SECOND))
    for k in range(1, 11):
        decay_to(flow, 5 * SECOND + k * SECOND // 10)
    assert flow["signed_lots"][0, 0] == pytest.approx(-8 * math.exp(-1))


def test_activity_is_recent_volume_over_the_usual() -> None:
    """A steady market has 1; ten times the lots show at once, and a lull brings it down as time passes."""
    flow, now_ns = new(TRADE_FLOW), SECOND
    activity = bind(kernels.activity, flow, 0)
    assert activity(flow, now_ns) == 1.0
    for _ in range(3_600):
        on_trade(flow, trade(100, 5, 0, now_ns))
        now_ns += SECOND
    assert activity(flow, now_ns) == pytest.approx(1.0, rel=0.05)
    for _ in range(60):
        on_trade(flow, trade(100, 50, 1, now_ns))
        now_ns += SECOND
    busy = activity(flow, now_ns)
    assert busy == pytest.approx(10 * (1 - math.exp(-2)) / 1.3, rel=0.15)
    assert activity(flow, now_ns + 60 * SECOND) < 0.2 * busy


def test_there_is_no_usual_volume_in_the_first_minute() -> None:
    """One trade says nothing about what is usual."""
    flow = new(TRADE_FLOW)
    activity = bind(kernels.activity, flow, 0)
    on_trade(flow, trade(100, 5, 0, SECOND))
    assert activity(flow, 30 * SECOND) == 1.0
    assert activity(flow, 90 * SECOND) != 1.0


def test_five_minute_sums_and_net_volume(flow) -> None:
    """Bought and sold apart, each trade by its age at the last one; the net volume forgets nothing."""
    trades = [(0, 10, 0), (60, 30, 1), (200, 5, 1)]
    for at_s, lots, side in trades:
        on_trade(flow, trade(100, lots, side, (1 + at_s) * SECOND))
    weights = [math.exp((at_s - 200) / LONG_TAU_S) for at_s, _, _ in trades]
    bought, sold = 10 * weights[0], 30 * weights[1] + 5
    assert flow["long_lots"][0] == pytest.approx([bought, sold])
    assert flow["long_trades"][0] == pytest.approx(sum(weights))
    assert flow["net_lots"][0] == 10 - 35
    assert imbalance(flow) == pytest.approx((bought - sold) / (bought + sold))
    assert imbalance(new(TRADE_FLOW)) == 0.0


@pytest.mark.parametrize(("chance", "low", "high"), [(0.5, 0.0, 0.25), (1.0, 0.65, 1.0)])
def test_vpin_tells_one_sided_from_balanced_volume(
    flow, chance: float, low: float, high: float
) -> None:
    """Ten trades a second for ten minutes; what it is told of is volume, not news."""
    rng = np.random.default_rng(5)
    for k in range(6_000):
        side = int(rng.random() > chance)
        on_trade(flow, trade(100, int(rng.integers(1, 20)), side, SECOND + k * SECOND // 10))
    for k in range(30_000):
        side = int(rng.random() > chance)
        on_trade(flow, trade(100, int(rng.integers(1, 20)), side, 601 * SECOND + k * SECOND // 10))
    assert low <= flow["vpin"][0] <= high


def test_a_trade_larger_than_a_bucket_fills_several(flow) -> None:
    """All of one side."""
    on_trade(flow, trade(100, 1, 0, SECOND))
    on_trade(flow, trade(100, 10**9, 1, 2 * SECOND))
    assert 0.0 <= flow["vpin"][0] <= 1.0
    assert 0.0 < flow["bucket_room"][0] <= flow["bucket_lots"][0]
