"""Quantiles in microseconds, as a row of a table."""

from collections.abc import Sequence

import numpy as np


def row(durations_ns: Sequence[int], decimals: int = 1) -> tuple[str, ...]:
    """p50, p90 and p99 in µs."""
    if not durations_ns:
        return ("-", "-", "-")
    return tuple(f"{x / 1e3:.{decimals}f}" for x in np.quantile(durations_ns, (0.5, 0.9, 0.99)))
