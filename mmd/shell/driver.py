"""The live driver: applies what the sockets bring, asks for one decision per batch, sends what is approved.

Everything ready on any socket is applied before the engine decides once (conflation): a slow moment means
fewer decisions, not older ones. Every input is journalled before it is applied and every command before it
is sent, so the session replays to the same commands. Statistics are kept once the orders are out.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.engine import Engine
from mmd.core.events import (
    Decision,
    Event,
    OperatorAction,
    OperatorCommand,
    SettingsChanged,
    SettingValue,
    Timer,
)
from mmd.core.market.record import TS_RECV_NS, MarketViews
from mmd.core.news import is_news
from mmd.core.ports import Clock, Journal, Pen, Sender
from mmd.errors import JournalError
from mmd.jit.kernel import Rec
from mmd.shell.latency import Histogram

TIMER_PERIOD_S = 0.1
_COARSENESS_S = 0.001
"""By which the time of a loop that counts milliseconds may be behind."""
STAGES = ("decode", "apply", "decide", "send")
_NEW = (PlaceOrder, ReplaceOrder)
_RISK_FREE = (CancelOrder, CancelAll, QueryOrder, ResyncBook, AmendOrder)
_log = structlog.get_logger()


class Driver:
    """Feeds one engine from live venues; implements `mmd.core.ports.EventSink`."""

    def __init__(self, engine: Engine, journal: Journal, clock: Clock) -> None:
        self.engine = engine
        self.journal_up = True
        self.decisions = 0
        self.loop_lag = Histogram()
        self.tick_to_order = Histogram()
        self.stages = {stage: Histogram() for stage in STAGES}
        self.on_market_applied: Callable[[Rec], None] | None = None
        """Observer of each applied market record, for the book audit; None costs nothing."""
        self._journal = journal
        self._pen = journal.pen
        if self._pen is not None:
            engine.record_with(self._pen)
        self._clock = clock
        self._views = MarketViews()
        self.venues: Sequence[Sender] = ()
        """Where commands go: all to the first, until several can be traded at once."""
        self._scheduled = False
        self._applied: list[tuple[int, int, int]] = []
        """Of each market record since the last decision: when it was received, handed over, applied."""
        self._deciding = False
        self._late: list[Event] = []
        """What became known in the middle of a decision, e.g. that the socket broke under a command."""
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no decision is due."""
        return not self._scheduled

    def start(self, venues: Sequence[Sender]) -> None:
        """Begin to keep time; call inside the running loop."""
        self.venues = venues
        self._loop = asyncio.get_running_loop()
        self._set_timer(self._loop, self._loop.time() + TIMER_PERIOD_S)

    def stop(self) -> None:
        """Keep no time any more; events are still applied."""
        if self._timer is not None:
            self._timer.cancel()

    async def finish(self) -> None:
        """Keep no time any more, take the decision that is due and none after it: the journal is about to be closed."""
        self.stop()
        while self._scheduled:  # noqa: ASYNC110 - what it waits for is a turn of the loop
            await asyncio.sleep(0)
        self._loop = None

    def on_market(self, market: Rec) -> None:
        """Journal and apply one market record."""
        assert not self._deciding, "market data came in from inside a venue's send"
        entered_ns = self._clock.monotonic_ns()
        views = self._views.of(market)
        self._record_market(market)
        self.engine.apply_market(market)
        self._applied.append((views.head[TS_RECV_NS], entered_ns, self._clock.monotonic_ns()))
        if self.on_market_applied is not None:
            self.on_market_applied(market)
        self._schedule()

    def on_event(self, event: Event) -> None:
        """Journal and apply any other event; one that comes from inside a decision, after that decision."""
        if self._deciding:
            self._late.append(event)
            return
        self._record_event(event)
        self.engine.apply(event)
        if is_news(event):
            self._schedule()

    def operate(self, action: OperatorAction, who: str) -> None:
        """Pass a person's (or the supervisor's) order to the engine and act on it now."""
        _log.warning("operator_command", action=action.name.lower(), who=who)
        self.on_event(OperatorCommand(self._clock.monotonic_ns(), action, who))
        self.decide()

    def change_settings(self, changes: tuple[tuple[str, SettingValue], ...], who: str) -> None:
        """Pass changed settings to the engine and act on them now."""
        self.on_event(SettingsChanged(self._clock.monotonic_ns(), who, changes))
        self.decide()

    def _schedule(self) -> None:
        if not self._scheduled and self._loop is not None:
            self._scheduled = True
            self._loop.call_soon(self.decide)

    def decide(self) -> None:
        """One decision for all that was applied since the last."""
        self._scheduled = False
        began_ns = self._clock.monotonic_ns()
        self.decisions += 1
        decision = Decision(began_ns, self.decisions)
        pen, is_due = self._pen, True
        decided_ns = sent_ns = 0
        self._deciding = True
        if pen is not None:
            pen.begin(decision)
        try:
            for approved in self.engine.decide(decision):
                decided_ns = decided_ns or self._clock.monotonic_ns()
                may_send = pen is not None and _is_written(pen, approved.command)
                if not may_send:
                    may_send = self._record_command(approved.command, decision if is_due else None)
                is_due = False
                if may_send:
                    self.venues[0].send(approved)
                    sent_ns = sent_ns or self._clock.monotonic_ns()
        finally:
            self._deciding = False
            if is_due:
                self._record_event(decision)
        self._keep_time(began_ns, decided_ns, sent_ns)
        late, self._late = self._late, []
        for event in late:
            self.on_event(event)

    def _keep_time(self, began_ns: int, decided_ns: int, sent_ns: int) -> None:
        """Count how long each stage took: up to the first command, and up to its bytes."""
        applied, self._applied = self._applied, []
        for recv_ns, entered_ns, applied_ns in applied:
            self.stages["decode"].record(entered_ns - recv_ns)
            self.stages["apply"].record(applied_ns - entered_ns)
        if sent_ns:
            self.stages["decide"].record(decided_ns - began_ns)
            self.stages["send"].record(sent_ns - decided_ns)
            if applied:
                self.tick_to_order.record(sent_ns - applied[0][0])

    def _set_timer(self, loop: asyncio.AbstractEventLoop, after_s: float) -> None:
        """At the next whole multiple of the period, where bars end, so that few frames have to close one; never before it."""
        due = ((after_s + _COARSENESS_S) // TIMER_PERIOD_S + 1.0) * TIMER_PERIOD_S
        self._timer = loop.call_at(due, self._on_timer, due)

    def _on_timer(self, due: float) -> None:
        loop = self._loop
        assert loop is not None, "driver was not started"
        now = loop.time()
        self.loop_lag.record(int((now - due) * 1e9))
        self._set_timer(loop, now)
        self.on_event(Timer(self._clock.monotonic_ns()))

    def _record_market(self, market: Rec) -> None:
        if self.journal_up:
            try:
                self._journal.market(market)
            except JournalError as error:
                self._lose_journal(error)

    def _record_event(self, event: Event) -> None:
        if self.journal_up:
            try:
                self._journal.event(event)
            except JournalError as error:
                self._lose_journal(error)

    def _record_command(self, command: Command, decision: Decision | None) -> bool:
        """Whether the command may be sent: with the journal down only what takes risk away.

        The first of a decision brings the decision with it: one append instead of two.
        """
        if decision is not None and self._pen is not None:
            self._pen.end()
        if self.journal_up:
            try:
                self._journal.command(command, decision)
            except JournalError as error:
                self._lose_journal(error)
        return self.journal_up or isinstance(command, _RISK_FREE)

    def _lose_journal(self, error: JournalError) -> None:
        """Without a journal cancels still go, new orders don't."""
        self.journal_up = False
        _log.error("journal_lost", error=str(error))
        assert self._loop is not None, "driver was not started"
        self._loop.call_soon(self.operate, OperatorAction.HALT, "journal")


def _is_written(pen: Pen, command: Command) -> bool:
    """Whether the call that decided on an order has put it on record."""
    return isinstance(command, _NEW) and pen.wrote(command.client_order_id)
