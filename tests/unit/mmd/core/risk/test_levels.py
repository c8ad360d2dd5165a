"""The risk level: up for a reason, down only as stated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.risk.levels import HISTORY_MAX, LevelChange, RiskLevel, RiskLevels
from mmd.core.risk.reasons import LevelReason

L, R = RiskLevel, LevelReason


def test_levels_only_rise_by_escalation():
    """A milder reason does not lower what a graver one asked for."""
    levels = RiskLevels()
    assert levels.escalate(L.REDUCE_ONLY, R.POSITION_DRIFT, 5)
    assert not levels.escalate(L.CAUTIOUS, R.ADVERSE_STREAK, 6)
    assert not levels.escalate(L.CAUTIOUS, R.POSITION_DRIFT, 7)
    assert (levels.level, levels.since_ns) == (L.REDUCE_ONLY, 5)
    assert levels.reasons == (R.POSITION_DRIFT,)


def test_mild_levels_end_with_their_reason():
    """The level falls to what the remaining reasons ask for."""
    levels = RiskLevels()
    levels.escalate(L.CAUTIOUS, R.ADVERSE_STREAK, 1)
    levels.escalate(L.REDUCE_ONLY, R.REJECT_STORM, 2)
    assert levels.clear(R.REJECT_STORM, 3)
    assert levels.level is L.CAUTIOUS
    assert levels.clear(R.ADVERSE_STREAK, 4)
    assert levels.level is L.NORMAL
    assert not levels.clear(R.ADVERSE_STREAK, 5)
    assert [change.after for change in levels.history] == [1, 2, 1, 0]


@pytest.mark.parametrize("level", [L.CANCEL_ALL, L.FLATTEN, L.HALTED])
def test_grave_levels_need_an_operator(level):
    """Clearing the reason is not enough."""
    levels = RiskLevels()
    levels.escalate(level, R.DAY_LOSS, 1)
    assert not levels.clear(R.DAY_LOSS, 2)
    assert levels.level is level
    assert levels.resume(3)
    assert levels.level is L.NORMAL
    assert levels.history[-1] == LevelChange(3, level, L.NORMAL, None)


def test_halting_waits_for_the_cancels():
    """CANCEL_ALL holds until the orders are confirmed gone, then what follows it."""
    levels = RiskLevels()
    levels.escalate(L.CANCEL_ALL, R.DRAWDOWN, 1, then=L.HALTED)
    assert levels.level is L.CANCEL_ALL
    assert levels.on_all_canceled(2)
    assert levels.level is L.HALTED
    assert not levels.on_all_canceled(3)


def test_cancel_all_without_a_sequel_stays():
    """An operator's cancel-all waits for the operator."""
    levels = RiskLevels()
    levels.escalate(L.CANCEL_ALL, R.OPERATOR, 1)
    assert not levels.on_all_canceled(2)
    assert levels.level is L.CANCEL_ALL


def test_a_stop_is_final():
    """A session that is ending cannot be resumed."""
    levels = RiskLevels()
    levels.escalate(L.CANCEL_ALL, R.STOP, 1, then=L.HALTED)
    assert not levels.resume(2)
    assert levels.level is L.CANCEL_ALL


def test_history_is_bounded():
    """A flapping reason does not fill the memory."""
    levels = RiskLevels()
    for i in range(HISTORY_MAX):
        levels.escalate(L.CAUTIOUS, R.ADVERSE_STREAK, i)
        levels.clear(R.ADVERSE_STREAK, i)
    assert len(levels.history) == HISTORY_MAX


STEPS = st.one_of(
    st.tuples(
        st.just("escalate"),
        st.sampled_from(list(L)[1:]),
        st.sampled_from(R),
        st.none() | st.sampled_from(list(L)[3:]),
    ),
    st.tuples(st.just("clear"), st.sampled_from(R)),
    st.just(("canceled",)),
)


