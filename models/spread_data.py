"""Training data of the spread model: tapes sampled, their quotes followed, their samples labelled."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mmd.errors import TrainingError
from mmd.tape.bar_samples import bar_samples
from mmd.tape.reader import open_tape
from models.price_data import joined
from models.spread_labels import LabelSettings, SpreadData, spread_data, spread_grid

SAMPLES_MIN = 2_000


def read_spread_data(
    tapes: list[Path],
    bar_ns: int,
    settings: LabelSettings,
    on_tape: Callable[[], None] = lambda: None,
) -> SpreadData:
    """Label the samples of tapes of one instrument, given in time order.

    Raises:
        TrainingError: Another instrument's tape, too few samples, inputs that are not finite, or time that does
            not go on.
        TapeError: A tape that cannot be read.
    """
    opened = [open_tape(path) for path in tapes]
    for tape in opened[1:]:
        if tape.header.instrument != opened[0].header.instrument:
            raise TrainingError(
                f"{tape.path}: expected {opened[0].header.instrument.symbol} as in {opened[0].path}, found "
                f"{tape.header.instrument.symbol}, or other rules of it; train on each alone"
            )
    sampled = [bar_samples(tape, bar_ns=bar_ns) for tape in opened]
    names = ", ".join(path.name for path in tapes)
    bars = joined(sampled)
    _check(bars.end_ns, bars.x, settings.every, names)
    grid = spread_grid(bars, bar_ns, settings.life_ns)
    parts = []
    for tape, of_tape in zip(opened, sampled, strict=True):
        parts.append(spread_data(tape, of_tape, grid, settings))
        on_tape()
    fields = [f for f in SpreadData._fields if f != "half_spreads_bps"]
    together = {f: np.concatenate([getattr(p, f) for p in parts]) for f in fields}
    return SpreadData(half_spreads_bps=grid, **together)


def _check(
    end_ns: np.ndarray[tuple[int], np.dtype[np.int64]],
    x: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    every: int,
    names: str,
) -> None:
    samples = len(end_ns) // every
    if samples < SAMPLES_MIN:
        raise TrainingError(
            f"{names}: expected at least {SAMPLES_MIN:,} samples to learn from, found {samples:,}: "
            "give more tapes, a shorter bar, or sample more often"
        )
    if not np.all(np.diff(end_ns) > 0):
        raise TrainingError(
            f"{names}: expected time to go on from bar to bar: give the tapes in time order, each once"
        )
    if not np.isfinite(x).all():
        column = int(np.argwhere(~np.isfinite(x))[0][1])
        raise TrainingError(f"{names}: input {column} is not finite in some bar: import it again")
