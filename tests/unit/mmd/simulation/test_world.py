"""Whole worlds follow from a seed, replay from their journals, and hold several makers and venues."""

import msgspec
import pytest

from mmd.core.units import InstrumentId
from mmd.exchange.fills.latency import empirical
from mmd.exchange.presets import DEFAULT, PriceLink
from mmd.journal.replay import replay
from mmd.simulation.invariants import Invariants
from mmd.simulation.link import LinkDelays
from mmd.simulation.scenario import ScenarioSettings
from mmd.simulation.session import (
    START_NS,
    opening_balances,
    simulated_instrument,
    simulated_spec,
)
from mmd.simulation.venue import Listing
from mmd.simulation.world import Connection, World
from tests.simulated_worlds import ListJournal, record_session, scenario, settings

_MS = 1_000_000


def _jittery() -> ScenarioSettings:
    delays = empirical((_MS, 3 * _MS, 40 * _MS))
    return ScenarioSettings(delays=LinkDelays(feed=delays, entry=delays, response=delays))


def test_equal_seeds_give_equal_sessions_and_others_do_not():
    """Every event and command, byte by byte, random delays included."""
    sessions = []
    for seed in (4, 4, 5):
        journal = ListJournal()
        scenario(seed=seed, journal=journal, assumed=_jittery()).world.run(8.0)
        sessions.append(journal.records)
    assert sessions[0] == sessions[1]
    assert sessions[0] != sessions[2]


def test_the_book_is_the_exchanges_and_quotes_rest_on_both_sides():
    """Partials agree, nothing is missed, and all invariants held after every step."""
    at = scenario(assumed=_jittery())
    at.world.run(20.0)
    maker = at.trader.engine.makers[0]
    assert maker.view.checks > 10
    assert (maker.view.mismatches, maker.view.gaps) == (0, 0)
    assert maker.counts.acked > 10
    assert maker.ledger.fill_count > 0
    assert at.invariants.checks_at_rest > 100


def test_a_journalled_session_replays_to_the_same_commands(tmp_path):
    """The journal of a simulated session is a session like any other."""
    result = replay(record_session(tmp_path, seed=9, seconds=10.0))
    assert result.divergence is None
    assert result.commands > 0
    at = scenario(seed=9)
    at.world.run(10.0)
    assert result.commands == at.trader.commands
    assert result.engine.makers[0].ledger.fill_count == at.trader.engine.makers[0].ledger.fill_count


def test_two_makers_share_a_market_and_agree_with_the_exchange():
    """Each has an account of its own; both quote, both are checked after every step."""
    wanted = settings()
    instrument = simulated_instrument(DEFAULT, "simulated", 1.0, 2.5)
    held = opening_balances(instrument, DEFAULT.price, wanted.risk.position_notional_max)
    world = World(1, START_NS)
    listing = Listing(instrument=instrument, preset=DEFAULT)
    venue = world.add_venue("simulated", [listing], {"a": dict(held), "b": dict(held)})
    for account in ("a", "b"):
        world.add_trader(
            msgspec.structs.replace(simulated_spec(wanted, (instrument,), 1), session=ord(account)),
            [Connection(venue="simulated", account=account, markets={InstrumentId(0): 0})],
            on_settled=Invariants().check,
        )
    world.run(10.0)
    assert all(venue.exchange.history.open_orders(account) for account in ("a", "b"))
    assert all(trader.commands > 0 for trader in world.traders)


def test_one_session_trades_at_two_venues_whose_prices_are_linked():
    """Market data and orders of each instrument go to and come from its own venue."""
    wanted = settings()
    names = ("near", "far")
    instruments = tuple(
        simulated_instrument(DEFAULT, name, 1.0, 2.5, number) for number, name in enumerate(names)
    )
    world = World(1, START_NS)
    for number, name in enumerate(names):
        listed = msgspec.structs.replace(instruments[number], id=InstrumentId(0))
        held = opening_balances(listed, DEFAULT.price, wanted.risk.position_notional_max)
        link = PriceLink(seed=77, lag_ns=number * 200_000_000)
        world.add_venue(
            name, [Listing(instrument=listed, preset=DEFAULT, link=link)], {"mmd": held}
        )
    checked = Invariants()
    trader = world.add_trader(
        simulated_spec(wanted, instruments, 1),
        [
            Connection(venue=name, account="mmd", markets={InstrumentId(number): 0})
            for number, name in enumerate(names)
        ],
        on_settled=checked.check,
    )
    world.run(10.0)
    for maker in trader.engine.makers:
        assert maker.view.mid_half_ticks > 0
        assert maker.counts.acked > 0
    near, far = (world.venues[name].flow(0) for name in names)
    assert near.latent_ticks != far.latent_ticks
    assert near.latent_ticks == pytest.approx(far.latent_ticks, rel=0.01)
    assert checked.checks_at_rest > 0
