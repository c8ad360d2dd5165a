"""Every part is measured, and what is not installed is said in a line."""

import importlib.util

import pytest

from mmd.core.learned import forest
from models.bench import TREES, Skipped, Timing, bench, made_up_trees


def test_without_the_training_libraries_the_kernels_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Times above nothing, quantiles in order, the plain numpy way beside the kernel."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    found = list(bench((8,)))
    timings = [f for f in found if isinstance(f, Timing)]
    assert all(0.0 < t.p50_us <= t.p99_us for t in timings)
    assert {t.backend for t in timings} == {"kernel", "numpy", "kernel, one carried step", "engine"}
    numpy = next(t for t in timings if t.backend == "numpy")
    assert numpy.ratio is not None
    assert numpy.ratio > 1.0
    skipped = [f.why.split()[0] for f in found if isinstance(f, Skipped)]
    assert skipped == ["torch", "lightgbm"]


def test_made_up_trees_are_of_the_size_that_is_stated() -> None:
    """As many trees and leaves as training gives."""
    packed = made_up_trees()
    assert len(packed["root"]) == TREES
    assert (packed["node"]["feature"] < 0).sum() == TREES * 31
    assert int(forest.new_forest(packed)["trees"][0]) == TREES
