"""Every part is measured, and what is not installed is said in a line."""

import importlib.util

import numpy as np
import pytest

from mmd.core.learned import forest
from models.bench import TREES, Skipped, Timing, bench, chosen, made_up_trees


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


def test_a_batch_in_torch_says_what_the_kernel_says_and_a_card_that_is_missing_is_told() -> None:
    """The backend that is measured is the one that serves, checked against the golden outputs as it is loaded."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from models.bench import random_network
    from models.bench_backends import batches

    found = {backend.split(",")[0]: call for backend, call in batches(random_network(8))}
    assert sorted(found) == ["torch_cpu", "torch_cuda"]
    outputs = found["torch_cpu"]()
    assert outputs.shape == (16, 3)
    assert np.isfinite(outputs).all()
    assert isinstance(found["torch_cuda"], str) is not torch.cuda.is_available()


def test_what_computes_networks_here_is_told() -> None:
    """One instrument is always computed in the engine."""
    assert chosen(1).startswith("compiled kernel")


def test_made_up_trees_are_of_the_size_that_is_stated() -> None:
    """As many trees and leaves as training gives."""
    packed = made_up_trees()
    assert len(packed["root"]) == TREES
    assert (packed["node"]["feature"] < 0).sum() == TREES * 31
    assert int(forest.new_forest(packed)["trees"][0]) == TREES
