"""Each filter refuses exactly what it should."""

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from mmd.core.units import Side
from mmd.exchange.filters import Filters
from mmd.exchange.orders import OrderType
from mmd.exchange.refusals import Refusal, Refused
from mmd.exchange.rules import rules_of
from tests.exchange_world import instrument

_AT = msgspec.structs.replace(
    instrument(),
    notional_min=Decimal(5),
    notional_max=Decimal(1000),
    price_ticks_min=10,
    price_ticks_max=60_000,
    qty_lots_min=2,
    qty_lots_max=50_000,
    orders_open_max=3,
)


@pytest.mark.parametrize(
    ("price_ticks", "qty_lots", "reason"),
    [
        (10_000, 50, None),
        (10_000, 49, Refusal.NOTIONAL),
        (10_000, 10_000, None),
        (10_000, 10_001, Refusal.NOTIONAL),
        (9, 1000, Refusal.PRICE_FILTER),
        (60_001, 1000, Refusal.PRICE_FILTER),
        (50_000, 1000, None),
        (50_001, 1000, Refusal.PERCENT_PRICE),
        (2_000, 1000, None),
        (1_999, 1000, Refusal.PERCENT_PRICE),
        (10_000, 1, Refusal.LOT_SIZE),
        (10_000, 50_001, Refusal.LOT_SIZE),
    ],
)
def test_limit_orders(price_ticks: int, qty_lots: int, reason: Refusal | None) -> None:
    """Bounds are inclusive: notional 5 to 1000, price 0.2 to 5 times the reference of 100.00."""
    filters = Filters(_AT)
    if reason is None:
        filters.check_order(Side.BUY, OrderType.LIMIT, price_ticks, qty_lots, 10_000)
        return
    with pytest.raises(Refused) as refused:
        filters.check_order(Side.BUY, OrderType.LIMIT, price_ticks, qty_lots, 10_000)
    assert refused.value.reason == reason


def test_market_orders_use_the_reference_and_have_no_largest_notional() -> None:
    """As the venue's NOTIONAL filter says with applyMinToMarket true, applyMaxToMarket false."""
    filters = Filters(_AT)
    filters.check_order(Side.BUY, OrderType.MARKET, 0, 50_000, 10_000)
    with pytest.raises(Refused):
        filters.check_order(Side.BUY, OrderType.MARKET, 0, 49, 10_000)


def test_the_number_of_open_orders_is_bounded() -> None:
    """The third order is the last."""
    filters = Filters(_AT)
    filters.check_count(2)
    with pytest.raises(Refused) as refused:
        filters.check_count(3)
    assert refused.value.reason == Refusal.MAX_NUM_ORDERS


def test_sides_have_limits_of_their_own() -> None:
    """A bid may be far below the reference, an offer may not."""
    rules = msgspec.structs.replace(rules_of(_AT), ask_ratio_down=Fraction(9, 10))
    filters = Filters(_AT, rules)
    filters.check_price(Side.BUY, 5_000, 10_000)
    with pytest.raises(Refused) as refused:
        filters.check_price(Side.SELL, 8_999, 10_000)
    assert refused.value.reason == Refusal.PERCENT_PRICE


@pytest.mark.parametrize(
    ("change", "lots", "reason"),
    [
        ({"market_qty_lots_max": 100}, 101, Refusal.MARKET_LOT_SIZE),
        ({"is_notional_max_for_market": True}, 10_001, Refusal.NOTIONAL),
        ({"is_notional_min_for_market": False}, 49, None),
    ],
)
def test_market_orders_have_rules_of_their_own(
    change: dict[str, object], lots: int, reason: Refusal | None
) -> None:
    """Their own largest quantity, and whether the notional limits concern them."""
    filters = Filters(_AT, msgspec.structs.replace(rules_of(_AT), **change))
    if reason is None:
        filters.check_order(Side.BUY, OrderType.MARKET, 0, lots, 10_000)
        return
    with pytest.raises(Refused) as refused:
        filters.check_order(Side.BUY, OrderType.MARKET, 0, lots, 10_000)
    assert refused.value.reason == reason


def test_holdings_and_open_bids_count_towards_the_largest_position() -> None:
    """Exactly the limit is allowed."""
    filters = Filters(_AT, msgspec.structs.replace(rules_of(_AT), position_lots_max=100))
    filters.check_position(60, 30, 10)
    with pytest.raises(Refused) as refused:
        filters.check_position(60, 30, 11)
    assert refused.value.reason == Refusal.MAX_POSITION
    Filters(_AT).check_position(10**9, 10**9, 1)


def test_an_amount_of_quote_must_be_within_the_notional_limits() -> None:
    """5 to 1000 of quote, the upper one not for market orders."""
    filters = Filters(_AT)
    filters.check_quote(5 * 10**8)
    filters.check_quote(5_000 * 10**8)
    with pytest.raises(Refused):
        filters.check_quote(5 * 10**8 - 1)
