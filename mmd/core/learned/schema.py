"""What predictors are given at the end of each bar: ordered names and units, and their fingerprint."""

import hashlib
from typing import Final

from mmd.core.market import features

BAR_NAMES: Final = (
    ("return", "ticks"),
    ("log_return", "bps"),
    ("price_less_average_10", "ticks"),
    ("price_less_average_50", "ticks"),
    ("price_z_50", "sd"),
    ("volatility_10", "ticks"),
    ("volatility_20", "ticks"),
    ("volatility_50", "ticks"),
    ("volume", "log(1+lots)"),
    ("volume_ratio", "log"),
    ("volume_change", "log"),
    ("day_sine", "1"),
    ("day_cosine", "1"),
    ("week_sine", "1"),
    ("week_cosine", "1"),
)
"""What a bar adds to the features: its own return and volume, averages over 10, 20 and 50 bars, the calendar."""
NAMES: Final = features.NAMES + BAR_NAMES
"""(name, unit) of each element of a sample, in order."""
N: Final = len(NAMES)


def schema_hash(names: tuple[tuple[str, str], ...] = NAMES) -> str:
    """Sixteen hexadecimal digits that change with any name, unit or the order; artefacts carry it."""
    text = "\n".join(f"{name}\t{unit}" for name, unit in names)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
