"""Opportunities between two venues: which there are, when they begin and end, and that each is counted once."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.crossvenue.opportunity import CloseReason, Opportunities
from mmd.core.engine import Engine
from mmd.core.events import FeedDown, InstrumentStatus
from mmd.core.instrument import TradingStatus
from mmd.core.units import Side
from mmd.exchange.presets import DEFAULT
from mmd.journal.replay import replay
from mmd.journal.writer import JournalWriter
from tests.opportunity_scan import Found, scan
from tests.session import quoting
from tests.two_venue_world import (
    World,
    arbitrage,
    instrument_at,
    lift,
    two_quiet_venues,
    world_spec,
)

LIVELY = msgspec.structs.replace(DEFAULT, sigma_bps=2.0, jump_rate=0.4, jump_ticks=15.0)
"""Moves that the second venue hears of too late to keep its quotes out of reach."""
OBSERVED = quoting(enabled=False)


def opportunities(world: World) -> Opportunities:
    assert world.engine.crossvenue is not None
    return world.engine.crossvenue.scanner.opportunities


def test_a_bid_above_the_other_venues_ask_is_an_opportunity() -> None:
    """Bought at 100.01 and sold at 100.41 with 1 bps each, 100 units: 40 less 2.0042."""
    world = two_quiet_venues()
    assert opportunities(world).opened == 0
    high = lift(world)
    world.step()
    ((pair, found),) = opportunities(world).open.items()
    assert pair == (0, 1)
    assert found.net == pytest.approx(100 * (100.41 * 0.9999 - 100.01 * 1.0001), rel=1e-9)
    assert found.walk.qty_atoms == 100 * 10**8
    assert (found.walk.buy_ticks, found.walk.sell_ticks) == (10_001, 10_041)
    world.venues[1].withdraw(high)
    world.step()
    (closed,) = opportunities(world).history
    assert closed is found
    assert closed.reason is CloseReason.PRICE
    assert closed.closed_ns == world.now_ns


def test_it_lasts_while_anything_pays_and_is_counted_once() -> None:
    """Below the minimum and above it again, it is the same one; its updates are counted."""
    world = two_quiet_venues()
    large = lift(world)
    world.step()
    second = world.venues[1]
    small = second.quote(Side.BUY, 10_040, 1_000)
    second.withdraw(large)
    world.step()
    (found,) = opportunities(world).open.values()
    assert 0.0 < found.net < 10.0
    second.quote(Side.BUY, 10_040, 90_000)
    world.step()
    assert found.net > 10.0
    assert opportunities(world).opened == 1
    assert found.updates == 2
    second.withdraw(small)
    world.step(3)
    assert opportunities(world).opened == 1


def test_too_little_is_none() -> None:
    """Ten cents a unit on 50 units are less than the minimum of 10."""
    world = two_quiet_venues()
    lift(world, 10_021, 50_000)
    world.step(5)
    assert opportunities(world).opened == 0


def test_a_stale_leg_ends_it() -> None:
    """A book that has not changed for longer than the limit is not relied on; news begins another."""
    world = two_quiet_venues(arbitrage=arbitrage(slippage_share=0.0, age_ms_max=100))
    world.step(10)
    lift(world)
    world.step()
    assert opportunities(world).opened == 0, "the first venue's book is as old as the world"
    world.venues[0].quote(Side.BUY, 9_990, 100)
    world.step()
    assert opportunities(world).opened == 1
    world.step(10)
    (closed,) = opportunities(world).history
    assert closed.reason is CloseReason.STALE


@pytest.mark.parametrize("what", ["feed", "status"])
def test_a_lost_leg_ends_it(what: str) -> None:
    """A feed that is down, or an instrument that may not be traded."""
    world = two_quiet_venues()
    lift(world)
    world.step()
    if what == "feed":
        world.event(FeedDown(world.now_ns, world.venues[0].id, "gone"))
    else:
        world.event(InstrumentStatus(world.now_ns, world.venues[0].id, TradingStatus.HALTED))
    world.step()
    (closed,) = opportunities(world).history
    assert closed.reason is CloseReason.BOOK_DOWN


def test_our_own_orders_are_no_opportunity() -> None:
    """What we bid ourselves is not there to be sold into."""
    spec = world_spec(
        [instrument_at("first", 0), instrument_at("second", 1)],
        quoting=quoting(
            levels=1, order_notional=9_000, fixed_half_spread_bps=1.0, spread_model="fixed"
        ),
        arbitrage=arbitrage(slippage_share=0.0, profit_min=Decimal("0.01")),
    )
    world = World(spec)
    for venue, mid in zip(world.venues, (10_000, 10_010), strict=True):
        venue.quote(Side.BUY, mid - 30, 100_000)
        venue.quote(Side.SELL, mid + 30, 100_000)
    world.bring_up()
    world.step(10)
    cross = world.engine.crossvenue
    assert cross is not None
    best_bid, best_ask = (
        world.engine.makers[1].view.bid_ticks,
        world.engine.makers[0].view.ask_ticks,
    )
    assert best_bid > best_ask, "our quotes alone cross between the venues"
    assert cross.outlets[1].levels(Side.BUY)[0][0] == 10_010 - 30
    assert opportunities(world).opened == 0


def test_slippage_to_be_expected_is_a_cost() -> None:
    """With ten times the expected move a difference that paid does not."""
    world = two_quiet_venues(arbitrage=arbitrage(slippage_share=10.0, latency_prior_ms=1_000.0))
    for maker in world.engine.makers:
        maker.view.vol["sigma"] = 5.0
    lift(world)
    world.step()
    assert opportunities(world).opened == 0
    for maker in world.engine.makers:
        maker.view.vol["sigma"] = 0.0
    world.venues[1].quote(Side.BUY, 9_000, 100)
    for maker in world.engine.makers:
        maker.view.vol["sigma_prior"] = 0.0
    world.step()
    assert opportunities(world).opened == 1


def _journalled(folder: Path, seed: int, seconds: float) -> World:
    """A session over two venues linked with a lag of 200 ms, that only looks."""
    spec = world_spec(
        [instrument_at("first", 0), instrument_at("second", 1)],
        quoting=OBSERVED,
        arbitrage=arbitrage(slippage_share=0.0, profit_min=Decimal("0.25")),
    )
    with JournalWriter(folder, spec, segment_bytes=1 << 22, sync_ns=10**9) as journal:
        world = World(spec, flow=LIVELY, seed=seed, journal=journal)
        world.bring_up()
        world.run(seconds)
    return world


def _told(engine: Engine) -> list[Found]:
    assert engine.crossvenue is not None
    kept = engine.crossvenue.scanner.opportunities
    assert kept.opened <= 64, "the history holds them all"
    return sorted(
        (
            Found(o.buy, o.sell, o.opened_ns, o.closed_ns, 0, o.opened_net)
            for o in (*kept.history, *kept.open.values())
        ),
        key=lambda f: (f.opened_ns, f.buy),
    )


def test_what_the_engine_finds_is_what_an_offline_search_finds(tmp_path: Path) -> None:
    """Every interval to the decision and its profit to rounding, none twice; and a replay finds the same again."""
    world = _journalled(tmp_path / "session", 11, 60.0)
    expected, told = scan(tmp_path / "session"), _told(world.engine)
    assert len(expected) > 5, "a search that finds nothing shows nothing"
    assert {(f.buy, f.sell) for f in expected} == {(0, 1), (1, 0)}
    assert [f[:4] for f in told] == [f[:4] for f in expected]
    assert [f.net for f in told] == pytest.approx([f.net for f in expected], rel=1e-9)
    again = replay(tmp_path / "session")
    assert again.divergence is None
    assert _told(again.engine) == told


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(9_990, 10_060), st.booleans()), max_size=25)
)
def test_none_is_counted_twice_whatever_the_order(steps: list[tuple[int, int, bool]]) -> None:
    """Bids come and go at either venue: openings are the intervals that a look after each step would count."""
    world = two_quiet_venues(quoting=OBSERVED)
    kept = opportunities(world)
    for venue in world.venues:
        venue.quote(Side.SELL, 10_100, 100_000)
    standing: list[tuple[int, str]] = []
    intervals, was_open = 0, False
    for number, (at, ticks, removes) in enumerate(steps):
        if removes and standing:
            where, name = standing.pop(number % len(standing))
            venue = world.venues[where]
            if venue.exchange.history.find("stranger", 0, None, name).is_open:
                venue.withdraw(name, world.now_ns)
        else:
            standing.append((at, world.venues[at].quote(Side.BUY, ticks, 60_000, world.now_ns)))
        world.step()
        world.decide()
        is_open = len(kept.open) > 0
        assert len(kept.open) <= 1, "both ways at once would need a crossed book"
        intervals += is_open and not was_open
        was_open = is_open
        assert kept.opened - sum(kept.closed) == len(kept.open)
    assert kept.opened == intervals
