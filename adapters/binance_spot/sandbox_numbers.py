"""Binance's decimal texts: eight decimals on the way out, checked and exact on the way in."""

import re

from adapters.binance_spot.sandbox_errors import ApiError, api_error, mandatory
from mmd.core.instrument import Instrument
from mmd.core.units import ATOMS_PER_UNIT
from mmd.exchange.refusals import Refusal

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_DECIMALS = 8
_CACHED_MAX = 200_000


def text_of_atoms(atoms: int) -> str:
    """An integer of 1e-8 units with eight decimals."""
    if atoms < 0:
        return "-" + text_of_atoms(-atoms)
    whole, fraction = divmod(atoms, ATOMS_PER_UNIT)
    return f"{whole}.{fraction:08d}"


def atoms_of_text(text: str, name: str) -> int:
    """A decimal parameter in 1e-8 units. Raises: ApiError (-1100, -1102, -1111)."""
    if not text:
        raise mandatory(name)
    if not _DECIMAL.fullmatch(text):
        raise ApiError(
            -1100,
            f"Illegal characters found in parameter '{name}'; "
            "legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
        )
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > _DECIMALS:
        raise ApiError(-1111, f"Parameter '{name}' has too much precision.")
    return int(whole + fraction.ljust(_DECIMALS, "0"))


class WireNumbers:
    """Ticks and lots of one instrument as texts and back."""

    def __init__(self, instrument: Instrument) -> None:
        self._tick_atoms = int(instrument.tick_size * ATOMS_PER_UNIT)
        self._lot_atoms = int(instrument.lot_size * ATOMS_PER_UNIT)
        self._prices: dict[int, str] = {}

    def price(self, ticks: int) -> str:
        """A price; texts are remembered, as prices recur."""
        found = self._prices.get(ticks)
        if found is None:
            if len(self._prices) >= _CACHED_MAX:
                self._prices.clear()
            found = self._prices[ticks] = text_of_atoms(ticks * self._tick_atoms)
        return found

    def qty(self, lots: int) -> str:
        """A quantity."""
        atoms = lots * self._lot_atoms
        return f"{atoms // ATOMS_PER_UNIT}.{atoms % ATOMS_PER_UNIT:08d}"

    def ticks(self, text: str, name: str = "price") -> int:
        """A price parameter. Raises: ApiError, with PRICE_FILTER if it is off the grid."""
        return _whole(atoms_of_text(text, name), self._tick_atoms, Refusal.PRICE_FILTER)

    def lots(self, text: str, name: str = "quantity") -> int:
        """A quantity parameter. Raises: ApiError, with LOT_SIZE if it is off the grid."""
        return _whole(atoms_of_text(text, name), self._lot_atoms, Refusal.LOT_SIZE)


def _whole(atoms: int, step: int, refusal: Refusal) -> int:
    count, rest = divmod(atoms, step)
    if rest:
        raise api_error(refusal)
    return count
