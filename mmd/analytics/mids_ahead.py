"""What the mid was at fixed horizons after each row of a table, filled in as time passes.

The convention is the engine's (mmd.core.flow.markout): the mid at t + h is the last one known at that time, and
nothing is written before the horizon has passed.
"""

from typing import Final

from mmd.analytics.columns import Rows
from mmd.core.flow.markout import HORIZONS_NS

_NEVER: Final = 2**62


class MidsAhead:
    """Writes the `mid_after_half_ticks` column of a growing table with ascending `ts_ns`; O(1) amortised."""

    def __init__(self, rows: Rows, horizons_ns: tuple[int, ...] = HORIZONS_NS) -> None:
        self._rows = rows
        self._horizons_ns = horizons_ns
        self._next = [0] * len(horizons_ns)
        self._due_ns = _NEVER
        self._mid_half_ticks = 0

    def on_row(self, ts_ns: int) -> None:
        """A row of this time was appended."""
        self._due_ns = min(self._due_ns, ts_ns + self._horizons_ns[0])

    def on_mid(self, mid_half_ticks: int, now_ns: int) -> None:
        """Take a new mid; what fell due before now is judged by the one before."""
        if self._due_ns < now_ns:
            self._judge(now_ns - 1)
        self._mid_half_ticks = mid_half_ticks
        if self._due_ns <= now_ns:
            self._judge(now_ns)

    def on_halved(self) -> None:
        """The table has lost every other row."""
        self._next = [(row + 1) // 2 for row in self._next]

    def _judge(self, until_ns: int) -> None:
        table = self._rows.table
        sent_ns, after = table["ts_ns"], table["mid_after_half_ticks"]
        self._due_ns = _NEVER
        for horizon, wait_ns in enumerate(self._horizons_ns):
            while (row := self._next[horizon]) < len(table):
                due_ns = int(sent_ns[row]) + wait_ns
                if due_ns > until_ns:
                    self._due_ns = min(self._due_ns, due_ns)
                    break
                after[row, horizon] = self._mid_half_ticks
                self._next[horizon] = row + 1
