"""The integer in which cash and PnL of an instrument are counted, so that nothing is ever rounded.

Three things must be whole: a quote atom (1e-8 quote: fees), a notional (ticks * lots), and the value of one
base atom at half a tick (base-asset fees make positions of any number of atoms; the mid of an odd spread
lies between ticks). The last is tick_size / 2 * 1e-8 quote. With tick_size / 2 = a / b in lowest terms the unit
is 1e-8 / b quote: a quote atom is then b units, a base atom at a half tick a units, and a notional, being a
whole number of base atoms at a whole tick, is whole too. A tick of 0.01 gives 5e-11 quote.
"""

from decimal import Decimal
from fractions import Fraction

from mmd.core.instrument import Instrument, Kind
from mmd.core.units import ATOMS_PER_UNIT
from mmd.errors import InstrumentError


class Money:
    """Converts between an instrument's integers and money units.

    Attributes:
        per_atom_half_tick: units in one base atom at a price of half a tick.
        per_quote_atom: units in 1e-8 quote.
        atoms_per_lot: base atoms in one lot.
    """

    __slots__ = ("atoms_per_lot", "per_atom_half_tick", "per_quote_atom")

    def __init__(self, instrument: Instrument) -> None:
        """Derive the unit.

        Raises:
            InstrumentError: a contract whose notional is not price times base quantity.
        """
        if instrument.kind is Kind.INVERSE or instrument.contract_size != 1:
            raise InstrumentError(
                f"{instrument.symbol}: expected a contract worth price * quantity, found kind "
                f"{instrument.kind.name} of contract size {instrument.contract_size}: remove it"
            )
        half_tick = Fraction(instrument.tick_size) / 2
        self.per_atom_half_tick, self.per_quote_atom = half_tick.as_integer_ratio()
        self.atoms_per_lot = instrument.atoms_per_lot

    def value(self, base_atoms: int, half_ticks: int) -> int:
        """Units that so many base atoms are worth at a price in half ticks."""
        return base_atoms * half_ticks * self.per_atom_half_tick

    def notional(self, qty_lots: int, price_ticks: int) -> int:
        """Units in a trade."""
        return self.value(qty_lots * self.atoms_per_lot, 2 * price_ticks)

    def quote_atoms(self, units: int) -> int:
        """Units as whole quote atoms (1e-8), rounded down."""
        return units // self.per_quote_atom

    def decimal(self, units: int) -> Decimal:
        """Units as quote currency, for reports."""
        return Decimal(units) / (self.per_quote_atom * ATOMS_PER_UNIT)
