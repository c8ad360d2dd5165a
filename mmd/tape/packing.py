"""From market records to tape rows: the inverse of `mmd.tape.frames`, for recorders and compiled codecs."""

from typing import Final

import numpy as np

from mmd.core.market.record import LEVELS_MAX, MARKET, TRADE
from mmd.jit.kernel import Rec, bind, kernel, new
from mmd.tape.format import AGGRESSOR_KNOWN, EMPTY, LAST_IN_FRAME, ROW, Rows

FRAME_ROWS_MAX: Final = 2 * LEVELS_MAX


@kernel
def _put(rows: Rec, at: int, market: Rec, side: int, ticks: int, lots: int, flags: int) -> None:
    """Write one row."""
    m = market[0]
    row = rows[at]
    row.ts_event_ns = m.ts_event_ns
    row.ts_recv_ns = m.ts_recv_ns
    row.first = m.first
    row.last = m.last
    row.prev = m.prev
    row.price_ticks = ticks
    row.qty_lots = lots
    row.order_id = 0
    row.kind = m.kind
    row["flags"] = (
        flags  # by item: as an attribute it would be numpy's own where this runs as plain Python
    )
    row.side = side


@kernel
def append_frame(rows: Rec, at: int, market: Rec, flags: int) -> int:
    """Write the record's rows from rows[at] on, which must have room for FRAME_ROWS_MAX.

    Args:
        rows: shape (n,), dtype ROW.
        at: first row to write.
        market: MARKET record; a trade's aggressor is taken as known.
        flags: of the first row, e.g. AFTER_GAP.

    Returns:
        The index after the last row written.
    """
    m = market[0]
    begin = at
    if m.kind == TRADE:
        _put(rows, at, market, m.side, m.px[0, 0], m.sz[0, 0], AGGRESSOR_KNOWN)
        at += 1
    else:
        for side in range(2):
            for i in range(m.n[side]):
                _put(rows, at, market, side, m.px[side, i], m.sz[side, i], 0)
                at += 1
        if at == begin:
            _put(rows, at, market, 0, 0, 0, EMPTY)
            at += 1
    rows[begin]["flags"] |= flags
    rows[at - 1]["flags"] |= LAST_IN_FRAME
    return at


class RowPacker:
    """Collects market records as rows; `take` hands them over."""

    def __init__(self, capacity: int) -> None:
        """Room for capacity rows and one more frame of any size."""
        self._rows: Rows = np.zeros(capacity + FRAME_ROWS_MAX, ROW)
        self._capacity = capacity
        self._n = 0
        self._append = bind(append_frame, self._rows, 0, new(MARKET), 0)

    @property
    def is_full(self) -> bool:
        """Whether `take` is due."""
        return self._n >= self._capacity

    def __len__(self) -> int:
        """Rows collected since the last take."""
        return self._n

    def add(self, market: Rec, flags: int = 0) -> int:
        """Append one record; returns how many rows it took."""
        before = self._n
        self._n = self._append(self._rows, before, market, flags)
        return self._n - before

    def take(self) -> Rows:
        """A copy of what was collected, which is then forgotten."""
        rows = self._rows[: self._n].copy()
        self._n = 0
        return rows
