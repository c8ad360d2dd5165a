"""The columns of a session: what a row of each table holds, and tables that grow row by row.

Times are unix nanoseconds once a session has been read. Prices are ticks, the mid is best bid + best ask in
ticks ("half ticks", exact), quantities are lots, inventory is base atoms (1e-8), money is quote currency.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mmd.core.flow.markout import HORIZONS

Table = NDArray[np.void]
"""Rows of one of the layouts below; `table["name"]` is a column."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

DISTANCES_TICKS: Final = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 2**62)
"""Within how many ticks of the same side's best price quantity counts as quoted; the last is all of it."""

FILL: Final = np.dtype(
    [
        ("ts_ns", "i8"),
        ("sign", "i8"),  # +1 if we bought
        ("price_ticks", "i8"),
        ("qty_lots", "i8"),
        ("is_maker", "?"),
        ("level", "i8"),  # rung of the ladder that the order was for; -1 unknown
        ("fee", "f8"),  # quote currency, negative is a rebate
        ("mid_half_ticks", "i8"),  # just before the fill, as the PnL identity booked it
        ("distance_ticks", "i8"),  # of its price behind the same side's best, at least 0
        ("mid_after_half_ticks", "i8", (HORIZONS,)),  # 0 where the session ended before
    ]
)
ORDER: Final = np.dtype(
    [
        ("client_order_id", "i8"),
        ("ts_ns", "i8"),  # sent
        ("accepted_ns", "i8"),  # 0: never
        ("first_fill_ns", "i8"),  # 0: never
        ("ended_ns", "i8"),  # 0: open at the session's end
        ("sign", "i8"),
        ("price_ticks", "i8"),
        ("qty_lots", "i8"),
        ("filled_lots", "i8"),
        ("level", "i8"),
    ]
)
SAMPLE: Final = np.dtype(
    [
        ("ts_ns", "i8"),
        ("mid_half_ticks", "i8"),
        ("bid_ticks", "i8"),
        ("ask_ticks", "i8"),
        ("our_bid_ticks", "i8"),  # our best, 0 where we have none
        ("our_ask_ticks", "i8"),
        ("position_atoms", "i8"),
        ("limit_atoms", "i8"),  # largest position either way, 0 before the first quote
        ("equity", "f8"),  # PnL by balances at this mid, since the session's start
        # PnL by source: edge + drift + hedging + arbitrage - fee + funding = equity
        ("edge", "f8"),
        ("drift", "f8"),  # of the inventory that quotes brought
        ("hedging", "f8"),
        ("arbitrage", "f8"),
        ("fee", "f8"),
        ("rebate", "f8"),  # the part of -fee that was paid to us
        ("funding", "f8"),
        ("mid_after_half_ticks", "i8", (HORIZONS,)),
        ("quoted_lots", "i8", (len(DISTANCES_TICKS),)),
    ]
)
STATE: Final = np.dtype([("ts_ns", "i8"), ("state", "i8"), ("reason", "i8")])
_FIRST_ROWS = 256


class Rows:
    """A table that grows; memory doubles when it is full."""

    def __init__(self, layout: np.dtype[Any]) -> None:
        self._data: Table = np.zeros(_FIRST_ROWS, layout)
        self.count = 0

    def append(self, row: tuple[Any, ...]) -> int:
        """Add a row, whose values are in the layout's order; returns its index."""
        if self.count == len(self._data):
            self._data = np.concatenate([self._data, np.zeros_like(self._data)])
        self._data[self.count] = row
        self.count += 1
        return self.count - 1

    def extend(self, row: tuple[Any, ...], times_ns: Ints) -> None:
        """Add a row as often as there are times, with these as its `ts_ns`, which is the first value of the layout."""
        while self.count + len(times_ns) > len(self._data):
            self._data = np.concatenate([self._data, np.zeros_like(self._data)])
        added = self._data[self.count : self.count + len(times_ns)]
        added[...] = np.array((0, *row), self._data.dtype)
        added["ts_ns"] = times_ns
        self.count += len(times_ns)

    def halve(self) -> None:
        """Keep every other row, the first among them."""
        kept = self._data[: self.count : 2].copy()
        self.count = len(kept)
        self._data[: self.count] = kept

    @property
    def table(self) -> Table:
        """The rows so far, as a view: what is written to it is kept, until the next append or halving."""
        return self._data[: self.count]
