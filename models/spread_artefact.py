"""A trained spread model as an artefact: packed trees, golden outputs, LightGBM's own text, where it comes from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from mmd.core.learned.forest import packed
from mmd.core.learned.schema import schema_hash
from mmd.errors import ArtefactError
from mmd.tape.reader import open_tape
from models.artefact import Artefact, Manifest, read_artefact, write_artefact
from models.checks import forest_outputs
from models.data_use import data_uses
from models.spread_labels import HALF_SPREAD_MAX_BPS, HALF_SPREAD_MIN_BPS, LabelSettings, SpreadData
from models.train_spread import Forest, SpreadSettings

FOREST_FILE: Final = "forest.txt"
_GOLDEN: Final = 64


def write_spread(  # noqa: PLR0913 - what a manifest says
    folder: Path,
    forest: Forest,
    test: SpreadData,
    tapes: list[Path],
    settings: SpreadSettings,
    labels: LabelSettings,
    *,
    bar_ns: int,
    version: str,
    command: str,
    metrics: Mapping[str, float],
    parent: str = "",
    now: datetime | None = None,
) -> Artefact:
    """Write trained trees below folder and read them back.

    The horizon that the manifest names is how long quotes stand; outputs are bps before they are clamped.

    Raises:
        ArtefactError: The packed trees do not give LightGBM's own numbers, bit for bit.
        TapeError: A tape cannot be read any more.
        ValueError: More trees than the daemon has room for.
    """
    instrument = open_tape(tapes[0]).header.instrument
    weights = packed(forest.booster.dump_model())
    rows = np.linspace(0, len(test.mid) - 1, min(_GOLDEN, len(test.mid))).astype(np.int64)
    inputs = test.x[rows].astype(np.float64)
    golden = {"inputs": inputs, "outputs": forest_outputs(weights, inputs)}
    theirs = np.asarray(forest.booster.predict(inputs, num_threads=1))
    if not np.array_equal(theirs, golden["outputs"]):
        worst = np.abs(theirs - golden["outputs"]).max()
        raise ArtefactError(
            f"packed trees differ from LightGBM by {worst:.3g}, expected 0: use the version of lightgbm in constraints.txt"
        )
    told = msgspec.to_builtins(settings) | msgspec.to_builtins(labels)
    bounds = {
        "half_spread_min_bps": HALF_SPREAD_MIN_BPS,
        "half_spread_max_bps": HALF_SPREAD_MAX_BPS,
        "grid_bps": test.half_spreads_bps.tolist(),
        "trees": forest.booster.num_trees(),
    }
    manifest = Manifest(
        kind="spread_forest",
        venue=instrument.venue,
        symbol=instrument.symbol,
        schema=schema_hash(),
        bar_ns=bar_ns,
        horizons=(max(round(labels.life_ns / bar_ns), 1),),
        created=(now or datetime.now(UTC)).isoformat(timespec="seconds"),  # noqa: TID251 - shown only
        version=version,
        command=command,
        data=data_uses(tapes),
        settings=told | bounds,
        metrics=dict(metrics),
        parent=parent,
    )
    own = {FOREST_FILE: forest.booster.model_to_string().encode()}
    return read_artefact(write_artefact(folder, manifest, weights, golden, own))
