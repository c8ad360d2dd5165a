"""Watchers that raise the risk level by themselves: loss since the day's start, drawdown, reject storms.

An operator's resume does not forgive a loss: while it lasts the stop raises the level again, until the limit is
raised or the day rolls.
"""

from collections import deque
from decimal import Decimal

from mmd.core.events import RejectReason
from mmd.core.risk.levels import Raiser, RiskLevel, RiskLevels
from mmd.core.risk.limits import RiskLimits
from mmd.core.risk.reasons import LevelReason
from mmd.core.units import ATOMS_PER_UNIT

_REJECT_STORM = LevelReason.REJECT_STORM  # a look-up through the metaclass of an Enum takes 0.1 us


class LossStop:
    """Cancels everything, then halts, when the day's loss or the fall from its peak reaches the limit.

    If it `flattens`, the position is closed before the halt.

    Attributes:
        day_start_atoms, peak_atoms: equity at the start of the day and its highest since, in quote atoms;
            None until the first equity is known. Both are handed over a restart.
    """

    def __init__(
        self,
        levels: RiskLevels,
        limits: RiskLimits,
        day_start_atoms: int | None = None,
        peak_atoms: int | None = None,
        *,
        flattens: bool = False,
    ) -> None:
        self.day_start_atoms = day_start_atoms
        self.peak_atoms = peak_atoms
        self._levels = levels
        self._level = RiskLevel.FLATTEN if flattens else RiskLevel.CANCEL_ALL
        self.limit(limits.loss_quote_max, limits.drawdown_quote_max)

    def limit(self, loss_max: Decimal, drawdown_max: Decimal) -> None:
        """Stop at these from the next equity on; what was stopped already stays so until it is resumed."""
        self._loss_atoms_max = int(loss_max * ATOMS_PER_UNIT)
        self._drawdown_atoms_max = int(drawdown_max * ATOMS_PER_UNIT)

    def on_equity(self, equity_atoms: int, now_ns: int) -> bool:
        """Judge the equity of now; returns whether the level rose."""
        if self.day_start_atoms is None:
            self.day_start_atoms = equity_atoms
        if self.peak_atoms is None or equity_atoms > self.peak_atoms:
            self.peak_atoms = equity_atoms
        if self.day_start_atoms - equity_atoms >= self._loss_atoms_max:
            return self._stop(LevelReason.DAY_LOSS, now_ns)
        if self.peak_atoms - equity_atoms >= self._drawdown_atoms_max:
            return self._stop(LevelReason.DRAWDOWN, now_ns)
        return False

    def on_new_day(self, equity_atoms: int) -> None:
        """Start counting anew; a level already raised stays."""
        self.day_start_atoms = self.peak_atoms = equity_atoms

    def _stop(self, reason: LevelReason, now_ns: int) -> bool:
        if self._levels.is_active(reason):
            return False
        return self._levels.escalate(self._level, reason, now_ns, then=RiskLevel.HALTED)

    def left_atoms(self, equity_atoms: int) -> int | None:
        """What may be lost from here before either limit is reached; None before the day's start is known."""
        if self.day_start_atoms is None or self.peak_atoms is None:
            return None
        return min(
            self._loss_atoms_max - self.day_start_atoms + equity_atoms,
            self._drawdown_atoms_max - max(self.peak_atoms, equity_atoms) + equity_atoms,
        )

    def headroom(self, equity_atoms: int) -> dict[str, float]:
        """Share of each limit that is left."""
        start = equity_atoms if self.day_start_atoms is None else self.day_start_atoms
        peak = equity_atoms if self.peak_atoms is None else self.peak_atoms
        return {
            "loss": 1.0 - max(start - equity_atoms, 0) / self._loss_atoms_max,
            "drawdown": 1.0 - max(peak - equity_atoms, 0) / self._drawdown_atoms_max,
        }


class RejectStorm:
    """Cautious at half a storm, reduces only at a whole one, and halts if that does not end it.

    Post-only orders refused because the market moved are how post-only works, and do not count.
    """

    def __init__(self, levels: Raiser, limits: RiskLimits) -> None:
        self._levels = levels
        self._window_ns = limits.reject_window_ns
        self._rejects_max = limits.rejects_max
        self._ts_ns: deque[int] = deque(maxlen=limits.rejects_max)
        self._last_ns = 0

    def on_reject(self, reason: RejectReason, now_ns: int) -> bool:
        """Count a refused order; returns whether the level rose."""
        if reason is RejectReason.WOULD_TAKE:
            return False
        self._last_ns = now_ns
        self._ts_ns.append(now_ns)
        while now_ns - self._ts_ns[0] > self._window_ns:
            self._ts_ns.popleft()
        count, storm = len(self._ts_ns), LevelReason.REJECT_STORM
        if count < self._rejects_max:
            if 2 * count < self._rejects_max:
                return False
            return self._levels.escalate(RiskLevel.CAUTIOUS, storm, now_ns)
        self._ts_ns.clear()
        if self._levels.asked(storm) >= RiskLevel.REDUCE_ONLY:
            return self._levels.escalate(RiskLevel.CANCEL_ALL, storm, now_ns, then=RiskLevel.HALTED)
        return self._levels.escalate(RiskLevel.REDUCE_ONLY, storm, now_ns)

    def on_time(self, now_ns: int) -> bool:
        """A whole window without rejects ends the storm; returns whether it did."""
        if now_ns - self._last_ns <= self._window_ns:
            return False
        return self._levels.clear(_REJECT_STORM, now_ns)
