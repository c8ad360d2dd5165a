"""The own order-to-trade ratio: a grace, and then so many orders for each fill."""

from mmd.core.risk.order_to_trade import UNLIMITED, OrderToTrade


def test_fills_buy_orders():
    """The grace runs out, a fill brings as many as the ratio says."""
    ratio = OrderToTrade(ratio_max=10, grace=2)
    assert (ratio.left, ratio.headroom) == (2, 1.0)
    ratio.on_order()
    ratio.on_order()
    assert (ratio.left, ratio.headroom) == (0, 0.0)
    ratio.on_fill()
    assert (ratio.left, ratio.headroom) == (10, 10 / 12)
    assert ratio.ratio == 2.0


def test_a_new_day_counts_anew():
    """Orders, fills and what is left."""
    ratio = OrderToTrade(ratio_max=10, grace=2)
    ratio.on_order()
    ratio.on_fill()
    ratio.on_new_day()
    assert (ratio.orders, ratio.fills, ratio.left) == (0, 0, 2)


def test_without_a_limit_only_the_ratio_is_kept():
    """There is no headroom of what has no limit."""
    ratio = OrderToTrade(ratio_max=0, grace=5)
    for _ in range(6):
        ratio.on_order()
    ratio.on_fill()
    assert ratio.left > UNLIMITED - 10
    assert (ratio.headroom, ratio.ratio) == (None, 6.0)
