"""Orders from request to end: events, balances, refusals; and value that is never made or lost."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.instrument import TradingStatus
from mmd.core.units import Side
from mmd.exchange import background
from mmd.exchange.exchange import Exchange, OrderRequest
from mmd.exchange.executions import (
    BalanceChange,
    Execution,
    ExecutionKind,
    ExpiryReason,
    PublicTrade,
)
from mmd.exchange.orders import OrderState, OrderTif, OrderType, SelfTrade
from mmd.exchange.refusals import Refusal, Refused
from tests.exchange_world import ASSETS, BUY, SELL, exchange, order


def _kinds(events: list[object]) -> list[str]:
    return [f"{e.kind.name}:{e.state.name}" for e in events if isinstance(e, Execution)]


def test_a_resting_order_locks_and_a_cancel_gives_back() -> None:
    """Free and locked move by exactly price times quantity."""
    world = exchange()
    resting, events = world.place("a", order(BUY, 10_000, 2_000), 5)
    assert _kinds(events) == ["NEW:NEW"]
    assert world.accounts["a"].locked["USDT"] == 200 * 10**8
    assert [e.balances[1] for e in events if isinstance(e, BalanceChange)] == [
        ("USDT", ASSETS["USDT"] - 200 * 10**8, 200 * 10**8)
    ]
    _, events = world.cancel("a", 0, resting.order_id, None, 6, request_id="bye")
    assert _kinds(events) == ["CANCELED:CANCELED"]
    assert world.accounts["a"].free["USDT"] == ASSETS["USDT"]
    with pytest.raises(Refused):
        world.cancel("a", 0, resting.order_id, None, 7)


def test_a_trade_between_accounts_pays_both_commissions() -> None:
    """Taker 2.5 bps of base, maker 1 bp of quote, and the executions tell the totals of their moment."""
    world = exchange()
    world.place("a", order(SELL, 10_000, 1_000, "s1"), 1)
    world.place("a", order(SELL, 10_001, 1_000, "s2"), 2)
    taker, events = world.place("b", order(BUY, 10_001, 2_000), 3)
    ours = [e for e in events if isinstance(e, Execution) and e.order is taker]
    assert [(e.filled_lots, e.state) for e in ours] == [
        (0, OrderState.NEW),
        (1_000, OrderState.PARTIALLY_FILLED),
        (2_000, OrderState.FILLED),
    ]
    assert (ours[1].fee_asset, ours[1].fee_atoms) == ("MMD", 25_000)
    assert [e.price_ticks for e in events if isinstance(e, PublicTrade)] == [10_000, 10_001]
    assert world.accounts["b"].free["USDT"] == ASSETS["USDT"] - (10_000 + 10_001) * 10**6
    assert world.accounts["b"].locked["USDT"] == 0
    assert (
        world.accounts["a"].free["USDT"] == ASSETS["USDT"] + 20_001 * 10**6 - 1_000_000 - 1_000_100
    )
    assert [t.trade_id for t in world.history.trades("b", 0)] == [1, 2]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (order(BUY, 10_100, 5, kind=OrderType.LIMIT_MAKER), Refusal.WOULD_TAKE),
        (order(BUY, 10_000, 85_000_000), Refusal.INSUFFICIENT_BALANCE),
        (order(SELL, 10_200, 2 * 10**7), Refusal.INSUFFICIENT_BALANCE),
        (order(BUY, 0, 5), Refusal.PRICE_FILTER),
        (order(BUY, 10_000, 5, "open"), Refusal.DUPLICATE_ORDER),
    ],
)
def test_a_refused_order_changes_nothing(request_: object, reason: Refusal) -> None:
    """Neither book, balances nor ids move."""
    world = exchange()
    book = world.markets[0].book
    background.add(book, SELL, 10_100, 10)
    background.add(book, BUY, 9_900, 10)
    world.place("a", order(BUY, 9_000, 1, "open"), 1)
    before = (book.update_id, dict(world.accounts["a"].free), dict(world.accounts["a"].locked))
    with pytest.raises(Refused) as refused:
        world.place("a", request_, 2)
    assert refused.value.reason == reason
    assert before == (book.update_id, world.accounts["a"].free, world.accounts["a"].locked)


def test_a_halted_instrument_takes_no_orders_but_cancels() -> None:
    """Status applies to new orders only."""
    world = exchange()
    resting, _ = world.place("a", order(BUY, 10_000, 5), 1)
    world.markets[0].status = TradingStatus.CANCEL_ONLY
    with pytest.raises(Refused) as refused:
        world.place("a", order(BUY, 10_000, 5, "2"), 2)
    assert refused.value.reason == Refusal.NOT_TRADING
    world.cancel("a", 0, resting.order_id, None, 3)


def test_what_does_not_fill_at_once_expires_where_it_may_not_rest() -> None:
    """IOC, FOK and market orders end as EXPIRED with their reason and without locks."""
    world = exchange()
    background.add(world.markets[0].book, SELL, 10_100, 10)
    reasons = []
    for number, request in enumerate(
        (
            order(BUY, 10_100, 50, "f", tif=OrderTif.FOK),
            order(BUY, 10_100, 15, "i", tif=OrderTif.IOC),
            order(BUY, 0, 15, "m", kind=OrderType.MARKET),
        )
    ):
        ended, events = world.place("a", request, number)
        assert ended.state == OrderState.EXPIRED
        reasons += [
            e.expiry for e in events if isinstance(e, Execution) and e.kind == ExecutionKind.EXPIRED
        ]
    assert reasons == [
        ExpiryReason.FOK_UNFILLABLE,
        ExpiryReason.IOC_REST,
        ExpiryReason.NO_LIQUIDITY,
    ]
    assert world.accounts["a"].locked == {"USDT": 0, "MMD": 0}


def test_amending_shrinks_frees_and_renames() -> None:
    """The difference is free again; growing, repeating and shrinking below the fill are refused."""
    world = exchange()
    resting, _ = world.place("a", order(BUY, 10_000, 1_000, "old"), 1)
    _, execution, _ = world.amend("a", 0, None, "old", 400, 2, new_client_order_id="new")
    assert (execution.kind, execution.request_id, execution.client_order_id) == (
        ExecutionKind.REPLACED,
        "old",
        "new",
    )
    assert world.accounts["a"].locked["USDT"] == 40 * 10**8
    assert world.history.find("a", 0, None, "new") is resting
    with pytest.raises(Refused):
        world.history.find("a", 0, None, "old")
    background.take(world.markets[0].book, SELL, 100, None)
    for qty, reason in ((400, Refusal.AMEND_NO_CHANGE), (401, Refusal.AMEND_INCREASE)):
        with pytest.raises(Refused) as refused:
            world.amend("a", 0, resting.order_id, None, qty, 3)
        assert refused.value.reason == reason
    for step in range(9):
        world.amend("a", 0, resting.order_id, None, 399 - step, 4)
    with pytest.raises(Refused) as refused:
        world.amend("a", 0, resting.order_id, None, 300, 5)
    assert refused.value.reason == Refusal.MAX_NUM_ORDER_AMENDS


def test_orders_are_found_by_id_by_name_and_only_by_their_owner() -> None:
    """Another account's order does not exist for us; an id with another name neither."""
    world = exchange()
    resting, _ = world.place("a", order(BUY, 10_000, 5, "mine"), 1)
    assert world.history.find("a", 0, None, "mine") is resting
    assert world.history.find("a", 0, resting.order_id, "mine") is resting
    for account, order_id, name in (
        ("b", resting.order_id, None),
        ("b", None, "mine"),
        ("a", 1, "x"),
    ):
        with pytest.raises(Refused):
            world.history.find(account, 0, order_id, name)


