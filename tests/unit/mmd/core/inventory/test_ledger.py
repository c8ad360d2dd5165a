"""What the venue says we hold against what our fills explain."""

import pytest

from mmd.core.events import Balance, Reconciled
from mmd.core.inventory.ledger import Ledger
from mmd.core.units import InstrumentId, Side
from tests.order_events import fill, instrument

ZERO = InstrumentId(0)
LOT = 1_000_000


def ledger(target=None):
    made = Ledger(instrument(), target)
    made.on_reconciled(Reconciled(1, "test", ZERO, 100 * LOT), 2_000)
    return made


def balance(atoms, asset="NEXO"):
    return Balance(2, "test", asset, atoms // 2, atoms - atoms // 2)


def test_the_first_reconciliation_sets_the_target_unless_it_was_carried():
    """Inventory is what is held beyond it."""
    assert ledger().position_atoms == 0
    assert ledger(target=90 * LOT).position_atoms == 10 * LOT


def test_fills_before_the_baseline_are_part_of_it():
    """They are in the holdings that are found then."""
    made = Ledger(instrument(), None)
    made.on_fill(fill(1, 50, 4), 2_000, 1)
    made.on_mid(2_000, 1)
    assert (made.fill_count, made.position_atoms, made.pnl) == (0, 0, None)


def test_a_balance_is_compared_with_fills_whichever_comes_first():
    """Before its fill it drifts, with it no more; after a fill the old one says nothing."""
    made = ledger()
    assert made.stated_drift_atoms == 0
    made.on_balance(balance(104 * LOT))
    assert made.stated_drift_atoms == 4 * LOT
    made.on_fill(fill(1, 50, 4), 2_000, 1)
    assert made.stated_drift_atoms == 0
    made.on_fill(fill(1, 51, 3, Side.BUY), 2_000, 1)
    assert made.stated_drift_atoms == 0
    made.on_balance(balance(107 * LOT))
    assert made.stated_drift_atoms == 0
    made.on_balance(balance(108 * LOT))
    assert made.stated_drift_atoms == LOT


def test_fills_move_both_holdings_and_foreign_assets_none():
    """Between two balances."""
    made = ledger()
    made.on_balance(balance(10**10, "USDT"))
    made.on_balance(balance(5, "BNB"))
    made.on_fill(fill(1, 50, 4, price_ticks=1_000), 2_000, 1)
    assert made.base_atoms == 104 * LOT
    assert made.quote_atoms == 10**10 - 4_000_000


def test_a_fill_that_is_told_after_its_balance_moves_no_holdings():
    """They have moved with the balance, and the position moves with the fill."""
    made = ledger()
    made.on_balance(balance(10**10 - 4_000_000, "USDT"))
    made.on_balance(balance(104 * LOT))
    made.on_fill(fill(1, 50, 4, price_ticks=1_000), 2_000, 1)
    assert (made.base_atoms, made.quote_atoms) == (104 * LOT, 10**10 - 4_000_000)
    assert made.position_atoms == 4 * LOT
    made.on_fill(fill(1, 51, 2, price_ticks=1_000), 2_000, 1)
    assert (made.base_atoms, made.quote_atoms) == (106 * LOT, 10**10 - 6_000_000)


@pytest.mark.parametrize("lots", [(4, 3), (3, 4), (-4, 3), (3, -4), (-3, -4)])
def test_when_all_late_fills_are_told_holdings_are_as_the_balance_said(lots):
    """Whatever their order and sides, and whatever was made of the first while the second was missing."""
    made = ledger()
    made.on_balance(balance(10**10, "USDT"))
    made.on_balance(balance((100 + sum(lots)) * LOT))
    for number, signed in enumerate(lots):
        side = Side.BUY if signed > 0 else Side.SELL
        made.on_fill(fill(1, 50 + number, abs(signed), side), 2_000, 1)
    assert (made.base_atoms, made.quote_atoms) == ((100 + sum(lots)) * LOT, 10**10)
    assert made.position_atoms == sum(lots) * LOT


def test_a_fill_before_its_balance_moves_holdings_although_something_else_is_unexplained():
    """A withdrawal of ten lots hides no purchase."""
    made = ledger()
    made.on_balance(balance(90 * LOT))
    made.on_fill(fill(1, 50, 4), 2_000, 1)
    assert made.base_atoms == 94 * LOT


def test_an_inventory_that_was_handed_over_grows_old_from_the_start():
    """Else one that is carried from session to session never would."""
    made = ledger(target=90 * LOT)
    assert made.time_in_position_ns(5_000_000_001) == 5_000_000_000
    assert ledger().time_in_position_ns(5_000_000_001) == 0


def test_what_is_held_for_others_is_not_quoted():
    """It comes and goes with their hedges."""
    made = ledger(target=90 * LOT)
    made.hold_for_others(7)
    assert (made.position_lots, made.hedge_lots, made.quoted_lots) == (10, 7, 3)
    made.on_fill(fill(1, 50, 4), 2_000, 1)
    made.hold_for_others(-2)
    assert (made.position_lots, made.hedge_lots, made.quoted_lots) == (14, 5, 9)
