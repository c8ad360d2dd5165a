"""Loss stops and reject storms raise the level by themselves."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.events import RejectReason
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.reasons import LevelReason
from mmd.core.risk.stops import LossStop, RejectStorm
from tests.risk_views import limits

ATOMS = 10**8
S = 1_000_000_000


def loss_stop(loss=100, drawdown=50, **state):
    levels = RiskLevels()
    rules = limits(loss_quote_max=Decimal(loss), drawdown_quote_max=Decimal(drawdown))
    return LossStop(levels, rules, **state), levels


def test_a_days_loss_cancels_and_then_halts():
    """At the limit, not beyond it."""
    stop, levels = loss_stop(loss=100, drawdown=1000)
    stop.on_equity(0, 1)
    assert not stop.on_equity(-100 * ATOMS + 1, 2)
    assert stop.on_equity(-100 * ATOMS, 3)
    assert (levels.level, levels.reasons) == (RiskLevel.CANCEL_ALL, (LevelReason.DAY_LOSS,))
    levels.on_all_canceled(4)
    assert levels.level is RiskLevel.HALTED


def test_a_fall_from_the_peak_halts_even_in_profit():
    """Drawdown is counted from the day's best."""
    stop, levels = loss_stop(drawdown=50)
    for now_ns, equity in enumerate((0, 80, 200, 151)):
        assert not stop.on_equity(equity * ATOMS, now_ns)
    assert stop.on_equity(150 * ATOMS, 9)
    assert levels.reasons == (LevelReason.DRAWDOWN,)


def test_a_stop_is_raised_once():
    """It does not keep pushing the level while the loss lasts."""
    stop, levels = loss_stop()
    stop.on_equity(0, 1)
    stop.on_equity(-200 * ATOMS, 2)
    assert not stop.on_equity(-201 * ATOMS, 3)
    assert len(levels.history) == 1


def test_day_start_and_peak_survive_a_restart():
    """A crash does not forgive the loss so far."""
    stop, levels = loss_stop(
        loss=100, drawdown=1000, day_start_atoms=90 * ATOMS, peak_atoms=95 * ATOMS
    )
    assert stop.on_equity(-10 * ATOMS, 1)
    assert levels.reasons == (LevelReason.DAY_LOSS,)


def test_a_new_day_counts_from_its_own_equity():
    """What was lost yesterday is not lost today."""
    stop, levels = loss_stop(loss=100, drawdown=60)
    stop.on_equity(0, 1)
    stop.on_equity(-50 * ATOMS, 2)
    stop.on_new_day(-50 * ATOMS)
    assert not stop.on_equity(-100 * ATOMS, 3)
    assert levels.level is RiskLevel.NORMAL


@given(st.lists(st.integers(-300, 300), min_size=1, max_size=30))
def test_the_stop_fires_exactly_when_a_limit_is_reached(path):
    """Against the definition, over any path of equity."""
    stop, levels = loss_stop(loss=100, drawdown=150)
    for now_ns, equity in enumerate(path):
        stop.on_equity(equity * ATOMS, now_ns)
    reached = any(
        path[0] - equity >= 100 or max(path[: i + 1]) - equity >= 150
        for i, equity in enumerate(path)
    )
    assert (levels.level is RiskLevel.CANCEL_ALL) == reached


def test_a_stop_may_flatten_first():
    """The position is closed before the halt, if so configured."""
    levels = RiskLevels()
    rules = limits(loss_quote_max=Decimal(100), drawdown_quote_max=Decimal(1000))
    stop = LossStop(levels, rules, flattens=True)
    stop.on_equity(0, 1)
    assert stop.on_equity(-100 * ATOMS, 2)
    assert levels.level is RiskLevel.FLATTEN
    levels.end_flatten(3)
    assert (levels.level, levels.reasons) == (RiskLevel.HALTED, (LevelReason.DAY_LOSS,))


def test_headroom_is_the_share_of_a_limit_that_is_left():
    """Loss from the day's start, drawdown from its peak; both whole before anything is known."""
    stop, _ = loss_stop(loss=100, drawdown=50)
    assert stop.headroom(7) == {"loss": 1.0, "drawdown": 1.0}
    stop.on_equity(0, 1)
    stop.on_equity(20 * ATOMS, 2)
    assert stop.headroom(-10 * ATOMS) == pytest.approx({"loss": 0.9, "drawdown": 0.4})


def storm(rejects=3, window_s=10):
    levels = RiskLevels()
    return RejectStorm(levels, limits(rejects_max=rejects, reject_window_ns=window_s * S)), levels


def test_rejects_within_the_window_reduce_only():
    """The fifth in ten seconds is a storm; the fifth in eleven is not; from half on we are cautious."""
    calm, levels = storm(rejects=5)
    assert [calm.on_reject(RejectReason.FILTER, t * S) for t in (0, 5)] == [False] * 2
    assert levels.level is RiskLevel.NORMAL
    assert calm.on_reject(RejectReason.FILTER, 9 * S)
    assert (levels.level, levels.reasons) == (RiskLevel.CAUTIOUS, (LevelReason.REJECT_STORM,))
    assert [calm.on_reject(RejectReason.FILTER, t * S) for t in (10, 11)] == [False] * 2
    assert levels.level is RiskLevel.CAUTIOUS
    assert calm.on_reject(RejectReason.FILTER, 12 * S)
    assert (levels.level, levels.reasons) == (RiskLevel.REDUCE_ONLY, (LevelReason.REJECT_STORM,))


def test_a_storm_that_goes_on_halts():
    """As many rejects again while only reducing."""
    stormy, levels = storm()
    for t in range(6):
        stormy.on_reject(RejectReason.BALANCE, t * S)
    assert levels.level is RiskLevel.CANCEL_ALL
    levels.on_all_canceled(7 * S)
    assert levels.level is RiskLevel.HALTED


def test_a_quiet_window_ends_the_storm():
    """Not before it has passed, and not once it has halted."""
    stormy, levels = storm()
    for t in range(3):
        stormy.on_reject(RejectReason.OTHER, t * S)
    assert not stormy.on_time(12 * S)
    assert stormy.on_time(12 * S + 1)
    assert levels.level is RiskLevel.NORMAL


@pytest.mark.parametrize("count", [3, 30])
def test_post_only_refusals_are_no_storm(count):
    """A market that moves through our price is not a fault."""
    calm, levels = storm()
    for t in range(count):
        assert not calm.on_reject(RejectReason.WOULD_TAKE, t)
    assert levels.level is RiskLevel.NORMAL
