"""The checks on a new order that need no book: price and quantity limits, notional, price distance.

Source: Binance spot API, filters.md (PRICE_FILTER, PERCENT_PRICE_BY_SIDE, LOT_SIZE, NOTIONAL,
MAX_NUM_ORDERS).
"""

from fractions import Fraction

from mmd.core.instrument import Instrument
from mmd.exchange.orders import OrderType
from mmd.exchange.refusals import Refusal, Refused

AMENDS_MAX = 10
"""MAX_NUM_ORDER_AMENDS."""


class Filters:
    """One instrument's limits, prepared as exact numbers."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        unit = Fraction(instrument.notional_per_ticklot)
        self._ticklots_min = Fraction(instrument.notional_min) / unit
        self._ticklots_max = Fraction(instrument.notional_max) / unit
        self._ratio_up = Fraction(str(instrument.price_ratio_up))
        self._ratio_down = Fraction(str(instrument.price_ratio_down))

    def check_order(
        self, order_type: OrderType, price_ticks: int, qty_lots: int, reference_ticks: int
    ) -> None:
        """Raises: Refused, with the first filter that the order fails.

        Args:
            order_type: A market order's price is the reference.
            price_ticks: Ignored for market orders.
            qty_lots: What is asked for.
            reference_ticks: Recent average price, 0 where there is none: then no price is too far.
        """
        at = self._instrument
        if order_type == OrderType.MARKET:
            price_ticks = reference_ticks
        else:
            self.check_price(price_ticks, reference_ticks)
        if not at.qty_lots_min <= qty_lots <= at.qty_lots_max:
            raise Refused(Refusal.LOT_SIZE)
        ticklots = price_ticks * qty_lots
        if ticklots < self._ticklots_min and price_ticks > 0:
            raise Refused(Refusal.NOTIONAL)
        if order_type != OrderType.MARKET and ticklots > self._ticklots_max:
            raise Refused(Refusal.NOTIONAL)

    def check_price(self, price_ticks: int, reference_ticks: int) -> None:
        """Raises: Refused if a limit price is outside its limits or too far from the reference."""
        if not self._instrument.price_ticks_min <= price_ticks <= self._instrument.price_ticks_max:
            raise Refused(Refusal.PRICE_FILTER)
        if reference_ticks > 0 and not (
            reference_ticks * self._ratio_down <= price_ticks <= reference_ticks * self._ratio_up
        ):
            raise Refused(Refusal.PERCENT_PRICE)

    def check_count(self, open_orders: int) -> None:
        """Raises: Refused if one more open order is one too many."""
        if open_orders >= self._instrument.orders_open_max:
            raise Refused(Refusal.MAX_NUM_ORDERS)
