"""Tells the compiled loop which timers it may take, and the engine what came of them.

What only informs (VaR, shortfall, notices of the inventory's age and size) is measured at the engine's own timers,
which come with fills and no longer every second; where any of it moves quotes, no timer is taken here.
"""

from typing import Final

import msgspec

from mmd.backtest.idle_timer import IDLE, NOT_ASKED
from mmd.core.engine import Engine
from mmd.core.flow.adverse_kernels import ADVERSE
from mmd.core.flow.impact import IMPACT
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.flow.mid_history import HISTORY
from mmd.core.flow.response import STEPS
from mmd.core.inventory.pnl import Pnl
from mmd.core.quoter import SOLVE_NS, STEP_NS
from mmd.core.quoting.multipliers import Cause
from mmd.core.risk.levels import RiskLevel
from mmd.core.shaping import SHAPE_NS
from mmd.core.spec import SessionSpec
from mmd.jit.kernel import Rec, new

_WIDE: Final = 2**61
_WIDE_RATE: Final = 10**9
"""More messages a second than anybody sends, and small enough to be multiplied by times."""
_MARGIN: Final = 0.45
"""Share of what is left of a loss limit that the mid may take, each way."""
_NORMAL: Final = RiskLevel.NORMAL
_KNOWN: Final = frozenset(
    {
        "reporting_currency",
        "capital_base",
        "clock_offset_ns_max",
        "feed_latency_ns_max",
        "order_to_trade_max",
        "order_to_trade_grace",
        "blackouts",
        "on_loss",
        "day_starts_s",
        "adverse_streak_max",
        "adverse_horizon_ns",
        "position_drift_max",
        "caution_hold_ns",
        "private_down_ns",
        "flatten_slippage_bps",
        "orders_reserve_ratio",
        "backoff_ns_max",
        "stale_book_pauses",
        "stale_book_ns_max",
        "budgets_by_venue",  # the same where there is one
        "venue_budgets",
        "feed_messages_per_s_max",
        "close_utc_s",
        "construction",
        "adverse",
        "arbitrage",  # of one instrument there is none
        "models",  # where they are on nothing is taken in the loop
        "aggressive_spread_multiplier",
        "day",
        "fair_value",
        "microprice_halflife_s",
        "volatility_estimator",
        "fee_from_fills",
        "funding_drift",  # changes with events alone
        "lead",
        "lead_stale_ns",
        "lead_basis_halflife_s",
        "lead_shift_bps_max",
        "glft_form",
        "ho_stoll_form",
        "ho_stoll_processing_bps",
        "dynamic_width",
        "dynamic_life_s",
        "dynamic_inventory_widening",
        "dynamic_activity_exponent",
        "inventory",
        "bar_ns",
        "tail_samples",
        "position_age_ns_max",
        "warning_ratio",
    }
)
"""Fields with a default that this file allows for; any other must stand at its default."""


def knows(spec: SessionSpec) -> bool:
    """Whether everything that a session may do at a timer is known here; what is new is not, until it is added."""
    parts: tuple[msgspec.Struct, ...] = (spec, spec.quoting, spec.risk, spec.inventory)
    return all(_is_plain(part) for part in parts)


def _is_plain(part: msgspec.Struct) -> bool:
    for field in msgspec.structs.fields(type(part)):
        has_default = field.default is not msgspec.NODEFAULT
        if field.name not in _KNOWN and has_default and getattr(part, field.name) != field.default:
            return False
    return True


