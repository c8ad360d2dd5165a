"""Settings of arbitrage: what they mean to the engine, and what is refused."""

from decimal import Decimal

import pytest

from mmd import config
from mmd.config_crossvenue import ArbitrageSection
from mmd.errors import ConfigError

VENUE = {"venues.a.adapter": "binance_spot"}


def test_the_defaults_look_and_do_not_trade() -> None:
    """Ten of the reporting currency after all costs, books no older than a second."""
    spec = ArbitrageSection().spec()
    assert spec is not None
    assert (spec.executes, spec.profit_min, spec.age_ns_max) == (False, Decimal(10), 10**9)


def test_units_are_converted_once() -> None:
    """Milliseconds and seconds become nanoseconds."""
    spec = ArbitrageSection(latency_prior_ms=0.5, unwind_s_max=1.5, retry_ms=3).spec()
    assert spec is not None
    assert (spec.latency_prior_ns, spec.unwind_ns_max, spec.retry_ns) == (
        500_000,
        15 * 10**8,
        3_000_000,
    )


def test_off_is_no_spec() -> None:
    """The engine has nothing to look at then."""
    assert ArbitrageSection(enabled=False).spec() is None


@pytest.mark.parametrize("key", ["profit_min", "notional_max", "age_ms_max"])
def test_a_limit_of_nothing_is_refused_by_its_name(key: str) -> None:
    """Zero would mean every crossing, or none."""
    with pytest.raises(ConfigError, match=f"arbitrage.{key}"):
        config.load(None, VENUE | {f"arbitrage.{key}": 0})
