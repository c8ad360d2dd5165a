"""Inventory risk and hedging as people see them."""

from types import SimpleNamespace

from mmd.ops.inventory_metrics import inventory_metrics
from mmd.ops.inventory_state import held_state, inventory_state
from tests.hedge_bench import HedgeBench, hedge_spec, two_venues


def samples(bench):
    """(family, labels) -> value of everything that is scraped."""
    engine = bench.engine
    instruments = [
        SimpleNamespace(venue=i.venue, symbol=i.symbol, held=held_state(engine, i.id))
        for i in engine.instruments
    ]
    found = {}
    for family in inventory_metrics(instruments, inventory_state(engine, bench.now_ns)):
        for sample in family.samples:
            found[sample.name, *sample.labels.values()] = sample.value
    return found


def test_a_late_hedge_shows_where_a_trader_looks():
    """Active, overdue, what is left, and the notice."""
    bench = HedgeBench(hedge_spec(), takes=lambda _: 0)
    bench.start()
    bench.run(31_000)
    state = held_state(bench.engine, 0)
    assert state.hedge is not None
    assert (state.hedge.state, state.hedge.route, state.hedge.late) == (
        "LATE",
        "embedded:MMDUSDT",
        1,
    )
    assert (state.hedge.exposure_lots, state.hedge.remaining_lots) == (9_500, 6_500)
    found, at = samples(bench), ("embedded", "MMDUSDT")
    assert found["mmd_hedge_overdue", *at] == 1
    assert found["mmd_hedges_late_total", *at] == 1
    assert found["mmd_hedge_remaining_lots", *at] == 6_500
    assert found["mmd_notices_total", "HEDGE_LATE"] == 1
    assert found["mmd_var_quote", *at] == state.value_at_risk
    assert inventory_state(bench.engine, bench.now_ns).last_notices[-1].kind == "HEDGE_LATE"


def test_a_hedge_elsewhere_shows_on_both_instruments():
    """What is held there, for whom, at what cost of the choice; and the correlation of the pair."""
    bench = HedgeBench(two_venues())
    bench.start()
    bench.run(2_000)
    mine, other = held_state(bench.engine, 0), held_state(bench.engine, 1)
    assert mine.hedge is not None
    assert other.hedge is None
    (name, lots), *_ = mine.hedge.held
    assert (name, lots) == ("other:MMDUSDT", other.hedge_lots)
    assert lots < 0
    assert mine.hedge.choice[0][0] == "other:MMDUSDT"
    found = samples(bench)
    assert found["mmd_hedge_held_lots", "other", "MMDUSDT"] == lots
    assert ("mmd_correlation_ratio", "other:MMDUSDT", "embedded:MMDUSDT") in found


def test_without_hedging_there_is_only_risk():
    """No families of hedges for an instrument that has none."""
    bench = HedgeBench(two_venues(route="none"))
    bench.start()
    bench.run(1_500)
    found = samples(bench)
    assert not [key for key in found if key[0].startswith("mmd_hedge_active")]
    assert found["mmd_equity",] > 0
    assert found["mmd_var_quote", "embedded", "MMDUSDT"] > 0
    assert found["mmd_position_age_seconds", "embedded", "MMDUSDT"] > 0.9
