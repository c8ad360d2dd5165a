"""What may be lost, held and sent: the limits as configured, and compiled to integers for the gate."""

import math
from decimal import Decimal
from fractions import Fraction

import msgspec

from mmd.core.instrument import Instrument, Kind
from mmd.core.orders.order_diff import SLOTS
from mmd.core.units import ATOMS_PER_UNIT
from mmd.errors import ConfigError, InstrumentError


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one instrument; lots are lots of the instrument, money is quote currency.

    Attributes:
        qty_lots_max: largest order.
        notional_quote_max: largest order in money.
        position_lots_max_long, position_lots_max_short: the worst case never exceeds these (both >= 0).
        open_orders_max: resting orders a side, 1..8; a replacement may hold a second place meanwhile.
        collar_bps: largest distance of a price from the mid and from the last trade.
        stale_book_ns: age at which a book is not traded on.
        loss_quote_max: loss since the start of the day that halts trading.
        drawdown_quote_max: loss from the day's peak that halts trading.
        rejects_max, reject_window_ns: this many rejects within the window are a storm.
        replacement_frees_leaves: count a replaced order's leaves as gone in the worst case. The venue places
            nothing if the cancel fails, but it may fill the old order in part first: then position can pass
            the limit by up to those leaves less one lot. False holds the limit without exception.

    Raises:
        ConfigError: a value out of its range.
    """

    qty_lots_max: int
    notional_quote_max: Decimal
    position_lots_max_long: int
    position_lots_max_short: int
    open_orders_max: int = SLOTS // 2
    collar_bps: float = 500.0
    stale_book_ns: int = 2_000_000_000
    loss_quote_max: Decimal
    drawdown_quote_max: Decimal
    rejects_max: int = 10
    reject_window_ns: int = 10_000_000_000
    replacement_frees_leaves: bool = False

    def __post_init__(self) -> None:
        """Refuse limits that cannot be meant."""
        for name in ("qty_lots_max", "stale_book_ns", "rejects_max", "reject_window_ns"):
            self._check(name, 1, 2**63)
        for name in ("position_lots_max_long", "position_lots_max_short"):
            self._check(name, 0, 2**53)
        for name in ("notional_quote_max", "loss_quote_max", "drawdown_quote_max"):
            self._check(name, Decimal("1e-8"), Decimal(10) ** 18)
        self._check("open_orders_max", 1, SLOTS // 2)
        self._check("collar_bps", 0.01, 10_000.0)

    def _check(self, name: str, low: float | Decimal, high: float | Decimal) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise ConfigError(
                f"risk limit {name} is {value}, expected {low} to {high}: change it in the settings"
            )


class Bounds:
    """An instrument's filters and our limits, tighter one first, as the integers that the gate compares.

    Notionals are in ticks * lots; locked quote atoms are ticks * lots * quote_num / quote_den.
    """

    __slots__ = (
        "atoms_per_lot",
        "collar_bps",
        "long_atoms_max",
        "notional_max",
        "notional_min",
        "open_orders_max",
        "price_ratio_down",
        "price_ratio_up",
        "price_ticks_max",
        "price_ticks_min",
        "qty_lots_max",
        "qty_lots_min",
        "quote_den",
        "quote_num",
        "replacement_frees_leaves",
        "short_atoms_max",
        "stale_book_ns",
    )

    def __init__(self, instrument: Instrument, limits: RiskLimits) -> None:
        """Compile once.

        Raises:
            InstrumentError: an inverse contract, whose notional is no product of price and quantity.
        """
        if instrument.kind is Kind.INVERSE:
            raise InstrumentError(
                f"{instrument.symbol} is an inverse contract, expected spot or linear: remove it"
            )
        per_ticklot = Fraction(instrument.notional_per_ticklot)
        self.price_ticks_min = instrument.price_ticks_min
        self.price_ticks_max = instrument.price_ticks_max
        self.price_ratio_up = instrument.price_ratio_up
        self.price_ratio_down = instrument.price_ratio_down
        self.qty_lots_min = instrument.qty_lots_min
        self.qty_lots_max = min(instrument.qty_lots_max, limits.qty_lots_max)
        self.notional_min = math.ceil(Fraction(instrument.notional_min) / per_ticklot)
        notional_max = min(instrument.notional_max, limits.notional_quote_max)
        self.notional_max = math.floor(Fraction(notional_max) / per_ticklot)
        self.atoms_per_lot = instrument.atoms_per_lot
        self.long_atoms_max = limits.position_lots_max_long * self.atoms_per_lot
        self.short_atoms_max = limits.position_lots_max_short * self.atoms_per_lot
        self.quote_num, self.quote_den = (per_ticklot * ATOMS_PER_UNIT).as_integer_ratio()
        self.open_orders_max = min(instrument.orders_open_max, limits.open_orders_max)
        self.collar_bps = limits.collar_bps
        self.stale_book_ns = limits.stale_book_ns
        self.replacement_frees_leaves = limits.replacement_frees_leaves

    def ticklots(self, quote_atoms: int) -> int:
        """The largest notional that locks no more than so many quote atoms."""
        return quote_atoms * self.quote_den // self.quote_num
