"""Spreads and states, weighted by time."""

import pytest

from mmd.analytics.columns import SAMPLE, STATE
from mmd.analytics.quoting import spread_stats, state_shares
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from tests.unit.mmd.analytics.tracks import S, sample, table


def quoted(ts_s, bid, ask, market=(9_999, 10_001)):
    return sample(
        ts_s, our_bid_ticks=bid, our_ask_ticks=ask, bid_ticks=market[0], ask_ticks=market[1]
    )


def test_spreads_by_hand() -> None:
    """Six ticks for one second, two for three, and one-sided for four."""
    rows = [
        quoted(0, 9_997, 10_003),
        quoted(1, 9_999, 10_001),
        quoted(4, 9_990, 0),
        quoted(8, 1, 2),
    ]
    found = spread_stats(table(SAMPLE, rows))
    assert found.market_bps == pytest.approx(2.0)
    assert found.quoted_bps == pytest.approx((1 * 6.0 + 3 * 2.0) / 4)
    assert (found.two_sided, found.at_best) == (0.5, 0.75)


def test_no_quotes_no_spread() -> None:
    """Nor without time."""
    found = spread_stats(table(SAMPLE, [sample(0), sample(1)]))
    assert (found.quoted_bps, found.two_sided, found.at_best) == (None, 0.0, None)
    assert spread_stats(table(SAMPLE, [sample(0)])).market_bps is None


def test_time_in_states() -> None:
    """Each until the next, the last until the end; the same state for another reason is another row."""
    active, withdrawn = int(QuoteState.ACTIVE), int(QuoteState.WITHDRAWN)
    rows = [
        (0, withdrawn, QuoteReason.WARM_UP),
        (1, active, QuoteReason.NONE),
        (7, withdrawn, QuoteReason.RISK),
        (8, active, QuoteReason.NONE),
    ]
    states = table(STATE, [{"ts_ns": t * S, "state": s, "reason": int(r)} for t, s, r in rows])
    shares = state_shares(states, 10 * S)
    assert [(s.state, s.reason) for s in shares] == [
        ("ACTIVE", "NONE"),
        ("WITHDRAWN", "WARM_UP"),
        ("WITHDRAWN", "RISK"),
    ]
    assert [s.share for s in shares] == pytest.approx([0.8, 0.1, 0.1])
    assert state_shares(states[:0], 10 * S) == []
