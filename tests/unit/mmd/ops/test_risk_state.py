"""Headroom of every limit, why the level rose, and what the day has come to."""

import pytest

from mmd.core.blackouts import Blackout
from mmd.core.events import ClockOffset, OperatorAction, OperatorCommand
from mmd.core.units import Side
from mmd.ops.risk_state import headroom, risk_state
from tests.engine_bench import MS, EngineBench
from tests.session import risk, session_spec


def quoting_bench(**changes) -> EngineBench:
    bench = EngineBench(session_spec(risk=risk(**changes)))
    bench.bring_up()
    bench.tick()
    bench.turn()
    return bench


def test_before_anything_is_known_only_what_needs_no_price_has_headroom() -> None:
    """A share of nothing is not shown."""
    bench = EngineBench()
    assert set(headroom(bench.engine, bench.now_ns)) == {
        "open_orders",
        "orders_10s",
        "orders_86400s",
        "request_weight_60s",
    }
    state = risk_state(bench.engine, bench.now_ns)
    assert (state.day_pnl, state.day_return, state.clock_offset_s, state.blackout) == (None,) * 4


def test_every_limit_has_its_headroom() -> None:
    """Of the fuller side, against the sums made by hand."""
    bench = quoting_bench(
        exposure_gross_max=1_000,
        venue_net_max=500,
        asset_gross_max=400,
        order_to_trade_max=5,
        order_to_trade_grace=60,
    )
    bench.tick()
    free = headroom(bench.engine, bench.now_ns)
    lots = max(bench.maker.orders.open_lots)
    worth = lots * 0.1
    assert free == pytest.approx(
        {
            "open_orders": 1 - 3 / 8,
            "position": 1 - lots / bench.maker.scale.position_lots_max,
            "exposure_gross": 1 - worth / 1_000,
            "venue_net": 1 - worth / 500,
            "asset_gross": 1 - worth / 400,
            "loss": 1.0,
            "drawdown": 1.0,
            "order_to_trade": 0.9,
            "orders_10s": 34 / 40,
            "orders_86400s": 79_994 / 80_000,
            "request_weight_60s": 1.0,
        }
    )


def test_a_loss_is_told_in_money_and_of_the_capital() -> None:
    """And takes headroom."""
    bench = quoting_bench(capital_base=200, loss_max=50)
    fill = bench.fill(bench.best(Side.BUY).client_order_id)
    bench.pass_time(100)
    bench.shift(-1_000)
    bench.turn()
    bench.tick()
    pnl = float(bench.maker.ledger.pnl.total_quote_atoms) / 1e8
    assert pnl == pytest.approx(-10 * fill.qty_lots / 1_000, rel=0.1)
    state = risk_state(bench.engine, bench.now_ns)
    assert state.day_pnl == pytest.approx(pnl)
    assert state.day_drawdown == pytest.approx(-pnl)
    assert state.day_return == pytest.approx(pnl / 200)
    assert state.headroom["loss"] == pytest.approx(1 + pnl / 50)
    assert state.order_to_trade == bench.engine.risk.ratio.orders


def test_rises_blackouts_and_the_clock_are_told() -> None:
    """Rises by reason, in the closed set's names."""
    spec = session_spec()
    span = Blackout(start_s=1_700_000_000, duration_s=3_600, reason="release")
    fields = {name: getattr(spec.risk, name) for name in spec.risk.__struct_fields__}
    bench = EngineBench(session_spec(risk=spec.risk.__class__(**fields | {"blackouts": (span,)})))
    bench.bring_up()
    bench.event(ClockOffset(bench.now_ns, "embedded", -5 * MS, MS))
    bench.event(OperatorCommand(bench.now_ns, OperatorAction.HALT, "test"))
    bench.turn()
    state = risk_state(bench.engine, bench.now_ns)
    assert state.level_rises == {"OPERATOR": 2}
    assert (state.blackout, state.clock_offset_s) == ("release", -0.005)
