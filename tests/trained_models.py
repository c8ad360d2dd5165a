"""Small artefacts made in a moment, for tests: real weights, real golden outputs."""

from pathlib import Path

import numpy as np

from mmd.core.learned.forest import packed
from mmd.core.learned.lstm import WEIGHTS, Shape, network_layout
from mmd.core.learned.schema import N, schema_hash
from models.artefact import Artefact, Manifest, read_artefact, write_artefact
from models.checks import forest_outputs, network_outputs


def manifest(kind: str, **changes: object) -> Manifest:
    """A manifest as a trainer would write it."""
    fields = {
        "kind": kind,
        "venue": "binance_spot",
        "symbol": "MMDUSDT",
        "schema": schema_hash(),
        "bar_ns": 100_000_000,
        "horizons": (10,),
        "created": "2026-01-02T03:04:05Z",
        "version": "0.1.0",
        "command": "mmd train",
        "data": (),
        "settings": {},
        "metrics": {"r2": 0.01},
    }
    return Manifest(**(fields | changes))


def network_weights(seed: int = 1, hidden: int = 8) -> dict[str, np.ndarray]:
    """Random weights of a small network over the whole schema."""
    layout = network_layout(Shape(N, hidden, hidden, 1))
    rng = np.random.default_rng(seed)
    return {
        name: (0.3 * rng.normal(size=layout[name].shape)).astype(np.float32) for name in WEIGHTS
    }


def network_artefact(
    folder: Path, seed: int = 1, scale: float = 1.0, hidden: int = 8, **changes: object
) -> Artefact:
    """A price predictor with random weights."""
    weights = network_weights(seed, hidden) | {
        "change_scale": np.array([scale], np.float32),
        "volatility_scale": np.array([1.0], np.float32),
    }
    inputs = np.random.default_rng(0).normal(size=(20, N)).astype(np.float32)
    golden = {"inputs": inputs, "outputs": network_outputs(weights, inputs)}
    made = manifest("price_lstm", **changes)
    return read_artefact(write_artefact(folder, made, weights, golden, {"network.pt": b"torch"}))


def forest_weights(value: float = 2.5) -> dict[str, np.ndarray]:
    """A forest of one split: value, or twice that."""
    split = {
        "split_feature": 0, "threshold": 1.0, "decision_type": "<=", "missing_type": "None",
        "left_child": {"leaf_value": value}, "right_child": {"leaf_value": 2 * value},
    }  # fmt: skip
    return packed({"tree_info": [{"tree_structure": split}]})


def forest_artefact(folder: Path, value: float = 2.5, **changes: object) -> Artefact:
    """A forest of one split."""
    weights = forest_weights(value)
    inputs = np.random.default_rng(0).normal(size=(20, N))
    golden = {"inputs": inputs, "outputs": forest_outputs(weights, inputs)}
    made = manifest("spread_forest", **changes)
    return read_artefact(write_artefact(folder, made, weights, golden, {"forest.txt": b"trees"}))
