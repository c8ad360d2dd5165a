"""Fee tiers by name."""

import pytest

from mmd.errors import ConfigError
from mmd.exchange.fills.fee_tiers import FEE_TIERS, fee_tier, with_fees
from tests.session import instrument


def test_a_tier_sets_the_instruments_fees() -> None:
    """Maker and taker rates come from the table."""
    made = with_fees(instrument(), fee_tier("binance_spot/vip0"))
    assert (made.maker_fee_bps, made.taker_fee_bps) == (10.0, 10.0)


def test_makers_never_pay_more_than_takers() -> None:
    """True of every venue listed."""
    for tiers in FEE_TIERS.values():
        assert all(tier.maker_bps <= tier.taker_bps for tier in tiers.values())


@pytest.mark.parametrize(
    ("name", "told"), [("nyse/vip0", "binance_spot"), ("binance_spot/gold", "vip0")]
)
def test_unknown_tiers_are_named(name: str, told: str) -> None:
    """The message lists what there is."""
    with pytest.raises(ConfigError, match=told):
        fee_tier(name)
