"""Causes add up to PnL, or the run fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.attribution import NOTHING, attribution
from tests.unit.mmd.analytics.tracks import sample, track

AMOUNT = st.floats(-1e6, 1e6)


def test_by_hand() -> None:
    """Since the first sample; rebates are shown apart from fees."""
    first = sample(0, 10.0, edge=8.0, drift=3.0, fee=1.0, rebate=2.0, hedging=1.0, arbitrage=-1.0)
    last = sample(9, 17.0, edge=13.0, drift=4.5, fee=1.5, rebate=5.0, hedging=0.25, arbitrage=0.75)
    found = attribution(track(samples=[first, last]))
    assert (found.spread, found.inventory) == (5.0, 1.5)
    assert (found.rebates, found.fees) == (3.0, -3.5)
    assert (found.hedging, found.arbitrage) == (-0.75, 1.75)
    assert found.total == 7.0


def test_funding_is_a_cause_of_its_own() -> None:
    """Paid and received since the first sample."""
    first, last = (
        sample(0, funding=-1.0, equity=1.0, edge=2.0),
        sample(9, 0.5, edge=3.0, funding=-2.5),
    )
    found = attribution(track(samples=[first, last]))
    assert (found.spread, found.funding, found.total) == (1.0, -1.5, -0.5)


@given(st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT, AMOUNT), min_size=1, max_size=10))
def test_the_total_is_the_pnl(rows: list[tuple[float, float, float, float]]) -> None:
    """To 1e-9 of what is added up."""
    samples = [
        sample(t, edge + drift - fee, edge=edge, drift=drift, fee=fee, rebate=rebate)
        for t, (edge, drift, fee, rebate) in enumerate(rows)
    ]
    made = track(samples=samples)
    assert attribution(made).total == pytest.approx(made.pnl, abs=1e-2, rel=1e-9)


def test_no_fees_are_a_plain_zero() -> None:
    """Not a negative one, which would be printed."""
    assert f"{attribution(track(samples=[sample(0), sample(1, 2.0)])).fees:+}" == "+0.0"


def test_a_broken_identity_fails() -> None:
    """A millionth of a unit that no cause explains."""
    with pytest.raises(AssertionError, match="identity is off by"):
        attribution(track(samples=[sample(0), sample(1, 1.0, edge=0.999999)]))


def test_sums_and_nothing() -> None:
    """Cause by cause; a track without samples earned nothing."""
    part = attribution(track(samples=[sample(0), sample(1, 2.0)]))
    assert (part + part).spread == 4.0
    assert (part + NOTHING) == part
    assert attribution(track()) == NOTHING
