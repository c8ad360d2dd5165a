"""Adverse selection as shown: it agrees with the records, sums by venue, and is absent where it is off."""

import msgspec
import pytest

from mmd.config_adverse import AdverseSection
from mmd.core.flow.adverse_tests import NAMES
from mmd.core.units import Side
from mmd.ops.adverse_metrics import adverse_metrics
from mmd.ops.adverse_state import STAGES, adverse_state, venue_toxicity
from mmd.ops.state import InstrumentState
from tests.engine_bench import EngineBench
from tests.ops_state import quoting, state_of
from tests.session import session_spec

EAGER = AdverseSection(
    mode="threshold", tests_min=1, size_ratio_max=0.5, fills_per_minute_max=100, response_step=0.5
)


@pytest.fixture(scope="module")
def bench() -> EngineBench:
    """A bid of level 0 was filled whole, an ask by a tenth; then 31 seconds went by and the mid fell."""
    bench = EngineBench(session_spec(adverse=EAGER.spec()))
    bench.bring_up()
    bench.turn()
    for side, share in ((Side.BUY, 1.0), (Side.SELL, 0.1)):
        best = next(i for i, o in bench.open.items() if o is bench.best(side))
        bench.fill(best, round(bench.open[best].qty_lots * share))
    bench.pass_time(1_000)
    bench.shift(-10)
    bench.turn()
    bench.pass_time(30_000)
    bench.shift(0)
    bench.tick()
    return bench


@pytest.fixture
async def shown(bench: EngineBench) -> InstrumentState:
    """The picture of an ordinary instrument, with the bench's fills in it."""
    return msgspec.structs.replace(
        state_of(quoting()).instruments[0], adverse=adverse_state(bench.maker)
    )


def test_the_state_says_what_was_judged(bench: EngineBench) -> None:
    """Two fills at two stages; the bought one is adverse, by size at once and by its move after 30 s."""
    state = adverse_state(bench.maker)
    assert state is not None
    assert state.judged == {"fill": 2, "30s": 2, "600s": 0}
    assert state.judged_adverse == {"fill": 1, "30s": 1, "600s": 0}
    assert state.fired == dict.fromkeys(NAMES, 0) | {"immediate": 1, "size": 1}
    assert state.adverse_fills == 1
    rows = {(row.side, row.level): row for row in state.toxicity}
    assert {k: row.ratio for k, row in rows.items()} == {("BUY", 0): 1.0, ("SELL", 0): 0.0}
    assert rows["BUY", 0].moved_bps < rows["SELL", 0].moved_bps
    assert 0.0 < state.level < 1.0
    assert 0.7 <= state.size_multiplier < 1.0
    assert state.spread_multiplier == 1.0
    assert set(state.z) == {"30s", "600s"}
    assert state.z["600s"] is None
    assert state.kyle_lambda_bps is state.temporary_impact_bps is None, "hardly anything was traded"


def test_switched_off_there_is_nothing_to_show() -> None:
    """Neither state nor metric."""
    bench = EngineBench()
    bench.bring_up()
    assert adverse_state(bench.maker) is None


async def test_a_venue_is_the_sum_of_its_instruments(shown: InstrumentState) -> None:
    """By fills, not by levels; instruments whose fills are not judged have no say."""
    other = msgspec.structs.replace(shown, venue="other", adverse=None)
    assert venue_toxicity([shown, shown, other]) == {shown.venue: pytest.approx(0.5)}
    assert venue_toxicity([]) == {}


async def test_metrics_have_closed_labels(shown: InstrumentState) -> None:
    """Stages, tests, sides, levels and horizons; nothing of an instrument that is not watched."""
    families = list(adverse_metrics([shown]))
    closed = {
        "judged_at": set(STAGES),
        "test": set(NAMES),
        "side": {side.name for side in Side},
        "ladder_level": {str(level) for level in range(8)},
        "horizon": {"30s", "600s"},
        "venue": {shown.venue},
        "instrument": {shown.symbol},
    }
    seen = set()
    for family in families:
        assert family.name.startswith("mmd_adverse_")
        for sample in family.samples:
            seen |= set(sample.labels)
            assert all(value in closed[label] for label, value in sample.labels.items()), sample
    assert seen == set(closed)
    off = msgspec.structs.replace(shown, adverse=None)
    assert not any(family.samples for family in adverse_metrics([off]))
