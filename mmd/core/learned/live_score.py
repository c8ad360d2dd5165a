"""How well a network forecasts, scored live: squared error against what the mid then did, beside that of no change."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np

from mmd.core.learned.model_run import OUTPUTS, PriceRun
from mmd.core.learned.prediction import OK
from mmd.core.learned.remote_run import RemoteRun
from mmd.jit.kernel import Rec, bind, kernel, layout, new
from mmd.jit.places import record_at

TOLD = np.dtype([("is_said", "i8"), ("mid", "f8"), ("change", "f8")])
"""A forecast that has still to come true, and the mid that it was made at."""
HORIZON = layout(
    ("bars_ahead", "i8"),
    ("scale", "f8"),  # ticks that an output of 1 stands for
    ("change", "f8"),  # ticks, what is forecast now
    ("at", "i8"),  # where in its ring the forecast stands that comes true now
    ("told_at", "i8"),  # address of its ring: bars_ahead times TOLD
    ("n", "i8"),
    ("squared_error", "f8"),
    ("squared_change", "f8"),
    ("hits", "i8"),
    ("moves", "i8"),
)
SCORE = layout(
    ("horizons", "i8"),
    ("horizons_at", "i8"),  # address of the first HORIZON
    ("outputs_at", "i8"),  # address of the network's first OUTPUTS; 0 = `change` is written by hand
)
_HORIZON_BYTES, _TOLD_BYTES, _OUTPUT_BYTES = HORIZON.itemsize, TOLD.itemsize, OUTPUTS.itemsize


class HorizonScore(NamedTuple):
    """One horizon's sums over the bars that came true."""

    bars_ahead: int
    n: int
    squared_error: float
    """Of the forecasts, ticks^2."""
    squared_change: float
    """Of the forecast that nothing moves."""
    hits: int
    """Forecasts whose sign was that of the change, of ..."""
    moves: int
    """... those after which the mid moved."""

    @property
    def r2(self) -> float | None:
        """Share of the changes' squares that was forecast; below 0 is worse than no change. None before any move."""
        return 1.0 - self.squared_error / self.squared_change if self.squared_change > 0.0 else None

    @property
    def hit_ratio(self) -> float | None:
        """Share of moves whose direction was forecast."""
        return self.hits / self.moves if self.moves > 0 else None


@kernel
def judge_bar(score: Rec, mid_ticks: float, is_ok: int) -> None:
    """A bar has ended and the network has been stepped: judge what was said before, keep what it says now.

    is_ok is 1 where what it says may be used.
    """
    s = score[0]
    is_said = is_ok
    for k in range(s.horizons):
        h = record_at(s.horizons_at + k * _HORIZON_BYTES, HORIZON)[0]
        if s.outputs_at != 0:
            output = record_at(s.outputs_at + k * _OUTPUT_BYTES, OUTPUTS)[0]
            h.change = np.float64(output.change) * h.scale
        if not math.isfinite(h.change):
            is_said = 0
    for k in range(s.horizons):
        h = record_at(s.horizons_at + k * _HORIZON_BYTES, HORIZON)[0]
        told = record_at(h.told_at + h.at * _TOLD_BYTES, TOLD)[0]
        if told.is_said == 1:
            change = mid_ticks - told.mid
            h.n += 1
            h.squared_error += (change - told.change) * (change - told.change)
            h.squared_change += change * change
            h.hits += int(told.change * change > 0.0)
            h.moves += int(change != 0.0)
        told.is_said, told.mid, told.change = is_said, mid_ticks, h.change
        h.at = h.at + 1 if h.at + 1 < h.bars_ahead else 0


class LiveScore:
    """Scores one network on the bars that it is given, without a look at what it did not know.

    Attributes:
        run: who is scored.
        record: SCORE, for `judge_bar`.
    """

    def __init__(self, run: PriceRun | RemoteRun) -> None:
        self.run = run
        self.record: Rec = new(SCORE)
        horizons = run.model.horizons
        self._horizons = np.zeros(len(horizons), HORIZON)
        self._told = [np.zeros(bars, TOLD) for bars in horizons]
        for k, (bars, told) in enumerate(zip(horizons, self._told, strict=True)):
            row = self._horizons[k]
            row["bars_ahead"], row["told_at"] = bars, told.ctypes.data
            row["scale"] = run.model.change_scale[k]
        self.record["horizons"] = len(horizons)
        self.record["horizons_at"] = self._horizons.ctypes.data
        self.record["outputs_at"] = run.outputs_at
        self._judge = partial(bind(judge_bar, self.record, 0.0, 0), self.record)

    @property
    def scores(self) -> list[HorizonScore]:
        """By horizon, as of now."""
        return [HorizonScore(*(row[name].item() for name in _FIELDS)) for row in self._horizons]

    def on_bar(self, mid_ticks: float) -> None:
        """A bar has ended and the network has been stepped: judge what was said before, keep what it says now."""
        run = self.run
        if run.outputs_at == 0:
            for k in range(len(self._horizons)):
                self._horizons["change"][k] = run.change_ticks(k)
        self._judge(mid_ticks, int(run.status == OK))

    def restart(self) -> None:
        """Nothing that was said before a gap is judged after it."""
        for told in self._told:
            told["is_said"] = 0


_FIELDS = HorizonScore._fields
