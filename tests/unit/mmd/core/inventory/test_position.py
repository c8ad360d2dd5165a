"""Inventory, average cost and commissions, to the last integer."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.inventory.position import Position
from mmd.core.units import Side
from tests.order_events import fill, instrument

LOT = 1_000_000  # atoms: lot 0.01
FILLS = st.tuples(
    st.sampled_from(Side),
    st.integers(900, 1100),
    st.integers(1, 50),
    st.sampled_from(["USDT", "NEXO", "BNB"]),
    st.integers(-(10**5), 10**6),
    st.integers(1800, 2200),
)


def book(position, side, price_ticks, qty_lots, **fields):
    mid = fields.pop("mid", 2000)
    rate = fields.pop("rate", None)
    return position.on_fill(fill(1, 1, qty_lots, side, price_ticks, **fields), mid, rate)


def test_average_cost_over_buys_and_a_sale():
    """Vwap moves with buys only; a sale realises against it."""
    position = Position(instrument())
    book(position, Side.BUY, 1000, 10)
    book(position, Side.BUY, 1100, 10)
    assert position.vwap == Decimal("1.05")
    book(position, Side.SELL, 1200, 5)
    assert position.vwap == Decimal("1.05")
    money = position.money
    assert money.decimal(position.realised_units) == Decimal("0.0075")  # 0.05 at 0.15 each
    assert money.decimal(position.unrealised_units(2200)) == Decimal("0.0075")  # 0.15 at 0.05
    assert (position.lots, position.turnover_lots) == (15, [20, 5])


def test_a_short_position_is_the_mirror():
    """Sold high, bought back low."""
    position = Position(instrument())
    book(position, Side.SELL, 1100, 10)
    assert (position.lots, position.vwap) == (-10, Decimal("1.1"))
    book(position, Side.BUY, 1000, 10)
    assert position.vwap is None
    assert position.money.decimal(position.realised_units) == Decimal("0.01")


def test_turning_round_closes_first():
    """What is left over opens at the price of the fill."""
    position = Position(instrument())
    book(position, Side.BUY, 1000, 10)
    book(position, Side.SELL, 1100, 30)
    assert (position.lots, position.vwap) == (-20, Decimal("1.1"))
    assert position.money.decimal(position.realised_units) == Decimal("0.01")


def test_a_commission_in_base_leaves_a_fraction_of_a_lot():
    """Lots are what can be traded away: towards zero on both sides."""
    position = Position(instrument())
    book(position, Side.BUY, 1000, 10, fee_asset="NEXO", fee_atoms=7500)
    assert (position.atoms, position.lots) == (10 * LOT - 7500, 9)
    assert position.fee_atoms == {"NEXO": 7500}
    assert position.money.decimal(position.fee_units) == Decimal("0.000075")  # at the mid, 1.000
    book(position, Side.SELL, 1000, 10)
    assert (position.atoms, position.lots) == (-7500, 0)


def test_a_commission_in_quote_comes_out_of_cash():
    """And a rebate goes in."""
    position = Position(instrument())
    book(position, Side.BUY, 1000, 10, fee_atoms=25_000)
    book(position, Side.SELL, 1000, 10, fee_atoms=-5_000)
    assert position.money.quote_atoms(position.cash_units) == -20_000
    assert position.money.quote_atoms(position.fee_units) == 20_000


def test_a_commission_in_a_third_asset_is_valued_at_its_rate():
    """Without a rate it waits, in atoms, until there is one."""
    position = Position(instrument())
    rate = 600 * 10**8
    book(position, Side.BUY, 1000, 10, fee_asset="BNB", fee_atoms=100, rate=rate)
    assert position.money.quote_atoms(position.fee_units) == 60_000
    book(position, Side.BUY, 1000, 10, fee_asset="BNB", fee_atoms=50)
    assert position.unpriced_fee_atoms == {"BNB": 50}
    assert position.money.quote_atoms(position.price_fees("BNB", rate)) == 30_000
    assert position.money.quote_atoms(position.fee_units) == 90_000
    assert (position.unpriced_fee_atoms, position.fee_atoms) == ({}, {"BNB": 150})
    assert position.price_fees("BNB", rate) == 0


def test_time_in_position_starts_anew_when_it_turns_round():
    """Dust below a lot is no position."""
    position = Position(instrument())
    book(position, Side.BUY, 1000, 10, ts_ns=100)
    book(position, Side.BUY, 1000, 10, ts_ns=200)
    assert position.held_ns(300) == 200
    book(position, Side.SELL, 1000, 30, ts_ns=400)
    assert position.held_ns(450) == 50
    book(position, Side.BUY, 1000, 10, ts_ns=500, fee_asset="NEXO", fee_atoms=1)
    assert position.held_ns(600) == 0


def test_a_carried_inventory_has_cost_its_mid():
    """Neither profit nor loss is handed over with it."""
    position = Position(instrument(), 5 * LOT + 3, 2001)
    assert position.unrealised_units(2001) == 0
    assert (position.lots, position.cash_units) == (5, 0)


@given(st.lists(FILLS, max_size=30), st.integers(-(10**7), 10**7), st.integers(1800, 2200))
def test_realised_and_unrealised_add_up_exactly(fills, carried_atoms, last_mid):
    """However the cost of parts is rounded, the total is cash plus inventory less what it started with."""
    position = Position(instrument(), carried_atoms, 2000)
    third_units, atoms = 0, carried_atoms
    for side, price_ticks, qty_lots, asset, fee_atoms, mid in fills:
        fields = {"fee_asset": asset, "fee_atoms": fee_atoms, "mid": mid, "rate": 33}
        fee_units = book(position, side, price_ticks, qty_lots, **fields)
        third_units += fee_units if asset == "BNB" else 0
        atoms += side.sign * qty_lots * LOT - (fee_atoms if asset == "NEXO" else 0)
    held = position.money.value(atoms, last_mid)
    started = position.money.value(carried_atoms, 2000)
    total = position.realised_units + position.unrealised_units(last_mid) - position.fee_units
    assert position.atoms == atoms
    assert total == position.cash_units + held - started - third_units


@given(st.lists(FILLS, min_size=1, max_size=30))
def test_average_cost_stays_within_the_prices_paid(fills):
    """Vwap of an inventory lies between the lowest and the highest price of its fills."""
    position = Position(instrument())
    for side, price_ticks, qty_lots, *_ in fills:
        book(position, side, price_ticks, qty_lots)
    if position.vwap is not None:
        prices = [price for _, price, *_ in fills]
        assert min(prices) / 1000 - 1e-6 <= float(position.vwap) <= max(prices) / 1000 + 1e-6


@pytest.mark.parametrize("atoms", [5 * LOT, -5 * LOT])
def test_a_transfer_is_booked_at_the_mid(atoms):
    """Nothing is earned by it, and what it takes away is realised at the mid."""
    position = Position(instrument())
    book(position, Side.BUY, 900, 10)
    assert position.on_transfer(atoms, 2000, 5) == position.money.value(atoms, 2000)
    assert position.atoms == 10 * LOT + atoms
    total = position.realised_units + position.unrealised_units(2000)
    assert position.money.decimal(total) == Decimal("0.01")  # 0.1 bought at 0.9, mid 1.0
