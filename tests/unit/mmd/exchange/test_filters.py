"""Each filter refuses exactly what it should."""

from decimal import Decimal

import msgspec
import pytest

from mmd.core.units import Side
from mmd.exchange.filters import Filters
from mmd.exchange.orders import OrderType
from mmd.exchange.refusals import Refusal, Refused
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
