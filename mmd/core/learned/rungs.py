"""Which rung of the ladder the ensemble stands on, and how it came there."""

from collections import deque
from typing import Final, NamedTuple

from mmd.core.learned.prediction import PartStatus, Rung

CHANGES_KEPT: Final = 64


class RungChange(NamedTuple):
    """The ensemble lost a part, or got it back."""

    ts_ns: int
    before: Rung
    after: Rung
    price: PartStatus
    spread: PartStatus


class Rungs:
    """One instrument's.

    Attributes:
        rung: the one of now.
        changes: the last CHANGES_KEPT.
        total: how many changes there were.
    """

    def __init__(self) -> None:
        self.rung = Rung.GLFT
        self.changes: deque[RungChange] = deque(maxlen=CHANGES_KEPT)
        self.total = 0

    def note(self, rung: int, price: int, spread: int, now_ns: int) -> None:
        """The ensemble stands there now, for the sake of these statuses of its parts."""
        if rung == self.rung:
            return
        before, self.rung = self.rung, Rung(rung)
        parts = PartStatus(price), PartStatus(spread)
        self.changes.append(RungChange(now_ns, before, self.rung, *parts))
        self.total += 1
