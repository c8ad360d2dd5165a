"""PnL by balances and PnL by causes agree to the last integer."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.inventory.pnl import Pnl
from mmd.core.units import Side
from tests.order_events import fill, instrument

MIDS = st.integers(1800, 2200)
FILLS = st.tuples(
    st.just("fill"),
    st.sampled_from(Side),
    st.integers(900, 1100),
    st.integers(1, 50),
    st.sampled_from(["USDT", "NEXO", "BNB"]),
    st.integers(-(10**5), 10**6),
    MIDS,
    st.none() | st.integers(1, 10**11),
)
STEPS = st.one_of(
    FILLS,
    st.tuples(st.just("mid"), MIDS),
    st.tuples(st.just("transfer"), st.integers(-(10**8), 10**8), MIDS),
    st.tuples(st.just("price"), st.integers(1, 10**11)),
)


def test_a_round_trip_is_explained():
    """Bought half a tick under the mid, the mid rises by two, sold half a tick over it."""
    pnl = Pnl(instrument(), 2001)
    assert pnl.on_fill(fill(1, 1, 10, Side.BUY, 1000, fee_atoms=100), 2001) > 0
    pnl.on_mid(2005)
    pnl.on_fill(fill(2, 2, 10, Side.SELL, 1003, fee_atoms=100), 2005)
    money = pnl.position.money
    edge, inventory, fees, _ = (money.decimal(units) for units in pnl.attribution)
    assert (edge, inventory, fees) == (Decimal("0.0001"), Decimal("0.0002"), Decimal("0.000002"))
    assert money.decimal(pnl.total_units) == Decimal("0.000298")
    assert pnl.total_quote_atoms == 29_800


def test_taking_costs_edge():
    """A buy above the mid has a negative edge."""
    pnl = Pnl(instrument(), 2000)
    assert pnl.on_fill(fill(1, 1, 10, Side.BUY, 1001), 2000) < 0


def test_a_carried_inventory_earns_only_from_now_on():
    """The baseline is its value at the first mid."""
    pnl = Pnl(instrument(), 2000, carried_atoms=10**8)
    assert pnl.total_units == 0
    pnl.on_mid(2002)
    assert pnl.position.money.decimal(pnl.total_units) == Decimal("0.001")
    assert pnl.attribution.inventory_units == pnl.total_units


def test_a_transfer_is_no_profit():
    """Neither way of counting moves."""
    pnl = Pnl(instrument(), 2000)
    pnl.on_transfer(10**8, 2010, 1)
    assert (pnl.total_units, pnl.attribution.total_units) == (0, 0)
    pnl.on_mid(2012)
    assert pnl.position.money.decimal(pnl.total_units) == Decimal("0.001")


def test_the_identity_notices_a_fill_booked_past_it():
    """It is a check, not a tautology: a position moved behind its back shows at once."""
    pnl = Pnl(instrument(), 2000)
    pnl.position.on_fill(fill(1, 1, 10, Side.BUY, 990), 2000)
    assert pnl.identity_error != 0


@given(MIDS, st.integers(-(10**8), 10**8), st.lists(STEPS, max_size=40))
def test_the_identity_is_exact_always(first_mid, carried_atoms, steps):
    """Fees in base, quote and a third asset, transfers, late rates, marks: the difference is 0 after each."""
    pnl = Pnl(instrument(), first_mid, carried_atoms)
    for number, step in enumerate(steps):
        match step:
            case ("fill", side, price_ticks, qty_lots, asset, fee_atoms, mid, rate):
                fee = {"fee_atoms": fee_atoms, "fee_asset": asset}
                event = fill(number, number, qty_lots, side, price_ticks, **fee)
                pnl.on_fill(event, mid, rate)
            case ("mid", mid):
                pnl.on_mid(mid)
            case ("transfer", atoms, mid):
                pnl.on_transfer(atoms, mid, number)
            case ("price", rate):
                pnl.price_fees("BNB", rate)
        position = pnl.position
        by_cost = position.realised_units + position.unrealised_units(pnl.mid_half_ticks)
        assert pnl.identity_error == 0
        assert by_cost - position.fee_units == pnl.total_units
