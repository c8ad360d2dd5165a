"""What the mid was at fixed horizons after each row of tables, filled in as time passes.

The convention is the engine's (mmd.core.flow.markout): the mid at t + h is the last one known at that time, and
nothing is written before the horizon has passed. Mids are kept and looked up many at once.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np

from mmd.analytics.columns import Rows
from mmd.core.flow.markout import HORIZONS_NS

_KEPT_MAX: Final = 8192
_BEGINNING_NS: Final = -(2**62)


class MidsAhead:
    """Writes the `mid_after_half_ticks` column of growing tables with ascending `ts_ns`."""

    def __init__(self, *tables: Rows, horizons_ns: tuple[int, ...] = HORIZONS_NS) -> None:
        self._tables = tables
        self._horizons_ns = horizons_ns
        self._next = [[0] * len(horizons_ns) for _ in tables]
        """Of each table, the first row that each horizon waits for."""
        self._times_ns, self._mids = [_BEGINNING_NS], [0]
        """Mids since what was written last, led by the one before."""

    def on_mid(self, mid_half_ticks: int, now_ns: int) -> None:
        """Take a mid."""
        self._times_ns.append(now_ns)
        self._mids.append(mid_half_ticks)
        if len(self._mids) > _KEPT_MAX:
            self.settle()

    def on_mids(self, mids_half_ticks: Iterable[int], times_ns: Iterable[int]) -> None:
        """Take mids in order of time."""
        self._times_ns.extend(times_ns)
        self._mids.extend(mids_half_ticks)
        if len(self._mids) > _KEPT_MAX:
            self.settle()

    def halve(self, table: Rows) -> None:
        """Have a table keep every other row, the first among them."""
        self.settle()
        table.halve()
        at = self._tables.index(table)
        self._next[at] = [(row + 1) // 2 for row in self._next[at]]

    def settle(self) -> None:
        """Write whatever is known by now; needed before the column is read."""
        times_ns, mids = np.array(self._times_ns), np.array(self._mids)
        last_ns = times_ns[-1]
        for rows, following in zip(self._tables, self._next, strict=True):
            table = rows.table
            sent_ns, after = table["ts_ns"], table["mid_after_half_ticks"]
            for horizon, wait_ns in enumerate(self._horizons_ns):
                first = following[horizon]
                due_ns = sent_ns[first:] + wait_ns
                due_ns = due_ns[: due_ns.searchsorted(last_ns, "right")]
                at = times_ns.searchsorted(due_ns)
                at -= times_ns[at] != due_ns  # of several mids at that very time the first counts
                following[horizon] = first + len(due_ns)
                after[first : following[horizon], horizon] = mids[at]
        del self._times_ns[:-1], self._mids[:-1]
