"""Reading an account until it is at rest: what is told, in which order, and what is left alone."""

from collections import Counter

import pytest

from adapters.binance_spot import reconcile
from adapters.binance_spot.account_state import NO_TRADE, AccountState
from adapters.binance_spot.order_ids import NO_ORDER, encode_id
from adapters.binance_spot.reconcile import Reconciler
from adapters.binance_spot.rejects import CANCEL_REJECTED, NO_SUCH_ORDER
from adapters.binance_spot.rest_api import TRADES_PAGE
from adapters.binance_spot.wire import AccountBalance, AccountInfo, MyTrade, OrderReport
from mmd.core.events import Balance, Fill, OrderStatus, Reconciled
from mmd.core.trades_told import TradesTold
from mmd.errors import VenueError, VenueUnreachableError
from mmd.shell.clock import SystemClock

OURS, OLD = 7 << 32 | 1, 6 << 32 | 9


def order(venue_id: int, name: str) -> OrderReport:
    return OrderReport(
        order_id=venue_id,
        client_order_id=name,
        price="100.00",
        orig_qty="1.000",
        status="NEW",
        side="BUY",
    )


def trade(number: int, venue_order_id: int) -> MyTrade:
    return MyTrade(
        id=number,
        order_id=venue_order_id,
        price="100.00",
        qty="0.001",
        commission="0",
        commission_asset="USDT",
        time=number,
        is_buyer=True,
        is_maker=True,
    )


class Account:
    """The venue's side: what REST answers, and counters of what was asked."""

    def __init__(self) -> None:
        self.orders: list[OrderReport] = []
        self.history: list[MyTrade] = []
        self.past: dict[int, OrderReport] = {}
        self.free = ["10"]
        self.update_time = 5
        self.calls: Counter[str] = Counter()
        self.canceled: list[str] = []
        self.cancel_error: VenueError | None = None
        self.sticky = False
        self.on_trades = lambda: None

    async def account(self) -> AccountInfo:
        self.calls["account"] += 1
        free = self.free.pop(0) if len(self.free) > 1 else self.free[0]
        balances = (AccountBalance("MMD", free, "1"), AccountBalance("USDT", "7", "0"))
        return AccountInfo(balances=balances, update_time=self.update_time)

    async def open_orders(self, _: str) -> tuple[OrderReport, ...]:
        return tuple(self.orders)

    async def cancel(self, _: str, name: str) -> None:
        self.canceled.append(name)
        if self.cancel_error is not None:
            error, self.cancel_error = self.cancel_error, None
            raise error
        if not self.sticky:
            self.orders = [o for o in self.orders if o.client_order_id != name]

    async def newest_trade(self, _: str) -> tuple[MyTrade, ...]:
        return tuple(self.history[-1:])

    async def trades(self, _: str, from_id: int) -> tuple[MyTrade, ...]:
        self.on_trades()
        self.calls["trades"] += 1
        return tuple(t for t in self.history if t.id >= from_id)[:TRADES_PAGE]

    async def order(self, _: str, venue_id: int) -> OrderReport:
        self.calls["order"] += 1
        if venue_id not in self.past:
            raise VenueError("Order does not exist.", NO_SUCH_ORDER)
        return self.past[venue_id]


class Bench:
    """A reconciler over a scripted account."""

    def __init__(self, mmd) -> None:
        self.venue = Account()
        self.state = AccountState([mmd.id])
        self.reconciler = Reconciler("test", [mmd], self.venue, self.state, SystemClock())
        self.events: list = []

    async def run(self) -> list[str]:
        """Names of what one run told."""
        self.events.clear()
        await self.reconciler.run(self.events.append)
        return [type(e).__name__ for e in self.events]

    def of(self, kind: type) -> list:
        return [e for e in self.events if type(e) is kind]


@pytest.fixture
def bench(mmd, monkeypatch) -> Bench:
    """Without the pauses between attempts."""
    monkeypatch.setattr(reconcile, "_PAUSE_S", 0.0)
    return Bench(mmd)


