"""PnL by source: what each purpose of an order earned, so that the sources add up to the PnL to the last integer.

Each purpose has a book of its own: what its fills bought and sold, and therefore what the mid's moves since made
of that. An arbitrage buys on one venue and sells on another at prices that are both worse than their own mids;
it is the mids' coming together that pays, and that is seen only where the inventory is kept apart. The same goes
for a hedge, which loses what the hedged position gains. Nothing is computed per mid: what a book made of moves is
its inventory at the mid of now less what it was worth, at the mid of its time, when it came in.

    spread     fills of quotes were better than the mid just before them
    drift      moves of the mid with the inventory that quotes brought (or an earlier session handed over)
    hedging    fills of hedges and flattenings, and the moves on what they brought
    arbitrage  the same for legs of arbitrage and their unwinding
    rebates    commissions that the venue paid to us
    fees       commissions that we paid, of all purposes
    funding    what a perpetual's longs and shorts paid each other, as far as it came to us
"""

from typing import NamedTuple

from mmd.core.events import Fill
from mmd.core.inventory.money import Money
from mmd.core.orders.order import OrderPurpose


class ProfitSources(NamedTuple):
    """Where PnL came from, in money units (mmd.core.inventory.money)."""

    spread_units: int
    drift_units: int
    hedging_units: int
    arbitrage_units: int
    rebate_units: int
    """Positive: what was paid to us."""
    fee_units: int
    """Positive: what we paid."""
    funding_units: int = 0
    """Positive: what was paid to us."""

    @property
    def total_units(self) -> int:
        """All sources together: the PnL."""
        return (
            self.spread_units
            + self.drift_units
            + self.hedging_units
            + self.arbitrage_units
            + self.rebate_units
            - self.fee_units
            + self.funding_units
        )


class _Book:
    """What the fills of one purpose brought."""

    __slots__ = ("edge_units", "entry_units", "fee_units", "held_atoms")

    def __init__(self) -> None:
        self.held_atoms = self.entry_units = self.edge_units = self.fee_units = 0


class PurposeBooks:
    """One book per purpose of an instrument's fills."""

    def __init__(
        self, money: Money, base: str, carried_atoms: int = 0, mid_half_ticks: int = 0
    ) -> None:
        """Start with an inventory that an earlier session handed over: the quotes' to get rid of."""
        self._money = money
        self._base = base
        self._books = [_Book() for _ in OrderPurpose]
        self._rebate_units = 0
        self.on_transfer(carried_atoms, mid_half_ticks)

    def on_fill(
        self,
        fill: Fill,
        mid_half_ticks: int,
        edge_units: int,
        fee_units: int,
        purpose: OrderPurpose,
    ) -> None:
        """Book a fill with the mid just before it, and what `Pnl` made of its price and commission."""
        book = self._books[purpose]
        atoms = fill.side.sign * fill.qty_lots * self._money.atoms_per_lot
        if fill.fee_asset == self._base:
            atoms -= fill.fee_atoms
        book.held_atoms += atoms
        book.entry_units += self._money.value(atoms, mid_half_ticks)
        book.edge_units += edge_units
        book.fee_units += fee_units
        self._rebate_units += max(-fee_units, 0)

    def on_transfer(self, base_atoms: int, mid_half_ticks: int) -> None:
        """Base came in without a trade."""
        book = self._books[OrderPurpose.QUOTE]
        book.held_atoms += base_atoms
        book.entry_units += self._money.value(base_atoms, mid_half_ticks)

    def gross_units(self, purpose: OrderPurpose, mid_half_ticks: int) -> int:
        """What a purpose came to before commissions."""
        return self._books[purpose].edge_units + self._moved_units(purpose, mid_half_ticks)

    def net_units(self, purpose: OrderPurpose, mid_half_ticks: int) -> int:
        """The same less its commissions, as far as they were priced with the fill."""
        return self.gross_units(purpose, mid_half_ticks) - self._books[purpose].fee_units

    def sources(self, mid_half_ticks: int, fee_units: int) -> ProfitSources:
        """PnL by source at a mid, from all commissions so far, those priced later included."""
        quote, hedge = OrderPurpose.QUOTE, OrderPurpose.HEDGE
        closing_units = self.gross_units(OrderPurpose.FLATTEN, mid_half_ticks)
        return ProfitSources(
            spread_units=self._books[quote].edge_units,
            drift_units=self._moved_units(quote, mid_half_ticks),
            hedging_units=self.gross_units(hedge, mid_half_ticks) + closing_units,
            arbitrage_units=self.gross_units(OrderPurpose.ARBITRAGE, mid_half_ticks),
            rebate_units=self._rebate_units,
            fee_units=fee_units + self._rebate_units,
        )

    def _moved_units(self, purpose: OrderPurpose, mid_half_ticks: int) -> int:
        book = self._books[purpose]
        return self._money.value(book.held_atoms, mid_half_ticks) - book.entry_units
