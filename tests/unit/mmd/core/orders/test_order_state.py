"""The order state table."""

import itertools

import pytest

from mmd.core.orders.order_state import (
    IN_FLIGHT,
    TERMINAL,
    TRANSITIONS,
    IllegalTransitionError,
    OrderState,
    Trigger,
    next_state,
)

S, T = OrderState, Trigger
EVIDENCE = {
    T.FILLED_ALL,
    T.ENDED,
    T.EXPIRED,
    T.REJECTED,
    T.AMENDED,
    T.STATUS_OPEN,
    T.STATUS_GONE,
    T.STATUS_FILLED,
    T.STATUS_NEVER,
}


def walk(*triggers, has_fills=False):
    state = S.PENDING_NEW
    for trigger in triggers:
        state = next_state(state, trigger, has_fills=has_fills)
    return state


@pytest.mark.parametrize(
    ("triggers", "end"),
    [
        ((T.ACCEPTED,), S.WORKING),
        ((T.REJECTED,), S.REJECTED),
        ((T.FILLED_PART, T.ACCEPTED), S.PARTIALLY_FILLED),
        ((T.FILLED_ALL, T.ACCEPTED), S.FILLED),
        ((T.ACCEPTED, T.CANCEL_SENT, T.ENDED), S.CANCELED),
        ((T.ACCEPTED, T.CANCEL_SENT, T.FILLED_ALL, T.CANCEL_REJECTED), S.FILLED),
        ((T.ACCEPTED, T.CANCEL_SENT, T.CANCEL_REJECTED), S.UNKNOWN),
        ((T.ACCEPTED, T.CANCEL_SENT, T.REQUEST_UNTRIED), S.WORKING),
        ((T.ACCEPTED, T.CANCEL_SENT, T.ENDED, T.FILLED_ALL), S.FILLED),
        ((T.ACCEPTED, T.CANCEL_SENT, T.ENDED, T.FILLED_PART), S.CANCELED),
        ((T.ACCEPTED, T.AMEND_SENT, T.AMENDED), S.WORKING),
        ((T.ACCEPTED, T.AMEND_SENT, T.TIMED_OUT, T.STATUS_OPEN), S.WORKING),
        ((T.ACCEPTED, T.AMEND_SENT, T.CANCEL_REJECTED), S.UNKNOWN),
        ((T.ACCEPTED, T.AMEND_SENT, T.CANCEL_SENT, T.AMENDED), S.PENDING_CANCEL),
        ((T.ACCEPTED, T.CANCEL_SENT, T.STATUS_NEVER), S.UNKNOWN),
        ((T.CANCEL_SENT, T.ACCEPTED, T.ENDED), S.CANCELED),
        ((T.CANCEL_SENT, T.REJECTED), S.REJECTED),
        ((T.TIMED_OUT, T.STATUS_NEVER), S.REJECTED),
        ((T.TIMED_OUT, T.ACCEPTED), S.UNKNOWN),
        ((T.TIMED_OUT, T.STATUS_FILLED), S.FILLED),
        ((T.STATUS_NEVER, T.ACCEPTED), S.WORKING),
        ((T.ACCEPTED, T.STATUS_NEVER), S.UNKNOWN),
        ((T.ACCEPTED, T.EXPIRED, T.STATUS_OPEN), S.EXPIRED),
    ],
)
def test_lives_with_races_end_where_they_should(triggers, end):
    """Each documented race leads to the state that the venue is in."""
    assert walk(*triggers) is end


def test_a_resting_order_with_fills_is_partially_filled():
    """Where the table says WORKING, earlier fills are not forgotten."""
    assert walk(T.TIMED_OUT, T.STATUS_OPEN, has_fills=True) is S.PARTIALLY_FILLED
    assert walk(T.ACCEPTED, T.AMEND_SENT, T.AMENDED, has_fills=True) is S.PARTIALLY_FILLED


def test_an_illegal_transition_names_state_and_trigger():
    """The message is enough to find the row of the table."""
    with pytest.raises(IllegalTransitionError, match=r"CANCELED cannot take REJECTED") as caught:
        next_state(S.CANCELED, T.REJECTED, has_fills=False)
    assert (caught.value.state, caught.value.trigger) == (S.CANCELED, T.REJECTED)


@pytest.mark.parametrize("state", sorted(set(S) - set(TERMINAL)))
def test_every_open_state_can_end_in_every_way(state):
    """No open order can be stuck: fills, ends and the answers to queries always close it."""
    row = TRANSITIONS[state]
    assert row[T.FILLED_ALL] is S.FILLED
    assert row[T.ENDED] is S.CANCELED
    assert row[T.EXPIRED] is S.EXPIRED
    assert row[T.STATUS_GONE] is S.CANCELED
    assert row[T.LINK_LOST] is S.UNKNOWN


@pytest.mark.parametrize("state", TERMINAL)
def test_a_terminal_state_is_left_only_by_late_fills(state):
    """Whatever else arrives late or twice changes nothing."""
    for trigger, after in TRANSITIONS[state].items():
        assert after is state or (after is S.FILLED and trigger in {T.FILLED_ALL, T.STATUS_FILLED})


def test_unknown_is_left_only_on_evidence():
    """Sending, waiting and late acknowledgements prove nothing about an order's fate."""
    for trigger, after in TRANSITIONS[S.UNKNOWN].items():
        assert after is S.UNKNOWN or trigger in EVIDENCE


@pytest.mark.parametrize("state", IN_FLIGHT)
def test_a_time_out_in_flight_makes_unknown(state):
    """No answer is no evidence that a request failed."""
    assert TRANSITIONS[state][T.TIMED_OUT] is S.UNKNOWN


def test_venue_reports_are_idempotent():
    """A report heard twice in a row leads where it led the first time, from every state."""
    heard = set(T) - {T.CANCEL_SENT, T.AMEND_SENT, T.CANCEL_REJECTED, T.STATUS_NEVER, T.TIMED_OUT}
    for state, trigger in itertools.product(S, heard - {T.REQUEST_UNTRIED}):
        after = TRANSITIONS[state].get(trigger)
        if after is not None:
            assert TRANSITIONS[after].get(trigger) is after, (state.name, trigger.name)
