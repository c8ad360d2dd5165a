"""The checks on a new order that need no book: price and quantity limits, notional, price distance, counts.

Source: Binance spot API, filters.md (PRICE_FILTER, PERCENT_PRICE_BY_SIDE, LOT_SIZE, MARKET_LOT_SIZE,
NOTIONAL, MAX_NUM_ORDERS, MAX_POSITION).
"""

from fractions import Fraction

from mmd.core.instrument import Instrument
from mmd.core.units import ATOMS_PER_UNIT, Side
from mmd.exchange.orders import OrderType
from mmd.exchange.refusals import Refusal, Refused
from mmd.exchange.rules import MarketRules, rules_of


class Filters:
    """One market's limits, prepared as exact numbers."""

    def __init__(self, instrument: Instrument, rules: MarketRules | None = None) -> None:
        self._instrument = instrument
        self._rules = rules_of(instrument) if rules is None else rules
        unit = Fraction(instrument.notional_per_ticklot)
        self._ticklots_min = Fraction(instrument.notional_min) / unit
        self._ticklots_max = Fraction(instrument.notional_max) / unit
        self._ticklot_atoms = unit * ATOMS_PER_UNIT
        rules = self._rules
        self._reach = (
            (rules.bid_ratio_down.as_integer_ratio(), rules.bid_ratio_up.as_integer_ratio()),
            (rules.ask_ratio_down.as_integer_ratio(), rules.ask_ratio_up.as_integer_ratio()),
        )
        """By side, the lowest and the highest price over the reference, as numerator and denominator."""

    def check_order(
        self,
        side: Side,
        order_type: OrderType,
        price_ticks: int,
        qty_lots: int,
        reference_ticks: int,
    ) -> None:
        """Raises: Refused, with the first filter that the order fails.

        Args:
            side: Distances from the reference may differ by side.
            order_type: A market order's price is the reference.
            price_ticks: Ignored for market orders.
            qty_lots: What is asked for.
            reference_ticks: Recent average price, 0 where there is none: then no price is too far.
        """
        at = self._instrument
        is_market = order_type == OrderType.MARKET
        if is_market:
            price_ticks = reference_ticks
        else:
            self.check_price(side, price_ticks, reference_ticks)
        if not at.qty_lots_min <= qty_lots <= at.qty_lots_max:
            raise Refused(Refusal.LOT_SIZE)
        if is_market and qty_lots > self._rules.market_qty_lots_max:
            raise Refused(Refusal.MARKET_LOT_SIZE)
        if price_ticks > 0:
            self._check_notional(price_ticks * qty_lots, is_market=is_market)

    def check_quote(self, quote_atoms: int) -> None:
        """Raises: Refused if a market order over an amount of quote is outside the notional limits."""
        self._check_notional(quote_atoms / self._ticklot_atoms, is_market=True)

    def check_price(self, side: Side, price_ticks: int, reference_ticks: int) -> None:
        """Raises: Refused if a limit price is outside its limits or too far from the reference."""
        if not self._instrument.price_ticks_min <= price_ticks <= self._instrument.price_ticks_max:
            raise Refused(Refusal.PRICE_FILTER)
        (down, per_down), (up, per_up) = self._reach[side]
        if reference_ticks > 0 and not (
            reference_ticks * down <= price_ticks * per_down
            and price_ticks * per_up <= reference_ticks * up
        ):
            raise Refused(Refusal.PERCENT_PRICE)

    def check_count(self, open_orders: int) -> None:
        """Raises: Refused if one more open order is one too many."""
        if open_orders >= self._instrument.orders_open_max:
            raise Refused(Refusal.MAX_NUM_ORDERS)

    def check_position(self, held_lots: int, bid_lots: int, qty_lots: int) -> None:
        """Raises: Refused if a buy of qty_lots could take holdings and open bids over the limit."""
        limit = self._rules.position_lots_max
        if limit is not None and held_lots + bid_lots + qty_lots > limit:
            raise Refused(Refusal.MAX_POSITION)

    def _check_notional(self, ticklots: int | Fraction, *, is_market: bool) -> None:
        rules = self._rules
        has_min = not is_market or rules.is_notional_min_for_market
        has_max = not is_market or rules.is_notional_max_for_market
        if (has_min and ticklots < self._ticklots_min) or (
            has_max and ticklots > self._ticklots_max
        ):
            raise Refused(Refusal.NOTIONAL)
