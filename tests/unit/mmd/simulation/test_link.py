"""A link loses, breaks and comes back, and the engine ends up with the exchange's truth."""

from mmd.core.commands import QueryOrder
from mmd.core.events import FeedDown, FeedUp, Fill, PrivateDown, PrivateUp
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from tests.simulated_worlds import ListJournal, scenario


def _settle(at, seconds):
    """Go on until nothing is on its way, and have everything compared."""
    at.world.run(seconds)
    before = at.invariants.checks_at_rest
    at.world.run(3.0)
    assert at.invariants.checks_at_rest > before


def test_fills_while_order_entry_was_down_are_fetched_afterwards():
    """Orders stay at the venue, strangers trade with them, and reconciliation finds it."""
    journal = ListJournal()
    at = scenario(seed=5, journal=journal)
    at.world.run(20.0)
    (link,) = at.trader.links.values()
    filled = [e for e in journal.events if isinstance(e, Fill)]
    link.break_private("test")
    at.world.run(30.0)
    assert at.trader.engine.makers[0].reason is QuoteReason.PRIVATE_DOWN
    assert [e for e in journal.events if isinstance(e, Fill)] == filled
    link.restore_private()
    _settle(at, 10.0)
    kinds = [type(e) for e in journal.events]
    assert PrivateDown in kinds
    assert kinds.count(PrivateUp) == 2
    assert len([e for e in journal.events if isinstance(e, Fill)]) > len(filled)
    assert at.trader.engine.makers[0].ledger.drift_atoms == 0


def test_a_feed_that_breaks_withdraws_quotes_and_comes_back_with_a_snapshot():
    """No quotes without a book; quotes again soon after it."""
    journal = ListJournal()
    at = scenario(seed=2, journal=journal)
    at.world.run(10.0)
    (link,) = at.trader.links.values()
    link.break_feed("test")
    at.world.run(2.0)
    maker = at.trader.engine.makers[0]
    assert maker.reason is QuoteReason.FEED_DOWN
    assert sum(maker.orders.open_orders) == 0
    link.restore_feed()
    _settle(at, 5.0)
    kinds = [type(e) for e in journal.events]
    assert (kinds.count(FeedDown), kinds.count(FeedUp)) == (1, 2)
    assert maker.state is QuoteState.ACTIVE
    assert sum(maker.orders.open_orders) > 0


def test_lost_and_doubled_answers_are_asked_for_and_counted_once():
    """Every fourth answer is lost and every third comes twice: no fill is missed or counted twice."""
    journal = ListJournal()
    at = scenario(seed=3, journal=journal)
    (link,) = at.trader.links.values()
    whole, sent = link.response.carrier, [0]

    def bad(now_ns):
        sent[0] += 1
        if sent[0] % 4 == 0:
            return ()
        arrivals = whole(now_ns)
        return (*arrivals, *arrivals) if sent[0] % 3 == 0 else arrivals

    at.world.run(5.0)
    at.trader.on_settled = None  # nothing can be compared while answers are missing
    link.response.carrier = bad
    at.world.run(30.0)
    link.response.carrier = whole
    at.world.run(10.0)
    assert any(isinstance(c, QueryOrder) for c in journal.commands)
    link.break_private("lost fills are only found by fetching them")
    link.restore_private()
    at.world.run(5.0)
    at.trader.on_settled = at.invariants.check
    _settle(at, 5.0)
