"""Commissions: in what is received, or cheaper in a third asset while there is enough of it."""

from decimal import Decimal

from mmd.exchange.accounts import Account
from mmd.exchange.exchange import Exchange
from mmd.exchange.fees import Commission, FeeDiscount, FeeSchedule
from tests.exchange_world import BUY, SELL, exchange, instrument, order

_DISCOUNT = FeeDiscount(asset="FEE", price=Decimal(50), ratio=Decimal("0.75"))


def test_a_third_asset_is_charged_by_its_price_and_ratio() -> None:
    """1 bp of 1000 quote is 0.1; at 50 a unit and three quarters, 0.0015 units."""
    schedule = FeeSchedule(instrument(), _DISCOUNT)
    received = Commission("MMD", 10**9)
    rich, poor = Account("r", {"FEE": 150_000}), Account("p", {"FEE": 149_999})
    assert schedule.charge(rich, received, 10**11, is_maker=True) == Commission("FEE", 150_000)
    assert schedule.charge(poor, received, 10**11, is_maker=True) == Commission("MMD", 100_000)


def test_without_a_discount_takers_pay_the_takers_rate_of_what_they_receive() -> None:
    """2.5 bps of base for a buyer."""
    schedule = FeeSchedule(instrument(), None)
    paid = schedule.charge(Account("a", {}), Commission("MMD", 10**9), 10**11, is_maker=False)
    assert paid == Commission("MMD", 250_000)


def test_fees_in_a_third_asset_leave_the_pair_whole() -> None:
    """The buyer gets all that was bought; the exchange's takings are in the third asset."""
    plain = exchange()
    rules = plain.markets[0].rules
    changed = type(rules)(
        **{f: getattr(rules, f) for f in rules.__struct_fields__} | {"fee_discount": _DISCOUNT}
    )
    accounts = {n: {"USDT": 10**14, "MMD": 10**12, "FEE": 10**8} for n in ("a", "b")}
    world = Exchange([instrument()], accounts, rules=[changed])
    world.place("a", order(SELL, 10_000, 1_000), 1)
    _, events = world.place("b", order(BUY, 10_000, 1_000), 2)
    assert world.accounts["b"].free["MMD"] == 10**12 + 10**8
    assert world.markets[0].fees.keys() == {"FEE"}
    spent = sum(10**8 - a.free["FEE"] for a in world.accounts.values())
    assert world.markets[0].fees["FEE"] == spent > 0
    assert [row[0] for row in events[-1].balances] == ["MMD", "USDT", "FEE"]
