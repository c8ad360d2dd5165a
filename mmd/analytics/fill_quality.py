"""How often our orders trade: by quantity and time, by order at a fixed lifetime, and the naive ratio."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from mmd.analytics.bootstrap import Interval
from mmd.analytics.columns import DISTANCES_TICKS, Floats, Table
from mmd.core.units import NANOS_PER_SECOND

LIFETIMES_S: Final = (1.0, 10.0, 60.0)
_Z_95: Final = 1.959964


class FillRate(msgspec.Struct, frozen=True):
    """What was quoted within a distance of the best price of its side, and what of it traded.

    Attributes:
        within_ticks: the distance.
        filled_lots: traded at that distance or nearer.
        quoted_lot_s: lots quoted there times seconds.
        rate_per_s: their ratio: the share of a quoted lot that trades in a second; None of nothing.
    """

    within_ticks: int
    filled_lots: int
    quoted_lot_s: float
    rate_per_s: float | None

    @property
    def is_any(self) -> bool:
        """Whether the distance is no bound."""
        return self.within_ticks == DISTANCES_TICKS[-1]


def fill_rates(fills: Table, samples: Table) -> list[FillRate]:
    """Filled quantity over quoted quantity-time, for each of DISTANCES_TICKS.

    Quotes are seen on the sampling grid and count until the next sample. Trades of orders that took are no
    fills of quotes and do not count.
    """
    waits_s = np.diff(samples["ts_ns"]) / NANOS_PER_SECOND
    quoted = (
        waits_s @ samples["quoted_lots"][:-1]
        if len(waits_s) > 0
        else np.zeros(len(DISTANCES_TICKS))
    )
    rested = fills[fills["is_maker"]]
    rates = []
    for within_ticks, lot_s in zip(DISTANCES_TICKS, quoted.tolist(), strict=True):
        lots = int(rested["qty_lots"][rested["distance_ticks"] <= within_ticks].sum())
        rates.append(FillRate(within_ticks, lots, lot_s, lots / lot_s if lot_s > 0.0 else None))
    return rates


def fill_probability(orders: Table, end_ns: int, lifetime_s: float) -> Interval:
    """Probability that an order which may rest for lifetime_s has its first fill within it.

    The product-limit estimate with time from acknowledgement to first fill; orders cancelled earlier, or open at
    end_ns, are censored. It reads as a fact about the market only as far as cancels are not prompted by it.
    No estimate where no order was watched for so long. The interval is Greenwood's.

    Source: Kaplan & Meier (1958), JASA 53; for orders Lo, MacKinlay & Zhang (2002), J. Financial Economics 65.
    """
    born = orders[(orders["accepted_ns"] > 0) | (orders["first_fill_ns"] > 0)]
    has_filled = born["first_fill_ns"] > 0
    ended_ns = np.where(born["ended_ns"] > 0, born["ended_ns"], end_ns)
    began_ns = np.where(born["accepted_ns"] > 0, born["accepted_ns"], born["first_fill_ns"])
    until_ns = np.where(has_filled, born["first_fill_ns"], ended_ns)
    watched_s: Floats = np.maximum(until_ns - began_ns, 0) / NANOS_PER_SECOND
    n = len(born)
    if n == 0 or watched_s.max() < lifetime_s:
        return Interval(None, None, None, n)
    order = np.lexsort((~has_filled, watched_s))  # at equal times a fill comes before an end
    at_risk = n - np.arange(n)
    counts = has_filled[order] & (watched_s[order] <= lifetime_s)
    survival = float(np.prod(1.0 - counts / at_risk))
    spread = counts / (at_risk * np.maximum(at_risk - counts, 1))
    deviation = survival * float(np.sqrt(spread.sum()))
    filled = 1.0 - survival
    low, high = filled - _Z_95 * deviation, filled + _Z_95 * deviation
    return Interval(filled, max(low, 0.0), min(high, 1.0), n)


def naive_fill_ratio(orders: Table) -> float | None:
    """Orders with a fill over orders sent. It falls with every requote, so it says more of us than of fills."""
    return float((orders["filled_lots"] > 0).mean()) if len(orders) > 0 else None


def distinct(rates: Sequence[FillRate]) -> list[FillRate]:
    """Rates without distances at which nothing more was quoted or filled than at the one before."""
    kept: list[FillRate] = []
    for rate in rates:
        last = kept[-1] if kept else None
        if last is None or (
            rate.filled_lots != last.filled_lots
            or rate.quoted_lot_s > last.quoted_lot_s * (1.0 + 1e-9)
        ):
            kept.append(rate)
    return kept
