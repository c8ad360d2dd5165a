"""A result of `mmd simulate`, for tests of what is kept and told of many."""

from mmd.simulation.simulate import Conditions, SimulateResult
from mmd.simulation.worlds import MarketPace

CALM = Conditions(code="c0de", settings="5e77", pace=MarketPace.CALM, seconds=1800.0)
RESULT = SimulateResult(
    seed=1,
    conditions=CALM,
    simulated_s=1_800.0,
    wall_s=9.0,
    events=1_000,
    orders=10,
    fills=2,
    crashes=1,
    checks=500,
    checks_at_rest=400,
    guarded=3,
    worst_case_ratio_max=0.5,
    cpu_s=6.0,
    faults={"stall": 2},
    levels=("NORMAL",),
)
