"""The QUIET record between engine and loop: in goes the engine's last word, out comes what the loop made of it."""

import struct
from functools import partial
from typing import Any, Final

from mmd.backtest.feed import NEVER
from mmd.backtest.quiet_record import FIXED_MODEL, GLFT_MODEL, QUIET
from mmd.backtest.settings import BacktestSettings
from mmd.core.engine import Engine
from mmd.core.quoting.quote_state import QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import RiskReason
from mmd.core.scaling import Scale
from mmd.jit.kernel import Rec, new

MODELS: Final = {"glft": GLFT_MODEL, "fixed": FIXED_MODEL}
"""Spread models that the loop knows, by name."""
_BRACKET: Final = 0.01
"""How far the mid may move before the engine looks at its scale again."""
_ACTIVE, _NORMAL, _OK = QuoteState.ACTIVE, RiskLevel.NORMAL, RiskReason.OK
_STATE = struct.Struct("=6q")
"""The first fields of QUIET, which the engine may change at any time."""
_VIEW = struct.Struct("=18q")
"""Those from now_ns to mismatches, which the loop changes."""


class QuietState:
    """Keeps record and engine (of one instrument) in step.

    Attributes:
        record: QUIET record.
        words: its integers, at the places that `at` names.
        is_timed: orders may move because time passes, or a timer's own decision delays the next: none is left out.
    """

    def __init__(self, engine: Engine, settings: BacktestSettings) -> None:
        quoting = engine.spec.quoting
        self.record: Rec = new(QUIET)
        self.words: memoryview[int] = memoryview(self.record.view("i8"))
        self.at: dict[str, int] = {
            n: self.record.dtype.fields[n][1] // 8 for n in self.record.dtype.names or ()
        }
        self.is_timed = quoting.requote_interval_ns > 0 or settings.decision_cost_ns > 0
        self._engine = engine
        self._maker = engine.makers[0]
        self._memory = memoryview(self.record).cast("B")
        self._floats: Any = memoryview(self.record.view("f8"))
        self._view_words = partial(_VIEW.unpack_from, self._memory, 8 * self.at["now_ns"])
        self._scale: Scale | None = None
        """For what scale and mids the bounds of the loop were found."""
        self._mid_low, self._mid_high = 1.0, 0.0
        self._load_constants(settings)

    @property
    def is_active(self) -> bool:
        """Whether the last decision quoted as usual and nothing has raised the risk level since."""
        return self._maker.state is _ACTIVE and self._engine.levels.level is _NORMAL

    def load(self) -> None:
        """Tell the loop what the engine's last word was."""
        words, at, maker, engine = self.words, self.at, self._maker, self._engine
        view, ledger, risk, scale = maker.view, maker.ledger, engine.risk, maker.scale
        words[at["now_ns"]] = max(words[at["now_ns"]], engine.now_ns)
        words[at["is_dirty"]] = view.is_dirty
        is_quiet = (
            scale is not None
            and self.is_active
            and maker.is_private_up
            and maker.orders.unknown_count == 0
            and risk.hindrance is _OK
            and engine.now_ns < risk.blackouts.next_ns
        )
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
            ledger.position_lots,
            1 if scale is None else max(scale.position_lots_max, 1),
            risk.lag_ns_max,
            maker.pace.age_ns_max,
        )
        mid = view.mid_half_ticks
        if scale is not None and (
            scale is not self._scale or not self._mid_low < mid < self._mid_high
        ):
            self._bound(scale, mid)

    def sync_view(self) -> None:
        """Bring the engine's view up to date with the loop's."""
        view, engine, pnl = self._maker.view, self._engine, self._maker.ledger.pnl
        (
            now_ns,
            view.changed_ns,
            lag_ns,
            has_lag,
            view.bid_ticks,
            view.ask_ticks,
            view.mid_half_ticks,
            marked,
            view.last_trade_ticks,
            wants_resync,
            is_crossed,
            is_dirty,
            view.messages,
            view.gaps,
            view.crossed,
            view.resyncs,
            view.checks,
            view.mismatches,
        ) = self._view_words()
        engine.now_ns = max(engine.now_ns, now_ns)
        view.lag_ns = lag_ns if has_lag == 1 else None
        view.wants_resync, view.is_crossed = wants_resync == 1, is_crossed == 1
        view.is_dirty = is_dirty == 1
        if pnl is not None and marked > 0:
            pnl.on_mid(marked)
        self.words[self.at["marked"]] = 0

    def sync_refusals(self) -> None:
        """Count what the gate refused in the loop: each order had its number, and a reason."""
        words, at = self.words, self.at
        if words[at["refused"]] > 0:
            reasons = self.record["reasons"][0]
            self._maker.desk.on_refused(reasons.tolist(), words[at["skipped"]])
            reasons[:] = 0
            words[at["refused"]] = words[at["skipped"]] = 0

    def _bound(self, scale: Scale, mid: int) -> None:
        """Find the mids between which a scale surely holds, and what of it the loop compares with."""
        low, high = mid * (1.0 - _BRACKET), mid * (1.0 + _BRACKET)
        holds = scale.holds_at(low / 2) and scale.holds_at(high / 2)
        low, high = (low, high) if holds else (mid, mid)
        self._scale, self._mid_low, self._mid_high = scale, low, high
        spec, floats, at = self._engine.spec, self._floats, self.at
        floats[at["mid_low"]], floats[at["mid_high"]] = low, high
        sigma_bps, wide_bps = spec.quoting.volatility_bps_max, spec.construction.volatility_bps_wide
        sigma_bps = min(sigma_bps, wide_bps) if wide_bps > 0.0 else sigma_bps
        floats[at["sigma_max"]] = sigma_bps * scale.ticks_per_bps
        floats[at["spread_min"]] = spec.construction.market_spread_bps_min * scale.ticks_per_bps

    def _load_constants(self, settings: BacktestSettings) -> None:
        q, spec = self.record, self._engine.spec
        q["model"] = MODELS[spec.quoting.spread_model]
        q["flow_coefficient"] = spec.quoting.flow_coefficient
        q["decision_cost_ns"] = settings.decision_cost_ns
        q["is_timed"] = self.is_timed
        q["timer_period_ns"] = settings.timer_ns
        q["timer_origin_ns"] = spec.started_monotonic_ns
        q["decide_ns"] = q["sample_ns"] = NEVER
        q["timer_ns"] = spec.started_monotonic_ns + settings.timer_ns
