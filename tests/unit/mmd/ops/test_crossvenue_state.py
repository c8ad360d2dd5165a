"""What people see across venues: state, metrics and log lines of a session that found and traded."""

import msgspec
from prometheus_client.core import Metric

from mmd.ops.crossvenue_metrics import crossvenue_metrics
from mmd.ops.crossvenue_state import CrossVenueState, crossvenue_state
from mmd.shell import crossvenue_log
from mmd.shell.crossvenue_log import CrossVenueLog
from tests.two_venue_world import World, arbitrage, lift, two_quiet_venues


def traded() -> World:
    """One opportunity that was carried out and one execution that missed its second leg."""
    world = two_quiet_venues(
        arbitrage=arbitrage(execute=True, slippage_share=0.0, notional_max=3_000, retry_ms=100)
    )
    cross = world.engine.crossvenue
    assert cross is not None
    assert cross.executor is not None
    high = lift(world)
    while cross.executor.begun < 2:
        world.step()
    world.venues[1].withdraw(high)
    world.step(30)
    return world


def state_of(world: World) -> CrossVenueState:
    made = crossvenue_state(world.engine.crossvenue, 0, world.now_ns)
    assert made is not None
    return made


def test_the_state_tells_what_was_found_and_what_it_came_to() -> None:
    """It survives its encoding, and its sums are those of its parts."""
    world = traded()
    state = state_of(world)
    assert msgspec.json.decode(msgspec.json.encode(state), type=CrossVenueState) == state
    (opportunity,) = state.opportunities
    assert (state.opened, state.closed) == (1, {"PRICE": 1})
    assert (opportunity.buy, opportunity.sell) == ("first:MMDUSDT", "second:MMDUSDT")
    assert opportunity.net_max >= opportunity.net
    assert opportunity.lasted_s > 0.0
    assert state.executes
    assert state.begun == sum(state.outcomes.values()) >= 2
    assert {"COMPLETE", "UNWOUND"} <= set(state.outcomes)
    realised = [e.realised_net for e in state.executions]
    assert abs(sum(r for r in realised if r is not None) - state.realised_net) < 1e-9
    assert state.routes[-1].chosen == "first:MMDUSDT"
    assert len(state.routes[-1].costs_bps) == 2
    (book,) = state.books
    assert [row.condition for row in book.rows] == ["GOOD", "GOOD"]
    assert crossvenue_state(None, 0, 0) is None


def test_metrics_say_the_same() -> None:
    """Counters and gauges of the state; nothing where there is no other venue."""
    state = state_of(traded())
    families: dict[str, Metric] = {f.name: f for f in crossvenue_metrics(state)}
    value = {name: sum(s.value for s in f.samples) for name, f in families.items()}
    assert value["mmd_arbitrage_opened"] == state.opened
    assert value["mmd_arbitrage_executions"] == sum(state.outcomes.values())
    assert value["mmd_arbitrage_realised_net"] == state.realised_net
    assert value["mmd_consolidated_usable"] == 2
    assert value["mmd_orders_routed"] == sum(state.routed.values())
    assert all(name.startswith("mmd_") and f.documentation for name, f in families.items())
    assert list(crossvenue_metrics(None)) == []


def test_each_is_logged_once(monkeypatch: object) -> None:
    """Opened, closed, carried out, routed: one line each, however often is looked."""
    lines: list[tuple[str, dict[str, object]]] = []

    class Log:
        def info(self, event: str, **keys: object) -> None:
            lines.append((event, keys))

    monkeypatch.setattr(crossvenue_log, "_log", Log())  # type: ignore[attr-defined]
    world = two_quiet_venues(
        arbitrage=arbitrage(execute=True, slippage_share=0.0, notional_max=3_000)
    )
    cross = world.engine.crossvenue
    assert cross is not None
    log = CrossVenueLog(cross)
    high = lift(world)
    world.step(2)
    for _ in range(2):
        log.write()
    world.venues[1].withdraw(high)
    world.step(30)
    for _ in range(2):
        log.write()
    events = [event for event, _ in lines]
    assert events.count("opportunity_opened") == events.count("opportunity_closed") == 1
    assert events.count("arbitrage") == 1
    assert events.count("route") == cross.router.made == 1
    (route,) = [keys["choice"] for event, keys in lines if event == "route"]
    assert str(route).startswith("sell ")
