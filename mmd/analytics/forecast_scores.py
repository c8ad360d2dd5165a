"""How good price forecasts are out of sample, beside simple ones, with intervals that respect the days.

R2 is against the forecast of no change, 1 - sum (y - f)^2 / sum y^2; a forecast that is no better than none has 0.
Whole blocks of time are resampled, since neighbouring bars share their future.
Source: Kuensch (1989), The Jackknife and the Bootstrap for General Stationary Observations, Annals of Statistics 17.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from mmd.analytics.bootstrap import CONFIDENCE, DRAWS, Interval
from mmd.analytics.columns import Flags, Floats, Ints

BLOCKS_MIN: Final = 5
"""Fewer blocks than this make no interval."""
_BLOCKS: Final = (
    ("day", 86_400_000_000_000, BLOCKS_MIN),
    ("hour", 3_600_000_000_000, 2 * BLOCKS_MIN),
    ("10 minutes", 600_000_000_000, BLOCKS_MIN),
)
"""Name, length, and how many there must be."""
_BINS: Final = 10


class Bin(NamedTuple):
    """Forecasts of like size: their mean, the mean of what came, and how many."""

    forecast: float
    realised: float
    n: int


class Against(NamedTuple):
    """The forecast beside a simple one: R2 of the simple one, and what ours has more of R2 and of right signs."""

    name: str
    r2: Interval
    hits: Interval
    r2_more: Interval
    hits_more: Interval


class HorizonScores(NamedTuple):
    """Scores at one horizon.

    Attributes:
        bars: ahead.
        n: forecasts.
        moves: those after which the mid was another.
        block: what was resampled.
        r2: against no change.
        hits: share of moves whose sign was forecast.
        against: simple forecasts.
        brier: mean squared error of the probability of a rise, over moves.
        brier_of_none: the same of the share of rises, always.
        calibration: by forecast probability, ten bins of like count, over moves.
        deciles: by forecast change, in ticks.
        confusion: of the direction; after forecasts of a fall and of a rise, how often the mid fell, stayed and rose.
    """

    bars: int
    n: int
    moves: int
    block: str
    r2: Interval
    hits: Interval
    against: list[Against]
    brier: float
    brier_of_none: float
    calibration: list[Bin]
    deciles: list[Bin]
    confusion: list[list[int]]

    @property
    def ahead(self) -> str:
        """The horizon in words."""
        return f"{self.bars} bar{'s' if self.bars != 1 else ''}"

    @property
    def verdicts(self) -> list[str]:
        """What the intervals say, one plain sentence for each simple forecast."""
        return [_verdict(self.ahead, other) for other in self.against]


def score_horizon(
    bars: int,
    end_ns: Ints,
    realised: Floats,
    forecast: Floats,
    probability: Floats,
    simple: Mapping[str, Floats],
    rng: np.random.Generator,
) -> HorizonScores:
    """Score n forecasts of one horizon; where any of the arrays is NaN the row is left out.

    Args:
        bars: the horizon.
        end_ns: shape (n,), when each was made.
        realised: shape (n,), change of the mid, ticks; so are the forecasts.
        forecast: shape (n,).
        probability: shape (n,), of a rise given a move.
        simple: forecasts to compare with, by name.
        rng: seeded by the caller.
    """
    use = np.isfinite(realised) & np.isfinite(forecast) & np.isfinite(probability)
    y, f, p = realised[use], forecast[use], probability[use]
    block, at = _blocks(end_ns[use])
    drawn = _Drawn(at, rng)
    moved = y != 0.0
    errors, none = np.square(y - f), np.square(y)
    hits = _hits(y, f)
    against = []
    for name, values in simple.items():
        s = values[use]
        s_errors, s_hits = np.square(y - s), _hits(y, s)
        against.append(
            Against(
                name,
                drawn.ratio(none - s_errors, none),
                drawn.ratio(s_hits, moved),
                drawn.ratio(s_errors - errors, none),
                drawn.ratio(hits - s_hits, moved),
            )
        )
    rose = (y[moved] > 0.0).astype(float)
    return HorizonScores(
        bars, len(y), int(moved.sum()), block,
        drawn.ratio(none - errors, none), drawn.ratio(hits, moved), against,
        _mean(np.square(p[moved] - rose)), _mean(np.square(_mean(rose) - rose)),
        _binned(p[moved], rose), _binned(f, y), _confusion(p > 0.5, y),
    )  # fmt: skip


def _confusion(is_rise: Flags, realised: Floats) -> list[list[int]]:
    came = [realised < 0.0, realised == 0.0, realised > 0.0]
    return [[int((said & what).sum()) for what in came] for said in (~is_rise, is_rise)]


class _Drawn:
    """Resamples of blocks of time; a statistic is a ratio of sums over them."""

    def __init__(self, block_of_row: Ints, rng: np.random.Generator) -> None:
        self._at, self._n = block_of_row, int(block_of_row.max(initial=-1)) + 1
        share = np.full(self._n, 1.0 / max(self._n, 1))
        self._times = rng.multinomial(self._n, share, DRAWS) if self._n >= BLOCKS_MIN else None

    def ratio(self, above: Floats, below: Floats | Flags) -> Interval:
        """Sum of one over the sum of the other, with its percentile interval; count is that of blocks."""
        tops = np.bincount(self._at, above, self._n)
        bottoms = np.bincount(self._at, below, self._n)
        if bottoms.sum() <= 0.0:
            return Interval(None, None, None, self._n)
        estimate = float(tops.sum() / bottoms.sum())
        if self._times is None:
            return Interval(estimate, None, None, self._n)
        sums = self._times @ bottoms
        drawn = (self._times @ tops)[sums > 0.0] / sums[sums > 0.0]
        tail = (1.0 - CONFIDENCE) / 2
        low, high = np.quantile(drawn, [tail, 1.0 - tail])
        return Interval(estimate, float(low), float(high), self._n)


def _blocks(end_ns: Ints) -> tuple[str, Ints]:
    """The longest blocks of which there are enough, and the number of each row's."""
    name, at = "", np.zeros(len(end_ns), np.int64)
    for block, length_ns, least in _BLOCKS:
        name = block
        at = np.unique((end_ns - 1) // length_ns, return_inverse=True)[1]
        if at.max(initial=-1) + 1 >= least:
            break
    return name, at


def _hits(y: Floats, f: Floats) -> Floats:
    """1 where a move's sign was forecast, 1/2 where none was, 0 elsewhere."""
    hits: Floats = np.where(y != 0.0, 0.5 + 0.5 * np.sign(y) * np.sign(f), 0.0)
    return hits


def _binned(by: Floats, of: Floats) -> list[Bin]:
    """Ten bins of like count by the first; means of both."""
    order = np.argsort(by, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part) > 0]
    return [Bin(float(by[p].mean()), float(of[p].mean()), len(p)) for p in parts]


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) > 0 else float("nan")


def _verdict(ahead: str, other: Against) -> str:
    more = other.r2_more
    if more.estimate is None or more.low is None or more.high is None:
        return f"{ahead} ahead: too little data to compare with the {other.name} baseline"
    says = "does not beat"
    if more.low > 0.0:
        says = "beats"
    elif more.high < 0.0:
        says = "is worse than"
    return (
        f"{ahead} ahead: {says} the {other.name} baseline: "
        f"R2 difference {more.estimate:+.4f} [{more.low:+.4f}, {more.high:+.4f}]"
    )