def test_a_market_order_over_an_amount_of_quote_spends_no_more() -> None:
    """It takes the lots that the amount pays for, and tells the amount."""
    world = exchange()
    background.add(world.markets[0].book, SELL, 10_000, 10)
    request = OrderRequest(
        instrument=0,
        client_order_id="q",
        side=BUY,
        type=OrderType.MARKET,
        quote_atoms=75 * 10**6,
    )
    spent, _ = world.place("a", request, 1)
    assert (spent.state, spent.filled_lots, spent.quote_atoms) == (OrderState.FILLED, 7, 7 * 10**7)
    assert spent.quote_asked_atoms == 75 * 10**6
    assert world.accounts["a"].locked["USDT"] == 0


def _value(world: Exchange, asset: str) -> int:
    market = world.markets[0]
    accounts = sum(a.total(asset) for a in world.accounts.values())
    return accounts + market.strangers.get(asset, 0) + market.fees.get(asset, 0)


_PRICE = st.integers(9_990, 10_010)
_QTY = st.integers(1, 5_000)
_STEP = st.one_of(
    st.tuples(
        st.just("place"),
        st.sampled_from("ab"),
        st.sampled_from(list(Side)),
        _PRICE,
        _QTY,
        st.sampled_from(list(OrderType)),
        st.sampled_from(list(OrderTif)),
        st.sampled_from(list(SelfTrade)),
    ),
    st.tuples(st.just("add"), st.sampled_from(list(Side)), _PRICE, _QTY),
    st.tuples(st.just("take"), st.sampled_from(list(Side)), _QTY),
    st.tuples(st.just("cancel"), st.sampled_from("ab")),
    st.tuples(st.just("amend"), st.sampled_from("ab"), _QTY),
)


@settings(max_examples=150)
@given(st.lists(_STEP, max_size=50))
def test_value_is_conserved(steps: list[tuple[object, ...]]) -> None:
    """Accounts, strangers and fees sum to the start; locks equal what open orders need; none is negative."""
    world = exchange()
    market = world.markets[0]
    for number, step in enumerate(steps):
        with contextlib.suppress(Refused):
            _play(world, step, number)
        for asset, start in ASSETS.items():
            assert _value(world, asset) == 2 * start
        for name, account in world.accounts.items():
            open_orders = world.history.open_orders(name)
            for asset, side in (("USDT", BUY), ("MMD", SELL)):
                needed = sum(o.locked_atoms for o in open_orders if o.side == side)
                assert account.locked[asset] == needed
                assert account.free[asset] >= 0
        for resting in (*market.book.own[BUY].values(), *market.book.own[SELL].values()):
            assert resting.is_open


def _play(world: Exchange, step: tuple[object, ...], number: int) -> None:
    market = world.markets[0]
    match step:
        case ("place", account, side, price, qty, kind, tif, mode):
            is_limit = kind == OrderType.LIMIT
            request = order(
                side,
                0 if kind == OrderType.MARKET else price,
                qty,
                str(number),
                kind=kind,
                tif=tif if is_limit else OrderTif.GTC,
                self_trade=mode,
            )
            world.place(account, request, number)
        case ("add", side, price, qty):
            world.background(market, background.add(market.book, side, price, qty), number)
        case ("take", side, qty):
            world.background(market, background.take(market.book, side, qty, None), number)
        case ("cancel", account):
            world.cancel_all(account, 0, number)
        case ("amend", account, qty):
            for resting in world.history.open_orders(account, 0)[:1]:
                world.amend(account, 0, resting.order_id, None, qty, number)
