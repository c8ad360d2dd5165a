"""What the instruments of a session share: its day, its clock, what hinders it."""

import pytest

from mmd.core.events import ClockOffset
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.risk.session_risk import SessionRisk
from mmd.core.scaling import NO_SCALE, risk_limits
from mmd.core.trading_day import DayState
from tests.session import risk, session_spec

S = 1_000_000_000
DAY = 1_700_000_000 // 86_400
ATOMS = 10**8


def session(day=None, **limits) -> SessionRisk:
    spec = session_spec(risk=risk(**limits), day=day)
    return SessionRisk(spec, risk_limits(spec.risk, NO_SCALE))


def compared(offset_ns: int, venue_less_engine_ns: int | None = None) -> ClockOffset:
    return ClockOffset(1, "embedded", offset_ns, 0, venue_less_engine_ns)


def test_the_day_has_a_state_once_every_account_is_known():
    """PnL and peak since the day's start."""
    shared = session()
    assert shared.day_state is None
    shared.on_time(1, [], None)
    assert shared.day_state is None
    for equity in (0, 30 * ATOMS, 20 * ATOMS):
        shared.on_time(2, [], equity)
    assert shared.day_state == DayState(
        day=DAY, currency="USDT", pnl_atoms=20 * ATOMS, peak_atoms=30 * ATOMS
    )


def test_a_carried_peak_counts_for_the_drawdown():
    """Lost since the peak of the session before."""
    before = DayState(day=DAY, currency="USDT", pnl_atoms=10 * ATOMS, peak_atoms=55 * ATOMS)
    shared = session(before, loss_max=1_000, drawdown_max=50)
    shared.on_time(1, [], 0)
    assert shared.day_state == before
    shared.on_time(2, [], -5 * ATOMS)
    assert shared.levels.reasons == (LevelReason.DRAWDOWN,)


def test_a_new_day_forgets_the_loss_and_says_so():
    """Equity goes on, the count begins anew."""
    shared = session(loss_max=50)
    shared.on_time(1, [], 0)
    assert not shared.on_time(2, [], -49 * ATOMS)
    assert shared.on_time(86_400 * S, [], -60 * ATOMS)
    assert shared.levels.level is RiskLevel.NORMAL
    shared.on_time(86_401 * S, [], -70 * ATOMS)
    assert shared.day_state.pnl_atoms == -10 * ATOMS
    assert session().on_time(86_400 * S, [], None)


def test_latency_is_corrected_by_the_clocks_difference():
    """The venue's clock is 5 s ahead: an event that it states 4 s ahead of us is a second old."""
    shared = session(feed_latency_ms_max=2_000)
    shared.on_clock_offset(compared(5 * S))
    lag_ns = -4 * S - shared.unix_less_engine_ns
    assert shared.latency_ns(lag_ns) == S
    assert lag_ns + S <= shared.lag_ns_max < lag_ns + S + 1


@pytest.mark.parametrize("step_s", [-90, 0, 3_600])
def test_a_step_of_our_wall_clock_makes_no_event_late(step_s):
    """It moves the offset between the wall clocks, not the venue's clock against engine time."""
    shared = session(feed_latency_ms_max=2_000)
    shared.on_clock_offset(compared(-step_s * S, shared.unix_less_engine_ns))
    lag_ns = S - shared.unix_less_engine_ns
    assert shared.clock_offset_ns == -step_s * S
    assert shared.latency_ns(lag_ns) == S
    assert lag_ns + S == shared.lag_ns_max


@pytest.mark.parametrize("limit_ms", [0, 1_000])
def test_the_slowest_feed_makes_cautious(limit_ms):
    """Unless the limit is off; a venue that states no times is not judged."""
    shared = session(feed_latency_ms_max=limit_ms)
    lag_ns = 501_000_000 - shared.unix_less_engine_ns
    shared.on_time(1, [lag_ns], None)  # the clocks have not been compared yet
    shared.on_clock_offset(compared(0))
    shared.on_time(1, [], None)
    assert shared.levels.level is RiskLevel.NORMAL
    shared.on_time(2, [lag_ns - S, lag_ns], None)
    assert shared.levels.is_active(LevelReason.FEED_LATENCY) == (limit_ms > 0)


def test_a_clock_beyond_its_limit_hinders():
    """Either way, until it is measured to be right."""
    shared = session(clock_offset_ms_max=100)
    for offset_ns, hindrance in (
        (100_000_000, RiskReason.OK),
        (-100_000_001, RiskReason.CLOCK_OFFSET),
        (0, RiskReason.OK),
    ):
        shared.on_clock_offset(compared(offset_ns))
        assert shared.hindrance is hindrance
