"""The fee that an account pays as maker, which is its break-even half spread: as stated, then as its fills show it.

A tier changes while a session runs: by volume, by a promotion, at the turn of a month. The venue says so in each
fill. A fee in a third asset (at a discount) is not priced here and changes nothing.
"""

from typing import Final

from mmd.core.events import Fill
from mmd.core.instrument import Instrument, Kind
from mmd.core.units import ATOMS_PER_UNIT

_ROUNDING_ATOMS: Final = 2.0
_RELATIVE: Final = 0.005


class MakerFee:
    """One instrument's maker fee.

    Attributes:
        bps: of the notional; negative is a rebate.
    """

    __slots__ = ("_instrument", "_ticklot_atoms", "bps")

    def __init__(self, instrument: Instrument) -> None:
        """Begin with what the venue states."""
        self.bps = instrument.maker_fee_bps
        self._instrument = instrument
        self._ticklot_atoms = float(instrument.notional_per_ticklot) * ATOMS_PER_UNIT

    def on_fill(self, fill: Fill) -> bool:
        """Look at what a fill paid; returns whether the fee is another now."""
        paid_of_atoms = self._charged_atoms(fill)
        if not fill.is_maker or paid_of_atoms <= 0.0:
            return False
        bps = 1e4 * fill.fee_atoms / paid_of_atoms
        rounding_bps = 1e4 * _ROUNDING_ATOMS / paid_of_atoms
        if abs(bps - self.bps) <= max(rounding_bps, _RELATIVE * abs(self.bps)):
            return False
        self.bps = round(bps, 4)
        return True

    def _charged_atoms(self, fill: Fill) -> float:
        """What the fee is a share of, in atoms of its asset; 0.0 where that is not known here."""
        instrument = self._instrument
        if instrument.kind is Kind.INVERSE:
            return 0.0
        if fill.fee_asset == instrument.quote:
            return fill.price_ticks * fill.qty_lots * self._ticklot_atoms
        if fill.fee_asset == instrument.base:
            return float(fill.qty_lots * instrument.atoms_per_lot)
        return 0.0
