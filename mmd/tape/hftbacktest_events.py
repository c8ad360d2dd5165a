"""hftbacktest's event array, version 2: its dtype and the bits of `ev`.

`ival`, which it leaves to users, carries the update id of book events and the trade id of trades, so that a
tape that goes there and comes back has its numbers again.

Source: hftbacktest 2.4, hftbacktest/types.py; docs, "Data".
"""

from typing import Final

import numpy as np
import numpy.typing as npt

DEPTH, TRADED, CLEAR, DEPTH_SNAPSHOT, BEST = 1, 2, 3, 4, 5
ADD, CANCEL, MODIFY, FILL = 10, 11, 12, 13
TYPE_MASK: Final = 0xFF

AT_EXCHANGE: Final = 1 << 31
"""Valid at the exchange, at exch_ts."""
AT_LOCAL: Final = 1 << 30
"""Valid where it is received, at local_ts."""
BUY: Final = 1 << 29
SELL: Final = 1 << 28
SIDE_FLAGS: Final = (BUY, SELL)

EVENT = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),
        ("ival", "i8"),
        ("fval", "f8"),
    ],
    align=True,
)
Events = npt.NDArray[np.void]
"""Structured array of dtype EVENT."""
