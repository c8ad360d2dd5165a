"""Decimal text on the wire ↔ integer units of a step, exactly and by integer arithmetic."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from mmd.core.instrument import Instrument
from mmd.errors import CodecError, InstrumentError

_ATOM_SCALE = 8
_DECIMALS_MAX = 18
_REMEMBERED = 4096


class DecimalGrid:
    """One step size (a tick, a lot, an atom) with both conversions.

    Attributes:
        text: whole units as the shortest fixed-point form with the grid's own number of decimals.
        units: whole units in a decimal, trailing zeros beyond the grid are fine; raises CodecError where the
            text is no plain decimal, or is off the grid.

    Both remember what they were asked lately: prices and sizes come again and again, and a look-up takes a
    fifteenth of a conversion.
    """

    __slots__ = ("_form", "_one", "_scale", "_step", "_what", "text", "units")

    def __init__(self, scale: int, step: int, what: str) -> None:
        """A unit is step * 10**-scale; `what` names it in errors."""
        self._scale = scale
        self._step = step
        self._one = 10**scale
        self._form = f"%d.%0{scale}d"  # laid out once: a third of the time of a nested format
        self._what = what
        self.text: Callable[[int], str] = lru_cache(_REMEMBERED)(self._text)
        self.units: Callable[[str], int] = lru_cache(_REMEMBERED)(self._units)

    def _text(self, units: int) -> str:
        if self._scale == 0:
            return str(units * self._step)
        whole, rest = divmod(units * self._step, self._one)
        return self._form % (whole, rest)

    def _units(self, text: str) -> int:
        whole, _, part = text.partition(".")
        digits = whole + part
        units: int
        if not (whole and digits.isascii() and digits.isdigit()):
            raise CodecError(f"expected a decimal for {self._what}, found {text!r}")
        missing = self._scale - len(part)
        if missing >= 0:
            units, rest = divmod(int(digits) * 10**missing, self._step)
        else:
            units, rest = divmod(int(digits[:missing]), self._step)
            if digits[missing:].strip("0"):
                rest = 1
        if rest != 0:
            raise CodecError(
                f"{self._what}: {text} is not a whole number of steps of {self._step_text()}"
            )
        return units

    def _step_text(self) -> str:
        return f"{Decimal(self._step).scaleb(-self._scale):f}"


ATOMS = DecimalGrid(_ATOM_SCALE, 1, "an amount of an asset")


def signed_atoms(text: str) -> int:
    """Atoms in a decimal that may be negative, as a rebate is. Raises: CodecError."""
    return -ATOMS.units(text[1:]) if text.startswith("-") else ATOMS.units(text)


class InstrumentGrids:
    """The two grids of an instrument, and its identity on the wire."""

    __slots__ = ("instrument", "lots", "symbol", "ticks")

    def __init__(self, instrument: Instrument) -> None:
        """Derive the grids. Raises: InstrumentError where the instrument has too many decimals."""
        grid = instrument.grid
        if max(grid.price_scale, grid.size_scale) > _DECIMALS_MAX:
            raise InstrumentError(
                f"{instrument.symbol}: expected at most {_DECIMALS_MAX} decimals, found {grid}"
            )
        self.instrument = instrument.id
        self.symbol = instrument.symbol
        self.ticks = DecimalGrid(
            grid.price_scale, grid.price_step, f"a price of {instrument.symbol}"
        )
        self.lots = DecimalGrid(
            grid.size_scale, grid.size_step, f"a quantity of {instrument.symbol}"
        )