@given(st.lists(STEPS, max_size=30))
def test_without_an_operator_grave_levels_never_fall(steps):
    """Whatever happens, from CANCEL_ALL upwards the level only rises."""
    levels = RiskLevels()
    for now_ns, step in enumerate(steps):
        before = levels.level
        match step:
            case ("escalate", to, reason, then):
                rose = levels.escalate(to, reason, now_ns, then=then)
                assert levels.level >= to
                assert rose == (levels.level > before)
            case ("clear", reason):
                levels.clear(reason, now_ns)
            case _:
                levels.on_all_canceled(now_ns)
        assert before < L.CANCEL_ALL or levels.level >= before
        assert (levels.level is L.NORMAL) == (levels.reasons == ())


def test_an_operators_flatten_brings_a_halted_session_down_and_ends_in_halted():
    """Whatever had halted it is still there afterwards."""
    levels = RiskLevels()
    levels.escalate(RiskLevel.HALTED, LevelReason.DAY_LOSS, 1)
    assert levels.flatten(LevelReason.OPERATOR, 2)
    assert levels.level is RiskLevel.FLATTEN
    levels.end_flatten(3)
    assert levels.level is RiskLevel.HALTED
    assert set(levels.reasons) == {LevelReason.DAY_LOSS, LevelReason.OPERATOR}


def test_nothing_is_flattened_after_a_stop():
    """The end of a session is final."""
    levels = RiskLevels()
    levels.escalate(RiskLevel.CANCEL_ALL, LevelReason.STOP, 1, then=RiskLevel.HALTED)
    assert not levels.flatten(LevelReason.OPERATOR, 2)
    assert levels.level is RiskLevel.CANCEL_ALL


def test_an_end_without_a_flattening_is_none():
    """Nothing rises by it."""
    levels = RiskLevels()
    levels.end_flatten(1, LevelReason.OPERATOR)
    assert (levels.level, levels.reasons) == (RiskLevel.NORMAL, ())


def test_rises_are_counted_by_reason_and_falls_are_not():
    """A reason that asks for what holds already raises nothing."""
    levels = RiskLevels()
    levels.escalate(RiskLevel.CAUTIOUS, LevelReason.FEED_LATENCY, 1)
    levels.escalate(RiskLevel.CAUTIOUS, LevelReason.CLOCK_OFFSET, 2)
    levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.FEED_LATENCY, 3)
    levels.clear(LevelReason.FEED_LATENCY, 4)
    assert levels.level is RiskLevel.CAUTIOUS
    assert levels.asked(LevelReason.FEED_LATENCY) is RiskLevel.NORMAL
    counted = {r.name: n for r, n in zip(LevelReason, levels.rises, strict=True) if n}
    assert counted == {"FEED_LATENCY": 2}


def test_an_instrument_clears_only_what_it_raised():
    """The reason lasts while another instrument holds it, at what that one asks for."""
    levels = RiskLevels()
    first, second = levels.of(0), levels.of(1)
    first.escalate(L.REDUCE_ONLY, R.REJECT_STORM, 1)
    assert not second.clear(R.REJECT_STORM, 2)
    assert levels.level is L.REDUCE_ONLY
    assert (first.asked(R.REJECT_STORM), second.asked(R.REJECT_STORM)) == (L.REDUCE_ONLY, L.NORMAL)
    second.escalate(L.CAUTIOUS, R.REJECT_STORM, 3)
    assert levels.is_only(R.REJECT_STORM)
    assert first.clear(R.REJECT_STORM, 4)
    assert (levels.level, levels.reasons) == (L.CAUTIOUS, (R.REJECT_STORM,))
    assert second.clear(R.REJECT_STORM, 5)
    assert levels.level is L.NORMAL


def test_an_instruments_reason_halts_and_resumes_with_the_session():
    """What follows on CANCEL_ALL is its own, an operator ends everybody's."""
    levels = RiskLevels()
    levels.of(0).escalate(L.CANCEL_ALL, R.REJECT_STORM, 1, then=L.HALTED)
    levels.of(1).escalate(L.CAUTIOUS, R.REJECT_STORM, 2)
    assert levels.on_all_canceled(3)
    assert (levels.level, levels.reasons) == (L.HALTED, (R.REJECT_STORM,))
    assert levels.resume(4)
    assert levels.level is L.NORMAL
