"""Both detectors: few false alarms on quiet series, prompt ones where the mean moves, memory that grows with a logarithm."""

import math

import numpy as np
import pytest

from mmd.core.learned import adwin, page_hinkley
from mmd.core.learned.adwin import new_adwin
from mmd.core.learned.page_hinkley import new_page_hinkley
from mmd.jit.kernel import bind

QUIET = 100_000
DETECTORS = {
    "page_hinkley": (new_page_hinkley, page_hinkley.inspect),
    "adwin": (new_adwin, adwin.inspect),
}


def alarms(name: str, series: np.ndarray) -> list[tuple[int, int]]:
    """Where a detector speaks on a series, and what it says."""
    make, inspect = DETECTORS[name]
    detector = make()
    run = bind(inspect, detector, 0.0)
    said = ((i, run(detector, float(x))) for i, x in enumerate(series))
    return [(i, what) for i, what in said if what != page_hinkley.STEADY]


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("kind", ["normal", "heavy tails"])
def test_false_alarms_are_rare(name: str, kind: str) -> None:
    """At most three in a hundred thousand values, whatever their unit."""
    rng = np.random.default_rng(1)
    series = rng.normal(size=QUIET) if kind == "normal" else rng.standard_t(4, QUIET)
    assert len(alarms(name, 1e-6 * series + 5e-6)) <= 3


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_move_by_one_deviation_is_found_soon(name: str, sign: float) -> None:
    """Within a hundred and fifty values, in its direction, in each of ten series."""
    for seed in range(10):
        series = np.random.default_rng(seed).normal(size=1_500)
        series[1_000:] += sign
        found = [(i, what) for i, what in alarms(name, series) if i >= 1_000]
        assert found, seed
        assert found[0][0] < 1_150
        assert found[0][1] == (page_hinkley.ROSE if sign > 0 else page_hinkley.FELL)


def test_adwin_keeps_what_is_new_only() -> None:
    """After a move its mean is the new one; its sums are those of its window."""
    rng = np.random.default_rng(3)
    series = np.concatenate([rng.normal(size=3_000), 4.0 + rng.normal(size=1_000)])
    window = new_adwin()
    for x in series:
        adwin.inspect(window, float(x))
    width = int(window["width"][0])
    assert 900 <= width <= 1_100
    assert math.isclose(window["total"][0], series[-width:].sum(), rel_tol=1e-9)
    assert math.isclose(window["squares"][0], (series[-width:] ** 2).sum(), rel_tol=1e-9)


def test_adwin_needs_memory_like_a_logarithm() -> None:
    """A hundred thousand values in at most six buckets of each power of two."""
    window = new_adwin()
    run = bind(adwin.inspect, window, 0.0)
    for x in np.random.default_rng(4).normal(size=QUIET):
        run(window, float(x))
    counts = window["n"][0]
    assert counts.max() <= 6
    assert window["levels"][0] <= math.log2(QUIET)
    assert (counts * 2 ** np.arange(len(counts))).sum() == window["width"][0]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_series_that_stands_still_and_bad_numbers_are_no_alarm(name: str) -> None:
    """Constants have no deviation; NaN is passed over."""
    assert alarms(name, np.full(2_000, 3.0)) == []
    assert alarms(name, np.full(2_000, math.nan)) == []
