"""What we hold and what it cost: exact integers, from fills and nothing else.

Base is counted in atoms: lots bought and sold, less commissions taken in the base asset. Cash is counted in
money units (see mmd.core.inventory.money). Commissions in a third asset are counted in its atoms and
valued at the rate given with the fill.
"""

from decimal import Decimal

from mmd.core.events import Fill
from mmd.core.instrument import Instrument
from mmd.core.inventory.money import Money
from mmd.core.units import ATOMS_PER_UNIT


class Position:
    """Inventory of one instrument, with its average cost.

    Attributes:
        atoms: inventory in base atoms, negative when short; what limits and hedges are about.
        cash_units: money received less money paid, fees in quote and funding included, since the start.
        cost_units: what the present inventory cost (negative when short: what it brought in).
        realised_units: PnL of what was closed, before fees, and funding; with unrealised_units(mid) and
            fee_units it makes up the total exactly.
        fee_units: all commissions in money units, as they were worth when paid; negative is a rebate.
        fee_atoms: commissions by asset, in its atoms.
        unpriced_fee_atoms: those of third assets whose rate was not known.
        turnover_lots: by side, what was bought and sold.
        opened_ns: engine time since which the inventory is on its present side; None while under one lot.
    """

    def __init__(
        self, instrument: Instrument, carried_atoms: int = 0, mid_half_ticks: int = 0
    ) -> None:
        """Start from an inventory that an earlier session handed over, valued at the mid of now."""
        self.money = Money(instrument)
        self.atoms = carried_atoms
        self.cash_units = 0
        self.cost_units = self.money.value(carried_atoms, mid_half_ticks)
        self.realised_units = 0
        self.fee_units = 0
        self.fee_atoms: dict[str, int] = {}
        self.unpriced_fee_atoms: dict[str, int] = {}
        self.turnover_lots = [0, 0]
        self._base = instrument.base
        self._quote = instrument.quote
        self.opened_ns: int | None = None

    @property
    def lots(self) -> int:
        """Inventory in whole lots, towards zero: what can be traded away."""
        whole = abs(self.atoms) // self.money.atoms_per_lot
        return whole if self.atoms > 0 else -whole

    @property
    def vwap(self) -> Decimal | None:
        """Average price of the present inventory in quote currency; None when flat."""
        if self.atoms == 0:
            return None
        return self.money.decimal(self.cost_units) * ATOMS_PER_UNIT / self.atoms

    def unrealised_units(self, mid_half_ticks: int) -> int:
        """What closing at the mid would add to realised_units."""
        return self.money.value(self.atoms, mid_half_ticks) - self.cost_units

    def held_ns(self, now_ns: int) -> int:
        """Engine time for which the inventory has been on its present side; 0 while under one lot."""
        return 0 if self.opened_ns is None else now_ns - self.opened_ns

    def hold_since(self, now_ns: int) -> None:
        """Count the time in position of an inventory that was handed over from now on."""
        self._keep_time(0, now_ns)

    def on_fill(self, fill: Fill, mid_half_ticks: int, fee_rate_atoms: int | None = None) -> int:
        """Book one of our trades; returns its commission in money units.

        Args:
            fill: a fill that has not been booked before.
            mid_half_ticks: best bid + best ask in ticks at that moment; values a base-asset commission.
            fee_rate_atoms: quote atoms that one whole unit of the fee asset is worth, where that is neither
                base nor quote; None if unknown.
        """
        before = self.lots
        atoms = fill.side.sign * fill.qty_lots * self.money.atoms_per_lot
        self._trade(atoms, 2 * fill.price_ticks)
        self.cash_units -= self.money.value(atoms, 2 * fill.price_ticks)
        self.turnover_lots[fill.side] += fill.qty_lots
        fee_units = self._pay(fill.fee_asset, fill.fee_atoms, mid_half_ticks, fee_rate_atoms)
        self._keep_time(before, fill.ts_recv_ns)
        return fee_units

    def on_transfer(self, base_atoms: int, mid_half_ticks: int, now_ns: int) -> int:
        """Base came in or went out without a trade, at the mid; returns its value in money units."""
        before = self.lots
        self._trade(base_atoms, mid_half_ticks)
        self._keep_time(before, now_ns)
        return self.money.value(base_atoms, mid_half_ticks)

    def on_funding(self, received_atoms: int) -> int:
        """Funding is realised when it is exchanged; returns it in money units."""
        units = received_atoms * self.money.per_quote_atom
        self.cash_units += units
        self.realised_units += units
        return units

    def price_fees(self, asset: str, fee_rate_atoms: int) -> int:
        """Value commissions whose rate was missing; returns them in money units."""
        fee_units = self._third_asset(self.unpriced_fee_atoms.pop(asset, 0), fee_rate_atoms)
        self.fee_units += fee_units
        return fee_units

    def _pay(self, asset: str, atoms: int, mid_half_ticks: int, rate_atoms: int | None) -> int:
        """Take a commission out of what it is paid in; returns it in money units."""
        self.fee_atoms[asset] = self.fee_atoms.get(asset, 0) + atoms
        if asset == self._quote:
            fee_units = atoms * self.money.per_quote_atom
            self.cash_units -= fee_units
        elif asset == self._base:
            fee_units = self.money.value(atoms, mid_half_ticks)
            self._trade(-atoms, mid_half_ticks)
        elif rate_atoms is None:
            self.unpriced_fee_atoms[asset] = self.unpriced_fee_atoms.get(asset, 0) + atoms
            fee_units = 0
        else:
            fee_units = self._third_asset(atoms, rate_atoms)
        self.fee_units += fee_units
        return fee_units

    def _third_asset(self, atoms: int, rate_atoms: int) -> int:
        """Atoms of another asset in money units, rounded up: against us."""
        return -(-atoms * rate_atoms * self.money.per_quote_atom // ATOMS_PER_UNIT)

    def _trade(self, atoms: int, half_ticks: int) -> None:
        """Move the inventory at a price; what closes is realised at average cost.

        The cost of a part is rounded down to a unit and the rest stays with what is kept, so that realised
        and unrealised always add up to the total.
        """
        held = self.atoms
        closed = 0 if held * atoms >= 0 else min(abs(atoms), abs(held))
        if closed > 0:
            cost = self.cost_units * closed // abs(held)
            value = self.money.value(closed if held > 0 else -closed, half_ticks)
            self.realised_units += value - cost
            self.cost_units -= cost
        opened = atoms + (closed if held > 0 else -closed)
        self.cost_units += self.money.value(opened, half_ticks)
        self.atoms += atoms

    def _keep_time(self, lots_before: int, now_ns: int) -> None:
        if self.lots == 0:
            self.opened_ns = None
        elif self.opened_ns is None or lots_before * self.lots < 0:
            self.opened_ns = now_ns
