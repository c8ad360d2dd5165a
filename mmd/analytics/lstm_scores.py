"""A trained price predictor on the test stretch, beside what it must beat."""

from collections.abc import Sequence

import numpy as np

from mmd.analytics.columns import Floats
from mmd.analytics.forecast_scores import HorizonScores, score_horizon
from mmd.core.learned.lstm import CHANGE, DIRECTION
from models.price_baselines import IMBALANCE, LINEAR, fit_linear, imbalance_forecast
from models.price_data import Split


def score_forecasts(split: Split, forecasts: Floats, seed: int) -> list[HorizonScores]:
    """Score forecasts of the test stretch, by horizon.

    Args:
        split: the baselines are fitted on its fit stretch.
        forecasts: shape (n, h, 3), of `models.train_lstm.forecast` along its test stretch.
        seed: of the resampling.
    """
    test = split.test
    linear = fit_linear(split).predict(test.bars.x)
    imbalance = imbalance_forecast(split, test)
    return [
        score_horizon(
            bars,
            test.bars.end_ns,
            test.change[:, k],
            forecasts[:, k, CHANGE],
            forecasts[:, k, DIRECTION],
            {IMBALANCE: imbalance[:, k], LINEAR: linear[:, k]},
            np.random.default_rng(seed),
        )
        for k, bars in enumerate(test.horizons)
    ]


def manifest_metrics(scores: Sequence[HorizonScores]) -> dict[str, float]:
    """The scores as a manifest keeps them, names ending in the horizon in bars."""
    found: dict[str, float | None] = {}
    for s in scores:
        found[f"r2_{s.bars}"], found[f"right_signs_{s.bars}"] = s.r2.estimate, s.hits.estimate
        found[f"r2_low_{s.bars}"], found[f"r2_high_{s.bars}"] = s.r2.low, s.r2.high
        found[f"brier_{s.bars}"] = s.brier
        for other in s.against:
            name = f"r2_more_than_{other.name.replace(' ', '_')}"
            found[f"{name}_{s.bars}"] = other.r2_more.estimate
            found[f"{name}_low_{s.bars}"] = other.r2_more.low
            found[f"{name}_high_{s.bars}"] = other.r2_more.high
    return {
        name: value for name, value in found.items() if value is not None and np.isfinite(value)
    }
