"""The backtest driver: the live engine on a virtual clock, its market a tape, its venue a FillExchange.

It does what the live driver does, in the same order: every input that is due is journalled and applied, then the
engine decides once, and each command is journalled before it is sent. Time jumps from event to event. Where no
journal is kept, decisions that change nothing are taken in a compiled loop (mmd.backtest.quiet) and timers that
nothing could come of are left out: the commands are the same.
"""

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from mmd.analytics.session import Watch
from mmd.backtest.feed import FILLED, FRAME, NEVER
from mmd.backtest.in_flight import InFlight
from mmd.backtest.order_trail import OrderTrail
from mmd.backtest.presence import Presence
from mmd.backtest.quiet import DECIDE, UNTOLD
from mmd.backtest.quiet_player import QuietPlayer
from mmd.backtest.settings import BacktestSettings
from mmd.backtest.tape_feed import TapeFeed
from mmd.core.commands import Command
from mmd.core.engine import Engine
from mmd.core.events import (
    CancelRejected,
    Decision,
    Event,
    FeedUp,
    Fill,
    ModelSwap,
    OrderEnded,
    OrderRejected,
    PrivateUp,
    Timer,
)
from mmd.core.learned.served_model import ModelRole, ModelShelf
from mmd.core.market.record import MarketViews
from mmd.core.news import is_news
from mmd.core.ports import Journal
from mmd.core.spec import SessionSpec
from mmd.exchange.fills.fill_exchange import FillExchange
from mmd.exchange.fills.latency import new_latency
from mmd.exchange.fills.record import queue_model
from mmd.tape.reader import Tape

_TIMED = frozenset({Fill, OrderRejected, CancelRejected})
"""Answers that the next timer must see."""


