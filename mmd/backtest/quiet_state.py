"""The QUIET record between engine and loop: in goes the engine's last word, out comes what the loop made of it."""

import struct
from typing import Final

from mmd.backtest.feed import NEVER
from mmd.backtest.quiet_record import FIXED_MODEL, GLFT_MODEL, QUIET
from mmd.backtest.settings import BacktestSettings
from mmd.core.engine import Engine
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.trading_day import begin_of, day_of
from mmd.jit.kernel import Rec, new

MODELS: Final = {"glft": GLFT_MODEL, "fixed": FIXED_MODEL}
"""Spread models that the loop knows, by name."""
_ACTIVE, _NORMAL, _OK = QuoteState.ACTIVE, RiskLevel.NORMAL, RiskReason.OK
_STALE, _STREAK = QuoteReason.BOOK_STALE, LevelReason.ADVERSE_STREAK
_CAREFUL: Final = {
    (QuoteState.PASSIVE, RiskLevel.CAUTIOUS),
    (QuoteState.INVENTORY_LIMIT, RiskLevel.REDUCE_ONLY),
}
"""How we quote at a level that a streak of adverse fills has raised."""
_STATE = struct.Struct("=7q")
"""The first fields of QUIET, which the engine may change at any time."""


class QuietState:
    """Keeps record and engine (of one instrument) in step.

    Attributes:
        record: QUIET record.
        words: its integers, at the places that `at` names.
        is_timed: orders may move because time passes, or a timer's own decision delays the next: none is left out.
        is_quiet: whether decisions may be taken in the loop.
        is_ordinary: whether the last decision quoted as its risk level has it, and none but time will change that.
        is_asleep: whether nothing is quoted, and nothing can be until the book moves.
    """

    def __init__(self, engine: Engine, settings: BacktestSettings) -> None:
        quoting = engine.spec.quoting
        self.record: Rec = new(QUIET)
        self.words: memoryview[int] = memoryview(self.record.view("i8"))
        self.at: dict[str, int] = {
            n: self.record.dtype.fields[n][1] // 8 for n in self.record.dtype.names or ()
        }
        self.is_timed = quoting.requote_interval_ns > 0 or settings.decision_cost_ns > 0
        self.is_quiet = self.is_ordinary = self.is_asleep = False
        self._engine = engine
        self._maker = engine.makers[0]
        self._memory = memoryview(self.record).cast("B")
        self._at_now, self._at_marked = self.at["now_ns"], self.at["marked"]
        self._at_refused, self._at_last_number = self.at["refused"], self.at["last_number"]
        self._day_end_ns = 0
        self._load_constants(settings)

    def load(self) -> None:
        """Tell the loop what the engine's last word was."""
        words, maker, engine = self.words, self._maker, self._engine
        ledger, risk, known = maker.ledger, engine.risk, maker.risk
        words[self._at_now] = max(words[self._at_now], engine.now_ns)
        words[self._at_last_number] = maker.desk.last_number
        self.is_ordinary, level = self._is_ordinary(), engine.levels.level
        self.is_asleep = (
            maker.reason is _STALE
            and level is _NORMAL
            and not self.is_timed
            and sum(maker.orders.open_orders) == 0
        )
        self.is_quiet = (
            self.is_ordinary
            and maker.scale is not None
            and maker.is_private_up
            and maker.orders.unknown_count == 0
            and risk.hindrance is _OK
        )
        can_refuse = (
            known.position_atoms == ledger.position_atoms
            and known.base_atoms == ledger.base_atoms
            and known.quote_atoms == ledger.quote_atoms
        )
        _STATE.pack_into(
            self._memory,
            0,
            self.is_quiet,
            self.is_asleep,
            can_refuse,
            level,
            ledger.quoted_lots,
            risk.lag_ns_max,
            self._until_ns(),
        )

    def sync(self) -> None:
        """Tell the engine of time, of the last mid, and of what its gate would have refused."""
        words, pnl = self.words, self._maker.ledger.pnl
        self._engine.now_ns = max(self._engine.now_ns, words[self._at_now])
        self._maker.desk.on_numbered(words[self._at_last_number])
        marked = words[self._at_marked]
        if marked > 0:
            words[self._at_marked] = 0
            if pnl is not None:
                pnl.on_mid(marked)
        if words[self._at_refused] > 0:
            self._sync_refusals()

    def _sync_refusals(self) -> None:
        """Each order had a reason."""
        words, at = self.words, self.at
        reasons = self.record["reasons"][0]
        self._maker.desk.on_refused(reasons.tolist(), words[at["skipped"]])
        reasons[:] = 0
        words[at["refused"]] = words[at["skipped"]] = 0

    def _is_ordinary(self) -> bool:
        maker, levels = self._maker, self._engine.levels
        if levels.level is _NORMAL:
            return maker.state is _ACTIVE
        return (maker.state, levels.level) in _CAREFUL and levels.is_only(_STREAK)

    def _until_ns(self) -> int:
        """When a blackout begins or ends, a day begins, or a streak is over."""
        risk, now_ns = self._engine.risk, self._engine.now_ns
        if now_ns >= self._day_end_ns:
            starts_s, less_ns = self._engine.spec.risk.day_starts_s, risk.unix_less_engine_ns
            self._day_end_ns = begin_of(day_of(now_ns + less_ns, starts_s) + 1, starts_s) - less_ns
        until_ns = min(self._day_end_ns, risk.blackouts.next_ns, NEVER)
        if self._engine.levels.level is not _NORMAL:
            until_ns = min(until_ns, self._maker.adverse.streak_ends_ns)
        return until_ns

    def _load_constants(self, settings: BacktestSettings) -> None:
        q, spec = self.record, self._engine.spec
        q["model"] = MODELS[spec.quoting.spread_model]
        q["decision_cost_ns"] = settings.decision_cost_ns
        q["is_timed"] = self.is_timed
        q["timer_period_ns"] = settings.timer_ns
        q["timer_origin_ns"] = q["last_timer_ns"] = spec.started_monotonic_ns
        q["decide_ns"] = q["sample_ns"] = NEVER
        q["timer_ns"] = spec.started_monotonic_ns + settings.timer_ns
