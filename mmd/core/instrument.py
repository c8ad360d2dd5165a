"""What one (venue, symbol) allows: its grid, its limits, and exact conversion to ticks and lots."""

from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

import msgspec

from mmd.core.units import ATOMS_PER_UNIT, InstrumentId, Lots, Ticks
from mmd.errors import InstrumentError


class Kind(IntEnum):
    """How a position pays."""

    SPOT = 0
    LINEAR = 1
    INVERSE = 2


class TradingStatus(IntEnum):
    """What the venue lets us do now."""

    TRADING = 0
    CANCEL_ONLY = 1
    HALTED = 2


class Grid(NamedTuple):
    """A step as integers: units of step * 10**-scale, for prices and for sizes."""

    price_scale: int
    price_step: int
    size_scale: int
    size_step: int


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """A tradable contract; limits are in ticks and lots, notionals in quote units."""

    id: InstrumentId
    venue: str
    symbol: str
    base: str
    quote: str
    settle: str
    kind: Kind = Kind.SPOT
    contract_size: Decimal = Decimal(1)
    tick_size: Decimal
    lot_size: Decimal
    price_ticks_min: int = 1
    price_ticks_max: int = 2**53
    qty_lots_min: int = 1
    qty_lots_max: int = 2**53
    notional_min: Decimal = Decimal(0)
    notional_max: Decimal = Decimal(10) ** 18
    price_ratio_up: float = 5.0
    """PERCENT_PRICE_BY_SIDE: an order's price may be at most this multiple of the reference."""
    price_ratio_down: float = 0.2
    orders_open_max: int = 200
    amends_max: int = 0
    """How often an order may be made smaller in place, keeping its priority; 0 where the venue cannot."""
    maker_fee_bps: float = 0.0
    taker_fee_bps: float = 0.0
    status: TradingStatus = TradingStatus.TRADING
    effective_ns: int = 0

    @property
    def grid(self) -> Grid:
        """Tick and lot size as integers for the codecs' compiled number scan."""
        price_scale, price_step = _scaled(self.tick_size)
        size_scale, size_step = _scaled(self.lot_size)
        return Grid(price_scale, price_step, size_scale, size_step)

    @property
    def atoms_per_lot(self) -> int:
        """Base-asset atoms in one lot. Raises: InstrumentError if a lot is no whole number of atoms."""
        return _whole(
            self.lot_size * ATOMS_PER_UNIT, f"{self.symbol} lot size {self.lot_size}", "atom"
        )

    def ticks(self, price: Decimal) -> Ticks:
        """Exact price in ticks. Raises: InstrumentError if it is off the tick grid."""
        return Ticks(
            _whole(price / self.tick_size, f"{self.symbol} price {price}", f"tick {self.tick_size}")
        )

    def lots(self, qty: Decimal) -> Lots:
        """Exact quantity in lots. Raises: InstrumentError if it is off the lot grid."""
        return Lots(
            _whole(qty / self.lot_size, f"{self.symbol} quantity {qty}", f"lot {self.lot_size}")
        )

    def price(self, ticks: float) -> Decimal:
        """Ticks as a price in quote currency; whole ticks convert exactly."""
        return Decimal(ticks) * self.tick_size

    def qty(self, lots: float) -> Decimal:
        """Lots as a quantity of base; whole lots convert exactly."""
        return Decimal(lots) * self.lot_size

    @property
    def notional_per_ticklot(self) -> Decimal:
        """Quote currency in one lot at one tick."""
        return self.tick_size * self.lot_size * self.contract_size


def _scaled(step: Decimal) -> tuple[int, int]:
    """0.05 -> (2, 5): the step is 5 * 10**-2; steps of 10 and more get scale 0."""
    sign, digits, exponent = step.normalize().as_tuple()
    if sign or not isinstance(exponent, int) or step == 0:
        raise InstrumentError(f"expected a positive step, found {step}")
    value = int("".join(map(str, digits)))
    return (-exponent, value) if exponent < 0 else (0, value * 10**exponent)


def _whole(value: Decimal, what: str, unit: str) -> int:
    """Value as an int, or an error that says what is not a multiple of which unit."""
    whole = int(value)
    if whole != value:
        raise InstrumentError(f"{what} is not a whole number of {unit}")
    return whole
