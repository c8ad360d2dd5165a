"""The last half hour of each instrument at one point a second, kept by ops so that a page opened late shows it."""

from collections import deque

import msgspec
import numpy as np

from mmd.core.units import NANOS_PER_SECOND
from mmd.ops.state import FillState, InstrumentState

PERIOD_S = 1.0
POINTS_MAX = 1800
FILLS_MAX = 1000
COLUMNS = (
    "unix_s",
    "mid",
    "fair",
    "bid",
    "ask",
    "position",
    "pnl",
    "spread",
    "drift",
    "hedging",
    "arbitrage",
    "rebates",
    "funding",
    "fees",
    "forecast_ticks",
    "bars",
)
"""bid and ask are our best working quotes; spread to fees are PnL by source, fees as what they take away."""


class FillPoint(msgspec.Struct, frozen=True):
    """One of our trades, where a chart shows it."""

    unix_s: float
    side: str
    price: float
    qty: float


class History(msgspec.Struct, frozen=True):
    """Columns of equal length, oldest first; null where there was no value."""

    instrument: str
    period_s: float
    columns: dict[str, list[float | None]]
    fills: list[FillPoint]


class InstrumentHistory:
    """One instrument's ring of points and of fills."""

    def __init__(self) -> None:
        self._ring = np.full((POINTS_MAX, len(COLUMNS)), np.nan)
        self._count = 0
        self._fills: deque[FillPoint] = deque(maxlen=FILLS_MAX)

    def add(self, row: InstrumentState, unix_s: float) -> list[float | None]:
        """Keep a point; returns it in the order of COLUMNS."""
        point = _point(row, unix_s)
        self._ring[self._count % POINTS_MAX] = [np.nan if v is None else v for v in point]
        self._count += 1
        return point

    def add_fill(self, fill: FillState, seen_unix_s: float) -> FillPoint:
        """Keep one of our trades; where the venue's clock is of another day (a tape), at the time it was seen."""
        unix_s = fill.ts_event_ns / NANOS_PER_SECOND
        if abs(unix_s - seen_unix_s) > POINTS_MAX * PERIOD_S:
            unix_s = seen_unix_s
        point = FillPoint(unix_s, fill.side, float(fill.price), float(fill.qty))
        self._fills.append(point)
        return point

    def all(self, instrument: str) -> History:
        """Everything that is kept."""
        at = self._count % POINTS_MAX
        kept = self._ring[:at] if self._count < POINTS_MAX else np.roll(self._ring, -at, axis=0)
        columns = {
            name: [None if value != value else value for value in kept[:, k].tolist()]  # noqa: PLR0124 - NaN
            for k, name in enumerate(COLUMNS)
        }
        return History(instrument, PERIOD_S, columns, list(self._fills))


def _point(row: InstrumentState, unix_s: float) -> list[float | None]:
    """In the order of COLUMNS."""
    bids = [float(o.price) for o in row.orders if o.side == "BUY"]
    asks = [float(o.price) for o in row.orders if o.side == "SELL"]
    by = row.sources
    predicted = row.prediction
    return [
        unix_s,
        row.mid,
        row.fair,
        max(bids, default=None),
        min(asks, default=None),
        float(row.position),
        row.pnl_total,
        *(by.spread, by.drift, by.hedging, by.arbitrage, by.rebates, by.funding, -by.fees),
        None if predicted is None else predicted.forecast_ticks,
        None if predicted is None else float(predicted.bars),
    ]
