"""When a hedge begins and how far it goes."""

import pytest

from mmd.core.hedging.demand import is_critical, kept_lots
from mmd.core.inventory.settings import HedgeSpec

SPEC = HedgeSpec()


@pytest.mark.parametrize(
    ("exposure", "var_ratio", "expected"),
    [
        (900, 0.0, False),
        (901, 0.0, True),
        (-901, 0.0, True),
        (100, 0.05, False),
        (100, 0.051, True),
        (0, 1.0, False),
    ],
)
def test_critical_is_above_nine_tenths_or_five_percent_of_equity(exposure, var_ratio, expected):
    """Of either sign; nothing held is never critical."""
    assert is_critical(exposure, 1_000, var_ratio, SPEC) is expected


def test_down_to_thirty_percent_of_the_limit():
    """Whatever the sign."""
    assert kept_lots(950, 1_000, 0.0, SPEC) == kept_lots(-950, 1_000, 0.0, SPEC) == 300


def test_a_var_that_is_too_large_is_brought_to_the_same_share_of_its_limit():
    """At twice the VaR allowed half the position would do, and a third of that is kept; never more than by ratio."""
    assert kept_lots(600, 1_000, 0.10, SPEC) == 100
    assert kept_lots(6_000, 6_500, 0.06, SPEC) == int(6_000 * 0.05 / 0.06 / 3)
    assert kept_lots(9_500, 10_000, 0.051, SPEC) == 3_000


def test_var_can_be_left_out():
    """A share of 0 is off."""
    spec = HedgeSpec(var_equity_ratio=0.0)
    assert not is_critical(100, 1_000, 9.0, spec)
    assert kept_lots(950, 1_000, 9.0, spec) == 300
