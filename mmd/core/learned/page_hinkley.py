"""Page and Hinkley's test: whether the mean of a series has moved, in a few numbers of memory, as a kernel.

To be fed residuals and calibration errors, never PnL. Distances are standard deviations of the series itself, so
that one setting serves any model.

Source: Page, "Continuous inspection schemes" (1954); Hinkley (1971). Both directions are watched.
"""

import math
from typing import Final

from mmd.jit.kernel import Rec, kernel, layout, new

STEADY, ROSE, FELL = 0, 1, 2
WARM: Final = 50
"""Values before anything is said: mean and deviation have to be known first."""
_CLIP: Final = 6.0
_SD_MIN: Final = 1e-12

PAGE_HINKLEY = layout(
    ("tolerance", "f8"),  # sd that the mean may move without alarm
    ("threshold", "f8"),  # sd times values; higher is slower and surer
    ("count", "i8"),
    ("level", "f8"),  # mean since the last alarm
    ("spread", "f8"),  # sum of squared deviations from it
    ("above", "f8"),  # accumulated
    ("below", "f8"),
)


def new_page_hinkley(*, tolerance: float = 0.25, threshold: float = 25.0) -> Rec:
    """A detector that knows nothing yet."""
    assert tolerance >= 0.0, f"expected a tolerance of at least 0, found {tolerance}"
    assert threshold > 0.0, f"expected a threshold above 0, found {threshold}"
    detector = new(PAGE_HINKLEY)
    detector["tolerance"], detector["threshold"] = tolerance, threshold
    return detector


@kernel
def inspect(detector: Rec, x: float) -> int:
    """Take a value in; after an alarm the detector begins anew. Values that are not finite are passed over.

    Returns:
        STEADY, ROSE or FELL.
    """
    d = detector[0]
    if not math.isfinite(x):
        return STEADY
    if d.count >= WARM:
        sd = max(math.sqrt(d.spread / (d.count - 1)), _SD_MIN)
        z = min(max((x - d.level) / sd, -_CLIP), _CLIP)
        d.above = max(d.above + z - d.tolerance, 0.0)
        d.below = max(d.below - z - d.tolerance, 0.0)
        if max(d.above, d.below) > d.threshold:
            rose = d.above > d.below
            d.count = 0
            d.level = d.spread = d.above = d.below = 0.0
            return ROSE if rose else FELL
    d.count += 1
    away = x - d.level
    d.level += away / d.count
    d.spread += away * (x - d.level)
    return STEADY
