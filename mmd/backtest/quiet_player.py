"""Keeps the compiled loop of `quiet` and the engine's Python objects in step."""

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from mmd.backtest.feed import DUE, NEVER, REFILL
from mmd.backtest.idle_timers import IdleTimers
from mmd.backtest.quiet import LOGGED, play
from mmd.backtest.quiet_decision import is_settled
from mmd.backtest.quiet_record import FIXED_MODEL, GLFT_MODEL, QUIET
from mmd.backtest.quiet_view import on_grid_ns
from mmd.backtest.settings import BacktestSettings
from mmd.backtest.tape_feed import TapeFeed
from mmd.core.engine import Engine
from mmd.core.quoter import STEP_NS
from mmd.core.quoting import glft
from mmd.core.quoting.fixed_spread import FIXED
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import RiskReason
from mmd.core.scaling import Scale
from mmd.jit.kernel import Rec, bind, new
from mmd.tape.frames import BROKEN

_MODELS = {"glft": GLFT_MODEL, "fixed": FIXED_MODEL}
_BRACKET = 0.01
"""How far the mid may move before the engine looks at its scale again."""
_ACTIVE, _NORMAL, _OK = QuoteState.ACTIVE, RiskLevel.NORMAL, RiskReason.OK
_STALE = QuoteReason.BOOK_STALE
_STATE = struct.Struct("=7q")
"""The first fields of QUIET, which the engine may change at any time."""


