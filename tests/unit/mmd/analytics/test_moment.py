"""A moment of a session is found by time, by order, or as the last, and explained as it was then."""

import pytest

from mmd.analytics.moment import engine_time, explain, find_at, find_last, find_order
from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.events import Decision
from mmd.core.units import ClientOrderId
from mmd.errors import ConfigError, JournalError
from mmd.journal.format import Kind, command_decoder, event_decoder
from mmd.journal.reader import read_spec, records
from mmd.simulation.session import START_NS
from tests.simulated_worlds import record_session


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Twenty seconds of quoting."""
    return record_session(tmp_path_factory.mktemp("explained"))


def _decisions(session):
    events = (event_decoder.decode(r.body) for r in records(session) if r.kind is Kind.EVENT)
    return [e for e in events if isinstance(e, Decision)]


@pytest.mark.parametrize(
    ("text", "after_ns"),
    [
        ("1500000000", None),
        (str(START_NS + 5), 5),
        ("2026-01-01T00:00:07.25Z", 7_250_000_000),
        ("2026-01-01T01:00:07+01:00", 7_000_000_000),
        ("00:00:09.000001", 9_000_001_000),
    ],
)
def test_times_are_read_in_every_form(session, text, after_ns):
    """Engine time as it stands, wall time by the session's own offset."""
    expected = 1_500_000_000 if after_ns is None else START_NS + after_ns
    assert engine_time(text, read_spec(session)) == expected


def test_another_text_is_refused_with_what_was_expected(session):
    """One line that names the forms."""
    with pytest.raises(ConfigError, match="expected `last`, a time"):
        engine_time("yesterday", read_spec(session))


def test_a_time_means_the_last_decision_at_or_before_it(session):
    """The decision of that very moment included."""
    known = _decisions(session)[40]
    assert find_at(session, known.ts_recv_ns).number == known.number
    assert find_at(session, known.ts_recv_ns - 1).number == known.number - 1
    with pytest.raises(JournalError, match="no decision"):
        find_at(session, START_NS - 1)


def test_an_order_means_the_decision_that_sent_it(session):
    """And an order that was never sent is an error."""
    commands = [command_decoder.decode(r.body) for r in records(session) if r.kind is Kind.COMMAND]
    order = next(c for c in commands if isinstance(c, ReplaceOrder))
    assert order in find_order(session, order.client_order_id).commands
    with pytest.raises(JournalError, match="was not sent"):
        find_order(session, ClientOrderId(12345))


def test_the_last_quote_is_explained_from_book_to_orders(session):
    """Inputs, terms, actions and what was sent agree with each other."""
    moment = find_last(session)
    (found,) = explain(session, moment)
    placed = [c for c in moment.commands if isinstance(c, PlaceOrder | ReplaceOrder)]
    assert placed
    assert found.decision == moment.number
    assert found.is_exact
    rungs = {(t.side, t.price_ticks, t.qty_lots) for t in found.targets}
    wanted = {(a.side, a.price_ticks, a.qty_lots) for a in found.actions if a.what != "cancel"}
    for command in placed:
        assert (command.side.name, command.price_ticks, command.qty_lots) in rungs & wanted
    assert found.verdicts["OK"] == len(moment.commands) == len(found.commands)
    assert sum(found.verdicts.values()) >= len(found.actions)
    bid, ask = found.bids[0][0], found.asks[0][0]
    mid = next(t for t in found.targets[0].terms if t.name == "mid")
    assert mid.ticks == (bid + ask) / 2
    assert found.inputs["mid"] == mid.ticks


def test_an_explanation_is_of_its_moment_and_not_of_the_end(session):
    """Two moments of one session differ."""
    early, late = (find_at(session, START_NS + s * 10**9) for s in (3, 15))
    (first,), (second,) = explain(session, early), explain(session, late)
    assert first.engine_ns < second.engine_ns
    assert first.inputs != second.inputs
