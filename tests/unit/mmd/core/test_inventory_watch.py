"""The watch over inventories, through the engine's timer."""

import math

import pytest

from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.inventory.tail_risk import NORMAL_SHORTFALL_95
from mmd.core.notices import NoticeKind
from mmd.core.quoting.multipliers import Cause
from tests.hedge_bench import HedgeBench, hedge_spec, two_venues
from tests.session import risk

OFF = HedgeSpec()


def bench_of(carried=5.0, **changes):
    bench = HedgeBench(hedge_spec(carried, OFF, **changes))
    bench.start()
    return bench


def test_var_is_that_of_the_volatility_of_now():
    """1.645 * 5 units * sigma in currency * sqrt(day); the shortfall by the normal tail while there is no other."""
    bench = bench_of()
    bench.run(1_500)
    held = bench.engine.inventory.held[0]
    sigma = float(bench.maker.view.vol["sigma"][0]) * 0.01
    assert held.value_at_risk == pytest.approx(1.645 * 5.0 * sigma * math.sqrt(86_400), rel=1e-6)
    assert held.shortfall / held.value_at_risk == pytest.approx(NORMAL_SHORTFALL_95 / 1.645)
    assert bench.engine.inventory.value_at_risk == pytest.approx(held.value_at_risk)
    assert bench.maker.scale.position_lots_max == 10_000


def test_equity_is_what_is_held_or_the_capital_stated():
    """1,000 units at 100 and 100,000 in currency; or the base and what was earned."""
    bench = bench_of()
    bench.run(1_500)
    assert bench.engine.inventory.equity == pytest.approx(200_000.0)
    held = bench.engine.inventory.held[0]
    assert bench.engine.inventory.var_ratio(0) == pytest.approx(held.value_at_risk / 200_000.0)
    stated = bench_of(risk=risk(capital_base=5_000))
    stated.run(1_500)
    assert stated.engine.inventory.equity == pytest.approx(5_000.0)


def test_a_cap_by_var_moves_with_volatility_and_never_above_the_settings():
    """Wild: less may be held; calm again: the limit of the settings."""
    bench = bench_of(carried=0.0, inventory=InventorySpec(var_max=50))
    bench.run(2_000)
    calm = bench.maker.scale.position_lots_max
    for i in range(40):
        bench.shift(60 if i % 2 == 0 else -60)
        bench.run(500)
    wild = bench.maker.scale.position_lots_max
    assert wild < calm <= 10_000
    bench.run(900_000, step_ms=2_000)
    assert bench.maker.scale.position_lots_max == 10_000
    assert bench.maker.risk.bounds.long_atoms_max == 10_000 * 100_000


def test_an_old_position_is_told_of_once():
    """And again only after it had gone."""
    bench = bench_of(carried=0.0, inventory=InventorySpec(position_age_ns_max=2_000_000_000))
    bench.run(1_500)
    best = next(iter(bench.open))
    bench.fill(best)
    del bench.open[best]
    assert bench.maker.ledger.time_in_position_ns(bench.now_ns) == 0
    bench.run(6_000)
    held = bench.engine.inventory.held[0]
    assert held.is_old
    assert held.age_ns > 2_000_000_000
    assert bench.engine.notices.counts[NoticeKind.POSITION_OLD] == 1


def test_a_warning_widens_and_skews_and_ends():
    """From seven tenths of the limit on."""
    inventory = InventorySpec(warning_spread_multiplier=1.25, warning_skew_multiplier=1.5)
    bench = bench_of(carried=7.5, inventory=inventory)
    bench.run(1_500)
    assert bench.maker.quoter.multipliers.of(Cause.INVENTORY) == (1.25, 1.0, 1.5)
    assert float(bench.maker.quoter.quote["skew_multiplier"][0]) >= 1.5
    assert bench.engine.notices.counts[NoticeKind.INVENTORY_WARNING] == 1
    asks = [i for i, o in bench.open.items() if o.side == 1]
    bench.fill(asks[0])
    del bench.open[asks[0]]
    bench.run(1_500)
    assert bench.maker.quoter.multipliers.of(Cause.INVENTORY) == (1.0, 1.0, 1.0)


def test_several_instruments_have_a_portfolio_and_a_correlation():
    """The same price on two venues: what is held on one is the portfolio's risk."""
    bench = HedgeBench(two_venues(carried=5.0, route="none"))
    bench.start()
    bench.run(60_000)
    watch = bench.engine.inventory
    assert watch.portfolio.bars >= 4
    assert watch.value_at_risk == pytest.approx(watch.held[0].value_at_risk)
