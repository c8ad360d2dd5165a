"""What spread model and fair value go by, as people see it."""

import pytest

from mmd.core.quoting.fill_costs import COST_BPS_PRIOR
from mmd.core.units import NANOS_PER_SECOND
from mmd.ops.model_state import model_state
from tests.engine_bench import EngineBench
from tests.session import instrument, quoting, session_spec


def _bench(**changes: object) -> EngineBench:
    spec = session_spec(quoting=quoting(**changes), instruments=(instrument(maker_fee_bps=7.5),))
    return EngineBench(spec)


def test_before_there_is_a_price_what_needs_one_is_absent() -> None:
    """A cost in basis points of nothing is none."""
    state = model_state(_bench(spread_model="ho_stoll").maker)
    assert (state.spread_model, state.break_even_bps) == ("ho_stoll", 7.5)
    assert state.adverse_cost_bps is None
    assert (state.lead, state.lead_followed, state.lead_shift_bps) == (None, None, None)
    assert state.microprice_trust_ratio == 0.0


def test_a_quoting_instrument_shows_its_inputs() -> None:
    """The prior stands while nothing has been filled; trust comes with the touch's changes."""
    bench = _bench()
    bench.bring_up()
    bench.turn()
    for step in range(200):
        bench.pass_time(100)
        tick = step % 2
        bench.snapshot(9_999 + tick, 10_001 + tick, lots=5_000)
        bench.diff({9_999 + tick: 4_000 - step}, {})
        bench.tick()
    bench.pass_time(10 * NANOS_PER_SECOND / 1e6)
    bench.tick()
    state = model_state(bench.maker)
    assert state.adverse_cost_bps == pytest.approx(COST_BPS_PRIOR)
    assert state.risk_aversion > 0.0
    assert state.activity_ratio == 1.0
    assert 0.3 < state.microprice_trust_ratio < 1.0
