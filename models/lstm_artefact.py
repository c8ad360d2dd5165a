"""A trained price predictor as an artefact: weights and scales, golden outputs, network.pt, where it comes from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from mmd.core.learned.lstm import WINDOW
from mmd.core.learned.schema import schema_hash
from mmd.tape.reader import open_tape
from models.artefact import Artefact, Manifest, read_artefact, write_artefact
from models.checks import network_outputs
from models.data_use import data_uses
from models.export import NETWORK_FILE, load_step, scripted_step
from models.price_data import PriceData
from models.torch_backend import check_parity
from models.train_lstm import LstmSettings, Trained

_GOLDEN_STEPS: Final = WINDOW + 28
"""More than attention's window, so that its ring goes round."""


def write_lstm(  # noqa: PLR0913 - what a manifest says
    folder: Path,
    trained: Trained,
    test: PriceData,
    tapes: list[Path],
    settings: LstmSettings,
    *,
    version: str,
    command: str,
    metrics: Mapping[str, float],
    parent: str = "",
    now: datetime | None = None,
) -> Artefact:
    """Write a trained network below folder, read it back, and compare the torch with the compiled step.

    Weights hold, beside mmd.core.learned.lstm.WEIGHTS, change_scale and volatility_scale (ticks by horizon), which
    outputs are to be multiplied by.

    Raises:
        ArtefactError: The two steps differ.
        TapeError: A tape cannot be read any more.
    """
    instrument = open_tape(tapes[0]).header.instrument
    weights = trained.network.weights()
    inputs = test.bars.x[:_GOLDEN_STEPS]
    golden = {"inputs": inputs, "outputs": network_outputs(weights, inputs)}
    scales = trained.scales
    kept = weights | {"change_scale": scales.change, "volatility_scale": scales.volatility}
    manifest = Manifest(
        kind="price_lstm",
        venue=instrument.venue,
        symbol=instrument.symbol,
        schema=schema_hash(),
        bar_ns=test.bar_ns,
        horizons=test.horizons,
        created=(now or datetime.now(UTC)).isoformat(timespec="seconds"),  # noqa: TID251 - shown only
        version=version,
        command=command,
        data=data_uses(tapes),
        settings=_settings(settings, trained),
        metrics=dict(metrics),
        parent=parent,
    )
    own = {NETWORK_FILE: scripted_step(weights)}
    made = read_artefact(write_artefact(folder, manifest, kept, golden, own))
    check_parity(load_step(own[NETWORK_FILE]), made)
    return made


def _settings(settings: LstmSettings, trained: Trained) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(settings)
    best = int(np.argmin([e.selection for e in trained.epochs])) + 1
    return found | {"epochs": len(trained.epochs), "epoch_kept": best}
