"""Watchers that make us cautious: while something is wrong, and for a stated time of health after it."""

from mmd.core.risk.levels import Raiser, RiskLevel
from mmd.core.risk.reasons import LevelReason
from mmd.core.units import NANOS_PER_SECOND

# Members of an Enum are looked up through its metaclass (0.1 us each): the hot ones are bound here.
_NORMAL = RiskLevel.NORMAL
_ADVERSE_STREAK = LevelReason.ADVERSE_STREAK


class Caution:
    """Holds a level for one reason until it has been well for `hold_ns`."""

    def __init__(
        self,
        levels: Raiser,
        reason: LevelReason,
        hold_ns: int,
        level: RiskLevel = RiskLevel.CAUTIOUS,
    ) -> None:
        self._levels = levels
        self._reason = reason
        self._hold_ns = hold_ns
        self._level = level
        self._bad_ns = 0

    def on_time(self, now_ns: int, *, is_bad: bool) -> bool:
        """Judge the present; returns whether the level rose."""
        if is_bad:
            self._bad_ns = now_ns
            return self._levels.escalate(self._level, self._reason, now_ns)
        if _is_raised(self._levels, self._reason) and now_ns - self._bad_ns >= self._hold_ns:
            self._levels.clear(self._reason, now_ns)
        return False


class AdverseStreak:
    """Fills in a row after which the mid went against us: cautious at first, then reducing only.

    A streak that nothing adds to for `hold_ns` is over, because at REDUCE_ONLY there may be no fill to end it.
    """

    def __init__(self, levels: Raiser, streak_max: int, hold_ns: int) -> None:
        """CAUTIOUS from streak_max adverse fills in a row, REDUCE_ONLY from twice as many; 0 is never."""
        self._levels = levels
        self._streak_max = streak_max
        self._hold_ns = hold_ns
        self._streak = 0
        self._grown_ns = 0

    @property
    def ends_ns(self) -> int:
        """When it is over, if nothing adds to it."""
        return self._grown_ns + self._hold_ns

    def on_streak(self, streak: int, now_ns: int) -> bool:
        """Judge the present streak; returns whether it is over and has to be counted from 0 again."""
        if self._streak_max == 0:
            return False
        if streak > self._streak:
            self._grown_ns = now_ns
            if streak >= 2 * self._streak_max:
                self._levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.ADVERSE_STREAK, now_ns)
            elif streak >= self._streak_max:
                self._levels.escalate(RiskLevel.CAUTIOUS, LevelReason.ADVERSE_STREAK, now_ns)
        self._streak = streak
        is_over = now_ns - self._grown_ns >= self._hold_ns
        if is_over and _is_raised(self._levels, _ADVERSE_STREAK):
            self._levels.clear(LevelReason.ADVERSE_STREAK, now_ns)
            self._streak = 0
            return True
        return False


class PositionDrift:
    """Only reduces while the venue holds something else than our fills explain, beyond a tolerance.

    A reconciliation is judged at once, because it contains exactly the fills told before it; a balance from
    the stream only after `settle_ns`, because its fill may come behind it.
    """

    def __init__(self, levels: Raiser, settle_ns: int = 2 * NANOS_PER_SECOND) -> None:
        self._levels = levels
        self._settle_ns = settle_ns
        self._since_ns: int | None = None

    def on_reconciled(self, drift_atoms: int, tolerance_atoms: int, now_ns: int) -> bool:
        """Judge the venue's whole picture; returns whether the level rose."""
        self._since_ns = None
        if abs(drift_atoms) <= tolerance_atoms:
            self._levels.clear(LevelReason.POSITION_DRIFT, now_ns)
            return False
        return self._levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.POSITION_DRIFT, now_ns)

    def on_time(self, drift_atoms: int, tolerance_atoms: int, now_ns: int) -> bool:
        """Judge the last balance, which only raises the level; returns whether it did."""
        if abs(drift_atoms) <= tolerance_atoms:
            self._since_ns = None
            return False
        if self._since_ns is None:
            self._since_ns = now_ns
        if now_ns - self._since_ns < self._settle_ns:
            return False
        return self._levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.POSITION_DRIFT, now_ns)


def _is_raised(levels: Raiser, reason: LevelReason) -> bool:
    return levels.asked(reason) is not _NORMAL
