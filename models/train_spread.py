"""Training of the spread model: gradient-boosted trees from a sample's inputs to its best half-spread.

Fit, selection and test follow one another in time, each separated from the next by what a label looks ahead.
Selection decides how many trees are kept; the test stretch is not looked at here.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import lightgbm as lgb
import msgspec
import numpy as np

from mmd.core.learned.schema import NAMES
from mmd.errors import TrainingError
from mmd.jit.kernel import F4, F8
from models.price_data import unseen_cycles
from models.spread_labels import HALF_SPREAD_MAX_BPS, HALF_SPREAD_MIN_BPS, SpreadData

_LABELLED_MIN: Final = 200


class SpreadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train; the same settings and data give the same trees."""

    leaves: int = 31
    learning_rate: float = 0.05
    feature_fraction: float = 0.9
    bagging_fraction: float = 0.8
    bagging_every: int = 5
    samples_per_leaf_min: int = 100
    rounds_max: int = 500
    patience: int = 20
    """Rounds without a better selection loss before training stops."""
    seed: int = 1


class SpreadSplit(NamedTuple):
    """Three stretches in time order, with an embargo between them."""

    fit: SpreadData
    selection: SpreadData
    test: SpreadData


class Forest(NamedTuple):
    """What was trained: the booster, cut at its best round, and both losses by round (RMSE, bps)."""

    booster: lgb.Booster
    fit_loss: list[float]
    selection_loss: list[float]


class Importance(NamedTuple):
    """Of each input, by its name: gain over all splits, and mean absolute SHAP value, bps."""

    names: tuple[str, ...]
    gain: F8
    shap: F8


def split_samples(
    data: SpreadData, embargo_ns: int, selection: float = 0.15, test: float = 0.2
) -> SpreadSplit:
    """Cut into three by share of samples; no label of one part looks into the next.

    Raises:
        TrainingError: A part is left with too few labelled samples.
    """
    n = len(data.mid)
    first, second = int(n * (1.0 - selection - test)), int(n * (1.0 - test))

    def before(cut: int) -> int:
        return int(np.searchsorted(data.end_ns, data.end_ns[cut] - embargo_ns))

    parts = SpreadSplit(
        data.part(slice(0, before(first))),
        data.part(slice(first, before(second))),
        data.part(slice(second, n)),
    )
    for name, part in parts._asdict().items():
        known = int((~np.isnan(part.label_bps)).sum())
        if known < _LABELLED_MIN:
            raise TrainingError(
                f"{name} stretch: expected at least {_LABELLED_MIN} labelled samples, found {known:,}: "
                "give more tapes, or average over fewer samples"
            )
    return parts


def train_forest(
    split: SpreadSplit,
    settings: SpreadSettings,
    *,
    on_round: Callable[[int, float], None] = lambda _number, _loss: None,
) -> Forest:
    """Train until selection does not get better.

    Args:
        split: fit and selection are used.
        settings: see SpreadSettings.
        on_round: told of each round's number and selection loss.

    Raises:
        TrainingError: All labels of the fit stretch are the same: there is nothing to learn.
    """
    muted = unseen_cycles(split.fit.end_ns)
    fit, selection = (_labelled(part, muted) for part in (split.fit, split.selection))
    if len(np.unique(fit[1])) < 2:
        raise TrainingError(
            f"the best half-spread is {fit[1][0]:g} bps in every sample: expected more than one; "
            "average over fewer samples, or let quotes stand for longer"
        )
    train_set = lgb.Dataset(fit[0], fit[1], feature_name=[name for name, _ in NAMES])
    losses: dict[str, Any] = {}

    def told(env: lgb.callback.CallbackEnv) -> None:
        found = [float(row[2]) for row in env.evaluation_result_list or [] if row[0] == "selection"]
        on_round(env.iteration + 1, found[0])

    booster = lgb.train(
        _parameters(settings),
        train_set,
        num_boost_round=settings.rounds_max,
        valid_sets=[train_set, lgb.Dataset(*selection, reference=train_set)],
        valid_names=["fit", "selection"],
        callbacks=[
            lgb.early_stopping(settings.patience, verbose=False, first_metric_only=True),
            lgb.record_evaluation(losses),
            told,
        ],
    )
    kept = lgb.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))
    curves = [[float(v) for v in losses[name]["rmse"]] for name in ("fit", "selection")]
    return Forest(kept, curves[0], curves[1])


def _parameters(settings: SpreadSettings) -> dict[str, Any]:
    return {
        "objective": "regression",
        "metric": "rmse",
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.bagging_fraction,
        "bagging_freq": settings.bagging_every,
        "min_data_in_leaf": settings.samples_per_leaf_min,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "use_missing": False,
        "verbosity": -1,
    }


def _labelled(part: SpreadData, muted: list[int]) -> tuple[F8, F8]:
    """Inputs and labels of the samples that have one."""
    known = ~np.isnan(part.label_bps)
    x = part.x[known].astype(np.float64)
    x[:, muted] = 0.0
    return x, part.label_bps[known]


def predicted(booster: lgb.Booster, x: F4) -> F8:
    """Half-spreads in bps, between the bounds that the daemon keeps too."""
    raw = np.asarray(booster.predict(x.astype(np.float64), num_threads=1))
    out: F8 = np.clip(raw, HALF_SPREAD_MIN_BPS, HALF_SPREAD_MAX_BPS)
    return out


def importance(booster: lgb.Booster, x: F4) -> Importance:
    """LightGBM's own measures; SHAP over the samples given.

    Source: Lundberg, Lee (2017), "A Unified Approach to Interpreting Model Predictions"; LightGBM `pred_contrib`.
    """
    shares = np.asarray(booster.predict(x.astype(np.float64), pred_contrib=True, num_threads=1))
    gain = booster.feature_importance("gain").astype(np.float64)
    return Importance(tuple(booster.feature_name()), gain, np.abs(shares[:, :-1]).mean(axis=0))