class IdleTimers:
    """The engine's side of `idle_timer`, for an engine with one instrument.

    Attributes:
        record: IDLE record.
    """

    def __init__(self, engine: Engine) -> None:
        self.record: Rec = new(IDLE)
        self._engine = engine
        self._maker = engine.makers[0]
        spec = engine.spec
        self._can_run = knows(spec) and not engine.risk.is_shared
        self._words: memoryview[int] = memoryview(self.record.view("i8"))
        self._at: dict[str, int] = {
            n: self.record.dtype.fields[n][1] // 8 for n in self.record.dtype.names or ()
        }
        self._at_on, self._at_can_step = self._at["is_on"], self._at["can_step"]
        self._at_timers = self._at["timers"]
        self.record["step_ns"] = STEP_NS
        self.record["sd_target"] = spec.quoting.inventory_sd_target
        self.record["solve_ns"] = SOLVE_NS
        self.record["messages_per_s_max"] = spec.risk.feed_messages_per_s_max or _WIDE_RATE
        if spec.quoting.fair_value == "microprice":
            self.record["halflife_s"] = spec.quoting.microprice_halflife_s
        shape = spec.construction
        self.record["shape_ns"] = SHAPE_NS
        self.record["slow_halflife_s"] = shape.volatility_slow_halflife_s
        self.record["age_skew_per_hour"] = shape.age_skew_per_hour
        self.record["age_skew_max"] = shape.age_skew_multiplier_max
        self._leans_on_age = shape.age_skew_per_hour > 0.0
        self._selection = self._maker.adverse.selection
        self.record["judges"] = self._selection is not None
        self._horizon = HORIZONS_NS.index(spec.risk.adverse_horizon_ns)
        self.record["streak_at"] = self._horizon
        self._streak = memoryview(self._maker.ledger.markouts.record["streak"][0])
        self._streak_max = spec.risk.adverse_streak_max or _WIDE
        self._fills = -1
        self._told = 0

    @property
    def judging(self) -> tuple[Rec, Rec, Rec]:
        """Records of the judgement of fills; empty ones where they are not judged."""
        selection = self._selection
        if selection is None:
            return new(ADVERSE), new(HISTORY), new(IMPACT)
        return selection.record, selection.history, selection.impact.record

    @property
    def timers(self) -> int:
        """How many were taken in the loop."""
        return self._words[self._at_timers]

    @property
    def is_settled(self) -> bool:
        """Whether the engine knows of them all."""
        return self._words[self._at_timers] == self._told

    def forbid(self) -> None:
        """Leave every timer to the engine."""
        self._words[self._at_on] = 0

    def allow(self) -> None:
        """Tell the loop what the engine's last word was, if time alone does nothing."""
        words, at, maker = self._words, self._at, self._maker
        ledger, pnl, quoter = maker.ledger, maker.ledger.pnl, maker.quoter
        words[self._at_on] = 0
        if not self._can_run or pnl is None or ledger.stated_drift_atoms != 0:
            return
        if quoter.stepped_ns == 0 or not self._bound(pnl):
            return
        mid = pnl.mid_half_ticks
        words[self._at_on] = 1
        words[self._at_can_step] = NOT_ASKED
        words[at["mid"]] = words[at["seen_low"]] = words[at["seen_high"]] = mid
        words[at["orders"]] = sum(maker.orders.open_orders)
        words[at["streak"]] = self._streak[self._horizon]
        words[at["streak_max"]] = self._streak_max if self._engine.levels.level is _NORMAL else 0
        words[at["is_untold"]] = 0
        words[at["stepped_ns"]] = quoter.stepped_ns
        words[at["steps"]] = 0

    def may_step(self) -> bool:
        """Look whether timers with the step of a second may be taken too, unless it was looked for before."""
        words = self._words
        if words[self._at_on] == 0 or words[self._at_can_step] != NOT_ASKED:
            return False
        words[self._at_can_step] = self._allow_step()
        return words[self._at_can_step] == 1

    def _allow_step(self) -> bool:
        """State what the step of a second begins with; False if it would tell quotes something new."""
        words, at, maker = self._words, self._at, self._maker
        quoter, selection = maker.quoter, self._selection
        if self._leans_on_age and quoter.multipliers.skews_but(Cause.POSITION_AGE):
            return False
        storm = maker.message_storm
        if storm.stepped_ns != quoter.stepped_ns:
            return False
        words[at["messages"]] = storm.messages
        if selection is not None:
            per_bps = 0.0 if maker.scale is None else maker.scale.ticks_per_bps
            is_together = selection.stepped_ns == quoter.stepped_ns
            if not is_together or not selection.has_answered(per_bps):
                return False
            words[at["told"]] = round(selection.level * STEPS)
        words[at["held_since_ns"]] = maker.ledger.opened_ns or 0
        words[at["next_shape_ns"]] = maker.shaping.next_ns
        words[at["averaged_ns"]] = maker.shaping.averaged_ns
        words[at["solved_ns"]] = quoter.solved_ns
        return True

    def tell(self) -> None:
        """Have the engine, which is up to date, tell quotes what came of the fills that the loop judged."""
        if self._selection is not None:
            self._selection.answer()

    def settle(self) -> None:
        """Bring the engine up to date with the timers that the loop took."""
        words, at, maker = self._words, self._at, self._maker
        if self.is_settled:
            return
        self._told = self.timers
        if words[at["steps"]] > 0:
            self._settle_steps()
            words[at["steps"]] = 0
        pnl, losses = maker.ledger.pnl, self._engine.risk.losses
        assert pnl is not None, "timers are taken once the account is known"
        for mid in (words[at["seen_low"]], words[at["seen_high"]]):
            rose = losses.on_equity(_equity_atoms(pnl, mid), self._engine.now_ns)
            assert not rose, "the loop leaves mids at which a limit might be reached to the engine"

    def _settle_steps(self) -> None:
        words, at, maker = self._words, self._at, self._maker
        quoter, shaping = maker.quoter, maker.shaping
        quoter.stepped_ns = words[at["stepped_ns"]]
        quoter.solved_ns = words[at["solved_ns"]]
        maker.message_storm.follow(words[at["messages"]], quoter.stepped_ns)
        if words[at["is_paced"]] == 1:
            words[at["is_paced"]] = 0
            maker.follow_pace()
        if self._selection is not None:
            self._selection.stepped_ns = quoter.stepped_ns
        shaping.next_ns, shaping.averaged_ns = words[at["next_shape_ns"]], words[at["averaged_ns"]]
        shaping.sigma_slow = float(quoter.quote["sigma_slow"][0])
        if self._leans_on_age:
            skew = float(quoter.quote["skew_multiplier"][0])
            quoter.multipliers.set(Cause.POSITION_AGE, skew=skew)

    def _bound(self, pnl: Pnl) -> bool:
        """Find between which mids timers may be taken; False if a limit is near."""
        words, at, risk = self._words, self._at, self._engine.risk
        mid = pnl.mid_half_ticks
        is_within = words[at["mid_low"]] <= mid <= words[at["mid_high"]]
        if self._fills == self._maker.ledger.fill_count and is_within:
            return True
        equity_atoms = pnl.total_quote_atoms
        left = risk.losses.left_atoms(equity_atoms)
        if left is None or risk.commitments.rate_of(0) != 1.0:
            return False
        per_half_tick = abs(_equity_atoms(pnl, mid + 1) - equity_atoms) + 1
        reach = min(int(_MARGIN * left / per_half_tick), _WIDE)
        if reach < 1:
            return False
        self._fills = self._maker.ledger.fill_count
        words[at["mid_low"]], words[at["mid_high"]] = mid - reach, mid + reach
        return True


def _equity_atoms(pnl: Pnl, mid_half_ticks: int) -> int:
    """`Pnl.total_quote_atoms`, were the mark another."""
    return pnl.position.money.quote_atoms(pnl.total_units_at(mid_half_ticks))
