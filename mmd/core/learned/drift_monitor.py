"""Watches what a forecaster says against what comes true: its residuals, and how often the rises that it expects are rises.

Two detectors on each of the two series, fed once a horizon, so that no two values share a part of the market's path. Residuals
are counted in the volatility that was forecast with them. PnL is never looked at.
"""

import math
from functools import partial
from typing import Final, NamedTuple, Protocol

from mmd.core.learned import adwin, page_hinkley
from mmd.core.learned.drift_response import DriftWatch
from mmd.core.learned.lstm import VOLATILITY_FLOOR
from mmd.core.learned.prediction import OK
from mmd.jit.kernel import Rec, bind

VOLATILITY_TICKS_MIN: Final = 0.5
"""What moves in whole half ticks is not known better."""
_REACH: Final = 50.0


class Forecaster(Protocol):
    """A price model at work."""

    @property
    def status(self) -> int:
        """A PartStatus."""
        ...

    @property
    def outputs(self) -> tuple[float, float, float]:
        """Change, log volatility and logit of a rise, scaled."""
        ...

    @property
    def change_scale(self) -> float:
        """Ticks of a change of 1."""
        ...

    @property
    def volatility_scale(self) -> float:
        """Ticks of a volatility of 1."""
        ...


class _Told(NamedTuple):
    """A forecast that has still to come true."""

    mid: float
    change: float
    volatility: float
    rise: float


class Detectors:
    """Both, on one series.

    Attributes:
        alarms: of either.
    """

    def __init__(self) -> None:
        self.alarms = 0
        self._page, self._window = page_hinkley.new_page_hinkley(), adwin.new_adwin()
        self._inspect_page = partial(bind(page_hinkley.inspect, self._page, 0.0), self._page)
        self._inspect_window = partial(bind(adwin.inspect, self._window, 0.0), self._window)

    @property
    def records(self) -> tuple[Rec, Rec]:
        """PAGE_HINKLEY and ADWIN, to look at."""
        return self._page, self._window

    def inspect(self, value: float) -> bool:
        """Take a value in; whether either says that the mean has moved."""
        is_moved = self._inspect_page(value) != page_hinkley.STEADY
        is_moved |= self._inspect_window(value) != adwin.STEADY
        self.alarms += is_moved
        return is_moved


class DriftMonitor:
    """Of one instrument's forecaster.

    Attributes:
        watch: what the alarms come to.
        residuals, calibration: the detectors.
        judged: forecasts that came true.
    """

    def __init__(self, horizon_bars: int) -> None:
        self.watch = DriftWatch()
        self.residuals, self.calibration = Detectors(), Detectors()
        self.judged = 0
        self._horizon_bars = horizon_bars
        self._told: _Told | None = None
        self._left = 0

    def on_bar(self, mid_ticks: float, forecaster: Forecaster, now_ns: int) -> bool:
        """A bar has ended and the forecaster has been stepped; whether the level of doubt rose."""
        if self._left > 0:
            self._left -= 1
            if self._left > 0:
                return False
        told, self._told = self._told, _said(mid_ticks, forecaster)
        self._left = self._horizon_bars if self._told is not None else 0
        return told is not None and self._judge(told, mid_ticks, now_ns)

    def restart(self) -> None:
        """Nothing that was said before a gap is judged after it."""
        self._told, self._left = None, 0

    def _judge(self, told: _Told, mid_ticks: float, now_ns: int) -> bool:
        change = mid_ticks - told.mid
        self.judged += 1
        residual = (change - told.change) / max(told.volatility, VOLATILITY_TICKS_MIN)
        is_alarm = self.residuals.inspect(residual)
        if change != 0.0:
            is_alarm |= self.calibration.inspect((change > 0.0) - told.rise)
        return is_alarm and self.watch.alarm(now_ns)


def _said(mid_ticks: float, forecaster: Forecaster) -> _Told | None:
    """The forecast of now in ticks; None where there is none that could be judged."""
    change, log_volatility, logit = forecaster.outputs
    if forecaster.status != OK or not math.isfinite(change + log_volatility + logit):
        return None
    level = math.exp(min(log_volatility, _REACH)) - VOLATILITY_FLOOR
    return _Told(
        mid_ticks,
        change * forecaster.change_scale,
        max(level, 0.0) * forecaster.volatility_scale,
        1.0 / (1.0 + math.exp(min(max(-logit, -_REACH), _REACH))),
    )
