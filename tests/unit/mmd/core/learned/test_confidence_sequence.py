"""Bounds on a mean that hold however often one looks."""

import math

import numpy as np
import pytest

from mmd.core.learned.confidence_sequence import ConfidenceSequence


def test_a_true_mean_is_left_out_no_more_often_than_stated():
    """Of 400 series looked at after each of 400 values (from the 30th on), at most 5 % and three deviations of that."""
    rng, wrong = np.random.default_rng(1), 0
    for _ in range(400):
        sequence = ConfidenceSequence(0.05)
        for value in rng.standard_t(5, 400):
            sequence.add(value)
            if sequence.n >= 30 and not sequence.low <= 0.0 <= sequence.high:
                wrong += 1
                break
    assert wrong / 400 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize("level", [1.0, -1.0])
def test_a_clear_difference_is_found_soon(level):
    """One standard deviation: within a hundred values, and with the right sign."""
    rng, sequence = np.random.default_rng(2), ConfidenceSequence(0.05)
    for value in level + rng.normal(size=100):
        sequence.add(value)
    assert sequence.low * level > 0.0
    assert sequence.high * level > 0.0
    assert sequence.low < level < sequence.high


def test_nothing_is_known_of_one_value():
    """Bounds are infinite, and finite with two."""
    sequence = ConfidenceSequence(0.1)
    sequence.add(3.0)
    assert (sequence.low, sequence.high) == (-math.inf, math.inf)
    sequence.add(4.0)
    assert math.isfinite(sequence.radius)
    assert sequence.level == pytest.approx(3.5)
