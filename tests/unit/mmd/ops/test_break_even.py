"""The break-even half spread in the log: at the start, and when the account's fee changes."""

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs

from mmd.core.units import Side
from mmd.ops import break_even
from tests.engine_bench import EngineBench
from tests.session import instrument, quoting, session_spec


@pytest.mark.parametrize("inside", [False, True])
async def test_it_is_said_once_and_again_when_it_changes(
    monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """Stated 10 bps; the first fill pays nothing."""
    monkeypatch.setattr(break_even, "_PERIOD_S", 0.001)
    bench = EngineBench(
        session_spec(
            quoting=quoting(quote_inside_break_even=inside),
            instruments=(instrument(maker_fee_bps=10.0),),
        )
    )
    bench.bring_up()
    bench.turn()
    with capture_logs() as said:
        task = asyncio.create_task(break_even.report_break_even(bench.engine.makers))
        await asyncio.sleep(0.05)
        assert [s["half_spread_bps"] for s in said] == [10.0]
        bench.fill(bench.best(Side.BUY).client_order_id)
        await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert [s["half_spread_bps"] for s in said] == [10.0, 0.0]
    assert {s["event"] for s in said} == {"break_even"}
    assert {s["instrument"] for s in said} == {"MMDUSDT"}
    assert {s["quotes_inside"] for s in said} == {inside}
    half_min = float(bench.maker.quoter.quote["half_spread_min"][0])
    assert half_min == 0.0
