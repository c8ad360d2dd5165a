"""The life of an order as a table: which state follows which on what, races included.

    intent -> PENDING_NEW -> WORKING <-> PENDING_AMEND
                               |-> PARTIALLY_FILLED -> FILLED
                               |-> PENDING_CANCEL -> CANCELED
    REJECTED and EXPIRED end it too; UNKNOWN is entered from any state by a time-out or a contradiction,
    and left only on evidence from the venue.

A venue reports on several connections, late, twice and out of order, so the table lists what is normal:
a fill before the acknowledgement, a fill after the cancellation, a duplicate of anything after the end.
What it does not list is a contradiction and raises IllegalTransitionError.
"""

from enum import IntEnum


class OrderState(IntEnum):
    """Where an order stands, as far as we have been told."""

    PENDING_NEW = 0
    WORKING = 1
    PARTIALLY_FILLED = 2
    PENDING_CANCEL = 3
    PENDING_AMEND = 4
    FILLED = 5
    CANCELED = 6
    REJECTED = 7
    EXPIRED = 8
    UNKNOWN = 9


class Trigger(IntEnum):
    """What can happen to an order."""

    ACCEPTED = 0
    REJECTED = 1
    FILLED_PART = 2
    FILLED_ALL = 3
    CANCEL_SENT = 4
    CANCEL_REJECTED = 5
    """A cancel or amend was tried and failed: the order may be filled, gone, or never there."""
    REQUEST_UNTRIED = 6
    """A cancel or amend was turned away (rate, clock, signature) before it could touch the order."""
    AMEND_SENT = 7
    AMENDED = 8
    ENDED = 9
    EXPIRED = 10
    TIMED_OUT = 11
    """No answer to a request in time."""
    LINK_LOST = 12
    """Private events may have been missed."""
    STATUS_OPEN = 13
    STATUS_GONE = 14
    STATUS_FILLED = 15
    STATUS_NEVER = 16
    """The venue has never heard of the order."""


class IllegalTransitionError(AssertionError):
    """Venue and daemon contradict each other about an order."""

    def __init__(self, state: OrderState, trigger: Trigger) -> None:
        super().__init__(f"order in state {state.name} cannot take {trigger.name}: query the venue")
        self.state = state
        self.trigger = trigger


_S, _T = OrderState, Trigger

TERMINAL = (_S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED)
"""States that no longer rest at the venue (a late fill may still be reported)."""
IN_FLIGHT = (_S.PENDING_NEW, _S.PENDING_CANCEL, _S.PENDING_AMEND)
"""States that wait for the answer to a request."""

_ENDS = {
    _T.FILLED_ALL: _S.FILLED,
    _T.ENDED: _S.CANCELED,
    _T.EXPIRED: _S.EXPIRED,
    _T.LINK_LOST: _S.UNKNOWN,
    _T.STATUS_GONE: _S.CANCELED,
    _T.STATUS_FILLED: _S.FILLED,
}
"""The same from every state that is not terminal."""


def _late(state: OrderState, *, at_full: OrderState) -> dict[Trigger, OrderState]:
    """Row of a terminal state: it stays whatever arrives late or again; late fills may complete it."""
    stays = (
        _T.ACCEPTED,
        _T.FILLED_PART,
        _T.CANCEL_SENT,
        _T.CANCEL_REJECTED,
        _T.REQUEST_UNTRIED,
        _T.AMENDED,
        _T.ENDED,
        _T.EXPIRED,
        _T.TIMED_OUT,
        _T.LINK_LOST,
        _T.STATUS_OPEN,
        _T.STATUS_GONE,
        _T.STATUS_NEVER,
    )
    return dict.fromkeys(stays, state) | {_T.FILLED_ALL: at_full, _T.STATUS_FILLED: at_full}


def _resting(state: OrderState) -> dict[Trigger, OrderState]:
    """Row of an acknowledged order with no request in flight."""
    return (
        _ENDS
        | {
            _T.ACCEPTED: state,
            _T.FILLED_PART: _S.PARTIALLY_FILLED,
            _T.CANCEL_SENT: _S.PENDING_CANCEL,
            _T.CANCEL_REJECTED: _S.UNKNOWN,
            _T.REQUEST_UNTRIED: state,
            _T.AMEND_SENT: _S.PENDING_AMEND,
            _T.AMENDED: state,
            _T.TIMED_OUT: state,  # of a request that another event has answered meanwhile
            _T.STATUS_OPEN: state,
            _T.STATUS_NEVER: _S.UNKNOWN,  # contradicts its acknowledgement: ask again before believing it
        }
    )


