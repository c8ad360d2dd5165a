"""Scores of forecasts whose worth is known, and what their intervals let one say."""

import numpy as np
import pytest

from mmd.analytics.forecast_scores import HorizonScores, score_horizon

DAY_NS = 86_400_000_000_000
N, DAYS = 20_000, 20


def scored(share: float, simple_share: float, days: int = DAYS) -> HorizonScores:
    """Changes of which forecasts know so many shares of the variance; a quarter of bars do not move."""
    rng = np.random.default_rng(1)
    known, other, noise = rng.normal(size=(3, N))
    y = np.sqrt(share) * known + np.sqrt(simple_share) * other
    y = y + np.sqrt(1 - share - simple_share) * noise
    y[::4] = 0.0
    forecast, simple = np.sqrt(share) * known, np.sqrt(simple_share) * other
    probability = 1 / (1 + np.exp(-3 * forecast))
    y[5], forecast[7] = np.nan, np.nan
    end_ns = np.arange(1, N + 1) * (days * DAY_NS // N)
    return score_horizon(
        10, end_ns, y, forecast, probability, {"other": simple}, np.random.default_rng(2)
    )


def test_r2_and_signs_are_those_of_the_market() -> None:
    """R2 of the moves' known share, less what is lost on bars without a move; signs from the angle between them."""
    s = scored(0.2, 0.0)
    assert (s.n, s.block, s.r2.count) == (N - 2, "day", DAYS)
    assert s.r2.estimate == pytest.approx(0.2 * (2 - 4 / 3), abs=0.02)
    assert s.hits.estimate == pytest.approx(0.5 + np.arcsin(np.sqrt(0.2)) / np.pi, abs=0.015)
    assert s.r2.low < s.r2.estimate < s.r2.high
    assert s.brier < s.brier_of_none == pytest.approx(0.25, abs=0.001)
    fall, rise = np.array(s.confusion)
    assert fall.sum() + rise.sum() == s.n
    assert fall[1] + rise[1] == s.n - s.moves
    assert (fall[0] + rise[2]) / s.moves == pytest.approx(s.hits.estimate, abs=0.02)


def test_verdicts_say_what_the_intervals_say() -> None:
    """Better, worse, and neither."""
    assert "beats the other baseline: R2 difference +" in scored(0.2, 0.02).verdicts[0]
    assert "is worse than the other baseline: R2 difference -" in scored(0.02, 0.2).verdicts[0]
    assert "does not beat the other baseline" in scored(0.1, 0.1).verdicts[0]
    assert "too little data" in scored(0.2, 0.1, days=0).verdicts[0]


def test_differences_are_paired() -> None:
    """The difference is that of the two scores, and its interval is its own, not theirs apart."""
    s = scored(0.15, 0.1)
    other = s.against[0]
    assert other.r2_more.estimate == pytest.approx(s.r2.estimate - other.r2.estimate)
    assert other.hits_more.estimate == pytest.approx(s.hits.estimate - other.hits.estimate)


def test_blocks_shrink_with_the_data() -> None:
    """Days where there are five, else hours where there are ten, else ten minutes."""
    assert scored(0.1, 0.1, days=5).block == "day"
    assert scored(0.1, 0.1, days=4).block == "hour"


def test_bins_are_of_like_count_and_rise() -> None:
    """Ten bins; what came rises with what was forecast, and together they are all forecasts."""
    s = scored(0.3, 0.0)
    assert sum(b.n for b in s.deciles) == s.n
    assert sum(b.n for b in s.calibration) == s.moves
    realised = [b.realised for b in s.deciles]
    assert realised == sorted(realised)
    assert s.deciles[9].realised == pytest.approx(0.75 * s.deciles[9].forecast, rel=0.15)
