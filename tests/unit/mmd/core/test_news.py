"""Which events want a decision at once."""

import pytest

from mmd.core.events import CancelRejected, OrderAccepted, OrderRejected, RejectReason, Timer
from mmd.core.news import is_news

_UNTRIED = (RejectReason.RATE_LIMIT, RejectReason.CLOCK, RejectReason.SIGNATURE)


@pytest.mark.parametrize("kind", [OrderRejected, CancelRejected])
@pytest.mark.parametrize("reason", list(RejectReason))
def test_a_request_that_was_turned_away_untried_is_not_sent_again_at_once(kind, reason):
    """The venue asked to wait, or wants the clock measured; every other refusal is news."""
    assert is_news(kind(1, 0, 7, reason, 0, "")) is (reason not in _UNTRIED)


def test_time_is_news_and_an_acknowledgement_is_not():
    """What waits for the next decision, and what makes one."""
    assert is_news(Timer(1))
    assert not is_news(OrderAccepted(1, 0, 7, 1, 1))
