"""Prevented self-trades: what is reported, recorded and, between accounts of one group, transferred."""

import pytest

from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import Execution, ExecutionKind
from mmd.exchange.orders import OrderState, SelfTrade
from mmd.exchange.refusals import Refusal, Refused
from mmd.exchange.rules import rules_of
from tests.exchange_world import ASSETS, BUY, SELL, exchange, instrument, order


def _reports(events: list[object]) -> list[tuple[int, ExecutionKind, OrderState, int]]:
    return [
        (e.order.order_id, e.kind, e.state, e.last_qty_lots)
        for e in events
        if isinstance(e, Execution) and e.kind == ExecutionKind.TRADE_PREVENTION
    ]


@pytest.mark.parametrize(
    ("mode", "reported"),
    [
        (SelfTrade.EXPIRE_MAKER, [(1, OrderState.EXPIRED_IN_MATCH, 600)]),
        (SelfTrade.EXPIRE_TAKER, [(2, OrderState.EXPIRED_IN_MATCH, 200)]),
        (
            SelfTrade.EXPIRE_BOTH,
            [(1, OrderState.EXPIRED_IN_MATCH, 600), (2, OrderState.EXPIRED_IN_MATCH, 200)],
        ),
        (
            SelfTrade.DECREMENT,
            [(1, OrderState.NEW, 200), (2, OrderState.EXPIRED_IN_MATCH, 200)],
        ),
    ],
)
def test_each_mode_reports_what_each_order_lost(
    mode: SelfTrade, reported: list[tuple[int, OrderState, int]]
) -> None:
    """Scenarios B to G of the venue's FAQ: the maker first, with its state and what it lost."""
    world = exchange()
    maker, _ = world.place("a", order(BUY, 10_000, 600, "maker"), 1)
    taker, events = world.place("a", order(SELL, 10_000, 200, "taker", self_trade=mode), 2)
    assert [(i, s, q) for i, _, s, q in _reports(events)] == reported
    for lost in (maker, taker):
        assert lost.filled_lots == 0
    (match,) = world.history.prevented("a", 0)
    assert (match.mode, match.qty_lots, match.price_ticks) == (mode, 200, 10_000)
    locked = 100 * (maker.open_lots if maker.is_open else 0) * 10**5
    assert world.accounts["a"].locked["USDT"] == locked


def test_a_decremented_order_fills_with_what_is_left() -> None:
    """After losing 200 of 600, fills of 400 end it as FILLED."""
    world = exchange()
    maker, _ = world.place("a", order(BUY, 10_000, 600, "m"), 1)
    world.place("a", order(SELL, 10_000, 200, "t", self_trade=SelfTrade.DECREMENT), 2)
    world.place("b", order(SELL, 10_000, 400, "x"), 3)
    assert (maker.state, maker.filled_lots, maker.prevented_lots) == (OrderState.FILLED, 400, 200)
    assert world.accounts["a"].locked["USDT"] == 0


def test_a_transfer_moves_funds_without_a_trade() -> None:
    """Scenario H of the venue's FAQ: base one way, quote the other, no commission, no public trade."""
    accounts = {name: dict(ASSETS) for name in ("a", "b")}
    world = Exchange([instrument()], accounts, trade_groups={"a": 1, "b": 1})
    mode = SelfTrade.TRANSFER
    maker, _ = world.place("a", order(BUY, 20, 600, "m", self_trade=mode), 1)
    taker, _ = world.place("b", order(SELL, 20, 200, "t", self_trade=mode), 2)
    assert (maker.state, taker.state) == (OrderState.NEW, OrderState.EXPIRED_IN_MATCH)
    a, b = world.accounts["a"], world.accounts["b"]
    quote, base = 4_000_000, 20_000_000
    assert a.total("MMD") == ASSETS["MMD"] + base
    assert b.total("MMD") == ASSETS["MMD"] - base
    assert a.total("USDT") == ASSETS["USDT"] - quote
    assert b.total("USDT") == ASSETS["USDT"] + quote
    assert a.locked["USDT"] == 2 * quote
    assert len(world.markets[0].trades) == 0


def test_accounts_of_different_groups_trade() -> None:
    """Without a group, or with another one, nothing is prevented."""
    accounts = {name: dict(ASSETS) for name in ("a", "b")}
    world = Exchange([instrument()], accounts, trade_groups={"a": 1, "b": 2})
    world.place("a", order(BUY, 10_000, 5), 1)
    taker, _ = world.place("b", order(SELL, 10_000, 5), 2)
    assert taker.state == OrderState.FILLED


def test_a_market_may_not_offer_every_mode() -> None:
    """Its default applies where none is named; a mode that it lacks is refused."""
    at = instrument()
    rules = rules_of(at)
    limited = type(rules)(
        **{f: getattr(rules, f) for f in rules.__struct_fields__}
        | {"self_trade": SelfTrade.NONE, "self_trade_modes": (SelfTrade.NONE,)}
    )
    world = Exchange([at], {"a": dict(ASSETS)}, rules=[limited])
    with pytest.raises(Refused) as refused:
        world.place("a", order(BUY, 10_000, 5, self_trade=SelfTrade.DECREMENT), 1)
    assert refused.value.reason == Refusal.SELF_TRADE_MODE
