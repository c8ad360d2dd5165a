"""Training data of the price predictor: samples and targets in time order, split into fit, selection and test.

Between two parts as many bars are left out as a target looks ahead (the embargo), so that no target of one part
sees prices of the next.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmd.core.learned.schema import NAMES
from mmd.errors import TrainingError
from mmd.jit.kernel import F4, F8, I8
from mmd.tape.bar_samples import BarSamples, bar_samples
from mmd.tape.reader import open_tape
from models.labels import future_changes, future_volatility

BARS_MIN = 20_000
_DAY_NS = 86_400_000_000_000
_CALENDAR = {"day_sine": 1.0, "day_cosine": 1.0, "week_sine": 7.0, "week_cosine": 7.0}
"""Length of each input's cycle in days."""


class PriceData(NamedTuple):
    """Samples in time order with what they were followed by.

    Attributes:
        bars: BarSamples of n bars.
        change: shape (n, h), ticks; NaN where unknown.
        volatility: shape (n, h), ticks over the horizon; NaN where unknown.
        horizons: bars ahead, h of them.
        bar_ns: length of a bar.
    """

    bars: BarSamples
    change: F8
    volatility: F8
    horizons: tuple[int, ...]
    bar_ns: int

    def part(self, at: slice) -> "PriceData":
        """A stretch of it."""
        b = self.bars
        bars = BarSamples(b.end_ns[at], b.bars[at], b.mid[at], b.touch[at], b.x[at])
        return self._replace(bars=bars, change=self.change[at], volatility=self.volatility[at])


class Split(NamedTuple):
    """Three stretches in time order, with an embargo between them."""

    fit: PriceData
    selection: PriceData
    test: PriceData


def read_price_data(tapes: list[Path], horizons: tuple[int, ...], bar_ns: int) -> PriceData:
    """Sample tapes of one instrument, given in time order.

    Raises:
        TrainingError: Too few bars, numbers that are not finite, or time that does not go on.
        TapeError: A tape that cannot be read.
    """
    bars = joined([bar_samples(open_tape(path), bar_ns=bar_ns) for path in tapes])
    _check(bars, tapes)
    change = future_changes(bars.mid, bars.bars, horizons)
    return PriceData(
        bars, change, future_volatility(bars.mid, bars.bars, horizons), horizons, bar_ns
    )


def joined(parts: list[BarSamples]) -> BarSamples:
    """Bars of several tapes one after the other."""
    return BarSamples(
        np.concatenate([p.end_ns for p in parts]),
        np.concatenate([p.bars for p in parts]),
        np.concatenate([p.mid for p in parts]),
        np.concatenate([p.touch for p in parts]),
        np.concatenate([p.x for p in parts]),
    )


def _check(bars: BarSamples, tapes: list[Path]) -> None:
    names = ", ".join(path.name for path in tapes)
    if len(bars.mid) < BARS_MIN:
        raise TrainingError(
            f"{names}: expected at least {BARS_MIN:,} bars to learn from, found {len(bars.mid):,}: "
            "give more tapes or a shorter bar"
        )
    if not np.all(np.diff(bars.end_ns) > 0):
        at = int(np.flatnonzero(np.diff(bars.end_ns) <= 0)[0])
        raise TrainingError(
            f"{names}: expected time to go on, but bar {at + 1:,} does not end after the one before: "
            "give the tapes in time order, each once"
        )
    if not np.isfinite(bars.x).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(bars.x))[0])
        raise TrainingError(
            f"{names}: input {column} of bar {row:,} is not finite: import it again"
        )


def split_in_time(data: PriceData, selection: float = 0.15, test: float = 0.2) -> Split:
    """Cut into three by share of bars; days are kept whole where there are at least ten of them."""
    n, embargo = len(data.bars.mid), max(data.horizons)
    cuts = _day_cuts(data.bars.end_ns, selection, test)
    if cuts is None:
        cuts = int(n * (1.0 - selection - test)), int(n * (1.0 - test))
    first, second = cuts
    return Split(
        data.part(slice(0, first - embargo)),
        data.part(slice(first, second - embargo)),
        data.part(slice(second, n)),
    )


def days_of(end_ns: I8) -> I8:
    """UTC day number of each bar."""
    days: I8 = (end_ns - 1) // _DAY_NS
    return days


def _day_cuts(end_ns: I8, selection: float, test: float) -> tuple[int, int] | None:
    days, first_at = np.unique(days_of(end_ns), return_index=True)
    if len(days) < 10:
        return None
    n_test, n_selection = max(round(test * len(days)), 1), max(round(selection * len(days)), 1)
    return int(first_at[-n_test - n_selection]), int(first_at[-n_test])


def unseen_cycles(end_ns: I8) -> list[int]:
    """Calendar inputs whose cycle the data has not been through twice: from them one learns the dates, not the cycle."""
    days = float(end_ns[-1] - end_ns[0]) / _DAY_NS
    hidden = [name for name, cycle_days in _CALENDAR.items() if days < 2.0 * cycle_days]
    names = [name for name, _ in NAMES]
    return [names.index(name) for name in hidden]


def robust_scale(x: F4) -> tuple[F4, F4]:
    """Mean, and one over the mean absolute deviation in units of a normal's sd: flows in lots have heavy tails."""
    shift = x.mean(axis=0, dtype=np.float64)
    spread = np.abs(x - shift).mean(axis=0, dtype=np.float64) * np.sqrt(np.pi / 2.0)
    scale = 1.0 / np.where(spread > 1e-9, spread, 1.0)
    return shift.astype(np.float32), scale.astype(np.float32)
