"""After which events a decision is due: whoever drives an engine asks here."""

from typing import Final

from mmd.core.events import (
    Balance,
    CancelRejected,
    ChoiceMade,
    ClockOffset,
    DayMark,
    Event,
    FundingPaid,
    FundingRate,
    OrderAccepted,
    OrderRejected,
    RateUsage,
    RejectReason,
)

_NO_NEWS: Final = frozenset(
    {
        OrderAccepted,
        Balance,
        RateUsage,
        ClockOffset,
        DayMark,
        ChoiceMade,
        FundingPaid,
        FundingRate,
    }
)
"""Nothing different is wanted after these, or so little that it can wait for the next frame."""
_UNTRIED: Final = frozenset({RejectReason.RATE_LIMIT, RejectReason.CLOCK, RejectReason.SIGNATURE})


def is_news(event: Event) -> bool:
    """Whether to decide at once; else the next decision, the timer's at the latest, is soon enough.

    A request that was turned away untried is wanted as much as before: to decide at once would send it again at
    once, be turned away again at once where the venue has asked to wait, and so on for as long as it asked.
    """
    kind = type(event)
    if kind in _NO_NEWS:
        return False
    return not (isinstance(event, OrderRejected | CancelRejected) and event.reason in _UNTRIED)
