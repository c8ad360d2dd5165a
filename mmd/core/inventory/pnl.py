"""PnL counted in two independent ways that must agree to the last integer.

    by balances   cash + inventory * mid - commissions in third assets - baseline
    by causes     sum of edges (against the mid just before each fill) + inventory * change of mid - all fees + funding
The first knows nothing of edges, the second nothing of cash. Their difference, `identity_error`, is 0 always;
anything else is a bug.
"""

from typing import NamedTuple

from mmd.core.events import Fill
from mmd.core.instrument import Instrument
from mmd.core.inventory.attribution import ProfitSources, PurposeBooks
from mmd.core.inventory.position import Position
from mmd.core.orders.order import OrderPurpose

_QUOTE = OrderPurpose.QUOTE


class Attribution(NamedTuple):
    """Where PnL came from, in money units."""

    edge_units: int
    """What fills were better than the mid just before them."""
    inventory_units: int
    """What the mid's moves made of the inventory held meanwhile."""
    fee_units: int
    """Commissions, negative is a rebate."""
    funding_units: int = 0
    """What perpetuals paid to us for holding them."""

    @property
    def total_units(self) -> int:
        """All causes together."""
        return self.edge_units + self.inventory_units - self.fee_units + self.funding_units


class Pnl:
    """Profit and loss of one instrument since the session's first mid.

    Attributes:
        position: the inventory; booked through this class only.
        books: what each purpose of our orders brought.
        mid_half_ticks: the last mark, best bid + best ask in ticks.
    """

    def __init__(self, instrument: Instrument, mid_half_ticks: int, carried_atoms: int = 0) -> None:
        """Start counting at a mid, with an inventory that an earlier session handed over."""
        self.position = Position(instrument, carried_atoms, mid_half_ticks)
        self.mid_half_ticks = mid_half_ticks
        self._baseline_units = self.position.money.value(carried_atoms, mid_half_ticks)
        self.books = PurposeBooks(
            self.position.money, instrument.base, carried_atoms, mid_half_ticks
        )
        self._third_fee_units = 0
        self._base = instrument.base
        self._quote = instrument.quote
        self._held_atoms = carried_atoms
        self._edge_units = 0
        self._inventory_units = 0
        self._fee_units = 0
        self._funding_units = 0

    def on_mid(self, mid_half_ticks: int) -> None:
        """Mark the inventory."""
        if mid_half_ticks != self.mid_half_ticks:
            money = self.position.money
            change = mid_half_ticks - self.mid_half_ticks
            self._inventory_units += money.value(self._held_atoms, change)
            self.mid_half_ticks = mid_half_ticks

    def on_fill(
        self,
        fill: Fill,
        mid_half_ticks: int,
        fee_rate_atoms: int | None = None,
        purpose: OrderPurpose = _QUOTE,
    ) -> int:
        """Book a fill; returns its edge in money units.

        Args:
            fill: a fill that has not been booked before.
            mid_half_ticks: the mid just before the aggressor's order; becomes the mark.
            fee_rate_atoms: see `Position.on_fill`.
            purpose: what the order was for.
        """
        self.on_mid(mid_half_ticks)
        money = self.position.money
        atoms = fill.side.sign * fill.qty_lots * money.atoms_per_lot
        edge_units = money.value(atoms, mid_half_ticks - 2 * fill.price_ticks)
        fee_units = self.position.on_fill(fill, mid_half_ticks, fee_rate_atoms)
        self.books.on_fill(fill, mid_half_ticks, edge_units, fee_units, purpose)
        self._edge_units += edge_units
        self._fee_units += fee_units
        self._held_atoms += atoms
        if fill.fee_asset == self._base:
            self._held_atoms -= fill.fee_atoms
        elif fill.fee_asset != self._quote:
            self._third_fee_units += fee_units
        return edge_units

    def on_transfer(self, base_atoms: int, mid_half_ticks: int, now_ns: int) -> None:
        """Base came in (or went out, negative) without a trade: neither profit nor loss."""
        self.on_mid(mid_half_ticks)
        self._baseline_units += self.position.on_transfer(base_atoms, mid_half_ticks, now_ns)
        self.books.on_transfer(base_atoms, mid_half_ticks)
        self._held_atoms += base_atoms

    def on_funding(self, received_atoms: int) -> None:
        """Quote currency came in for what is held, or went out (negative)."""
        self._funding_units += self.position.on_funding(received_atoms)

    def price_fees(self, asset: str, fee_rate_atoms: int) -> None:
        """Value commissions in a third asset whose rate was missing when they were paid."""
        fee_units = self.position.price_fees(asset, fee_rate_atoms)
        self._third_fee_units += fee_units
        self._fee_units += fee_units

    @property
    def total_units(self) -> int:
        """PnL by balances, at the last mark, fees included."""
        return self.total_units_at(self.mid_half_ticks)

    def total_units_at(self, mid_half_ticks: int) -> int:
        """The same, were the mark another."""
        position = self.position
        held_units = position.money.value(position.atoms, mid_half_ticks)
        return position.cash_units + held_units - self._third_fee_units - self._baseline_units

    @property
    def attribution(self) -> Attribution:
        """PnL by causes."""
        return Attribution(
            self._edge_units, self._inventory_units, self._fee_units, self._funding_units
        )

    @property
    def sources(self) -> ProfitSources:
        """PnL by source; its total is `total_units`."""
        return self.sources_at(self.mid_half_ticks)

    def sources_at(self, mid_half_ticks: int) -> ProfitSources:
        """The same, were the mark another; its total is `total_units_at`."""
        found = self.books.sources(mid_half_ticks, self._fee_units)
        return found._replace(funding_units=self._funding_units)

    @property
    def identity_error(self) -> int:
        """Balances less causes, in money units: 0, or a bug."""
        by_causes = self._edge_units + self._inventory_units - self._fee_units + self._funding_units
        return self.total_units_at(self.mid_half_ticks) - by_causes

    @property
    def total_quote_atoms(self) -> int:
        """PnL in 1e-8 quote, rounded down: what loss limits are judged on."""
        return self.position.money.quote_atoms(self.total_units)
