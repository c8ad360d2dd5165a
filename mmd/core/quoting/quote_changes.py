"""Every change of a quote state, kept for whoever shows, counts or logs it."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from mmd.core.quoting.quote_state import QuoteReason, QuoteState

CHANGES_KEPT: Final = 256


class QuoteChange(NamedTuple):
    """A new state, or a new reason for the same."""

    ts_ns: int
    before: QuoteState
    after: QuoteState
    reason: QuoteReason


class QuoteChanges:
    """Changes of one instrument's state or of the reason for it; the last CHANGES_KEPT are remembered.

    Attributes:
        total: how many there were.
        counts: how many led to each state for each reason; none that never happened.
    """

    def __init__(self) -> None:
        self.total = 0
        self.counts: dict[tuple[QuoteState, QuoteReason], int] = {}
        self._kept: deque[QuoteChange] = deque(maxlen=CHANGES_KEPT)

    def note(self, change: QuoteChange) -> None:
        """Something changed."""
        to = change.after, change.reason
        self.total += 1
        self.counts[to] = self.counts.get(to, 0) + 1
        self._kept.append(change)

    def since(self, total: int) -> Iterator[QuoteChange]:
        """Those that came after there were `total`, oldest first, as far as they are remembered."""
        new = min(self.total - total, len(self._kept))
        return iter([*self._kept][len(self._kept) - new :])
