"""A trader on virtual time does what the live driver does."""

import itertools

from mmd.core.events import Decision, OperatorAction, Timer
from mmd.core.risk.levels import RiskLevel
from mmd.simulation.scenario import ScenarioSettings
from mmd.simulation.trader import TIMER_NS
from tests.simulated_worlds import ListJournal, scenario


def test_every_decision_is_numbered_and_follows_its_inputs():
    """Decisions count from 1 and never two for one moment."""
    journal = ListJournal()
    at = scenario(journal=journal)
    at.world.run(10.0)
    decisions = [e for e in journal.events if isinstance(e, Decision)]
    assert [d.number for d in decisions] == list(range(1, len(decisions) + 1))
    times = [d.ts_recv_ns for d in decisions]
    assert len(set(times)) == len(times)


def test_timers_come_at_their_period():
    """Ten a second."""
    journal = ListJournal()
    at = scenario(journal=journal)
    at.world.run(3.0)
    times = [e.ts_recv_ns for e in journal.events if isinstance(e, Timer)]
    assert len(times) == 30
    assert {b - a for a, b in itertools.pairwise(times)} == {TIMER_NS}


def test_a_decision_that_takes_long_delays_the_next_one():
    """No decision begins before the last is through."""
    journal = ListJournal()
    slow_ns = 20_000_000
    at = scenario(journal=journal, assumed=ScenarioSettings(decision_ns=slow_ns))
    at.world.run(5.0)
    times = [e.ts_recv_ns for e in journal.events if isinstance(e, Decision)]
    assert min(b - a for a, b in itertools.pairwise(times)) >= slow_ns


def test_an_operator_halts_and_no_order_is_left():
    """Cancel, confirm, halt: at the exchange too."""
    at = scenario()
    at.world.run(10.0)
    assert sum(at.trader.engine.makers[0].orders.open_orders) > 0
    at.trader.operate(OperatorAction.HALT, "test")
    at.world.run(2.0)
    assert at.trader.engine.levels.level is RiskLevel.HALTED
    assert at.venue.exchange.history.open_orders(at.trader.name) == []