class QuietPlayer:
    """Plays a feed into an engine with one instrument.

    Attributes:
        record: QUIET record; decide_ns, timer_ns and now_ns of it are the runner's to read and write.
    """

    def __init__(self, engine: Engine, feed: TapeFeed, settings: BacktestSettings) -> None:
        self.record: Rec = new(QUIET)
        self._engine = engine
        self._maker = engine.makers[0]
        self._feed = feed
        self._spec = engine.spec
        self._is_timed = (
            engine.spec.quoting.requote_interval_ns > 0 or settings.decision_cost_ns > 0
        )
        """Orders may move because time passes, or a timer's own decision delays the next: no timer is left out."""
        self._load_constants(settings)
        maker, view = self._maker, self._maker.view
        self._idle = IdleTimers(engine)
        self._records = (
            *feed.records,
            self.record,
            view.features,
            view.book,
            view.flow,
            view.vol,
            view.touch,
            view.own,
            maker.quoter.quote,
            maker.quoter.intensity,
            *self._model_records(),
            maker.working,
            maker.risk.record,
            engine.gate.budgets,
            maker.ledger.markouts.record,
            *self._idle.judging,
            self._idle.record,
        )
        self._play = bind(play, feed.rows, *self._records, 0)
        wishes = (self.record, view.features, view.vol, *self._records[-12:-7])
        self._is_settled = partial(bind(is_settled, *wishes, 0), *wishes)
        self._scale: Scale | None = None
        """For what scale and mids the bounds of the loop were found."""
        self._mid_low, self._mid_high = 1.0, 0.0
        names = self.record.dtype.names or ()
        self._words: memoryview[int] = memoryview(self.record.view("i8"))
        self._memory = memoryview(self.record).cast("B")
        self.on_mid: Callable[[int, int], None] | None = None
        """Told of the mid and the time of each decision taken in the loop at which the mid was news."""
        self._floats: Any = memoryview(self.record.view("f8"))
        self._at: dict[str, int] = {n: self.record.dtype.fields[n][1] // 8 for n in names}
        self._at_settled = self._at["is_settled"]
        self._is_stale = True
        self._origin_ns, self._period_ns = engine.spec.started_monotonic_ns, settings.timer_ns
        self._markout_due = memoryview(maker.ledger.markouts.record["due_ns"])
        self._stepped_ns = 0

    @staticmethod
    def supports(engine: Engine) -> bool:
        """Whether an engine's decisions can be taken in the compiled loop; hedges and models are never idle."""
        quoting = engine.spec.quoting
        is_aggressive = engine.spec.construction.aggressive  # then a timer may change the state
        is_simple = quoting.smoothing_s == 0.0 and quoting.enabled and not is_aggressive
        is_known = quoting.spread_model in _MODELS and quoting.glft_form == "exact"
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
            elif code == LOGGED:
                self._fetch_mids()
            elif code != DUE or not (self.timer_ns < until_ns and self._idle.may_step()):
                return code
        raise feed.broken()

    def sync(self) -> None:
        """Bring engine and view up to date with the loop; needed before the engine is asked or told anything."""
        self._is_stale = True
        words, at, view = self._words, self._at, self._maker.view
        if words[at["refused"]] > 0:
            self._settle_refusals()
        if words[at["messages"]] == view.messages and self._idle.is_settled:
            return
        self._engine.now_ns = max(self._engine.now_ns, words[at["now_ns"]])
        self._fetch_mids()
        self._idle.settle()
        self._stepped_ns = max(self._stepped_ns, self._maker.quoter.stepped_ns)
        view.changed_ns = words[at["changed_ns"]]
        view.bid_ticks, view.ask_ticks = words[at["bid"]], words[at["ask"]]
        view.mid_half_ticks = words[at["mid_half_ticks"]]
        view.last_trade_ticks = words[at["last_trade"]]
        view.is_crossed = words[at["is_crossed"]] == 1
        view.is_dirty = words[at["is_dirty"]] == 1
        view.wants_resync = words[at["wants_resync"]] == 1
        view.lag_ns = words[at["lag_ns"]] if words[at["has_lag"]] == 1 else None
        view.messages = words[at["messages"]]
        view.gaps, view.crossed = words[at["gaps"]], words[at["crossed"]]
        view.resyncs = words[at["resyncs"]]
        view.checks, view.mismatches = words[at["checks"]], words[at["mismatches"]]
        pnl, marked = self._maker.ledger.pnl, words[at["marked"]]
        if pnl is not None and marked > 0:
            pnl.on_mid(marked)
        words[at["marked"]] = 0

    def _settle_refusals(self) -> None:
        """Count what the gate refused in the loop: each order had its number, and a reason."""
        words, at = self._words, self._at
        reasons = self.record["reasons"][0]
        self._maker.desk.on_refused(reasons.tolist(), words[at["skipped"]])
        reasons[:] = 0
        words[at["refused"]] = words[at["skipped"]] = 0

    def watch(self, on_mid: Callable[[int, int], None]) -> None:
        """From now on tell of every mid that a decision saw, and leave decisions to be sampled to the engine."""
        self.on_mid = on_mid
        self.record["logs"] = 1

    def sample_from(self, sample_ns: int) -> None:
        """The first decision from a time on is the engine's, and a timer sees to it that there is one."""
        words, at = self._words, self._at
        words[at["sample_ns"]] = sample_ns
        due_ns = self._next_on_grid(max(sample_ns, self._engine.now_ns))
        words[at["timer_ns"]] = min(words[at["timer_ns"]], due_ns)

    def _fetch_mids(self) -> None:
        n = self._words[self._at["n_log"]]
        if n > 0 and self.on_mid is not None:
            self._words[self._at["n_log"]] = 0
            for ts_ns, mid_half_ticks in self.record["log"][0, :n].tolist():
                self.on_mid(mid_half_ticks, ts_ns)

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
        self._load()
        self._words[self._at["is_settled"]] = self._is_settled(now_ns)
        if not self._is_calm:
            self.want_timer(now_ns)

    def want_timer(self, now_ns: int) -> None:
        """Something has happened that the next timer on the grid must see."""
        words, at = self._words, self._at
        words[at["timer_ns"]] = min(words[at["timer_ns"]], self._next_on_grid(now_ns))

    def on_timer(self, now_ns: int) -> None:
        """A timer was applied: decide on it, and leave out those that follow and could change nothing.

        The quoter estimates once a second, markouts fall due, a book grows stale; levels of risk end by themselves.
        """
        words, at, maker = self._words, self._at, self._maker
        period_ns = self._period_ns
        words[at["last_timer_ns"]] = next_ns = now_ns
        if maker.scale is not None and now_ns - self._stepped_ns >= STEP_NS:
            self._stepped_ns = now_ns
        if self._is_calm:
            stale_ns = NEVER
            if maker.state is _ACTIVE:
                stale_ns = maker.view.changed_ns + words[at["stale_ns"]] + 1
            sample_ns = words[at["sample_ns"]]
            due_ns = min(self._stepped_ns + STEP_NS, self._markout_due[0], stale_ns, sample_ns)
            next_ns = max(due_ns, now_ns + period_ns) - period_ns
        words[at["timer_ns"]] = self._on_grid(next_ns + period_ns)
        if words[at["decide_ns"]] == NEVER:
            words[at["decide_ns"]] = max(now_ns, words[at["busy_ns"]])

    @property
    def _is_calm(self) -> bool:
        """Whether time alone does nothing: all orders stand where wanted, or the book is stale and all are gone."""
        if self._words[self._at_settled] == 1 and self._maker.state is _ACTIVE:
            return self._engine.levels.level is _NORMAL
        return self._is_asleep

    @property
    def _is_asleep(self) -> bool:
        """Whether nothing is quoted, and nothing can be until the book moves."""
        maker = self._maker
        if maker.reason is not _STALE or self._is_timed or sum(maker.orders.open_orders) > 0:
            return False
        return self._engine.levels.level is _NORMAL

    def _next_on_grid(self, ts_ns: int) -> int:
        """The first time on the timers' grid at or after ts_ns that had no timer yet."""
        due_ns = self._on_grid(ts_ns)
        had_timer = due_ns <= self._words[self._at["last_timer_ns"]]
        return due_ns + self._period_ns if had_timer else due_ns

    def _on_grid(self, ts_ns: int) -> int:
        """The first time on the timers' grid at or after ts_ns."""
        return on_grid_ns(ts_ns, self._origin_ns, self._period_ns)

    def _load(self) -> None:
        """Tell the loop what the engine's last word was."""
        self._is_stale = False
        words, at, maker, engine = self._words, self._at, self._maker, self._engine
        view, ledger, risk, scale = maker.view, maker.ledger, engine.risk, maker.scale
        words[at["now_ns"]] = max(words[at["now_ns"]], engine.now_ns)
        words[at["is_dirty"]] = view.is_dirty
        is_normal = engine.levels.level is _NORMAL
        is_active = maker.state is _ACTIVE and is_normal
        if is_active or self._is_asleep:
            self._idle.allow(is_asleep=not is_active)
        else:
            self._idle.forbid()
        is_quiet = (
            is_active
            and scale is not None
            and maker.is_private_up
            and maker.orders.unknown_count == 0
            and risk.hindrance is _OK
            and engine.now_ns < risk.blackouts.next_ns
        )
        if scale is None or not is_quiet:
            words[at["is_quiet"]] = 0
            return
        known = maker.risk
        can_refuse = (
            known.position_atoms == ledger.position_atoms
            and known.base_atoms == ledger.base_atoms
            and known.quote_atoms == ledger.quote_atoms
        )
        _STATE.pack_into(
            self._memory,
            0,
            is_quiet,
            can_refuse,
            engine.gate.ratio.left,
            ledger.position_lots,
            max(scale.position_lots_max, 1),
            risk.lag_ns_max,
            maker.pace.age_ns_max,
        )
        if scale is not self._scale or not self._mid_low < view.mid_half_ticks < self._mid_high:
            self._bound(scale, view.mid_half_ticks)

    def _bound(self, scale: Scale, mid: int) -> None:
        """Find the mids between which a scale surely holds, and what of it the loop compares with."""
        low, high = mid * (1.0 - _BRACKET), mid * (1.0 + _BRACKET)
        holds = scale.holds_at(low / 2) and scale.holds_at(high / 2)
        low, high = (low, high) if holds else (mid, mid)
        self._scale, self._mid_low, self._mid_high = scale, low, high
        floats, at, per_bps = self._floats, self._at, scale.ticks_per_bps
        floats[at["mid_low"]], floats[at["mid_high"]] = low, high
        sigma_bps, wide_bps = (
            self._spec.quoting.volatility_bps_max,
            self._spec.construction.volatility_bps_wide,
        )
        sigma_bps = min(sigma_bps, wide_bps) if wide_bps > 0.0 else sigma_bps
        floats[at["sigma_max"]] = sigma_bps * per_bps
        floats[at["spread_min"]] = self._spec.construction.market_spread_bps_min * per_bps

    def _load_constants(self, settings: BacktestSettings) -> None:
        q, spec = self.record, self._spec
        q["model"] = _MODELS[spec.quoting.spread_model]
        q["flow_coefficient"] = spec.quoting.flow_coefficient
        q["decision_cost_ns"] = settings.decision_cost_ns
        q["is_timed"] = self._is_timed
        q["timer_period_ns"] = settings.timer_ns
        q["timer_origin_ns"] = spec.started_monotonic_ns
        q["decide_ns"] = q["sample_ns"] = NEVER
        q["timer_ns"] = spec.started_monotonic_ns + settings.timer_ns

    def _model_records(self) -> tuple[Rec, Rec]:
        """Records of the GLFT model and of the fixed one; of these the maker's own is the one that is read."""
        model = self._maker.quoter.model
        if model.name == "glft":
            return model.parameters, new(FIXED)
        return new(glft.GLFT), model.parameters
