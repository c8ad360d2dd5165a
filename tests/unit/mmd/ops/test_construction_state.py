"""How the quote state came about and what leans on the quotes, as people and scrapes see it."""

from mmd.core.units import Side
from mmd.ops.construction_metrics import construction_metrics
from mmd.ops.construction_state import construction_state
from tests.engine_bench import EngineBench
from tests.ops_state import quoting, state_of
from tests.session import session_spec


def test_changes_and_resting_sides_are_shown() -> None:
    """With their age; a filled side rests for the refresh delay."""
    bench = EngineBench(session_spec(book_shows_own=True))
    bench.bring_up()
    bench.turn()
    bench.fill(bench.best(Side.BUY).client_order_id)
    bench.pass_time(20)
    state = construction_state(bench.maker, bench.now_ns)
    assert state.state_changes == [("ACTIVE", "NONE", 1)]
    (change,) = state.last_changes
    assert (change.before, change.after, change.reason, change.age_s) == (
        "WITHDRAWN",
        "ACTIVE",
        "NONE",
        0.02,
    )
    assert state.resting == ["BUY"]
    assert state.own_levels == (2, 3)
    assert (state.age_skew_multiplier, state.favourable, state.recent_markout_bps) == (
        1.0,
        False,
        None,
    )
    bench.pass_time(100)
    assert construction_state(bench.maker, bench.now_ns).resting == []


async def test_metrics_say_the_same() -> None:
    """Families by name, of a daemon that quotes."""
    state = state_of(quoting())
    families = {family.name: family for family in construction_metrics(state.instruments)}
    (sample,) = families["mmd_quote_state_changes"].samples
    assert (sample.labels["state"], sample.labels["reason"], sample.value) == ("ACTIVE", "NONE", 1)
    assert {s.labels["side"] for s in families["mmd_own_levels"].samples} == {"BUY", "SELL"}
    assert families["mmd_age_skew_ratio"].samples[0].value == 1.0
