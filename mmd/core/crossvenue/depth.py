"""Walking two books against each other: how much can be bought in one and sold in the other at a profit."""

import math
from collections.abc import Sequence
from typing import NamedTuple

Levels = Sequence[tuple[int, int]]
"""(price in ticks, quantity in base atoms), best first."""


class Prices(NamedTuple):
    """What one tick of each book comes to, in reporting currency for a unit of base, commissions included."""

    buy: float
    sell: float
    slippage: float = 0.0
    """Expected loss of both orders together by the time that they arrive, reporting currency per unit of base."""

    def margin(self, buy_ticks: int, sell_ticks: int) -> float:
        """Profit on one unit of base."""
        return sell_ticks * self.sell - buy_ticks * self.buy - self.slippage


class Walk(NamedTuple):
    """What both books give together, in exact integers."""

    qty_atoms: int
    buy_ticks: int
    """Dearest level that is bought from; 0 where nothing is."""
    sell_ticks: int
    """Cheapest level that is sold into."""
    bought: int
    """Sum of atoms * ticks on the buying side."""
    sold: int

    def net_atoms(self, prices: Prices) -> float:
        """Profit after commissions and expected slippage, in atoms of the reporting currency."""
        return self.sold * prices.sell - self.bought * prices.buy - self.qty_atoms * prices.slippage


NOTHING = Walk(0, 0, 0, 0, 0)


def walk(
    asks: Levels,
    bids: Levels,
    prices: Prices,
    step_atoms: int,
    atoms_max: int | None = None,
) -> Walk:
    """Buy from the asks and sell into the bids while a further unit still pays.

    Args:
        asks: of the book that is bought from.
        bids: of the book that is sold into.
        prices: of a tick on either side.
        step_atoms: the quantity is a multiple of this: whole lots of both instruments.
        atoms_max: no more than this; None for all that pays.
    """
    qty_atoms = _paying_atoms(asks, bids, prices)
    if atoms_max is not None:
        qty_atoms = min(qty_atoms, atoms_max)
    qty_atoms -= qty_atoms % step_atoms
    if qty_atoms <= 0:
        return NOTHING
    buy_ticks, bought = taken(asks, qty_atoms)
    sell_ticks, sold = taken(bids, qty_atoms)
    return Walk(qty_atoms, buy_ticks, sell_ticks, bought, sold)


def taken(levels: Levels, qty_atoms: int) -> tuple[int, int]:
    """The last level that a quantity reaches, and the sum of atoms * ticks; what is not there is not taken."""
    last_ticks = total = 0
    for ticks, atoms in levels:
        if qty_atoms <= 0:
            break
        take = min(atoms, qty_atoms)
        last_ticks, total = ticks, total + take * ticks
        qty_atoms -= take
    return last_ticks, total


def common_step_atoms(lot_atoms: int, other_lot_atoms: int) -> int:
    """The least quantity that is whole lots of both."""
    return math.lcm(lot_atoms, other_lot_atoms)


def _paying_atoms(asks: Levels, bids: Levels, prices: Prices) -> int:
    """All that can be bought at one price and sold at another with a margin; prices only get worse."""
    total = i = j = 0
    ask_left = asks[0][1] if asks else 0
    bid_left = bids[0][1] if bids else 0
    while i < len(asks) and j < len(bids) and prices.margin(asks[i][0], bids[j][0]) > 0.0:
        take = min(ask_left, bid_left)
        total, ask_left, bid_left = total + take, ask_left - take, bid_left - take
        if ask_left == 0:
            i += 1
            ask_left = asks[i][1] if i < len(asks) else 0
        if bid_left == 0:
            j += 1
            bid_left = bids[j][1] if j < len(bids) else 0
    return total
