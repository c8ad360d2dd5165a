"""Where the processes of one run die: at one named step after the other, a process for each."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from mmd.journal.kill_points import ROLL, KillPoint, Phase

_SHARES: Final = {Phase.BEFORE: 0.0, Phase.TORN: 0.5, Phase.WRITTEN: 1.0}
_START_STEPS: Final = frozenset({"reconciled", "feed_up", "private_up", "place"})
"""Steps of a start: their points are armed from a process's first record."""


class KillPlan:
    """Says of each record whether the process dies with it; asked as `MemoryJournal.dies_at`.

    Attributes:
        reached: how often each point was.
        skipped: points that were not reached in their time.
    """

    def __init__(self, points: Sequence[KillPoint], armed_after: int) -> None:
        """Points in their order; one is armed when a process has written so many records."""
        self._points = list(points)
        self._armed_after = armed_after
        self._records = self._waited = 0
        self._is_after = False
        """The step whose completion is waited for was written last."""
        self.reached: Counter[KillPoint] = Counter()
        self.skipped: list[KillPoint] = []

    @property
    def is_done(self) -> bool:
        """Whether no point is left."""
        return not self._points

    def on_start(self) -> None:
        """A new process begins."""
        self._records, self._waited, self._is_after = 0, 0, False

    def on_time(self, patience: int) -> None:
        """Time passes; a point that was not reached in so many calls makes way for the next."""
        self._waited += 1
        if self._points and self._waited > patience:
            self.skipped.append(self._points.pop(0))
            self._waited = 0

    def __call__(self, step: str) -> float | None:
        """The share of the record that is written before the process dies; None: it lives."""
        self._records += 1
        if self.is_done:
            return None
        point = self._points[0]
        if self._is_after and step != ROLL:
            return self._die(0.0)
        if self._records <= self._armed_after and point.step not in _START_STEPS:
            return None
        if step != point.step:
            return None
        if point.phase is Phase.DONE:
            self._is_after = True
            return None
        return self._die(_SHARES[point.phase])

    def _die(self, share: float) -> float:
        self.reached[self._points.pop(0)] += 1
        self._is_after = False
        self._waited = 0
        return share
