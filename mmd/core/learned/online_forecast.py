"""The forecast that is learned while trading: the change of the mid by order flow, its drift, by recursive least squares.

    change over the horizon = a + b_1 OFI(5 s) + b_2 signed trades(5 s) + b_3 return(5 s)

b_1 is the flow-skew coefficient, a the drift over the horizon. Imbalance is left to the microprice, which fair value starts
from. Inputs are counted in their own root mean squares, which forget as the coefficients do. Nothing is learned across
gaps in the feed and in halts.
"""

import math
from collections import deque
from functools import partial
from typing import Final

import numpy as np

from mmd.core.learned import rls as recursive
from mmd.core.learned.lstm import VOLATILITY_FLOOR
from mmd.core.learned.prediction import NOT_FINITE, OK, WARMING_UP
from mmd.core.learned.samples import WARM_BARS
from mmd.core.market import features as feats
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import F4, F8, Rec, bind

INPUTS: Final = ("ofi_5s", "flow_5s", "return_5s")
"""Of the feature vector, besides the constant."""
UPDATES_MIN: Final = 1_000
"""Bars that have been learned from before anything is said."""
KEEP: Final = 1.0 - 1.0 / 36_000.0
"""Forgetting a bar: an hour of bars of 100 ms."""
_LOGISTIC: Final = 1.702
"""A normal distribution's logit is about this times its argument."""
_LOG_VOLATILITY: Final = math.log(1.0 + VOLATILITY_FLOOR)


class OnlineForecast:
    """One instrument's; to the predictor it is a price model.

    Attributes:
        rls: RLS record; theta holds the constant's coefficient first.
        status: a PartStatus.
    """

    def __init__(self, horizon_bars: int, bar_ns: int, sigma: Rec) -> None:
        """`sigma` is the VOLATILITY record that changes are counted in."""
        inputs = len(INPUTS) + 1
        gap_ns = max(2 * NANOS_PER_SECOND, 3 * bar_ns)
        self.rls: Rec = recursive.new_rls(inputs, keep=KEEP, prior=1e-2, gap_ns=gap_ns)
        self.status = WARMING_UP
        self._at = [feats.index(name) for name in INPUTS]
        self._horizon_bars = horizon_bars
        self._horizon_s = horizon_bars * bar_ns / NANOS_PER_SECOND
        self._sigma = memoryview(sigma["sigma"])
        self._past: deque[tuple[float, F8]] = deque(maxlen=horizon_bars)
        self._squares = np.zeros(len(INPUTS))
        self._weight = 0.0
        self._bars = 0
        self._change = 0.0
        self._update = partial(bind(recursive.update, self.rls, 0, 0.0), self.rls)

    @property
    def change_scale(self) -> float:
        """Changes are counted in standard deviations of the horizon, ticks."""
        return self._sigma[0] * math.sqrt(self._horizon_s)

    @property
    def volatility_scale(self) -> float:
        """Ticks."""
        return self.change_scale

    @property
    def outputs(self) -> tuple[float, float, float]:
        """As a network's: change, log volatility, logit of a rise."""
        return self._change, _LOG_VOLATILITY, _LOGISTIC * self._change

    @property
    def flow_coefficient(self) -> float:
        """Ticks a lot of five-second order flow; 0 before anything is known."""
        size = math.sqrt(self._squares[0] / self._weight) if self._weight > 0.0 else 0.0
        return float(self.rls["theta"][0, 1]) * self.change_scale / size if size > 0.0 else 0.0

    @property
    def drift_ticks(self) -> float:
        """Of the horizon, with no flow at all."""
        return float(self.rls["theta"][0, 0]) * self.change_scale

    def freeze(self, *, is_frozen: bool) -> None:
        """Learn nothing for now, as in a halt or where forecasts are doubted."""
        self.rls["frozen"] = is_frozen

    def step(self, x: F4, mid_ticks: float, end_ns: int) -> None:
        """One bar later: learn from the one a horizon ago, and say what is next."""
        self._bars += 1
        row = self._row(x)
        scale = self.change_scale
        r = self.rls
        if len(self._past) == self._horizon_bars and scale > 0.0:
            mid_before, then = self._past[0]
            r["x"][0, : len(then)] = then
            self._update(end_ns, (mid_ticks - mid_before) / scale)
        self._past.append((mid_ticks, row))
        self._change = float(r["theta"][0, : len(row)] @ row)
        if not math.isfinite(self._change):
            self.status = NOT_FINITE
        elif self._bars < WARM_BARS or r["updates"][0] < UPDATES_MIN or scale <= 0.0:
            self.status = WARMING_UP
        else:
            self.status = OK

    def restart(self) -> None:
        """The feed has a gap: coefficients stay, the bars before it are forgotten."""
        self._past.clear()
        self._bars = 0
        self.status = WARMING_UP

    def _row(self, x: F4) -> F8:
        """A constant, and the inputs in their own root mean squares."""
        raw = x[self._at].astype(np.float64)
        if np.all(np.isfinite(raw)):
            self._weight = KEEP * self._weight + 1.0
            self._squares = KEEP * self._squares + raw * raw
        size = np.sqrt(self._squares / max(self._weight, 1.0))
        return np.concatenate([[1.0], np.divide(raw, size, out=np.zeros_like(raw), where=size > 0)])
