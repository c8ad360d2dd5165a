"""Orders on their way: answers timed, volume by side, what was taken back."""

import pytest

from tests.ops_state import cold, obey_all, quoting, state_of


async def test_nothing_is_known_before_anything_is_connected() -> None:
    """All zero; the histograms are empty but there."""
    flow = state_of(cold()).instruments[0].order_flow
    assert flow is not None
    assert flow.rejects == {}
    assert flow.in_flight == flow.requoted == 0
    assert flow.ack.cumulative[-1] == flow.cancel.cumulative[-1] == 0


async def test_fills_and_answers_are_counted() -> None:
    """What was bought is in the volumes; every accepted order has its time."""
    state = state_of(quoting()).instruments[0]
    flow, fill = state.order_flow, state.last_fills[0]
    assert flow is not None
    assert flow.volume_base["BUY"] == pytest.approx(float(fill.qty))
    assert flow.volume_quote["BUY"] == pytest.approx(float(fill.qty) * float(fill.price))
    assert flow.volume_quote["SELL"] == 0.0
    assert flow.ack.cumulative[-1] == state.orders_acked > 0


async def test_what_we_take_back_is_a_requote() -> None:
    """Orders that move with the market, each with the time from request to end."""
    bench = quoting()
    for step in (40, 80):
        bench.pass_time(1_000)
        bench.shift(step)
        obey_all(bench)
    flow = state_of(bench).instruments[0].order_flow
    assert flow is not None
    assert flow.requoted > 0
    assert flow.cancel.cumulative[-1] == flow.requoted
