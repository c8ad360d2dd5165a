"""Order rows as hftbacktest's level-3 events: there a cancel takes a whole order, and a fill leaves it as it was.

So a part that is cancelled becomes a change of size, and an execution a fill and what it leaves.
"""

import numpy as np

from mmd.core.market.record import TRADE
from mmd.tape import hftbacktest_events as hft
from mmd.tape.format import (
    AGGRESSOR_KNOWN,
    OFF_BOOK,
    ORDER_ADD,
    ORDER_EXECUTE,
    ORDER_MODIFY,
    Rows,
)


class OrderEvents:
    """Follows every order's size; events come out batch by batch."""

    def __init__(self, scale: tuple[float, float]) -> None:
        """`scale` is the value of a tick and of a lot."""
        self._tick, self._lot = scale
        self._left: dict[int, int] = {}

    def events(self, rows: Rows) -> hft.Events:
        """Events of a batch's order rows and trades."""
        made: list[tuple[float, ...]] = []
        for row in rows[(rows["kind"] > TRADE + 1) | (rows["kind"] == TRADE)]:
            kind, flags = int(row["kind"]), int(row["flags"])
            if kind != TRADE:
                self._order(made, row, kind)
            elif flags & OFF_BOOK == 0:
                side = hft.SIDE_FLAGS[row["side"]] if flags & AGGRESSOR_KNOWN else 0
                made.append(self._event(row, hft.TRADED | side, int(row["qty_lots"])))
        return np.array(made, hft.EVENT)

    def _order(self, made: list[tuple[float, ...]], row: np.void, kind: int) -> None:
        """Events of one order row."""
        number, lots = int(row["order_id"]), int(row["qty_lots"])
        side = hft.SIDE_FLAGS[row["side"]]
        if kind in (ORDER_ADD, ORDER_MODIFY):
            code = hft.ADD if kind == ORDER_ADD else hft.MODIFY
            self._left[number] = lots
            made.append(self._event(row, code | side, lots))
            return
        if kind == ORDER_EXECUTE:
            made.append(self._event(row, hft.FILL | side, lots))
        left = self._left.get(number, 0) - lots
        if left > 0:
            self._left[number] = left
            made.append(self._event(row, hft.MODIFY | side, left))
        else:
            self._left.pop(number, None)
            made.append(self._event(row, hft.CANCEL | side, lots))

    def _event(self, row: np.void, ev: int, lots: int) -> tuple[float, ...]:
        """One event in the order of EVENT."""
        event_ns, recv_ns = int(row["ts_event_ns"]), int(row["ts_recv_ns"])
        price, qty = int(row["price_ticks"]) * self._tick, lots * self._lot
        return (ev, event_ns, recv_ns, price, qty, int(row["order_id"]), int(row["first"]), 0.0)
