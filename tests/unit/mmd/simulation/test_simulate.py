"""Whole systems with faults hold their invariants, follow from their seeds, and planted bugs are caught and shrunk."""

import pytest

from mmd.core.units import NANOS_PER_SECOND
from mmd.simulation.fault import FaultKind, draw_faults
from mmd.simulation.shrink import fewest
from mmd.simulation.simulate import SimulateRequest, faults_of, quiet_log, run_seed, shrink
from mmd.simulation.worlds import MarketPace
from tests.planted_bugs import PLANTED

_K = FaultKind
_USUAL = tuple(k for k in FaultKind if k not in (_K.STALL, _K.DISK_FULL))
_CAUGHT_BY = {
    "no_intent": (0, _USUAL),
    "lost_fill": (1, _USUAL),
    "double_fill": (5, _USUAL),
    "starts_afresh": (0, (_K.CRASH,)),
    "no_limit": (0, _USUAL),
    "deaf_to_feed_loss": (4, _USUAL),
    "no_age_limit": (0, _USUAL),
    "wrong_book": (1, _USUAL),
    "deaf_to_status": (0, _USUAL),
    "blind_orders": (1, _USUAL),
    "leaves_orders_over": (2, _USUAL),
    "crooked_money": (1, _USUAL),
    "forgets_doubts": (1, _USUAL),
    "never_asks": (4, _USUAL),
    "full_speed": (0, (_K.DISK_FULL,)),
    "idle_guardian": (0, (_K.STALL,)),
}
"""A seed, of a minute at most, and the faults for each planted bug."""


@pytest.fixture(autouse=True)
def quiet():
    """The adapter's warnings about faults are no news here."""
    quiet_log()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_invariant_holds_in_two_minutes_of_faults(seed):
    """Two makers in one market, one at two venues, one alone: everything comes to rest and agrees."""
    result = run_seed(SimulateRequest(seed=seed, seconds=120.0))
    assert result.broken == ""
    assert result.checks_at_rest > 100
    assert sum(result.faults.values()) > 5


def test_a_calm_market_has_the_same_faults_and_still_trades():
    """Only strangers do less: under half of the events, faults as drawn, some fills."""
    usual, calm = (
        run_seed(SimulateRequest(seed=5, seconds=60.0, pace=pace)) for pace in MarketPace
    )
    assert calm.broken == usual.broken == ""
    assert calm.faults == usual.faults
    assert 2 * calm.events < usual.events
    assert calm.orders > 0
    assert calm.fills > 0


def test_no_venue_is_quoted_before_all_have_taken_back_what_was_left():
    """Seed 1013 found it: one venue was up while the other still held orders of the process before."""
    result = run_seed(SimulateRequest(seed=1013, seconds=31.0, kinds=_USUAL))
    assert result.broken == ""
    assert result.crashes == 1


def test_a_process_that_stands_still_or_has_no_disk_is_guarded():
    """The guardian takes back what a stopped process left; one without a journal cancels and halts."""
    kinds = (_K.STALL, _K.DISK_FULL, _K.REST_DOWN)
    result = run_seed(SimulateRequest(seed=0, seconds=90.0, kinds=kinds))
    assert result.broken == ""
    assert {"stall", "disk_full"} <= set(result.faults)
    assert result.guarded > 0


def test_equal_seeds_give_equal_runs_crashes_included():
    """Everything that is counted is equal."""
    request = SimulateRequest(seed=4, seconds=30.0, kinds=(FaultKind.CRASH, FaultKind.ANSWER_LOST))
    first, second = (run_seed(request) for _ in range(2))
    assert first.crashes > 0
    assert (first.events, first.orders, first.fills, first.checks) == (
        second.events,
        second.orders,
        second.fills,
        second.checks,
    )


@pytest.mark.parametrize("name", _CAUGHT_BY)
def test_a_planted_bug_is_caught(name):
    """One bug for each invariant, and the rule that it breaks."""
    bug, (seed, kinds) = PLANTED[name], _CAUGHT_BY[name]
    result = run_seed(SimulateRequest(seed=seed, seconds=60.0, kinds=kinds), bug.plant)
    assert result.rule in bug.rule.split("|"), result.broken


@pytest.mark.parametrize(("name", "seed"), [("crooked_money", 1), ("idle_guardian", 2)])
def test_a_planted_bug_is_caught_in_a_calm_market_too(name, seed):
    """Where little happens the rules still bite: there are sales, and orders to take back."""
    bug = PLANTED[name]
    request = SimulateRequest(seed=seed, seconds=60.0, pace=MarketPace.CALM)
    result = run_seed(request, bug.plant)
    assert result.rule in bug.rule.split("|"), result.broken


def test_requests_that_are_turned_away_do_not_make_a_storm():
    """While the venue asks to wait, cancels that it does not look at are not sent again and again."""
    request = SimulateRequest(seed=0, seconds=30.0, kinds=(FaultKind.BAN,))
    assert run_seed(request, PLANTED["impatient"].plant).rule == "pace"
    assert run_seed(request).broken == ""


def test_a_failure_is_shrunk_to_what_causes_it_and_one_line_shows_it_again():
    """A lost feed is all that a deaf engine needs; what the line names fails in the same way."""
    kinds = (FaultKind.FEED_DOWN, FaultKind.ANSWER_LATE, FaultKind.FEED_DELAY)
    request = SimulateRequest(seed=4, seconds=20.0, kinds=kinds)
    bug = PLANTED["deaf_to_feed_loss"].plant
    failed = run_seed(request, bug)
    assert failed.rule == "book"
    found = shrink(request, failed, bug)
    assert [f.kind for f in found.faults] == [FaultKind.FEED_DOWN]
    assert found.result.rule == "book"
    assert len(found.faults) < len(faults_of(request))
    (fault,) = found.faults
    assert f"--only {fault.number}" in found.command
    assert found.result.conditions.seconds * NANOS_PER_SECOND >= fault.at_ns


def test_the_fewest_causes_are_found():
    """Two of ten that only fail together, and none where nothing is needed."""
    assert fewest(range(10), lambda some: {3, 8} <= set(some), 100) == (3, 8)
    assert fewest(range(10), lambda some: True, 100) == ()
    assert fewest(range(10), lambda some: {3, 8} <= set(some), 0) == tuple(range(10))


def test_fewer_seconds_draw_the_first_of_the_same_faults():
    """A shorter run is the beginning of a longer one."""
    links = [(0, 0), (0, 1)]
    long, short = (draw_faults(5, s, tuple(FaultKind), links) for s in (120.0, 40.0))
    assert short == [f for f in long if f.at_ms < 40_000]
