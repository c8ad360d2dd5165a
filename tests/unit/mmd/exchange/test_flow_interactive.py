"""The generated market: deterministic, uncrossed, deep, near its efficient price, and coupled."""

from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import Execution, ExecutionKind, PublicTrade
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.orders import OrderType
from mmd.exchange.presets import SYNTHETIC
from mmd.exchange.refusals import Refused
from tests.exchange_world import BUY, SELL, exchange, order

SECOND = NANOS_PER_SECOND


def _flow(world: Exchange, seed: int = 7, preset: str = "default") -> InteractiveFlow:
    return InteractiveFlow(SYNTHETIC[preset], seed, world, world.markets[0], 0)


def _path(seed: int, seconds: int) -> list[tuple[object, ...]]:
    """Everything visible, each 100 ms, and all trades."""
    world = exchange()
    flow, book = _flow(world, seed), world.markets[0].book
    path: list[tuple[object, ...]] = []
    for step in range(1, 10 * seconds + 1):
        trades = flow.advance(step * SECOND // 10)
        path += [
            (t.trade_id, t.price_ticks, t.qty_lots) for t in trades if isinstance(t, PublicTrade)
        ]
        path.append((book.update_id, *book.sides[0].depth(20), *book.sides[1].depth(20)))
    return path


def test_the_same_seed_gives_the_same_market() -> None:
    """Twenty seconds of book and trades are equal, and another seed's differ."""
    assert _path(7, 20) == _path(7, 20)
    assert _path(7, 5) != _path(8, 5)


def test_book_is_uncrossed_deep_and_near_the_efficient_price() -> None:
    """Over three minutes of each preset: spread 1 to 3 ticks on average, 25 levels, no drift."""
    for preset in SYNTHETIC:
        world = exchange()
        flow, book = _flow(world, 11, preset), world.markets[0].book
        spreads, errors, trades = [], [], 0
        for step in range(1, 1800):
            events = flow.advance(step * SECOND // 10)
            trades += sum(isinstance(e, PublicTrade) for e in events)
            bid, ask = book.best_bid, book.best_ask
            assert bid is not None
            assert ask is not None
            assert bid < ask
            assert min(len(book.sides[0]), len(book.sides[1])) >= 25
            spreads.append(ask - bid)
            errors.append((bid + ask) / 2 - flow.latent_ticks)
        assert 1.0 <= sum(spreads) / len(spreads) <= 3.0
        assert abs(sum(errors) / len(errors)) < 0.3
        assert max(abs(e) for e in errors) < 12.0
        assert 40 <= sum(flow.accepted.values()) / 180 <= 110
        assert 1.0 <= trades / 180 <= 8.0


def _quote(world: Exchange, distance: int, now_ns: int, step: int) -> None:
    """Keep one order on each side at a distance from the mid."""
    book = world.markets[0].book
    assert book.best_bid is not None
    assert book.best_ask is not None
    mid2 = book.best_bid + book.best_ask
    targets = {BUY: mid2 // 2 - distance, SELL: -(-mid2 // 2) + distance}
    for resting in world.history.open_orders("a"):
        if resting.price_ticks != targets[resting.side]:
            world.cancel("a", 0, resting.order_id, None, now_ns)
    held = {o.side for o in world.history.open_orders("a")}
    for side in {BUY, SELL} - held:
        request = order(side, targets[side], 500, f"{step}{side}", kind=OrderType.LIMIT_MAKER)
        try:
            world.place("a", request, now_ns)
        except Refused:
            continue


def test_a_maker_near_the_touch_is_filled_every_few_seconds() -> None:
    """Two minutes of quoting 2 ticks from the mid; further out fills are rarer."""
    fills = {}
    for distance in (2, 4):
        world = exchange()
        flow = _flow(world)
        count = 0
        for step in range(1, 600):
            events = flow.advance(step * SECOND // 5)
            count += sum(isinstance(e, Execution) and e.kind == ExecutionKind.TRADE for e in events)
            _quote(world, distance, step * SECOND // 5, step)
        fills[distance] = count
    assert fills[2] >= 24
    assert 4 <= fills[4] < fills[2]


def test_paths_stay_coupled_when_a_strategy_trades() -> None:
    """Our taking of liquidity changes the book, not the efficient price nor the candidates' times."""
    quiet, busy = exchange(), exchange()
    flows = (_flow(quiet), _flow(busy))
    for step in range(1, 100):
        now_ns = step * SECOND // 10
        for flow in flows:
            flow.advance(now_ns)
        if step % 10 == 0:
            busy.place("a", order(BUY, 0, 2_000, str(step), kind=OrderType.MARKET), now_ns)
        assert flows[0].latent_ticks == flows[1].latent_ticks
        assert flows[0].next_ns == flows[1].next_ns


def test_informed_traders_hit_quotes_that_the_price_has_passed() -> None:
    """A bid of ours far above the efficient price is taken within seconds."""
    world = exchange()
    flow, book = _flow(world), world.markets[0].book
    flow.advance(SECOND)
    assert book.best_ask is not None
    resting, _ = world.place("a", order(BUY, book.best_ask + 6, 200_000), SECOND)
    before = resting.filled_lots
    assert resting.is_open
    flow.advance(6 * SECOND)
    assert resting.filled_lots > before
