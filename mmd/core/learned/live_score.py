"""How well a network forecasts, scored live: squared error against what the mid then did, beside that of no change."""

import math
from typing import NamedTuple

from mmd.core.learned.model_run import PriceRun
from mmd.core.learned.prediction import OK
from mmd.core.learned.remote_run import RemoteRun


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


class LiveScore:
    """Scores one network on the bars that it is given, without a look at what it did not know."""

    def __init__(self, run: PriceRun | RemoteRun) -> None:
        self.run = run
        self.scores = [HorizonScore(h, 0, 0.0, 0.0, 0, 0) for h in run.model.horizons]
        self._length = max(run.model.horizons) + 1
        self._told: list[tuple[float, tuple[float, ...]] | None] = [None] * self._length
        self._at = 0

    def on_bar(self, mid_ticks: float) -> None:
        """A bar has ended and the network has been stepped: judge what was said before, keep what it says now."""
        for k, score in enumerate(self.scores):
            told = self._told[(self._at - score.bars_ahead) % self._length]
            if told is not None:
                self.scores[k] = _counted(score, told[1][k], mid_ticks - told[0])
        run = self.run
        changes = tuple(run.change_ticks(k) for k in range(len(self.scores)))
        is_said = run.status == OK and all(map(math.isfinite, changes))
        self._told[self._at] = (mid_ticks, changes) if is_said else None
        self._at = (self._at + 1) % self._length

    def restart(self) -> None:
        """Nothing that was said before a gap is judged after it."""
        self._told = [None] * self._length


def _counted(score: HorizonScore, forecast: float, change: float) -> HorizonScore:
    is_move = change != 0.0
    return HorizonScore(
        score.bars_ahead,
        score.n + 1,
        score.squared_error + (change - forecast) ** 2,
        score.squared_change + change**2,
        score.hits + (is_move and forecast * change > 0.0),
        score.moves + is_move,
    )
