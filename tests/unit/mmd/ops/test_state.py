"""The picture's own form: it survives both encodings, and latencies are in microseconds."""

import msgspec

from mmd.ops.histogram_state import latency_state
from mmd.ops.state import State
from mmd.shell.latency import Histogram
from tests.ops_state import quoting, state_of


async def test_a_state_survives_msgpack_and_json() -> None:
    """What the engine writes is what ops, pages and `mmd status` read."""
    state = state_of(quoting())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State) == state
    assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state


def test_latencies_are_microseconds() -> None:
    """To the histogram's resolution, and never above the largest."""
    histogram = Histogram()
    assert latency_state(histogram).count == 0
    for us in range(1, 1_001):
        histogram.record(us * 1_000)
    state = latency_state(histogram)
    assert (state.count, state.max) == (1_000, 1_000.0)
    assert 480 <= state.p50 <= 520
    assert 870 <= state.p90 <= 930
    assert state.p90 <= state.p99 <= state.max
