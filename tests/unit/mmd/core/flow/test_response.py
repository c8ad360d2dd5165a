"""The level of the response: raised by adverse fills, halved by time, withdrawn with a verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.flow import response
from mmd.core.flow.response import FIELDS, STEPS, Response, response_at
from mmd.jit.kernel import kernel, layout, new

RECORD = layout(*FIELDS)
HALFLIFE_NS = 1_000


@kernel
def decay(record, now_ns):
    response.decay(record[0], now_ns)


@kernel
def give(record, confidence):
    return response.give(record[0], confidence)


@kernel
def withdraw(record, given, given_ns):
    response.withdraw(record[0], given, given_ns)


def made():
    record = new(RECORD)
    record["halflife_ns"], record["step"] = HALFLIFE_NS, 0.25
    return record


def test_the_level_halves_with_the_half_life():
    """At once or in steps."""
    record = made()
    give(record, 1.0)
    decay(record, HALFLIFE_NS)
    assert record["response"][0] == pytest.approx(0.125)
    for now_ns in range(HALFLIFE_NS, 3 * HALFLIFE_NS + 1, 100):
        decay(record, now_ns)
    assert record["response"][0] == pytest.approx(0.25 / 8)
    decay(record, 0)
    assert record["response"][0] == pytest.approx(0.25 / 8), "time does not go back"


def test_many_adverse_fills_reach_the_full_level_and_no_more():
    """The last addition is what was missing."""
    record = made()
    given = [give(record, 0.9) for _ in range(6)]
    assert record["response"][0] == 1.0
    assert given[-2:] == pytest.approx([0.1, 0.0])


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_withdrawn_verdict_leaves_nothing(first_ns, wait_ns):
    """What another fill gave stays."""
    record, other = made(), made()
    decay(record, first_ns)
    given = give(record, 0.6)
    for each in (record, other):
        decay(each, first_ns + wait_ns // 2)
        give(each, 1.0)
        decay(each, first_ns + wait_ns)
    withdraw(record, given, first_ns)
    assert record["response"][0] == pytest.approx(other["response"][0], abs=1e-12)


LIMITS = {"size_multiplier_min": 0.7, "spread_multiplier_max": 1.5}


def test_impact_and_spread_are_never_both():
    """A model that knows the impact of a fill is told that, others are widened; sizes shrink under both."""
    assert response_at(1.0, **LIMITS, impact_ticks=4.0) == Response(pytest.approx(0.7), 1.0, 4.0)
    assert response_at(1.0, **LIMITS, impact_ticks=None) == Response(pytest.approx(0.7), 1.5, 0.0)
    assert response_at(0.0, **LIMITS, impact_ticks=4.0) == Response()
    assert response_at(0.5, **LIMITS, impact_ticks=4.0).impact_ticks == 2.0


@given(st.floats(0.0, 1.0))
def test_the_answer_stays_within_its_limits_and_moves_in_steps(level):
    """A level that fades does not requote at every moment."""
    got = response_at(level, **LIMITS, impact_ticks=None)
    assert got.size_multiplier + 1e-12 >= 0.7
    assert got.size_multiplier <= 1.0 <= got.spread_multiplier <= 1.5
    assert got in [response_at(k / STEPS, **LIMITS, impact_ticks=None) for k in range(STEPS + 1)]
