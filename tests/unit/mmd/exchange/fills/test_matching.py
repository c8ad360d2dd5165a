"""Fills, arrivals and what was consumed, against cases worked by hand."""

import pytest

from mmd.core.units import Side, TimeInForce
from tests.fill_bench import FillBench, kinds

BIDS, ASKS = {100: 50, 99: 80}, {102: 40, 103: 60}
BUY, SELL = Side.BUY, Side.SELL


def bench(model: str = "risk_averse", **changes: object) -> FillBench:
    made = FillBench(model, **changes)
    made.snapshot(BIDS, ASKS)
    return made


def test_a_print_beyond_our_price_fills_us_up_to_its_size() -> None:
    """The aggressor would have met us before the price that printed, whatever stood ahead of us."""
    b = bench()
    b.place(BUY, 100, 30)
    assert [(f.price_ticks, f.qty_lots, f.is_maker) for f in b.trade(SELL, 99, 12)] == [
        (100, 12, True)
    ]
    assert b.trade(BUY, 99, 12) == []


def test_partial_fills_leave_the_rest_at_the_front() -> None:
    """50 ahead, 60 trade, 10 are ours; the next print is ours from its first lot."""
    b = bench()
    b.place(BUY, 100, 30)
    assert [f.qty_lots for f in b.trade(SELL, 100, 60)] == [10]
    assert [f.qty_lots for f in b.trade(SELL, 100, 25)] == [20]
    assert b.exchange.open_orders == 0


def test_two_of_ours_share_one_print() -> None:
    """What the first took is not there for the second."""
    b = bench("front")
    b.place(BUY, 100, 5)
    b.place(BUY, 100, 5)
    fills = b.trade(SELL, 100, 7)
    assert [(f.client_order_id, f.qty_lots) for f in fills] == [(1, 5), (2, 2)]


def test_the_better_price_goes_first() -> None:
    """Priority is price, then time."""
    b = bench("front")
    b.place(BUY, 99, 5)
    b.place(BUY, 100, 5)
    assert [f.client_order_id for f in b.trade(SELL, 99, 8)] == [2, 1]


def test_an_order_that_the_other_side_reaches_is_filled() -> None:
    """An ask comes down to our bid: what it displays is ours, at our price, as makers."""
    b = bench()
    b.place(BUY, 101, 30)
    b.diff({}, {101: 20})
    assert [(f.price_ticks, f.qty_lots, f.is_maker) for f in b.fills()] == [(101, 20, True)]


def test_what_was_taken_is_not_refilled_by_the_next_delta() -> None:
    """The recording goes on showing 20 at 101; only what it shows beyond them is new."""
    b = bench()
    b.place(BUY, 101, 30)
    b.diff({}, {101: 20})
    b.fills()
    b.diff({}, {101: 20, 105: 5})
    assert b.fills() == []
    b.diff({}, {101: 26})
    assert [f.qty_lots for f in b.fills()] == [6]
    b.diff({}, {101: 0})
    b.diff({}, {101: 3})
    assert [f.qty_lots for f in b.fills()] == [3]


def test_a_newer_top_counts_before_the_book_says_so() -> None:
    """The best ask of a top frame reaches our bid."""
    b = bench()
    b.place(BUY, 101, 3)
    b.top((100, 50), (101, 9))
    assert [f.qty_lots for f in b.fills()] == [3]


def test_post_only_is_refused_when_it_would_take_on_arrival() -> None:
    """The touch moved while the order was on its way; nothing is locked for it."""
    b = bench()
    events = b.place(BUY, 102, 5)
    assert kinds(events) == ["OrderRejected"]
    assert events[0].reason.name == "WOULD_TAKE"  # type: ignore[union-attr]
    assert b.exchange.account.locked == {"MMD": 0, "USDT": 0}


def test_an_immediate_order_takes_what_is_displayed_and_expires() -> None:
    """40 at 102 and 60 at 103: 70 lots within 103, and the limit keeps the rest out."""
    b = bench()
    events = b.place(BUY, 103, 70, TimeInForce.IOC)
    fills = [e for e in events if type(e).__name__ == "Fill"]
    assert [(f.price_ticks, f.qty_lots, f.is_maker) for f in fills] == [  # type: ignore[union-attr]
        (102, 40, False),
        (103, 30, False),
    ]
    again = b.place(BUY, 103, 50, TimeInForce.IOC)
    assert kinds(again) == ["OrderAccepted", "Fill", "Balance", "Balance", "OrderEnded"]
    assert again[1].qty_lots == 30  # type: ignore[union-attr]
    assert kinds(b.place(BUY, 103, 5, TimeInForce.IOC)) == ["OrderAccepted", "OrderEnded"]


def test_a_resting_order_takes_first_and_rests_with_the_rest() -> None:
    """A plain limit order beyond the touch."""
    b = bench()
    b.place(BUY, 102, 50, TimeInForce.GTC)
    b.fills()
    assert b.ahead(1) == 0.0
    assert [f.qty_lots for f in b.trade(SELL, 102, 50)] == [10]


def test_a_cancel_that_loses_the_race_is_rejected() -> None:
    """The fill came first."""
    b = bench("front")
    b.place(BUY, 100, 5)
    b.trade(SELL, 100, 5)
    assert kinds(b.cancel(1)) == ["CancelRejected"]


def test_a_replacement_of_what_is_gone_places_nothing() -> None:
    """Cancel-replace is one request: without the cancel there is no new order."""
    b = bench("front")
    b.place(BUY, 100, 5)
    b.trade(SELL, 100, 5)
    assert kinds(b.replace(1, BUY, 99, 5)) == ["CancelRejected", "OrderRejected"]
    assert b.exchange.open_orders == 0


def test_funds_are_locked_and_come_back() -> None:
    """5 lots of 0.001 at 1.00 lock 0.005 of quote; a cancel frees them."""
    b = bench()
    b.place(BUY, 100, 5)
    assert b.exchange.account.locked["USDT"] == 500_000
    b.cancel(1)
    assert b.exchange.account.locked == {"MMD": 0, "USDT": 0}
    assert b.exchange.account.free["USDT"] == 1_000_000 * 10**8


def test_an_order_beyond_the_account_is_refused() -> None:
    """As a venue refuses it."""
    events = bench(base=0.0).place(SELL, 102, 5)
    assert events[0].reason.name == "BALANCE"  # type: ignore[union-attr]


@pytest.mark.parametrize(("maker_bps", "fee"), [(10.0, 5_000), (-1.0, -500)])
def test_fees_and_rebates_come_out_of_what_is_received(maker_bps: float, fee: int) -> None:
    """5 lots of 0.001 bought: 500,000 atoms of base, less 10 bps, or a rebate of 1."""
    b = bench("front", maker_fee_bps=maker_bps)
    before = b.exchange.account.total("MMD")
    b.place(BUY, 100, 50)
    (fill,) = b.trade(SELL, 100, 50)
    assert (fill.fee_asset, fill.fee_atoms) == ("MMD", 10 * fee // 10 * 1)
    assert b.exchange.account.total("MMD") - before == 5_000_000 - fee


def test_too_many_orders_are_refused_and_not_forgotten() -> None:
    """There is room for 64 a side."""
    b = bench()
    for _ in range(64):
        assert kinds(b.place(BUY, 99, 1))[0] == "OrderAccepted"
    assert kinds(b.place(BUY, 99, 1)) == ["OrderRejected"]
    assert b.exchange.account.locked["USDT"] == 64 * 99_000