async def test_first_run_clears_the_past_and_starts_counting(bench, mmd):
    """Orders of earlier sessions go, trades before now are not told, strangers stay."""
    bench.venue.orders = [order(1, encode_id(OLD)), order(2, "by-hand")]
    bench.venue.history = [trade(40, 1)]
    assert await bench.run() == ["Balance", "Balance", "Reconciled"]
    assert bench.venue.canceled == [encode_id(OLD)]
    assert bench.state.foreign_open[mmd.id] == {2}
    assert bench.state.last_trade_id[mmd.id] == 40
    assert bench.state.in_sync
    assert bench.of(Balance)[0].free_atoms == 10 * 10**8
    assert bench.of(Reconciled)[0].base_atoms == 11 * 10**8


async def test_what_an_earlier_process_had_on_its_way_is_taken_back_too(bench):
    """Left-overs tell of a process that died lately: after its receive window there is a second look."""
    bench.venue.orders = [order(1, encode_id(OLD))]

    async def late(seconds: float) -> None:
        if seconds == 1.5:
            bench.venue.orders = [order(2, encode_id(OLD + 1))]

    bench.reconciler._sleep = late
    bench.reconciler.straggle_s = 1.5
    await bench.run()
    assert bench.venue.canceled == [encode_id(OLD), encode_id(OLD + 1)]


async def test_account_without_trades_starts_before_the_first(bench, mmd):
    """Nothing has traded, so everything that does is told."""
    await bench.run()
    assert bench.state.last_trade_id[mmd.id] == NO_TRADE
    bench.venue.history = [trade(1, 3)]
    assert await bench.run() == ["Fill", "Balance", "Balance", "Reconciled"]


async def test_later_runs_tell_missed_fills_and_working_orders(bench, mmd):
    """Fills carry our id where the order was ours; the venue is asked once for each order it names."""
    await bench.run()
    bench.venue.past = {5: order(5, encode_id(OURS)), 6: order(6, "web_1")}
    bench.venue.history = [trade(1, 5), trade(2, 5), trade(3, 6), trade(4, 99)]
    bench.venue.orders = [order(8, encode_id(OURS + 1))]
    assert await bench.run() == ["Fill"] * 4 + ["OrderStatus", "Balance", "Balance", "Reconciled"]
    assert [f.client_order_id for f in bench.of(Fill)] == [OURS, OURS, NO_ORDER, NO_ORDER]
    assert bench.venue.calls["order"] == 3
    assert bench.of(OrderStatus)[0].client_order_id == OURS + 1
    assert bench.venue.canceled == []
    assert await bench.run() == ["OrderStatus", "Balance", "Balance", "Reconciled"]


async def test_history_longer_than_a_page_is_read_to_its_end(bench):
    """1,000 trades an answer."""
    await bench.run()
    bench.state.remember(5, OURS)
    bench.venue.history = [trade(k + 1, 5) for k in range(TRADES_PAGE + 3)]
    await bench.run()
    assert [f.trade_id for f in bench.of(Fill)] == list(range(1, TRADES_PAGE + 4))


async def test_resumed_trades_are_told_on_the_first_run(bench, mmd):
    """An earlier session's last trade was 40: what came after it is missing there."""
    bench.state.resume_trades(mmd.id, TradesTold(40))
    bench.venue.past = {5: order(5, encode_id(OLD))}
    bench.venue.history = [trade(40, 5), trade(41, 5)]
    await bench.run()
    assert [(f.trade_id, f.client_order_id) for f in bench.of(Fill)] == [(41, OLD)]
    assert bench.of(Reconciled)[0].trade_id == 41


async def test_trades_on_record_are_not_told_again(bench, mmd):
    """An earlier session was told 42 after its last reconciliation, and not 41."""
    bench.state.resume_trades(mmd.id, TradesTold(40, frozenset({42})))
    bench.state.remember(5, OURS)
    bench.venue.history = [trade(k, 5) for k in (40, 41, 42, 43)]
    await bench.run()
    assert [f.trade_id for f in bench.of(Fill)] == [41, 43]


