"""The book of everybody else: the view less our own orders, a record that `mmd.core.orders.own_levels` keeps.

A venue's book shows our orders among all others. Features made of it would follow our own quotes: a bid of ours
that joins the touch looks like buying interest, which moves the fair value, which moves the bid. So what the
venue has acknowledged of our orders is taken out of the book's view before anything looks at it.

Counted is an order from its acknowledgement (or first fill) to its end, with what is then left of it. Private and
public events come on different sockets, so for the time of one frame either may be ahead of the other: an order
that the book shows already and nobody has acknowledged is taken for a stranger's, and one that is acknowledged
and not shown yet hides as much of what others have at its price. A level never falls below nothing, and the next
frame puts it right.
"""

from typing import Final

from mmd.jit.kernel import Rec, kernel, layout, leaf

OWN_MAX: Final = 32
"""Orders of a side that are counted; there are fewer than half as many where the risk limits allow orders at all."""

OWN_LEVELS = layout(
    ("n", "i8", (2,)),
    ("px", "i8", (2, OWN_MAX)),  # ticks, in no order
    ("lots", "i8", (2, OWN_MAX)),  # above 0
)


@leaf
def _take_out(b: Rec, side: int, ticks: int, lots: int) -> None:
    """Take lots out of one level of the view; a level with nothing left disappears."""
    step = 1 - 2 * side
    at, n = 0, b.nview[side]
    while at < n and step * (b.vpx[side, at] - ticks) > 0:
        at += 1
    if at == n or b.vpx[side, at] != ticks:
        return
    left = b.vsz[side, at] - lots
    if left > 0:
        b.vsz[side, at] = left
        return
    for k in range(at, n - 1):
        b.vpx[side, k] = b.vpx[side, k + 1]
        b.vsz[side, k] = b.vsz[side, k + 1]
    b.nview[side] = n - 1


@kernel
def take_out_own(book: Rec, own: Rec) -> None:
    """Leave in the book's view what others have; to be called once after each time that it was drawn.

    The depth book keeps our orders: it is what the venue says, and is checked against it.
    """
    b, o = book[0], own[0]
    for side in range(2):
        for i in range(o.n[side]):
            _take_out(b, side, o.px[side, i], o.lots[side, i])