TRANSITIONS: dict[OrderState, dict[Trigger, OrderState]] = {
    _S.PENDING_NEW: _ENDS
    | {
        _T.ACCEPTED: _S.WORKING,
        _T.REJECTED: _S.REJECTED,
        _T.FILLED_PART: _S.PARTIALLY_FILLED,
        _T.CANCEL_SENT: _S.PENDING_CANCEL,
        _T.TIMED_OUT: _S.UNKNOWN,
        _T.STATUS_OPEN: _S.WORKING,
        _T.STATUS_NEVER: _S.PENDING_NEW,  # the question overtook the order
    },
    _S.WORKING: _resting(_S.WORKING),
    _S.PARTIALLY_FILLED: _resting(_S.PARTIALLY_FILLED),
    _S.PENDING_CANCEL: _ENDS
    | {
        _T.ACCEPTED: _S.PENDING_CANCEL,
        _T.REJECTED: _S.REJECTED,
        _T.FILLED_PART: _S.PENDING_CANCEL,
        _T.CANCEL_SENT: _S.PENDING_CANCEL,
        _T.CANCEL_REJECTED: _S.UNKNOWN,
        _T.REQUEST_UNTRIED: _S.WORKING,
        _T.AMENDED: _S.PENDING_CANCEL,
        _T.TIMED_OUT: _S.UNKNOWN,
        _T.STATUS_OPEN: _S.PENDING_CANCEL,
        _T.STATUS_NEVER: _S.UNKNOWN,
    },
    _S.PENDING_AMEND: _ENDS
    | {
        _T.ACCEPTED: _S.PENDING_AMEND,
        _T.FILLED_PART: _S.PENDING_AMEND,
        _T.CANCEL_SENT: _S.PENDING_CANCEL,
        _T.CANCEL_REJECTED: _S.UNKNOWN,
        _T.REQUEST_UNTRIED: _S.WORKING,
        _T.AMENDED: _S.WORKING,
        _T.TIMED_OUT: _S.UNKNOWN,
        _T.STATUS_OPEN: _S.PENDING_AMEND,
        _T.STATUS_NEVER: _S.UNKNOWN,
    },
    _S.UNKNOWN: _ENDS
    | {
        _T.ACCEPTED: _S.UNKNOWN,  # says that it lived, not that it lives: a cancel may be under way
        _T.REJECTED: _S.REJECTED,
        _T.FILLED_PART: _S.UNKNOWN,
        _T.CANCEL_SENT: _S.UNKNOWN,  # sending a cancel is no evidence of what it will meet
        _T.CANCEL_REJECTED: _S.UNKNOWN,
        _T.REQUEST_UNTRIED: _S.UNKNOWN,
        _T.AMENDED: _S.WORKING,
        _T.TIMED_OUT: _S.UNKNOWN,
        _T.STATUS_OPEN: _S.WORKING,
        _T.STATUS_NEVER: _S.REJECTED,
    },
    _S.FILLED: _late(_S.FILLED, at_full=_S.FILLED),
    _S.CANCELED: _late(_S.CANCELED, at_full=_S.FILLED),
    _S.EXPIRED: _late(_S.EXPIRED, at_full=_S.FILLED),
    _S.REJECTED: dict.fromkeys(
        (
            _T.REJECTED,
            _T.CANCEL_SENT,
            _T.CANCEL_REJECTED,
            _T.REQUEST_UNTRIED,
            _T.TIMED_OUT,
            _T.LINK_LOST,
            _T.STATUS_NEVER,
        ),
        _S.REJECTED,
    ),
}
"""TRANSITIONS[state][trigger] is the next state; what is missing is illegal."""

_WORKING, _PARTIALLY_FILLED = _S.WORKING, _S.PARTIALLY_FILLED


def next_state(state: OrderState, trigger: Trigger, *, has_fills: bool) -> OrderState:
    """State after trigger; a resting order with fills is PARTIALLY_FILLED wherever the table says WORKING.

    Raises:
        IllegalTransitionError: the table does not list the pair.
    """
    after = TRANSITIONS[state].get(trigger)
    if after is None:
        raise IllegalTransitionError(state, trigger)
    return _PARTIALLY_FILLED if after is _WORKING and has_fills else after
