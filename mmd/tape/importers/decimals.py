"""Decimal texts as exact steps of a grid, and the coarsest grid that a set of texts lies on."""

import math
from decimal import Decimal, InvalidOperation
from typing import Protocol

from mmd.core.instrument import Instrument

_DECIMALS_MAX = 30
_SCALE = 12
"""Decimals in which grids are searched: finer than any venue's."""
_POW10: tuple[int, ...] = tuple(10**n for n in range(_DECIMALS_MAX + 1))
_COUNT_MAX = 2**63 - 1
_REMEMBERED_MAX = 1 << 18


class Numbers(Protocol):
    """How an importer reads prices and quantities: on the first pass to find the grid, then to count on it."""

    def ticks(self, text: str) -> int:
        """A price in ticks. Raises: ValueError if it is no decimal or off the grid."""
        ...

    def lots(self, text: str) -> int:
        """A quantity in lots. Raises: ValueError if it is no decimal or off the grid."""
        ...


def units(text: str, scale: int) -> int:
    """A decimal text in units of 10**-scale, exactly.

    Raises:
        ValueError: It is no decimal number, or finer than that.
    """
    whole, _, fraction = text.partition(".")
    missing = scale - len(fraction)
    if whole.isdecimal() and (fraction.isdecimal() or not fraction) and text.isascii():
        if missing >= 0:
            return int(whole + fraction) * _POW10[missing]
        if not fraction[scale:].strip("0"):
            return int(whole + fraction[:scale])
    return _units_exact(text, scale)


def _units_exact(text: str, scale: int) -> int:
    """Signs and exponents too."""
    try:
        value = Decimal(text.strip() if text.isascii() else "")
    except InvalidOperation:
        raise ValueError(f"expected a decimal number, found {text[:40]!r}") from None
    if not value.is_finite() or abs(value.adjusted()) > 2 * _SCALE:
        raise ValueError(f"expected a decimal number within reason, found {text[:40]!r}")
    scaled = value.scaleb(scale)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"expected at most {scale} decimals, found {text[:40]!r}")
    return whole


class GridNumbers:
    """Reads on a known grid; texts recur, so what was read is remembered for a while."""

    def __init__(self, instrument: Instrument) -> None:
        grid = instrument.grid
        self.ticks = _Steps(grid.price_scale, grid.price_step, "tick", instrument.tick_size).read
        self.lots = _Steps(grid.size_scale, grid.size_step, "lot", instrument.lot_size).read


class _Steps:
    """Texts as whole numbers of one step."""

    def __init__(self, scale: int, step: int, name: str, size: Decimal) -> None:
        self._scale = scale
        self._step = step
        self._told = f"a multiple of {name} {size:f}"
        self._known: dict[str, int] = {}

    def read(self, text: str) -> int:
        found = self._known.get(text)
        if found is not None:
            return found
        try:
            count, rest = divmod(units(text, self._scale), self._step)
        except ValueError as error:
            if "decimals" not in str(error):
                raise
            count, rest = 0, 1
        if rest != 0:
            raise ValueError(f"expected {self._told}, found {text}")
        if abs(count) > _COUNT_MAX:
            raise ValueError(f"expected at most {_COUNT_MAX} steps, found {text[:40]!r}")
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known[text] = count
        return count


class GridFinder:
    """Reads for the grid only: the greatest common divisors of all prices and all quantities."""

    def __init__(self) -> None:
        self._price = _Divisor()
        self._qty = _Divisor()

    def ticks(self, text: str) -> int:
        """Take a price into account; its size in ticks is not known yet."""
        return self._price.read(text)

    def lots(self, text: str) -> int:
        """Take a quantity into account."""
        return self._qty.read(text)

    @property
    def tick(self) -> Decimal:
        """Greatest step that all prices are multiples of."""
        return self._price.step

    @property
    def lot(self) -> Decimal:
        """Greatest step that all quantities are multiples of."""
        return self._qty.step


class _Divisor:
    """Greatest common divisor of decimal texts."""

    def __init__(self) -> None:
        self._units = 0
        self._known: dict[str, int] = {}

    def read(self, text: str) -> int:
        """Whole units of the text: any number does, as long as zero stays zero."""
        found = self._known.get(text)
        if found is None:
            found = units(text, _SCALE)
            self._units = math.gcd(self._units, found)
            if len(self._known) >= _REMEMBERED_MAX:
                self._known.clear()
            self._known[text] = found
        return found

    @property
    def step(self) -> Decimal:
        return Decimal(self._units or 10**_SCALE).scaleb(-_SCALE).normalize()
