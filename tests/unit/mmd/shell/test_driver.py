"""The live driver: one decision per batch, everything on record before it acts, cancels even without a journal."""

import asyncio
from collections.abc import Iterator

import pytest

from mmd.core.commands import Approved, CancelOrder, Command, PlaceOrder
from mmd.core.events import Decision, OperatorAction, OperatorCommand, PrivateDown, Timer
from mmd.core.risk.levels import RiskLevel
from mmd.shell import driver as module
from tests.driver_bench import DriverBench


@pytest.fixture
async def bench() -> Iterator[DriverBench]:
    """Started; the timer does not fire during a test unless it waits."""
    up = DriverBench()
    up.start()
    yield up
    up.driver.stop()


def of(bench: DriverBench, kind: type) -> list:
    return [record for record in bench.journal.records if isinstance(record, kind)]


async def test_whatever_came_in_one_turn_of_the_loop_is_one_decision(bench: DriverBench) -> None:
    """Six inputs, then one decision, after all of them."""
    bench.bring_up()
    assert bench.driver.decisions == 0
    await asyncio.sleep(0)
    assert bench.driver.decisions == 1
    kinds = [type(record) for record in bench.journal.records]
    assert kinds.count(Decision) == 1
    assert kinds.index(Decision) == 6
    assert kinds.count(bytes) == 1
    await asyncio.sleep(0)
    assert bench.driver.decisions == 1


async def test_the_last_decision_is_taken_before_the_journal_may_be_closed(
    bench: DriverBench,
) -> None:
    """What is due is decided within `finish`; what comes later is recorded and decided by nobody."""
    bench.bring_up()
    await bench.driver.finish()
    assert bench.driver.decisions == 1
    bench.driver.on_event(PrivateDown(bench.clock.now_ns, "venue", "gone"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert bench.driver.decisions == 1


async def test_a_command_is_on_record_before_it_is_sent(bench: DriverBench) -> None:
    """Each one stands in the journal, and in its order."""
    bench.bring_up()
    await asyncio.sleep(0)
    placed = of(bench, PlaceOrder)
    assert bench.venue.sent == placed
    assert len(placed) == 6
    for command in placed:
        assert bench.journal.records.index(command) < bench.journal.records.index(("sent", command))


async def test_latencies_are_counted_once_per_batch_that_sent(bench: DriverBench) -> None:
    """From the first bytes of the batch to its first order."""
    bench.bring_up()
    bench.clock.now_ns += 40_000
    await asyncio.sleep(0)
    assert bench.driver.tick_to_order.count == 1
    assert bench.driver.tick_to_order.max_ns >= 40_000
    assert bench.driver.stages["decode"].count == bench.driver.stages["apply"].count == 1


async def test_without_a_journal_nothing_new_is_sent_but_cancels_are(bench: DriverBench) -> None:
    """The loss halts the engine, which takes every order back."""
    bench.bring_up()
    await asyncio.sleep(0)
    for command in list(bench.venue.sent):
        bench.obey(command)
    await asyncio.sleep(0)
    bench.venue.sent.clear()
    bench.journal.broken = True
    bench.pass_time(10)
    bench.shift(60)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not bench.driver.journal_up
    assert bench.venue.sent
    assert all(isinstance(command, CancelOrder) for command in bench.venue.sent)
    assert {c.client_order_id for c in bench.venue.sent} == set(bench.open)
    assert bench.real_engine.levels.level >= RiskLevel.CANCEL_ALL


async def test_an_order_that_cannot_be_put_on_record_is_not_sent(bench: DriverBench) -> None:
    """The journal breaks at the first of six, in the middle of a decision."""
    bench.journal.breaks_at_command = True
    bench.bring_up()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not bench.driver.journal_up
    assert [c for c in bench.venue.sent if isinstance(c, PlaceOrder)] == []


async def test_an_operator_is_obeyed_at_once(bench: DriverBench) -> None:
    """Not in the next turn of the loop: the cancels are out when `operate` returns."""
    bench.bring_up()
    await asyncio.sleep(0)
    for command in list(bench.venue.sent):
        bench.obey(command)
    await asyncio.sleep(0)
    bench.venue.sent.clear()
    bench.driver.operate(OperatorAction.HALT, "test")
    assert len(bench.venue.sent) == 6
    (order,) = of(bench, OperatorCommand)
    assert (order.action, order.who) == (OperatorAction.HALT, "test")


async def test_time_is_told_when_bars_have_just_ended() -> None:
    """At a whole multiple of the period, never before it: then no frame has to close the bar."""
    bench = DriverBench()
    before_s = asyncio.get_running_loop().time()
    bench.start()
    timer = bench.driver._timer
    assert timer is not None
    since_s = timer.when() - before_s
    assert module.TIMER_PERIOD_S < since_s < 2.5 * module.TIMER_PERIOD_S
    bench.driver.stop()
    for after_s in (before_s, 1.0, 123_456.7, 123_456.7 - 2e-11, 86_400.3 + 0.09):
        bench.driver._set_timer(asyncio.get_running_loop(), after_s)
        timer = bench.driver._timer
        assert timer is not None
        timer.cancel()
        periods = timer.when() / module.TIMER_PERIOD_S
        assert abs(periods - round(periods)) * module.TIMER_PERIOD_S < 1e-6
        assert after_s + 0.5e-3 < timer.when() < after_s + module.TIMER_PERIOD_S + 1e-6


async def test_time_is_told_at_its_period_until_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers are events on record, and how late they were is counted."""
    monkeypatch.setattr(module, "TIMER_PERIOD_S", 0.005)
    bench = DriverBench()
    bench.start()
    await asyncio.sleep(0.06)
    bench.driver.stop()
    await asyncio.sleep(0)
    count = len(of(bench, Timer))
    assert 2 <= count <= 13
    assert bench.driver.loop_lag.count == count
    assert bench.driver.decisions == len(of(bench, Decision)) == count
    await asyncio.sleep(0.02)
    assert len(of(bench, Timer)) == count


async def test_market_observers_see_each_record_after_it_was_applied(bench: DriverBench) -> None:
    """The book audit hangs on this."""
    seen: list[int] = []
    bench.driver.on_market_applied = lambda _: seen.append(bench.maker.view.messages)
    bench.snapshot()
    bench.diff({9_999: 4_000})
    assert seen == [1, 2]


async def test_what_comes_in_while_sending_waits_for_the_end_of_the_decision(
    bench: DriverBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that breaks under a command reports it from inside `send`: on record behind the decision."""
    lost = PrivateDown(bench.now_ns, "embedded", "reset")
    send = bench.venue.send

    def break_under_it(approved: Approved[Command]) -> None:
        if not bench.venue.sent:
            bench.driver.on_event(lost)
        send(approved)

    monkeypatch.setattr(bench.venue, "send", break_under_it)
    bench.bring_up()
    await asyncio.sleep(0)
    assert len(bench.venue.sent) == 6
    assert bench.journal.records[-1] is lost
    assert bench.maker.orders.unknown_count == 6


async def test_the_first_order_is_sent_before_the_second_is_judged(bench: DriverBench) -> None:
    """What was sent counts in what comes next, and not before."""
    known: list[int] = []
    send = bench.venue.send

    def look(approved: Approved[Command]) -> None:
        known.append(sum(bench.maker.orders.open_orders))
        send(approved)

    bench.venue.send = look  # type: ignore[method-assign]
    bench.bring_up()
    await asyncio.sleep(0)
    assert known == [0, 1, 2, 3, 4, 5]
