"""Settings of inventory risk and hedging: what they mean to the engine, and what is refused."""

from decimal import Decimal

import pytest

from mmd import config
from mmd.config_hedge import HedgeSection
from mmd.config_inventory import InventorySection
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.errors import ConfigError

VENUE = {"venues.a.adapter": "binance_spot"}


def test_nothing_is_hedged_or_capped_by_default() -> None:
    """The engine's own defaults, besides the alert after four hours."""
    assert HedgeSection().spec() == HedgeSpec()
    assert InventorySection().spec() == InventorySpec(position_age_ns_max=4 * 3_600 * 10**9)


def test_units_are_converted_once() -> None:
    """Seconds, milliseconds and hours become nanoseconds."""
    hedge = HedgeSection(deadline_s=1.5, retry_ms=20, passive_s=0, twap_s=3).spec()
    assert (hedge.deadline_ns, hedge.retry_ns) == (1_500_000_000, 20_000_000)
    assert (hedge.passive_ns, hedge.twap_ns) == (0, 3 * 10**9)
    inventory = InventorySection(var_max=Decimal(7), bar_s=5, position_age_max_h=0.5).spec()
    assert (inventory.var_max, inventory.bar_ns) == (7, 5 * 10**9)
    assert inventory.position_age_ns_max == 1_800 * 10**9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hedge.route": "named"}, "named.* needs instruments"),
        ({"hedge.target_ratio": "0.95"}, "target_ratio 0.95 must be below critical_ratio 0.9"),
        ({"hedge.instruments": '["BTCUSDT"]'}, "hedge.instruments"),
        ({"hedge.algorithm": "vwap"}, "hedge.algorithm"),
        ({"inventory.var_max": "0"}, "inventory.var_max"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(changes: dict[str, str], message: str) -> None:
    """With what was expected."""
    overrides = {k: ["BTCUSDT"] if v.startswith("[") else v for k, v in changes.items()}
    with pytest.raises(ConfigError, match=message):
        config.load(None, VENUE | overrides)
