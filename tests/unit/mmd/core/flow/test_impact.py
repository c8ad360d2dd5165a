"""The impact tracker against markets whose impact is known."""

import numpy as np
import pytest

from mmd.core.flow import mid_history
from mmd.core.flow.impact import LAGS_S, PERMANENT_S, Impact, ImpactTracker
from mmd.core.flow.mid_history import HISTORY
from mmd.jit.kernel import kernel, new


@kernel
def note(history, mid, net, now_ns):
    mid_history.note(history[0], mid, net, now_ns)


def tracked(permanent: float, temporary: float, seconds: int, noise: float = 0.0) -> ImpactTracker:
    """Each lot moves the mid by permanent + temporary ticks, and the temporary part is gone a second later."""
    rng = np.random.default_rng(4)
    flow = rng.integers(-20, 21, seconds)
    history, size = new(HISTORY), history_bytes()
    tracker = ImpactTracker(history)
    lasting = np.cumsum(permanent * flow + noise * rng.standard_normal(seconds))
    for k in range(seconds):
        price = 100_000 + lasting[k] + temporary * flow[k]
        note(history, round(2 * price), int(flow[: k + 1].sum()), k * 10**9)
        tracker.on_step()
    assert history.nbytes == size, "memory does not grow"
    return tracker


def history_bytes() -> int:
    return new(HISTORY).nbytes


def test_permanent_and_temporary_impact_are_told_apart():
    """Kyle's lambda is their sum; what a minute leaves is permanent."""
    got = tracked(0.5, 1.5, 3_000).impact
    assert got.kyle == pytest.approx(2.0, abs=0.1)
    assert got.permanent == pytest.approx(0.5, abs=0.1)
    assert got.temporary == pytest.approx(1.5, abs=0.15)
    assert list(got.by_lag) == list(LAGS_S)
    assert got.by_lag[1] == pytest.approx(got.permanent, abs=0.15)


def test_noise_has_no_impact():
    """A mid that does not care about trades: zero within a few standard errors."""
    got = tracked(0.0, 0.0, 3_000, noise=3.0).impact
    assert got.kyle is not None
    assert abs(got.kyle) < 0.02
    assert abs(got.permanent) < 0.2


def test_too_little_trading_says_nothing():
    """A minute's worth of seconds with trades is wanted, at each lag."""
    early = tracked(1.0, 0.0, 59).impact
    assert (early.kyle, early.permanent, early.temporary) == (None, None, None)
    later = tracked(1.0, 0.0, PERMANENT_S + 20).impact
    assert later.kyle is not None
    assert later.permanent is None
    assert Impact(1.0, None, {}).temporary is None
