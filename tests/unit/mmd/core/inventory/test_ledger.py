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


def opened_late(fills, mids, target=90 * LOT):
    """A ledger told of fills, of holdings of 100 lots with them, and of mids, the first as it reconciles."""
    made = Ledger(instrument(), target, books_early_fills=True)
    for early in fills:
        made.on_fill(early, mids[0], 1)
    made.on_reconciled(Reconciled(1, "test", ZERO, 100 * LOT), mids[0])
    for mid in mids[1:]:
        made.on_mid(mid, 2)
    return made


def test_fills_made_while_no_process_ran_are_booked_at_their_price():
    """Four lots were bought at 990 with the mid at 1,000: ten ticks each were earned, and ten lots are held."""
    made = opened_late([fill(1, 50, 4, price_ticks=990)], [2_000])
    assert (made.fill_count, made.early_count, made.position_lots) == (1, 1, 10)
    assert made.drift_atoms == 0
    assert made.base_atoms == 100 * LOT
    money = made.pnl.position.money
    assert made.pnl.total_units == money.value(4 * LOT, 2 * 10)
    assert made.pnl.identity_error == 0
    assert made.turnover_ticklots == [4 * 990, 0]


def test_commissions_in_base_are_in_the_holdings_found():
    """Position is what the venue says, whatever was taken out of the fills."""
    made = opened_late([fill(1, 50, 4, fee_atoms=LOT // 2, fee_asset="NEXO")], [2_000])
    assert made.position_atoms == 10 * LOT
    assert made.drift_atoms == 0
    assert made.pnl.identity_error == 0


@pytest.mark.parametrize("early", [[], [fill(1, 50, 4, price_ticks=990)]])
def test_what_was_carried_over_is_valued_at_the_first_mid_that_is_known(early):
    """A book that comes later than the account is no profit."""
    late, known = opened_late(early, [0, 2_000, 2_010]), opened_late(early, [2_000, 2_000, 2_010])
    assert late.pnl.total_units == known.pnl.total_units
    assert late.pnl.attribution == known.pnl.attribution
    assert late.pnl.identity_error == 0


def test_a_fill_before_the_first_mid_is_booked_with_it():
    """It comes between the reconciliation and the book."""
    made = opened_late([], [0])
    made.on_fill(fill(1, 50, 4, price_ticks=990), 0, 2)
    made.on_mid(2_000, 3)
    assert (made.position_lots, made.early_count, made.fill_count) == (14, 0, 1)
    assert made.pnl.total_units == made.pnl.position.money.value(4 * LOT, 2 * 10)
    assert made.pnl.identity_error == 0
