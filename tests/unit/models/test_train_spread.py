"""Trees find a half-spread that follows an input, repeat themselves from a seed, and are judged on unseen data."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightgbm", reason="lightgbm is not installed: pip install -e '.[train]'")

from mmd.analytics.spread_training_page import spread_page
from mmd.analytics.spread_verdict import best_fixed, judge, manifest_metrics
from mmd.core.learned.schema import NAMES, N
from mmd.errors import TrainingError
from mmd.tape.format import ROW
from models.checks import check_golden
from models.registry import Registry
from models.serving import SHIPPED, has_weight
from models.spread_artefact import write_spread
from models.spread_labels import LabelSettings, SpreadData, best_half_spreads
from models.train_spread import (
    SpreadSettings,
    importance,
    predicted,
    split_samples,
    train_forest,
)
from tests.tapes import row, write_tape

S = 1_000_000_000
GRID = np.array([1.0, 2.0, 4.0, 8.0])
LABELS = LabelSettings(smoothing=1, every=10)
INPUT = 3


def market(n: int = 6_000, *, follows: bool = True, seed: int = 1) -> SpreadData:
    """Where input 3 is high 4 bps earn most, else 1 bps; with follows off that is drawn afresh."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N)).astype(np.float32)
    state = x[:, INPUT] if follows else rng.normal(size=n)
    wide = state[:, None] > 0.0
    gain = np.where(wide, [-1.0, 0.2, 1.0, 0.5], [1.0, 0.5, 0.1, 0.0])
    edge = gain + 0.05 * rng.normal(size=(n, 4))
    smooth, label = best_half_spreads(edge, GRID, 1)
    at = np.arange(1, n + 1) * S
    share = np.full((n, 4), 0.5)
    return SpreadData(at, x, np.full(n, 10_000.0), GRID, share, edge, smooth, label)


def test_a_spread_that_follows_an_input_is_found_and_earns(tmp_path: Path) -> None:
    """The right input leads, the model beats both others beyond chance, and the artefact computes the same bits."""
    split = split_samples(market(), 20 * S)
    forest = train_forest(split, SpreadSettings())
    found = importance(forest.booster, split.test.x[:200])
    assert NAMES[int(np.argmax(found.gain))] == NAMES[int(np.argmax(found.shap))] == NAMES[INPUT]
    half = tuple(predicted(forest.booster, part.x) for part in split[1:])
    verdict = judge(split.fit, split.selection, split.test, half)
    assert verdict.over_fixed.low is not None
    assert verdict.over_fixed.low > 0.3
    assert verdict.weight > 0.0
    assert verdict.sentence.startswith("It helps")
    tape = write_tape(
        tmp_path / "x.tape.parquet", np.array([row(1, price_ticks=1, qty_lots=1)], ROW)
    )
    made = write_spread(
        tmp_path / "models", forest, split.test, [tape.path], SpreadSettings(), LABELS,
        bar_ns=S // 10, version="0", command="mmd train spread", metrics=manifest_metrics(verdict),
    )  # fmt: skip
    check_golden(made)
    assert made.manifest.metrics["ensemble_weight"] == verdict.weight
    assert np.array_equal(made.golden["outputs"], forest.booster.predict(made.golden["inputs"]))
    text = spread_page(made.manifest, forest, split, found, verdict)
    assert verdict.sentence in text
    assert made.manifest.data[0].sha256 in text


def test_noise_earns_no_weight() -> None:
    """Where the best half-spread follows nothing, trees that follow something do worse, and the verdict says so."""
    split = split_samples(market(follows=False), 20 * S)
    forest = train_forest(split, SpreadSettings(rounds_max=30))
    half = tuple(predicted(forest.booster, part.x) for part in split[1:])
    verdict = judge(split.fit, split.selection, split.test, half)
    assert verdict.weight == 0.0
    assert verdict.sentence.startswith("It does worse")


def test_what_cannot_be_told_from_the_best_fixed_one_has_not_been_shown_to_help() -> None:
    """The same half-spread under another name: nothing better, nothing worse."""
    split = split_samples(market(follows=False), 20 * S)
    best = best_fixed(split.fit)
    half = tuple(np.full(len(part.x), best) for part in split[1:])
    verdict = judge(split.fit, split.selection, split.test, half)
    assert verdict.over_fixed.estimate == 0.0
    assert verdict.weight == 0.0
    assert verdict.sentence.startswith("It has not been shown to help")


def test_the_same_seed_gives_the_same_trees() -> None:
    """And another one others."""
    split = split_samples(market(3_000), 20 * S)
    texts = [
        train_forest(split, SpreadSettings(rounds_max=20, seed=seed)).booster.model_to_string()
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_no_label_looks_into_the_next_stretch() -> None:
    """Between the last sample of a part and the first of the next lies what a label looks ahead."""
    split = split_samples(market(), 20 * S)
    for one, other in pairwise(split):
        assert other.end_ns[0] - one.end_ns[-1] > 20 * S


def test_the_fixed_half_spread_is_the_one_that_earned_most() -> None:
    """By the stretch that is given."""
    data = market()
    assert best_fixed(data) == GRID[np.argmax(data.edge_bps.mean(axis=0))]


def test_one_label_for_all_and_too_few_labels_are_refused() -> None:
    """With what to do about it."""
    data = market()
    same = data._replace(label_bps=np.full_like(data.label_bps, 8.0))
    with pytest.raises(TrainingError, match="8 bps in every sample"):
        train_forest(split_samples(same, 20 * S), SpreadSettings())
    with pytest.raises(TrainingError, match="labelled samples, found 0"):
        split_samples(data._replace(label_bps=np.full_like(data.label_bps, np.nan)), 20 * S)


def test_the_shipped_trees_verify_and_have_the_weight_that_they_earned() -> None:
    """Files and golden outputs as they were; not shown to help, so that they move no quote."""
    champion = Registry(SHIPPED).champion("spread_forest")
    assert champion is not None
    metrics = champion.manifest.metrics
    assert (metrics["edge_over_fixed_low_bps"] > 0.0) == (metrics["ensemble_weight"] > 0.0)
    assert has_weight(champion) == (metrics["ensemble_weight"] > 0.0)
    assert champion.manifest.command.startswith("mmd train spread")
