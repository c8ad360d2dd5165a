"""What a market allows beyond its instrument's limits, and how it charges: as an exchange configures it."""

from fractions import Fraction

import msgspec

from mmd.core.instrument import Instrument
from mmd.exchange.fees import FeeDiscount
from mmd.exchange.orders import SelfTrade

ALL_SELF_TRADE_MODES = tuple(SelfTrade)


class MarketRules(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and defaults of one market. Ratios are multiples of the reference price.

    position_lots_max is None where an account may hold any amount.
    Source: Binance spot API, filters.md.
    """

    market_qty_lots_max: int
    bid_ratio_up: Fraction
    bid_ratio_down: Fraction
    ask_ratio_up: Fraction
    ask_ratio_down: Fraction
    position_lots_max: int | None = None
    amends_max: int = 10
    is_notional_min_for_market: bool = True
    is_notional_max_for_market: bool = False
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    """What an order gets that names no mode."""
    self_trade_modes: tuple[SelfTrade, ...] = ALL_SELF_TRADE_MODES
    fee_discount: FeeDiscount | None = None


def rules_of(instrument: Instrument) -> MarketRules:
    """The rules that follow from an instrument alone: both sides alike, no limit on positions."""
    up, down = (Fraction(str(r)) for r in (instrument.price_ratio_up, instrument.price_ratio_down))
    return MarketRules(
        market_qty_lots_max=instrument.qty_lots_max,
        bid_ratio_up=up,
        bid_ratio_down=down,
        ask_ratio_up=up,
        ask_ratio_down=down,
    )
