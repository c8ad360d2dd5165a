"""When a champion has to go: its fills turn against it, its calibration is lost, or it fails too often.

Going is faster than coming: a one-sided CUSUM of the markouts of the champion's fills, in standard deviations of what the fills
of the hold-out's blocks did, sums up what is worse than the hold-out by more than `slack`.

Source: Page, "Continuous inspection schemes" (1954).
"""

import math
from collections import deque
from enum import IntEnum
from typing import Final

import msgspec

from mmd.core.flow.markout import FILLS_MAX, HORIZONS_NS
from mmd.core.learned.trial_spec import TrialArm
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec

_CLIP: Final = 4.0


class DemotionReason(IntEnum):
    """Why, from a closed set, so that it can label a metric."""

    NONE = 0
    MARKOUT = 1
    CALIBRATION = 2
    FAULTS = 3


class DemotionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Limits; user-facing meaning and defaults stand in mmd.config_trials."""

    faults_max: int = 10
    """Bars with a prediction that is late, no number or out of range, within faults_window_ns."""
    faults_window_ns: int = 600_000_000_000
    slack: float = 0.5
    threshold: float = 10.0
    """Standard deviations, summed up."""
    holdout_fills_min: int = 50
    horizon_ns: int = 5_000_000_000


class MarkoutCusum:
    """The sum over the champion's fills, against the hold-out's.

    Attributes:
        total: 0 is as good as the hold-out, or better.
        holdout_fills: how many the comparison stands on.
    """

    def __init__(self, spec: DemotionSpec, markout: Rec) -> None:
        self.total = 0.0
        self.holdout_fills = 0
        self._spec = spec
        self._markout = markout
        self._horizon = HORIZONS_NS.index(spec.horizon_ns)
        self._seen = int(markout["head"][0])
        self._arms: deque[tuple[int, TrialArm]] = deque([(self._seen, TrialArm.CHAMPION)])
        self._level = self._spread = 0.0
        self._last_ns = [-spec.horizon_ns, -spec.horizon_ns]

    def on_arm(self, arm: TrialArm) -> None:
        """Fills from here on are of this arm's quotes."""
        self._arms.append((int(self._markout["head"][0]), arm))

    def update(self, sigma_ticks: float) -> bool:
        """Take in what has been judged; whether the sum is over the threshold."""
        m = self._markout[0]
        judged = int(m["judged"][self._horizon])
        for at in range(max(self._seen, int(m["head"]) - FILLS_MAX), judged):
            while len(self._arms) > 1 and self._arms[1][0] <= at:
                self._arms.popleft()
            i = at % FILLS_MAX
            after = int(m["after"][self._horizon, i])
            if after != 0 and sigma_ticks > 0.0 and self._is_other_news(m, i):
                moved = int(m["sign"][i]) * (after - int(m["before"][i])) / 2.0
                horizon_s = self._spec.horizon_ns / NANOS_PER_SECOND
                self._take(self._arms[0][1], moved / (sigma_ticks * math.sqrt(horizon_s)))
        self._seen = max(self._seen, judged)
        return self.total > self._spec.threshold

    def clear(self) -> None:
        """Another champion begins; what is known of the hold-out stays."""
        self.total = 0.0

    def _is_other_news(self, m: Rec, i: int) -> bool:
        """Whether a fill is further than a horizon from the last one counted on its side: they share the mid's path."""
        side = (1 - int(m["sign"][i])) // 2
        ts_ns = int(m["ts_ns"][i])
        if ts_ns - self._last_ns[side] < self._spec.horizon_ns:
            return False
        self._last_ns[side] = ts_ns
        return True

    def _take(self, arm: TrialArm, x: float) -> None:
        if arm is TrialArm.HOLDOUT:
            self.holdout_fills += 1
            away = x - self._level
            self._level += away / self.holdout_fills
            self._spread += away * (x - self._level)
        elif arm is TrialArm.CHAMPION and self.holdout_fills >= self._spec.holdout_fills_min:
            sd = math.sqrt(self._spread / (self.holdout_fills - 1))
            z = (x - self._level) / sd if sd > 0.0 else 0.0
            z = min(max(z, -_CLIP), _CLIP)
            self.total = max(self.total - z - self._spec.slack, 0.0)


class FaultCount:
    """Bars with a fault within a window of time."""

    def __init__(self, spec: DemotionSpec) -> None:
        self._faults: deque[int] = deque(maxlen=spec.faults_max)
        self._window_ns = spec.faults_window_ns
        self.total = 0

    def add(self, now_ns: int) -> bool:
        """One more; whether these were too many."""
        self.total += 1
        self._faults.append(now_ns)
        is_full = len(self._faults) == self._faults.maxlen
        return is_full and now_ns - self._faults[0] <= self._window_ns

    def clear(self) -> None:
        """Another model begins."""
        self._faults.clear()
