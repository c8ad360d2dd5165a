"""Hawkes estimation against a process that was simulated from known parameters."""

import numpy as np
import pytest

from mmd.calibration.hawkes_fit import HawkesFit, compensators, fit_hawkes
from mmd.calibration.observed_market import Orders


def _simulate(fit: HawkesFit, span_s: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Times (ns) and sides by branching: immigrants, and each one's children."""
    rng = np.random.default_rng(seed)
    waiting = [
        (float(t), side)
        for side in (1, -1)
        for t in rng.uniform(0, span_s, rng.poisson(fit.mu * span_s))
    ]
    events = []
    while waiting:
        at, side = waiting.pop()
        events.append((at, side))
        for child, mean in ((side, fit.same), (-side, fit.across)):
            waiting += [
                (at + float(d), child) for d in rng.exponential(1 / fit.decay, rng.poisson(mean))
            ]
    table = np.array(sorted(e for e in events if e[0] < span_s))
    return (table[:, 0] * 1e9).astype(np.int64), table[:, 1].astype(np.int64)


def test_known_parameters_come_back() -> None:
    """From some two thousand orders: within a fifth, the decay within its grid."""
    known = HawkesFit(0.8, 0.5, 0.1, 6.0, 0.0)
    ts_ns, side = _simulate(known, 500.0, 3)
    found = fit_hawkes(ts_ns, side, 500.0)
    assert found.mu == pytest.approx(known.mu, rel=0.2)
    assert found.same == pytest.approx(known.same, rel=0.2)
    assert found.across == pytest.approx(known.across, abs=0.05)
    assert found.decay == pytest.approx(known.decay, rel=0.35)


def test_independent_orders_have_no_branching() -> None:
    """A Poisson process is not made into a cascade."""
    ts_ns, side = _simulate(HawkesFit(2.0, 0.0, 0.0, 1.0, 0.0), 500.0, 4)
    assert fit_hawkes(ts_ns, side, 500.0).branching < 0.1


def test_compensators_count_what_came() -> None:
    """Under the true parameters the expected number of orders is the number there was."""
    known = HawkesFit(0.8, 0.5, 0.1, 6.0, 0.0)
    ts_ns, side = _simulate(known, 1_000.0, 5)
    starts = np.arange(0, 1_001, dtype=np.int64) * 10**9
    expected = compensators(Orders(ts_ns, side, np.ones_like(side)), starts, known)
    for own, sign in enumerate((1, -1)):
        assert expected[own].sum() == pytest.approx((side == sign).sum(), rel=0.1)
