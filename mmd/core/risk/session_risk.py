"""Risk control of a session as a whole: what no single instrument decides."""

from collections.abc import Sequence

from mmd.core.blackouts import BlackoutCalendar
from mmd.core.events import ClockOffset
from mmd.core.quoting.quote_state import QuoteReason
from mmd.core.risk.backoff import Backoff
from mmd.core.risk.caution import Caution
from mmd.core.risk.commitments import Commitments
from mmd.core.risk.gate import RiskGate
from mmd.core.risk.levels import RiskLevels
from mmd.core.risk.limits import RiskLimits
from mmd.core.risk.order_to_trade import OrderToTrade
from mmd.core.risk.rate_limits import throttle_of
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.risk.stops import LossStop
from mmd.core.spec import RiskSpec, SessionSpec
from mmd.core.trading_day import DayState, day_of
from mmd.core.units import ATOMS_PER_UNIT

QUOTE_REASON = {
    RiskReason.OK: QuoteReason.NONE,
    RiskReason.BLACKOUT: QuoteReason.BLACKOUT,
    RiskReason.CLOCK_OFFSET: QuoteReason.CLOCK_OFFSET,
    RiskReason.FEED_LATENCY: QuoteReason.FEED_LATENCY,
}
"""What a hindrance is called where quotes are withdrawn for it."""
_UNLIMITED_NS = 2**62
_OK = RiskReason.OK


def venue_less_engine_ns(measured: ClockOffset, unix_less_engine_ns: int) -> int:
    """Venue clock less engine time; where the event does not tell it, our wall clock is taken never to have stepped."""
    told = measured.venue_less_engine_ns
    return unix_less_engine_ns + measured.offset_ns if told is None else told


class SessionRisk:
    """What the instruments of a session share.

    Attributes:
        levels, throttle, backoff, gate, ratio, commitments, blackouts, losses: the parts.
        hindrance: why nothing may be added anywhere now, or OK.
        lag_ns_max: a feed whose receive time less the venue's event time exceeds this is too late; the
            difference of the two clocks is in it, so that nothing is judged before that was measured.
        clock_offset_ns: venue clock less ours, as last measured; None before.
        venue_less_engine_ns: venue clock less engine time, as last measured; before, our own unix time of the start.
        capital_atoms: the capital base in the reporting currency; 0 where none is stated.
        equity_atoms: PnL of the session in the reporting currency; None until every account is known.
    """

    def __init__(self, spec: SessionSpec, limits: RiskLimits) -> None:
        """Losses continue where the spec's day left them, if that day is still going on."""
        risk = spec.risk
        self.levels = RiskLevels()
        self.throttle = throttle_of(spec)
        self.ratio = OrderToTrade(risk.order_to_trade_max, risk.order_to_trade_grace)
        self.backoff = Backoff(risk.backoff_ns_max)
        self.gate = RiskGate(self.levels, self.throttle, ratio=self.ratio, backoff=self.backoff)
        observes = not spec.quoting.enabled
        self.commitments = Commitments(spec.instruments, risk, observes=observes)
        self.unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
        self.blackouts = BlackoutCalendar(risk.blackouts, self.unix_less_engine_ns)
        self.hindrance = _OK
        self.clock_offset_ns: int | None = None
        self.venue_less_engine_ns = self.unix_less_engine_ns
        self.equity_atoms: int | None = None
        self.is_shared = len(spec.instruments) > 1 or self.commitments.is_limited
        self.day = day_of(spec.started_unix_ns, risk.day_starts_s)
        self._go_by(risk)
        self.losses = self._loss_stop(spec, limits)
        hold_ns = risk.caution_hold_ns
        self._clock = Caution(self.levels, LevelReason.CLOCK_OFFSET, hold_ns)
        self._latency = Caution(self.levels, LevelReason.FEED_LATENCY, hold_ns)
        self.lag_ns_max = _UNLIMITED_NS

    def _go_by(self, risk: RiskSpec) -> None:
        self._risk = risk
        self.capital_atoms = int(risk.capital_base * ATOMS_PER_UNIT)

    def change(self, risk: RiskSpec) -> None:
        """Go by the changeable settings of another spec from now on."""
        self._go_by(risk)
        self.losses.limit(risk.loss_max, risk.drawdown_max)

    def on_clock_offset(self, event: ClockOffset) -> None:
        """The venue's clock was compared with ours."""
        self.clock_offset_ns = event.offset_ns
        self.venue_less_engine_ns = venue_less_engine_ns(event, self.unix_less_engine_ns)
        latency_max = self._risk.feed_latency_ns_max
        if latency_max > 0:
            self.lag_ns_max = latency_max - self.venue_less_engine_ns
        self._settle()

    def advance(self, now_ns: int) -> None:
        """Follow the calendar of blackouts; to be called once `blackouts.next_ns` has come."""
        self.blackouts.advance(now_ns)
        self._settle()

    def latency_ns(self, lag_ns: int) -> int:
        """How old an event was when it came, from a feed's lag between the two clocks."""
        return lag_ns + self.venue_less_engine_ns

    def on_time(self, now_ns: int, lags_ns: Sequence[int], equity_atoms: int | None) -> bool:
        """What only time brings; returns whether a new day has begun.

        Args:
            now_ns: engine time.
            lags_ns: of each feed that states event times, its last lag.
            equity_atoms: see the attribute.
        """
        risk = self._risk
        offset_max, latency_max = risk.clock_offset_ns_max, risk.feed_latency_ns_max
        offset_ns = 0 if self.clock_offset_ns is None else abs(self.clock_offset_ns)
        self._clock.on_time(now_ns, is_bad=0 < offset_max < 2 * offset_ns)
        is_timed = bool(lags_ns) and self.clock_offset_ns is not None
        latency_ns = self.latency_ns(max(lags_ns)) if is_timed else 0
        self._latency.on_time(now_ns, is_bad=0 < latency_max < 2 * latency_ns)
        self.equity_atoms = equity_atoms
        day = day_of(now_ns + self.unix_less_engine_ns, risk.day_starts_s)
        is_new_day = day != self.day
        if is_new_day:
            self.day = day
            self.ratio.on_new_day()
            if equity_atoms is not None:
                self.losses.on_new_day(equity_atoms)
        elif equity_atoms is not None:
            self.losses.on_equity(equity_atoms, now_ns)
        return is_new_day

    @property
    def day_state(self) -> DayState | None:
        """What the day has come to; None before any account is known."""
        start, peak = self.losses.day_start_atoms, self.losses.peak_atoms
        if self.equity_atoms is None or start is None or peak is None:
            return None
        return DayState(
            day=self.day,
            currency=self.commitments.reporting,
            pnl_atoms=self.equity_atoms - start,
            peak_atoms=peak - start,
        )

    def _loss_stop(self, spec: SessionSpec, limits: RiskLimits) -> LossStop:
        flattens, day = spec.risk.on_loss == "flatten", spec.day
        if day is None or (day.day, day.currency) != (self.day, self.commitments.reporting):
            return LossStop(self.levels, limits, flattens=flattens)
        return LossStop(
            self.levels,
            limits,
            day_start_atoms=-day.pnl_atoms,
            peak_atoms=day.peak_atoms - day.pnl_atoms,
            flattens=flattens,
        )

    def _settle(self) -> None:
        offset_max = self._risk.clock_offset_ns_max
        if self.blackouts.active is not None:
            self.hindrance = RiskReason.BLACKOUT
        elif self.clock_offset_ns is not None and 0 < offset_max < abs(self.clock_offset_ns):
            self.hindrance = RiskReason.CLOCK_OFFSET
        else:
            self.hindrance = _OK
