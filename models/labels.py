"""What a price predictor is asked for: the market's move over the next bars, never across a hole in the data."""

import numpy as np

from mmd.jit.kernel import F8, I8


def spans(bars: I8) -> list[slice]:
    """Stretches without a restart of the sampling clock; `bars` counts from 1 in each."""
    starts = np.flatnonzero(np.diff(bars, prepend=2**62) <= 0)
    ends = np.append(starts[1:], len(bars))
    return [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def future_changes(mid: F8, bars: I8, horizons: tuple[int, ...]) -> F8:
    """Change of the mid from each bar's end to h bars later.

    Args:
        mid: shape (n,), ticks.
        bars: shape (n,), as of BarSamples.
        horizons: bars ahead.

    Returns:
        Shape (n, len(horizons)); NaN where the data ends or has a hole before then.
    """
    out = np.full((len(mid), len(horizons)), np.nan)
    for span in spans(bars):
        part, into = mid[span], out[span]
        for k, h in enumerate(horizons):
            if len(part) > h:
                into[:-h, k] = part[h:] - part[:-h]
    return out


def future_volatility(mid: F8, bars: I8, horizons: tuple[int, ...]) -> F8:
    """Root of the sum of squared bar changes over the next h bars, in ticks; shapes as `future_changes`."""
    out = np.full((len(mid), len(horizons)), np.nan)
    for span in spans(bars):
        squares = np.concatenate([[0.0], np.cumsum(np.square(np.diff(mid[span])))])
        into = out[span]
        for k, h in enumerate(horizons):
            if len(squares) > h:
                into[:-h, k] = np.sqrt(np.maximum(squares[h:] - squares[:-h], 0.0))
    return out
