"""The ring of points: bounded, oldest first, in columns."""

from msgspec.structs import replace

from mmd.core.units import NANOS_PER_SECOND
from mmd.ops.history import COLUMNS, FILLS_MAX, POINTS_MAX, InstrumentHistory
from tests.ops_state import quoting, state_of


async def test_a_point_holds_what_the_state_says() -> None:
    """Our best quotes are the innermost orders of each side; fees count as what they take away."""
    row = state_of(quoting()).instruments[0]
    kept = InstrumentHistory()
    point = dict(zip(COLUMNS, kept.add(row, 5.0), strict=True))
    assert point["unix_s"] == 5.0
    assert point["mid"] == row.mid
    assert point["bid"] == max(float(o.price) for o in row.orders if o.side == "BUY")
    assert point["ask"] == min(float(o.price) for o in row.orders if o.side == "SELL")
    assert point["fees"] == -row.sources.fees
    assert point["forecast_ticks"] is None
    columns = kept.all("x").columns
    assert {name: values[0] for name, values in columns.items()} == point


async def test_the_oldest_points_and_fills_are_forgotten() -> None:
    """At most half an hour of either is kept."""
    row = state_of(quoting()).instruments[0]
    kept = InstrumentHistory()
    for second in range(POINTS_MAX + 10):
        kept.add(row, float(second))
    for number in range(FILLS_MAX + 5):
        kept.add_fill(replace(row.last_fills[0], ts_event_ns=number * NANOS_PER_SECOND), 1000.0)
    history = kept.all("x")
    assert history.columns["unix_s"] == [float(s) for s in range(10, POINTS_MAX + 10)]
    assert len(history.fills) == FILLS_MAX
    assert history.fills[-1].unix_s == FILLS_MAX + 4


async def test_a_fill_by_a_clock_of_another_day_is_put_where_it_was_seen() -> None:
    """A tape's times are the recording's."""
    row = state_of(quoting()).instruments[0]
    fill = replace(row.last_fills[0], ts_event_ns=3 * NANOS_PER_SECOND)
    assert InstrumentHistory().add_fill(fill, 1.8e9).unix_s == 1.8e9
