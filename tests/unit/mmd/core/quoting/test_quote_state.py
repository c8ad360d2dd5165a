"""Quote states: every reason is reachable, the order of the table, and which sides it leaves."""

import itertools
import math
from typing import Any

import pytest

from mmd.core.quoting.quote_state import (
    Conditions,
    QuoteReason,
    QuoteState,
    quote_state,
    sides_allowed,
)

FINE = {"trading": True, "feed_up": True, "private_up": True, "book_synced": True, "warm": True}
W, L, P = QuoteState.WITHDRAWN, QuoteState.INVENTORY_LIMIT, QuoteState.PASSIVE
Case = tuple[dict[str, Any], QuoteState, QuoteReason]
CASES: list[Case] = [
    ({}, QuoteState.ACTIVE, QuoteReason.NONE),
    ({"operator_on": False}, W, QuoteReason.OPERATOR),
    ({"trading": False}, W, QuoteReason.NOT_TRADING),
    ({"feed_up": False}, W, QuoteReason.FEED_DOWN),
    ({"private_up": False}, W, QuoteReason.PRIVATE_DOWN),
    ({"orders_known": False}, W, QuoteReason.UNKNOWN_ORDERS),
    ({"book_synced": False}, W, QuoteReason.BOOK_STALE),
    ({"book_age_ns": 11, "book_age_ns_max": 10}, W, QuoteReason.BOOK_STALE),
    ({"book_crossed": True}, W, QuoteReason.BOOK_CROSSED),
    ({"warm": False}, W, QuoteReason.WARM_UP),
    ({"risk_may_quote": False}, W, QuoteReason.RISK),
    *(
        ({"hindrance": reason}, W, reason)
        for reason in (QuoteReason.BLACKOUT, QuoteReason.CLOCK_OFFSET, QuoteReason.FEED_LATENCY)
    ),
    ({"sigma": 5.0, "sigma_max": 4.0}, W, QuoteReason.VOLATILITY),
    ({"sigma": math.nan}, W, QuoteReason.VOLATILITY),
    ({"spread_ticks": 1.0, "spread_ticks_min": 2.0}, W, QuoteReason.SPREAD_TOO_NARROW),
    ({"risk_reduce_only": True}, L, QuoteReason.RISK),
    ({"inventory_ratio": 0.91}, L, QuoteReason.INVENTORY),
    ({"inventory_ratio": -0.91}, L, QuoteReason.INVENTORY),
    ({"inventory_ratio": math.nan}, L, QuoteReason.INVENTORY),
    ({"risk_cautious": True}, P, QuoteReason.RISK),
    ({"sigma": 5.0, "sigma_wide": 4.0, "sigma_max": 9.0}, P, QuoteReason.VOLATILITY),
    ({"favourable": True}, QuoteState.AGGRESSIVE, QuoteReason.FAVOURABLE),
]


@pytest.mark.parametrize(("change", "state", "reason"), CASES)
def test_each_condition_has_its_state_and_reason(
    change: dict[str, Any], state: QuoteState, reason: QuoteReason
) -> None:
    """One thing wrong at a time."""
    assert quote_state(Conditions(**(FINE | change))) == (state, reason)


def test_every_reason_is_reached_by_a_case() -> None:
    """The cases above leave nothing out."""
    assert {reason for _, _, reason in CASES} == set(QuoteReason)
    assert {state for _, state, _ in CASES} == set(QuoteState)


def test_nothing_is_quoted_before_anything_is_known() -> None:
    """The defaults withdraw."""
    assert quote_state(Conditions())[0] is QuoteState.WITHDRAWN


@pytest.mark.parametrize(("first", "later"), list(itertools.combinations(CASES[1:], 2)))
def test_of_two_conditions_the_upper_row_decides(first: Case, later: Case) -> None:
    """CASES stand in the order of the table."""
    assert quote_state(Conditions(**(FINE | later[0] | first[0]))) == first[1:]


def test_sides_by_state_and_inventory() -> None:
    """At the limit only the side that reduces is quoted; withdrawn quotes none."""
    assert sides_allowed(QuoteState.ACTIVE, 0.5) == (True, True)
    assert sides_allowed(QuoteState.PASSIVE, -0.5) == (True, True)
    assert sides_allowed(QuoteState.AGGRESSIVE, 0.0) == (True, True)
    assert sides_allowed(QuoteState.WITHDRAWN, 0.5) == (False, False)
    assert sides_allowed(QuoteState.INVENTORY_LIMIT, 0.95) == (False, True)
    assert sides_allowed(QuoteState.INVENTORY_LIMIT, -0.95) == (True, False)
    assert sides_allowed(QuoteState.INVENTORY_LIMIT, 0.0) == (False, False)
    assert sides_allowed(QuoteState.INVENTORY_LIMIT, math.nan) == (False, False)
