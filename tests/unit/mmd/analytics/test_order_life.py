"""An order's life from its journal: every state with its time, every fill with what it was worth later."""

import pytest

from mmd.analytics.order_life import order_life
from mmd.core.events import Fill
from mmd.core.units import ClientOrderId
from mmd.errors import JournalError
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import read_spec, records
from tests.simulated_worlds import record_session


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Enough for some fills and the horizons after them."""
    return record_session(tmp_path_factory.mktemp("lives"), seconds=20.0)


def _fills(session):
    events = (event_decoder.decode(r.body) for r in records(session) if r.kind is Kind.EVENT)
    return [e for e in events if isinstance(e, Fill)]


def test_a_filled_order_is_followed_from_request_to_markout(session):
    """Sent, accepted, filled: in order of time; the fill's numbers are the venue's."""
    fill = _fills(session)[0]
    life = order_life(session, read_spec(session), fill.client_order_id)
    assert life.steps[0].what.startswith("sent")
    assert [s.state for s in life.steps][:2] == ["PENDING_NEW", "WORKING"]
    assert "Fill" in [s.what for s in life.steps]
    times = [s.engine_ns for s in life.steps]
    assert times == sorted(times)
    row = life.fills[0]
    assert (row.price_ticks, row.qty_lots, row.fee_atoms) == (
        fill.price_ticks,
        fill.qty_lots,
        fill.fee_atoms,
    )
    assert row.edge_ticks > 0.0  # a maker's fill is better than the mid
    assert {"0.1s", "1s", "5s"} <= row.markout_ticks.keys()
    assert "600s" not in row.markout_ticks  # not yet passed
    assert life.venue_order_id == fill.venue_order_id


def test_an_order_of_nobody_is_an_error(session):
    """The message says how to find those that there are."""
    with pytest.raises(JournalError, match="mmd journal show"):
        order_life(session, read_spec(session), ClientOrderId(99))