class BacktestRunner:
    """Runs one session over one tape.

    Attributes:
        engine, exchange, feed: the parts.
        watch: what a report is made of, or None.
        decisions: how many were the engine's.
        now_ns: virtual time.
        tape_path: what is played.
        opening_base_atoms: base that the account began with.
        position_lots_max: the largest inventory so far, either way.
    """

    def __init__(
        self,
        tape: Tape,
        spec: SessionSpec,
        settings: BacktestSettings,
        balances: dict[str, int],
        journal: Journal | None = None,
        *,
        is_fused: bool = True,
        is_watched: bool = False,
        models: ModelShelf | None = None,
    ) -> None:
        """Everything random is drawn here, from the settings' seed.

        is_watched keeps what a report is made of, in `watch`; is_fused allows the compiled loop where there is no journal;
        models are the champions of the run.
        """
        rng = np.random.default_rng(settings.seed)
        self.settings = settings
        self.engine = Engine(spec, models)
        self._models = models
        self.maker = self.engine.makers[0]
        self.exchange = FillExchange(
            self.maker.instrument,
            balances,
            model=queue_model(settings.queue),
            exponent=settings.queue_exponent,
        )
        self.feed = TapeFeed(
            tape,
            self.exchange,
            new_latency(settings.feed, rng),
            by_event=settings.by_event,
            start_ns=settings.start_ns,
            end_ns=settings.end_ns,
        )
        self.in_flight = InFlight(settings, rng)
        self.decisions = self._commands = 0
        self.now_ns = spec.started_monotonic_ns
        self.on_progress: Callable[[BacktestRunner], None] | None = None
        """Told of every batch of rows; None costs nothing."""
        self.tape_path = tape.path
        self.opening_base_atoms = balances.get(self.maker.instrument.base, 0)
        self.position_lots_max = 0
        self._opened_ns = self.now_ns
        self._presence = Presence(self.now_ns)
        self._turnover_ticklots = 0
        self._journal = journal
        self._views = MarketViews()
        self._timer_ns = self.now_ns + settings.timer_ns
        self._player = self._new_player() if is_fused and journal is None else None
        self.on_command: Callable[[Command, int], None] | None = None
        """Told of every command that is sent, and when; of those of the compiled loop a little later."""
        self.watch = Watch(self.engine) if is_watched else None
        if self._player is not None and self.watch is not None:
            self._player.watch(self.watch.only)
        self._decide_ns = NEVER
        """When the engine must decide; decisions that are due to frames alone are the player's, if there is one."""
        self._busy_until_ns = 0

    def run(self) -> None:
        """Play the whole tape, then let what is still on its way arrive. Raises: TapeError, JournalError."""
        self._open()
        played = -1
        while self._step():
            if self.on_progress is not None and self.feed.rows_played != played:
                played = self.feed.rows_played
                self.on_progress(self)
        self._close()

    def _new_player(self) -> QuietPlayer | None:
        """Who plays in the compiled loop; nobody where that does not know the settings."""
        if not QuietPlayer.supports(self.engine):
            return None
        parts = (self.engine, self.exchange, self.in_flight, self._presence)
        trail = OrderTrail(*parts, self.settings.decision_cost_ns)
        trail.on_command = self._tell
        return QuietPlayer(self.engine, self.feed, self.settings, trail)

    def _tell(self, command: Command, sent_ns: int) -> None:
        if self.on_command is not None:
            self.on_command(command, sent_ns)

    @property
    def commands(self) -> int:
        """How many were sent."""
        return self._commands + self.quiet_commands

    @property
    def rows_done(self) -> int:
        """Rows of the tape that the daemon has seen."""
        return self.feed.rows_played + int(self.feed.local["at"][0])

    @property
    def quiet_decisions(self) -> int:
        """Decisions that changed nothing and were taken in the compiled loop."""
        return 0 if self._player is None else self._player.decisions

    @property
    def quiet_commands(self) -> int:
        """Commands that were sent, and mostly answered, in the compiled loop."""
        return 0 if self._player is None else self._player.commands

    @property
    def idle_timers(self) -> int:
        """Timers that only estimated and were taken in the compiled loop."""
        return 0 if self._player is None else self._player.idle_timers

    @property
    def quoted_ratio(self) -> float:
        """Share of the time so far with orders on both sides."""
        elapsed_ns = self.now_ns - self._opened_ns
        return self._presence.quoted_ns / elapsed_ns if elapsed_ns > 0 else 0.0

    @property
    def turnover(self) -> Decimal:
        """Quote currency bought and sold."""
        return self.maker.instrument.notional_per_ticklot * self._turnover_ticklots

    def _open(self) -> None:
        """Bring feed and order entry up, as a venue does."""
        at = self.maker.instrument
        self._apply(FeedUp(self.now_ns, at.id))
        for event in self.exchange.opening(self.now_ns):
            self._apply(event)
        self._apply(PrivateUp(self.now_ns, at.venue))
        for model in self._models or ():
            self._apply(ModelSwap(self.now_ns, at.id, model.kind, ModelRole.CHAMPION, model.id))

    def _step(self) -> bool:
        """Go to whatever comes next; False at the end of the tape."""
        in_flight, player = self.in_flight, self._player
        until_ns = min(in_flight.entry_due_ns, in_flight.response_due_ns, self._decide_ns)
        if player is None:
            until_ns = min(until_ns, self._timer_ns)
            code = self.feed.advance(until_ns)
        else:
            code = player.advance(until_ns)
            self._timer_ns = player.timer_ns
            until_ns = min(in_flight.entry_due_ns, in_flight.response_due_ns, self._decide_ns)
        if code == FRAME:
            self._on_frame()
        elif code == FILLED:
            for event in self.exchange.collect():
                in_flight.answer(event)
        elif code == UNTOLD:
            pass  # what is due next may be another thing now
        elif code == DECIDE and player is not None:
            self.now_ns = player.take_decision()
            self._decide()
        elif self._is_over:
            return False
        else:
            self._on_due(min(until_ns, self._timer_ns))
        return True

    @property
    def _is_over(self) -> bool:
        """Whether the tape has no frame left and the last one has been decided on."""
        player = self._player
        is_pending = self._decide_ns != NEVER or (player is not None and player.is_pending)
        return self.feed.due_ns == NEVER and not is_pending

    def _on_frame(self) -> None:
        views = self._views.of(self.feed.market)
        if self._journal is not None:
            self._journal.market(views.record)
        self.engine.apply_market(views.record)
        self.now_ns = self.engine.now_ns
        self._schedule()

    def _on_due(self, until_ns: int) -> None:
        """The time has come for requests, answers, the timer or a decision; the first of these at equal times."""
        self.now_ns = until_ns
        if not self._deliver(until_ns):
            if self._timer_ns <= until_ns:
                self._on_timer()
            else:
                self._decide()

    def _deliver(self, until_ns: int) -> bool:
        """All requests and answers that arrive by now, in order; returns whether there were any."""
        in_flight, any_due = self.in_flight, False
        while True:
            if in_flight.entry_due_ns <= until_ns:
                for event in self.exchange.receive(in_flight.next_request(), until_ns):
                    in_flight.answer(event)
            elif in_flight.response_due_ns <= until_ns:
                self._on_answer(in_flight.next_answer())
            else:
                return any_due
            any_due = True

    def _on_answer(self, event: Event) -> None:
        self._apply(event)
        player = self._player
        if is_news(event):
            if player is not None and type(event) is OrderEnded:
                player.want_decision(self.now_ns)
            else:
                self._schedule()
        is_quoting = min(self.maker.orders.open_orders) > 0
        if player is not None and (type(event) in _TIMED or is_quoting != self._presence.is_both):
            player.want_timer(self.now_ns)
        self._presence.on_heard(self.now_ns, is_both=is_quoting)
        if isinstance(event, Fill):
            self._turnover_ticklots += event.price_ticks * event.qty_lots
            held = abs(self.maker.ledger.position_lots)
            self.position_lots_max = max(self.position_lots_max, held)

    def _on_timer(self) -> None:
        now_ns = self.now_ns
        self._apply(Timer(now_ns))
        if self._player is None:
            self._timer_ns += self.settings.timer_ns
            self._schedule()
        else:
            self._player.on_timer(now_ns)

    def _schedule(self) -> None:
        """The engine decides now, or when its last decision is through."""
        if self._player is not None:
            self._decide_ns = min(self._decide_ns, self._player.take_pending(self.now_ns))
        elif self._decide_ns == NEVER:
            self._decide_ns = max(self.now_ns, self._busy_until_ns)

    def _decide(self) -> None:
        now_ns, self._decide_ns = self.now_ns, NEVER
        sent_ns = self._busy_until_ns = now_ns + self.settings.decision_cost_ns
        if self._player is not None:
            self._player.on_decision(sent_ns)
        self.decisions += 1
        decision = Decision(now_ns, self.decisions)
        journal = self._journal
        if journal is not None:
            journal.event(decision)
        for approved in self.engine.decide(decision):
            if journal is not None:
                journal.command(approved.command)
            self._commands += 1
            self._tell(approved.command, sent_ns)
            self.in_flight.send(approved.command, sent_ns)
        if self.watch is not None:
            self.watch.on_decision(decision)
        if self._player is not None:
            self._player.on_decided(now_ns)

    def _apply(self, event: Event) -> None:
        if self._player is not None:
            self._player.sync()
        if self._journal is not None:
            self._journal.event(event)
        self.engine.apply(event)
        if self.watch is not None:
            self.watch.on_event(event)

    def _close(self) -> None:
        """Nothing is sent any more: requests and answers on their way arrive, and are booked."""
        in_flight = self.in_flight
        if self._player is not None:
            self._player.sync()
            self.now_ns = max(self.now_ns, self.engine.now_ns)
        while not in_flight.is_empty:
            self.now_ns = max(self.now_ns, min(in_flight.entry_due_ns, in_flight.response_due_ns))
            if in_flight.entry_due_ns <= self.now_ns:
                for event in self.exchange.receive(in_flight.next_request(), self.now_ns):
                    in_flight.answer(event)
            else:
                self._on_answer(in_flight.next_answer())
        self._presence.close(self.now_ns)
        self.maker.keep_books(self.now_ns)