async def test_an_account_without_trades_is_resumed_before_the_first(bench, mmd):
    """All that was traded since is told."""
    bench.state.resume_trades(mmd.id, TradesTold(NO_TRADE))
    bench.state.remember(5, OURS)
    bench.venue.history = [trade(1, 5)]
    await bench.run()
    assert [f.trade_id for f in bench.of(Fill)] == [1]


async def test_a_test_venue_that_began_anew_is_counted_from_its_newest_trade(bench, mmd):
    """Its ids are below those on record."""
    bench.state.resume_trades(mmd.id, TradesTold(40))
    bench.state.remember(5, OURS)
    bench.venue.history = [trade(7, 5)]
    await bench.run()
    assert bench.of(Fill) == []
    bench.venue.history.append(trade(8, 5))
    await bench.run()
    assert [f.trade_id for f in bench.of(Fill)] == [8]


async def test_a_first_run_that_failed_is_gone_on_from(bench, mmd):
    """What was traded between the attempts is told."""
    bench.venue.free = [str(k) for k in range(40)]
    with pytest.raises(VenueUnreachableError):
        await bench.run()
    bench.state.remember(5, OURS)
    bench.venue.history = [trade(1, 5)]
    bench.venue.free = ["10"]
    await bench.run()
    assert [f.trade_id for f in bench.of(Fill)] == [1]


async def test_balances_that_move_are_read_again(bench):
    """Only holdings that stood still around the trades are told."""
    bench.venue.free = ["10", "11", "12"]
    await bench.run()
    assert bench.of(Reconciled)[0].base_atoms == 13 * 10**8
    assert bench.venue.calls["account"] == 4


async def test_balances_older_than_a_position_seen_are_read_again(bench):
    """A server that lags behind the stream does not get the last word."""
    bench.state.updated_ms = 6

    def catch_up() -> None:
        bench.venue.update_time = 5 if bench.venue.calls["account"] < 3 else 6

    bench.venue.on_trades = catch_up
    await bench.run()
    assert bench.venue.calls["account"] == 4


async def test_venue_set_back_gets_the_last_word_in_the_end(bench):
    """A test venue restarted from an old state would otherwise never be reconciled."""
    bench.state.updated_ms = 6
    assert (await bench.run())[-1] == "Reconciled"
    assert bench.state.updated_ms == 5


async def test_account_that_never_rests_is_told(bench):
    """Another program trades: one line, and no Reconciled."""
    bench.venue.free = [str(k) for k in range(1, 40)]
    with pytest.raises(VenueUnreachableError, match="is another program trading"):
        await bench.run()
    assert bench.of(Reconciled) == []
    assert not bench.state.in_sync


async def test_orders_that_will_not_go_are_told(bench):
    """Eight attempts, then what to do by hand."""
    bench.venue.orders = [order(1, encode_id(OLD))]
    bench.venue.sticky = True
    with pytest.raises(VenueUnreachableError, match="starts with 'mmd' by hand"):
        await bench.run()
    assert len(bench.venue.canceled) == 8


async def test_cancel_that_comes_too_late_is_no_failure(bench):
    """-2011: the order went by itself. Anything else goes up."""
    bench.venue.orders = [order(1, encode_id(OLD))]
    bench.venue.cancel_error = VenueError("Unknown order sent.", CANCEL_REJECTED)
    await bench.run()
    assert bench.venue.canceled == [encode_id(OLD)] * 2
    bench.venue.orders = [order(1, encode_id(OLD))]
    bench.venue.cancel_error = VenueError("Way too many requests.", -1003)
    with pytest.raises(VenueError, match="too many"):
        await bench.reconciler.cancel_own()


async def test_failure_to_name_a_trade_goes_up(bench):
    """Only -2013 means that the order was a stranger's."""
    await bench.run()
    bench.venue.history = [trade(1, 5)]

    async def fails(_: str, __: int) -> OrderReport:
        raise VenueError("Too many requests.", -1003)

    bench.venue.order = fails
    with pytest.raises(VenueError, match="Too many"):
        await bench.run()
