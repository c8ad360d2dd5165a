"""A trained inventory policy as an artefact, with golden inputs that every copy must answer alike."""

import hashlib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from mmd.core.learned.schema import schema_hash
from models.artefact import DataUse, Manifest, write_artefact
from models.checks import table_outputs
from models.q_evaluation import QEvaluation
from models.q_market import QMarket
from models.q_training import QSettings, TrainedQ

_GOLDEN: Final = 256


def write_q(
    folder: Path,
    trained: TrainedQ,
    found: QEvaluation,
    market: QMarket,
    settings: QSettings,
    *,
    preset: str,
    command: str,
) -> Path:
    """Write the table below folder; returns the artefact's own."""
    described = msgspec.json.encode(market, order="sorted")
    span_ns = int(settings.episodes * settings.bars * market.bar_s * 1e9)
    data = DataUse(
        name=f"simulated: {preset}",
        sha256=hashlib.sha256(described).hexdigest(),
        first_ns=0,
        last_ns=span_ns,
    )
    manifest = Manifest(
        kind="q_table",
        venue="*",
        symbol="*",
        schema=schema_hash(),
        bar_ns=round(market.bar_s * 1e9),
        horizons=(1,),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),  # noqa: TID251 - written by a person's command
        version=version("mmd"),
        command=command,
        data=(data,),
        settings={
            "training": msgspec.to_builtins(settings),
            "market": msgspec.to_builtins(market),
            "visits_min": settings.visits_min,
        },
        metrics=found.metrics,
    )
    weights = small(trained.weights)
    inputs = golden_inputs()
    golden = {"inputs": inputs, "outputs": table_outputs(weights, inputs)}
    return write_artefact(folder, manifest, weights, golden, {})


def small(weights: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """Values in single precision, as they are kept: half the file, the same actions but for ties."""
    return weights | {n: weights[n].astype(np.float32) for n in ("q", "q_error")}


def golden_inputs() -> np.ndarray[Any, Any]:
    """Inputs of `q_policy.decide` all over their ranges and somewhat beyond, shape (n, 6)."""
    rng = np.random.default_rng(0)
    low = np.array([-1.1, -6.0, 0.0, 0.0, 0.0, -1.0])
    high = np.array([1.1, 6.0, 8.0, 40.0, 600.0, 1.0])
    inputs: np.ndarray[Any, Any] = rng.uniform(low, high, (_GOLDEN, 6))
    return inputs
