"""The tests of a fill one by one, and what they add up to."""

import pytest

from mmd.core.flow import adverse_tests
from mmd.core.flow.adverse_tests import ABSENT, FIELDS, NAMES, TESTS
from mmd.core.flow.rolling_percentile import FIELDS as HISTOGRAMS
from mmd.core.flow.rolling_percentile import WEIGHT_MIN
from mmd.core.market.trade_flow import LONG_TAU_S, TRADE_FLOW
from mmd.jit.kernel import kernel, layout, new

RECORD = layout(*FIELDS, *HISTOGRAMS)
SECOND = 1_000_000_000


@kernel
def verdict(record, i):
    return adverse_tests.verdict(record[0], i)


@kernel
def imbalance(record, flow, sign, now_ns):
    return adverse_tests.imbalance_strength(record[0], flow[0], sign, now_ns)


@kernel
def size_of(record, qty, quoted):
    return adverse_tests.size_strength(record[0], qty, quoted)


@kernel
def clustering(record, fills):
    return adverse_tests.clustering_strength(record[0], fills)


@kernel
def moved(record, k, by, mid):
    return adverse_tests.moved_strength(record[0], k, by, mid)


def made(by_z=1):
    record = new(RECORD)
    record["by_z"], record["tests_min"], record["confidence_limit"] = by_z, 2, 0.7
    record["imbalance_limit"], record["imbalance_trades_min"] = 0.7, 20.0
    record["size_ratio_limit"], record["fills_per_minute_limit"] = 0.8, 5.0
    record["percentile"] = 0.99
    record["moved_bps_limit"][0] = 2.0, 5.0
    return record


@pytest.mark.parametrize(
    ("strengths", "fired", "confidence"),
    [
        ((0.9, 0.9, 0.9, 0.9, 0.9), (), 0.0),
        ((1.2, 0.0, 0.0, 0.0, 0.0), ("immediate",), 0.0),
        ((1.5, -3.0, 0.0, ABSENT, ABSENT), ("immediate",), 0.75),
        ((1.2, 1.1, ABSENT, ABSENT, ABSENT), ("immediate", "delayed"), 0.575),
        ((ABSENT, ABSENT, 1.2, 1.2, 9.0), ("imbalance", "size", "clustering"), 2.2 / 3),
        ((ABSENT,) * 5, (), 0.0),
    ],
)
def test_two_tests_or_one_that_is_sure_make_a_fill_adverse(strengths, fired, confidence):
    """The confidence is the mean of those that fire; 0 where the fill is not adverse."""
    record = made()
    record["strength"][0, :, 3] = strengths
    bits, got = verdict(record, 3)
    assert tuple(NAMES[k] for k in range(TESTS) if bits >> k & 1) == fired
    assert got == pytest.approx(confidence)


def test_imbalance_counts_against_the_side_that_was_filled():
    """Sellers dominate: bad for what we bought, good for what we sold; few trades say nothing."""
    record, flow = made(), new(TRADE_FLOW)
    flow["long_lots"][0], flow["long_trades"], flow["volume_ns"] = (5.0, 95.0), 40.0, SECOND
    assert imbalance(record, flow, 1, SECOND) == pytest.approx(0.9 / 0.7)
    assert imbalance(record, flow, -1, SECOND) == pytest.approx(-0.9 / 0.7)
    assert imbalance(record, flow, 1, int(SECOND * (1 + LONG_TAU_S))) == ABSENT
    assert imbalance(record, new(TRADE_FLOW), 1, SECOND) == ABSENT


def test_in_mode_threshold_size_and_clustering_have_plain_limits():
    """More than 0.8 of the quoted size, more than five fills a minute, from the first fill on."""
    record = made(by_z=0)
    assert size_of(record, 80, 100) == pytest.approx(1.0)
    assert size_of(record, 100, 100) == pytest.approx(1.25)
    assert size_of(record, 30, 0) == pytest.approx(1.25), "what is larger than known was all of it"
    assert clustering(record, 5) == 1.0
    assert clustering(record, 6) == pytest.approx(1.2)


def test_in_mode_z_they_must_also_be_unusual_for_the_instrument():
    """Where every order is filled whole and ten times a minute, that is no news."""
    record = made()
    for _ in range(int(WEIGHT_MIN) + 10):
        size, cluster = size_of(record, 100, 100), clustering(record, 10)
    assert size == pytest.approx(1.0)
    assert cluster == pytest.approx(1.0)
    assert clustering(record, 11) == pytest.approx(1.1)
    assert clustering(made(), 11) == ABSENT, "nothing is usual yet"


def test_a_quiet_instruments_percentile_does_not_lower_the_limit():
    """Two fills a minute are unusual where there is one, and still not many."""
    record = made()
    for _ in range(int(WEIGHT_MIN) + 10):
        clustering(record, 1)
    assert clustering(record, 2) == pytest.approx(0.4)


def test_moves_are_measured_in_basis_points_of_the_mid():
    """Two against us within 30 s, five within 600 s."""
    record = made(by_z=0)
    assert moved(record, 0, -40, 200_000) == pytest.approx(1.0)
    assert moved(record, 1, -40, 200_000) == pytest.approx(0.4)
    assert moved(record, 0, 40, 200_000) < 0.0
