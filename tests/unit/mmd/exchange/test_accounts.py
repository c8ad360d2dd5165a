"""Money in atoms: rounding as stated, locks, refusals."""

from decimal import Decimal

import pytest

from mmd.exchange.accounts import Account, TradeValue, commission_atoms, rate_of_bps
from mmd.exchange.refusals import Refusal, Refused
from tests.exchange_world import instrument


@pytest.mark.parametrize(
    ("amount", "bps", "expected"),
    [
        (1_000_000, 10.0, 1000),
        (999, 10.0, 0),
        (19_999, 1.0, 1),
        (19_999, -1.0, -1),
        (10**8, 0.75, 7500),
    ],
)
def test_commission_rounds_towards_zero(amount: int, bps: float, expected: int) -> None:
    """Fees and rebates alike lose the fraction of an atom."""
    assert commission_atoms(amount, rate_of_bps(bps)) == expected


def test_quote_value_is_exact_where_a_ticklot_is_no_whole_number_of_atoms() -> None:
    """Tick 1e-6 times lot 1e-3 is a tenth of an atom: ten of them are one, nine are none."""
    value = TradeValue(instrument(tick_size=Decimal("0.000001"), lot_size=Decimal("0.001")))
    assert [value.quote_atoms(n) for n in (9, 10, 25)] == [0, 1, 2]
    assert value.base_atoms(3) == 300_000


def test_locking_more_than_is_free_is_refused_and_changes_nothing() -> None:
    """What is locked cannot be locked again."""
    account = Account("a", {"USDT": 100})
    account.lock("USDT", 60)
    with pytest.raises(Refused) as refused:
        account.lock("USDT", 41)
    assert refused.value.reason == Refusal.INSUFFICIENT_BALANCE
    assert (account.free["USDT"], account.locked["USDT"]) == (40, 60)
    account.unlock("USDT", 60)
    assert (account.free["USDT"], account.total("USDT")) == (100, 100)
