"""Whether a rival's blocks earn more than the champion's beside them: paired, after fees, looked at after each pair."""

from enum import IntEnum
from typing import NamedTuple

from mmd.core.learned.confidence_sequence import ConfidenceSequence
from mmd.core.learned.trial_spec import TrialSpec


class Verdict(IntEnum):
    """What the pairs say so far."""

    UNDECIDED = 0
    BETTER = 1
    """Earns more beyond chance, with no worse drawdown and no more refusals."""
    WORSE = 2
    """Earns less beyond chance."""
    RISKY = 3
    """Earns more, but loses more on the way or is refused more often."""


class BlockResult(NamedTuple):
    """One block that is over and judged."""

    earned_bps: float
    """Of one order of the size quoted, after fees."""
    fills: int
    sent: int
    rejected: int


class ArmRecord:
    """What one side of the pairs has come to."""

    def __init__(self) -> None:
        self.earned_bps = self.drawdown_bps = 0.0
        self.fills = self.sent = self.rejected = 0
        self._peak = 0.0

    def add(self, block: BlockResult) -> None:
        """One block more."""
        self.earned_bps += block.earned_bps
        self._peak = max(self._peak, self.earned_bps)
        self.drawdown_bps = max(self.drawdown_bps, self._peak - self.earned_bps)
        self.fills += block.fills
        self.sent += block.sent
        self.rejected += block.rejected

    @property
    def reject_ratio(self) -> float:
        """Share of orders that were refused."""
        return self.rejected / self.sent if self.sent > 0 else 0.0


class TrialTest:
    """One rival against the champion.

    Attributes:
        rival, champion: records of their blocks.
        difference: rival less champion, basis points of an order and block.
    """

    def __init__(self, spec: TrialSpec) -> None:
        self.rival, self.champion = ArmRecord(), ArmRecord()
        self.difference = ConfidenceSequence(spec.alpha)
        self._spec = spec

    def add(self, rival: BlockResult, champion: BlockResult) -> None:
        """One pair more."""
        self.rival.add(rival)
        self.champion.add(champion)
        self.difference.add(rival.earned_bps - champion.earned_bps)

    @property
    def verdict(self) -> Verdict:
        """What the pairs say; nothing before there are pairs_min."""
        spec, found = self._spec, self.difference
        if found.n < spec.pairs_min:
            return Verdict.UNDECIDED
        if found.high < 0.0:
            return Verdict.WORSE
        if found.low <= 0.0:
            return Verdict.UNDECIDED
        drawdown_max = spec.drawdown_ratio_max * self.champion.drawdown_bps
        rejects_max = self.champion.reject_ratio + spec.reject_ratio_margin
        is_safe = self.rival.drawdown_bps <= drawdown_max or self.rival.drawdown_bps == 0.0
        is_safe = is_safe and self.rival.reject_ratio <= rejects_max
        return Verdict.BETTER if is_safe else Verdict.RISKY
