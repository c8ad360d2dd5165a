"""Keeps the compiled loop of `quiet` and the engine's Python objects in step."""

from functools import partial
from typing import Final

from mmd.analytics.recorder import Recorder
from mmd.backtest.feed import DUE, NEVER, REFILL
from mmd.backtest.idle_timers import IdleTimers
from mmd.backtest.order_trail import OrderTrail
from mmd.backtest.quiet import LOGGED, TRAILED, UNTOLD, play
from mmd.backtest.quiet_decision import is_settled
from mmd.backtest.quiet_state import MODELS, QuietState
from mmd.backtest.settings import BacktestSettings
from mmd.backtest.tape_feed import TapeFeed
from mmd.backtest.timer_grid import on_grid_ns
from mmd.core.engine import Engine
from mmd.core.quoter import STEP_NS
from mmd.core.quoting import glft
from mmd.core.quoting.fixed_spread import FIXED
from mmd.jit.kernel import Rec, bind, new
from mmd.jit.places import places
from mmd.tape.frames import BROKEN

_FULL: Final = frozenset({LOGGED, TRAILED})


class QuietPlayer:
    """Plays a feed into an engine with one instrument.

    Attributes:
        record: QUIET record; decide_ns, timer_ns and now_ns of it are the runner's to read and write.
    """

    def __init__(
        self, engine: Engine, feed: TapeFeed, settings: BacktestSettings, trail: OrderTrail
    ) -> None:
        self._state = QuietState(engine, settings)
        self.record: Rec = self._state.record
        self._words, self._at = self._state.words, self._state.at
        self._engine = engine
        self._maker = engine.makers[0]
        self._feed = feed
        self._idle = IdleTimers(engine)
        self._trail = trail
        self._kept = self._engine_records()
        """The records themselves: the loop knows them by their addresses."""
        self._records = (*feed.records, places(**self._kept))
        self._play = bind(play, feed.rows, *self._records, 0)
        self._is_settled = partial(bind(is_settled, self._records[-1], 0), self._records[-1])
        self._recorder: Recorder | None = None
        self._at_settled = self._at["is_settled"]
        self._synced = 0
        """Decisions of the loop that the engine knows of."""
        self._is_stale = True
        self._origin_ns, self._period_ns = engine.spec.started_monotonic_ns, settings.timer_ns
        self._markout_due = memoryview(self._maker.ledger.markouts.record["due_ns"])
        self._stepped_ns = 0

    @staticmethod
    def supports(engine: Engine) -> bool:
        """Whether an engine's decisions can be taken in the compiled loop; hedges and models are never idle."""
        quoting = engine.spec.quoting
        is_aggressive = engine.spec.construction.aggressive  # then a timer may change the state
        is_simple = quoting.smoothing_s == 0.0 and quoting.enabled and not is_aggressive
        is_known = quoting.spread_model in MODELS and quoting.glft_form == "exact"
        is_alone = len(engine.makers) == 1 and engine.hedging is None
        is_alone = is_alone and not engine.spec.models.enabled
        return is_simple and is_known and is_alone

    def advance(self, until_ns: int) -> int:
        """`quiet.play`, with rows loaded as they are wanted. Raises: TapeError if the tape is damaged."""
        if self._is_stale:
            self._load()
        feed = self._feed
        while (code := self._play(feed.rows, *self._records, until_ns)) != BROKEN:
            if code == REFILL:
                feed.refill()
            elif code in _FULL:
                self._fetch_log()
                self._trail.follow()
            elif code == UNTOLD:
                self.sync()
                self._idle.tell()
                return code
            elif code != DUE or not (self.timer_ns < until_ns and self._idle.may_step()):
                if not self._trail.is_settled:
                    self.sync()
                return code
        raise feed.broken()

    def sync(self) -> None:
        """Bring engine and recorder up to date with the loop; needed before the engine is asked or told anything."""
        self._is_stale = True
        words, at = self._words, self._at
        decisions = words[at["decisions"]]
        self._state.sync()
        if decisions != self._synced:
            self._synced = decisions
            self._fetch_log()
        if not self._trail.is_settled:
            self._trail.settle()
        if not self._idle.is_settled:
            self._idle.settle()
            self._stepped_ns = max(self._stepped_ns, self._maker.quoter.stepped_ns)

    def watch(self, recorder: Recorder) -> None:
        """From now on tell of every decision, and sample at those at which the recorder would."""
        self._recorder = self._trail.recorder = recorder
        self.record["logs"] = 1
        self._sample_on()

    def _fetch_log(self) -> None:
        words, at = self._words, self._at
        n = words[at["n_log"]]
        if self._recorder is not None and n > 0:
            words[at["n_log"]] = 0
            self._recorder.on_decisions(self.record["log"][0, :n], self._trail.follow_to)
            self._sample_on()

    def _sample_on(self) -> None:
        """The first decision from a time on is to be sampled, and a timer sees to it that there is one."""
        words, at, recorder = self._words, self._at, self._recorder
        if recorder is None:
            return
        words[at["sample_ns"]] = due_ns = recorder.sample_due_ns
        words[at["step_ns"]] = recorder.step_ns
        words[at["samples_left"]] = recorder.samples_left
        self.want_timer(max(due_ns, self._engine.now_ns + 1, self._origin_ns))

    @property
    def timer_ns(self) -> int:
        """When the next timer is due."""
        return self._words[self._at["timer_ns"]]

    @property
    def is_pending(self) -> bool:
        """Whether a decision is due in the loop."""
        return self._words[self._at["decide_ns"]] != NEVER

    @property
    def decisions(self) -> int:
        """How many decisions were taken in the loop."""
        return self._words[self._at["decisions"]]

    @property
    def commands(self) -> int:
        """How many were sent in the loop."""
        return self._trail.commands

    @property
    def idle_timers(self) -> int:
        """How many timers were taken in the loop."""
        return self._idle.timers

    def take_decision(self) -> int:
        """Leave the decision that is due to the engine; returns its time."""
        at = self._at["decide_ns"]
        due_ns, self._words[at] = self._words[at], NEVER
        return due_ns

    def take_pending(self, now_ns: int) -> int:
        """The engine must decide at the next opportunity: when that is."""
        due_ns = self.take_decision()
        return max(now_ns, self._words[self._at["busy_ns"]]) if due_ns == NEVER else due_ns

    def want_decision(self, now_ns: int) -> None:
        """Something has happened on which the next decision is due, in the loop if it is no more than that."""
        words, at = self._words, self._at
        if words[at["decide_ns"]] == NEVER:
            words[at["decide_ns"]] = max(now_ns, words[at["busy_ns"]])

    def on_decision(self, through_ns: int) -> None:
        """The engine decides now and is through at a time."""
        self.sync()
        self.take_decision()
        self._words[self._at["busy_ns"]] = through_ns

    def on_decided(self, now_ns: int) -> None:
        """The engine has decided: while anything that it wanted was refused, every timer brings another try."""
        self._sample_on()
        self._load()
        self._words[self._at_settled] = self._is_settled(now_ns)
        if not self._is_calm:
            self.want_timer(now_ns + 1)  # that of now came before the decision

    def want_timer(self, now_ns: int) -> None:
        """Something has happened that the next timer on the grid must see."""
        words, at = self._words, self._at
        words[at["timer_ns"]] = min(words[at["timer_ns"]], self._next_on_grid(now_ns))

    def on_timer(self, now_ns: int) -> None:
        """A timer was applied: decide on it, and leave out those that follow and could change nothing.

        The quoter estimates once a second, markouts fall due, a book grows stale; levels of risk end by themselves.
        """
        words, at, maker = self._words, self._at, self._maker
        words[at["last_timer_ns"]] = now_ns
        if maker.scale is not None and now_ns - self._stepped_ns >= STEP_NS:
            self._stepped_ns = now_ns
        self._load()
        due_ns = now_ns
        if self._is_calm:
            stale_ns = NEVER
            if not self._state.is_asleep:
                stale_ns = maker.view.changed_ns + maker.pace.age_ns_max + 1
            due_ns = min(
                self._stepped_ns + STEP_NS,
                self._markout_due[0],
                stale_ns,
                words[at["sample_ns"]],
                words[at["until_ns"]],
            )
        due_ns = max(due_ns, now_ns + self._period_ns)
        words[at["timer_ns"]] = on_grid_ns(due_ns, self._origin_ns, self._period_ns)
        if words[at["decide_ns"]] == NEVER:
            words[at["decide_ns"]] = max(now_ns, words[at["busy_ns"]])

    @property
    def _is_calm(self) -> bool:
        """Whether time alone does nothing: all orders stand where wanted, or the book is stale and all are gone."""
        is_resting = self._words[self._at_settled] == 1 and self._state.is_ordinary
        return is_resting or self._state.is_asleep

    def _next_on_grid(self, ts_ns: int) -> int:
        """The first time on the timers' grid at or after ts_ns that had no timer yet."""
        due_ns = on_grid_ns(ts_ns, self._origin_ns, self._period_ns)
        had_timer = due_ns <= self._words[self._at["last_timer_ns"]]
        return due_ns + self._period_ns if had_timer else due_ns

    def _load(self) -> None:
        """Tell the loop what the engine's last word was."""
        self._is_stale = False
        self._state.load()
        if self._state.is_quiet:
            self._trail.allow()
        else:
            self._trail.forbid()
        if self._state.is_ordinary or self._state.is_asleep:
            self._idle.allow()
        else:
            self._idle.forbid()

    def _engine_records(self) -> dict[str, Rec]:
        """All that the loop reads and writes of the engine, by the names that it calls them."""
        maker, view, quoter = self._maker, self._maker.view, self._maker.quoter
        is_glft = quoter.model.name == "glft"
        adverse, history, impact = self._idle.judging
        return {
            "quiet": self.record,
            "trips": self._trail.record,
            "entry": self._trail.entry,
            "response": self._trail.response,
            "idle": self._idle.record,
            "state": view.record,
            "features": view.features,
            "book": view.book,
            "flow": view.flow,
            "vol": view.vol,
            "touch": view.touch,
            "own": view.own,
            "calm": maker.calm,
            "quote": quoter.quote,
            "intensity": quoter.intensity,
            "glft": quoter.model.parameters if is_glft else new(glft.GLFT),
            "fixed": new(FIXED) if is_glft else quoter.model.parameters,
            "working": maker.working,
            "risk": maker.risk.record,
            "budgets": self._engine.gate.budgets,
            "markout": maker.ledger.markouts.record,
            "adverse": adverse,
            "history": history,
            "impact": impact,
            "pace": maker.pace.record,
        }
