"""Puts an ordinary decision and its first order on record in the very call that takes it.

The call knows both, and a call of their own would take 2 us on the way to the wire. What it does not write (nothing was
ordinary, there is no room, the journal is closed) the driver has to record as ever: see `wrote`.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.decision import decide
from mmd.core.events import Decision
from mmd.core.orders.order_diff import REPLACE
from mmd.core.risk.order_check import OK, RISK
from mmd.core.units import InstrumentId, TimeInForce
from mmd.jit.kernel import Rec, bind, kernel, layout, new
from mmd.jit.places import record_at
from mmd.jit.record_field import words
from mmd.journal.segment import END, FULL, shape_of, write_command

PEN = layout(
    ("end", "i8"),  # address of the open segment's END, 0 = none
    ("ts_recv_ns", "i8"),  # of the decision that is being taken
    ("number", "i8"),  # its number, 0 = it is on record
    ("order_id", "i8"),  # the order that was written last; 0 = none, or told
)
_END, _TS_RECV_NS, _NUMBER, _ORDER_ID = range(4)
_PLACE, _REPLACE = shape_of(PlaceOrder), shape_of(ReplaceOrder)
_PLACE_N, _PLACE_TAG = _PLACE.n, _PLACE.tag
_REPLACE_N, _REPLACE_TAG = _REPLACE.n, _REPLACE.tag
_POST_ONLY: Final = int(TimeInForce.POST_ONLY)


@kernel
def decide_on_record(  # noqa: PLR0913, PLR0917 - a kernel
    places: Rec,
    pen: Rec,
    instrument: int,
    now_ns: int,
    level: int,
    hindrance: int,
    lag_ns_max: int,
    quoted_lots: int,
    order_id: int,
) -> int:
    """`mmd.core.decision.decide`; where its first action is an order that may be sent, that is on record."""
    n = decide(places, now_ns, level, hindrance, lag_ns_max, quoted_lots, order_id)
    p, v = pen[0], record_at(places[0].risk, RISK)[0]
    if n <= 0 or p.end == 0 or v.verdict != OK:
        return n
    e = record_at(p.end, END)[0]
    if v.op == REPLACE:
        size = write_command(
            e,
            p.ts_recv_ns,
            p.number,
            _REPLACE_N,
            _REPLACE_TAG,
            instrument,
            v.old_id,
            v.order_id,
            v.side,
            v.px,
            v.sz,
            _POST_ONLY,
        )
    else:
        size = write_command(
            e,
            p.ts_recv_ns,
            p.number,
            _PLACE_N,
            _PLACE_TAG,
            instrument,
            v.order_id,
            v.side,
            v.px,
            v.sz,
            _POST_ONLY,
            0,
        )
    if size != FULL:
        p.number, p.order_id = 0, v.order_id
    return n


class Pen:
    """One journal's; implements `mmd.core.ports.Pen`."""

    __slots__ = ("_record", "_words")

    def __init__(self) -> None:
        self._record: Rec = new(PEN)
        self._words = words(self._record)

    def turn_to(self, end: Rec | None) -> None:
        """From now on write to a segment, an END record; None: write nothing."""
        self._words[_END] = 0 if end is None else end.ctypes.data

    def bound(
        self, places: Rec, instrument: InstrumentId
    ) -> Callable[[int, int, int, int, int, int], int]:
        """What decides for an instrument, given what `decide` is given behind `places`."""
        held = places, self._record, int(instrument)
        return partial(bind(decide_on_record, *held, *[0] * 6), *held)

    def begin(self, decision: Decision) -> None:
        """A decision is about to be taken, which is not on record yet."""
        words = self._words
        words[_TS_RECV_NS], words[_NUMBER], words[_ORDER_ID] = (
            decision.ts_recv_ns,
            decision.number,
            0,
        )

    def end(self) -> None:
        """The decision has been put on record otherwise, or will be."""
        self._words[_NUMBER] = 0

    def wrote(self, order_id: int) -> bool:
        """Whether an order is on record already, and its decision; said once."""
        if self._words[_ORDER_ID] != order_id:
            return False
        self._words[_ORDER_ID] = 0
        return True
