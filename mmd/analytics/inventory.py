"""How much inventory was held, how near its limit, and how fast it was worked off."""

import msgspec
import numpy as np

from mmd.analytics.columns import Floats, Table
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND


class InventoryStats(msgspec.Struct, frozen=True):
    """Inventory as sampled, weighted by time; in base.

    Attributes:
        average: mean; persistent lean of the quotes shows here.
        sd: standard deviation.
        largest: maximum of its absolute value.
        limit_used: largest share of the limit in force at that time.
        within_limit: share of time inside the limit.
        half_life_s: see `half_life_s`.
    """

    average: float
    sd: float
    largest: float
    limit_used: float | None
    within_limit: float | None
    half_life_s: float | None


def inventory_stats(samples: Table) -> InventoryStats | None:
    """Mean, sd, maximum, limit use and half-life; None of fewer than two samples. Each counts until the next."""
    if len(samples) < 2:
        return None
    ts_ns, atoms = samples["ts_ns"], samples["position_atoms"]
    held: Floats = atoms[:-1] / ATOMS_PER_UNIT
    waits_ns = np.diff(ts_ns)
    average = float(np.average(held, weights=waits_ns))
    variance = float(np.average((held - average) ** 2, weights=waits_ns))
    has_limit = samples["limit_atoms"] > 0
    used = np.abs(atoms[has_limit]) / samples["limit_atoms"][has_limit]
    limited = has_limit[:-1]
    inside = np.abs(atoms[:-1]) <= samples["limit_atoms"][:-1]
    seen_ns = waits_ns[limited].sum()
    return InventoryStats(
        average,
        variance**0.5,
        float(np.abs(atoms).max()) / ATOMS_PER_UNIT,
        float(used.max()) if len(used) > 0 else None,
        float(waits_ns[limited & inside].sum() / seen_ns) if seen_ns > 0 else None,
        half_life_s(ts_ns, atoms.astype(float)),
    )


def half_life_s(ts_ns: Floats, held: Floats) -> float | None:
    """Time in which half of an excursion from the mean is gone: -ln 2 * step / ln(phi).

    phi is the lag-one autoregression of neighbouring samples at the median step; pairs more than half a step
    off it are left out. None where inventory does not revert (phi not in 0..1) or never moved.

    Source: the discrete form of an Ornstein-Uhlenbeck process.
    """
    if len(held) < 3:
        return None
    steps_ns = np.diff(ts_ns)
    step_ns = float(np.median(steps_ns))
    is_regular = np.abs(steps_ns - step_ns) <= step_ns / 2
    centred = held - held.mean()
    before, after = centred[:-1][is_regular], centred[1:][is_regular]
    power = float(before @ before)
    phi = float(before @ after) / power if power > 0.0 else 0.0
    if not 0.0 < phi < 1.0:
        return None
    return float(-np.log(2.0) / np.log(phi) * step_ns / NANOS_PER_SECOND)
