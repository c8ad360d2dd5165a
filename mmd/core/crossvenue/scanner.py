"""Looks for arbitrage between every two books of one base asset, both ways, whenever one of them has changed."""

from collections.abc import Sequence

from mmd.core.crossvenue.conversion import Conversions, Rate
from mmd.core.crossvenue.depth import Prices, Walk, common_step_atoms, walk
from mmd.core.crossvenue.opportunity import CloseReason, Opportunities, Opportunity
from mmd.core.crossvenue.outlet import Condition, Outlet
from mmd.core.units import ATOMS_PER_UNIT, Side

_REASON = {
    Condition.DOWN: CloseReason.BOOK_DOWN,
    Condition.STALE: CloseReason.STALE,
    Condition.NOT_TRADING: CloseReason.BOOK_DOWN,
}


class Pair:
    """Buying from one outlet and selling to another.

    Attributes:
        buy, sell: the outlets.
        step_atoms: the least quantity that is whole lots of both.
        opportunity: the open one.
    """

    __slots__ = (
        "_conversions",
        "_is_same_quote",
        "_slippage_share",
        "_steady",
        "buy",
        "opportunity",
        "sell",
        "step_atoms",
    )

    def __init__(
        self, buy: Outlet, sell: Outlet, conversions: Conversions, slippage_share: float
    ) -> None:
        self.buy = buy
        self.sell = sell
        self.step_atoms = common_step_atoms(buy.lot_atoms, sell.lot_atoms)
        self.opportunity: Opportunity | None = None
        self._conversions = conversions
        self._slippage_share = slippage_share
        self._is_same_quote = buy.instrument.quote == sell.instrument.quote
        is_steady = conversions.is_fixed(buy.id) and conversions.is_fixed(sell.id)
        self._steady = self._at(1.0, 1.0) if is_steady else None

    def rates(self, now_ns: int) -> tuple[Rate, Rate] | None:
        """Of the quote currencies of both; None where one cannot be converted now."""
        bought = self._conversions.rate(self.buy.id, now_ns)
        sold = self._conversions.rate(self.sell.id, now_ns)
        return None if bought is None or sold is None else (bought, sold)

    def prices(self, now_ns: int) -> Prices | None:
        """What a tick comes to, before slippage.

        What two currencies are paid in is bought dear and what they bring sold cheap; where both sides are quoted
        in the same currency only the difference is to be valued, at the mid.
        """
        if self._steady is not None:
            return self._steady
        rates = self.rates(now_ns)
        if rates is None:
            return None
        bought, sold = rates
        if self._is_same_quote:
            return self._at(bought.mid, bought.mid)
        return self._at(bought.high, sold.low)

    def slippage(self, prices: Prices) -> float:
        """Expected slippage of both legs, reporting currency per unit of base."""
        if self._slippage_share == 0.0:
            return 0.0
        ticks = self.buy.slippage_ticks() * prices.buy + self.sell.slippage_ticks() * prices.sell
        return self._slippage_share * ticks

    def is_crossing(self, prices: Prices) -> bool:
        """Whether the best prices alone would pay; a walk starts from them."""
        return self.sell.view.bid_ticks * prices.sell > self.buy.view.ask_ticks * prices.buy > 0.0

    def walk(self, prices: Prices) -> Walk:
        """What both books give together."""
        asks, bids = self.buy.levels(Side.SELL), self.sell.levels(Side.BUY)
        return walk(asks, bids, prices, self.step_atoms)

    def is_tradable(self, found: Walk) -> bool:
        """Whether it is enough for an order at either venue."""
        least_atoms = max(
            self.buy.least_atoms(max(found.buy_ticks, 1)),
            self.sell.least_atoms(max(found.sell_ticks, 1)),
        )
        return found.qty_atoms >= least_atoms

    def _at(self, buy_rate: float, sell_rate: float) -> Prices:
        return Prices(
            self.buy.tick * buy_rate * (1.0 + self.buy.taker_fee),
            self.sell.tick * sell_rate * (1.0 - self.sell.taker_fee),
        )


class Scanner:
    """Keeps the opportunities of a session.

    Attributes:
        pairs: every two outlets of one base asset, both ways.
        opportunities: see there.
        looks: how often a pair was looked at.
    """

    def __init__(self, pairs: Sequence[Pair], profit_min: float) -> None:
        """An opportunity is opened at profit_min, in reporting currency."""
        self.pairs = pairs
        self.opportunities = Opportunities()
        self.looks = 0
        self._profit_min_atoms = profit_min * ATOMS_PER_UNIT

    def look(self, now_ns: int) -> None:
        """Follow every pair; most are done with one comparison of the best prices."""
        for pair in self.pairs:
            self.looks += 1
            self._follow(pair, now_ns)

    def _follow(self, pair: Pair, now_ns: int) -> None:
        prices = pair.prices(now_ns)
        if pair.opportunity is None and (prices is None or not pair.is_crossing(prices)):
            return
        if prices is None:
            self._close(pair, CloseReason.NO_RATE, now_ns)
            return
        condition = max(pair.buy.condition(now_ns), pair.sell.condition(now_ns))
        if condition is not Condition.GOOD:
            self._close(pair, _REASON[condition], now_ns)
            return
        if not pair.is_crossing(prices):
            self._close(pair, CloseReason.PRICE, now_ns)
            return
        expected = prices._replace(slippage=pair.slippage(prices))
        found = pair.walk(expected)
        if not pair.is_tradable(found):
            self._close(pair, CloseReason.PRICE, now_ns)
        elif pair.opportunity is not None:
            pair.opportunity.update(found, expected, now_ns)
        elif found.net_atoms(expected) >= self._profit_min_atoms:
            pair.opportunity = self.opportunities.begin(
                pair.buy.id, pair.sell.id, found, expected, now_ns
            )

    def _close(self, pair: Pair, reason: CloseReason, now_ns: int) -> None:
        """End the open opportunity, if there is one."""
        if pair.opportunity is not None:
            self.opportunities.end(pair.opportunity, reason, now_ns)
            pair.opportunity = None


def pairs_of(
    outlets: Sequence[Outlet], conversions: Conversions, slippage_share: float
) -> list[Pair]:
    """Every two outlets of one base asset and kind, both ways, whose prices can be compared."""
    known = [o for o in outlets if o.instrument.quote not in conversions.unconverted]
    return [
        Pair(buy, sell, conversions, slippage_share)
        for buy in known
        for sell in known
        if buy is not sell
        and buy.instrument.base == sell.instrument.base
        and buy.instrument.kind is sell.instrument.kind
    ]
