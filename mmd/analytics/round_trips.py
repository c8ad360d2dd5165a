"""Closed round trips: what was opened is matched with what closed it, first in, first out, net of fees."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from mmd.analytics.bootstrap import Interval, ratio_interval
from mmd.analytics.columns import Floats, Table
from mmd.analytics.session import Track
from mmd.core.units import NANOS_PER_SECOND

TRIP: Final = np.dtype(
    [
        ("opened_ns", "i8"),
        ("closed_ns", "i8"),
        ("sign", "i8"),  # +1 if it was long
        ("qty_lots", "i8"),
        ("notional", "f8"),  # quote currency, at the opening price
        ("pnl", "f8"),  # quote currency, less both sides' fees in proportion
    ]
)
_BPS: Final = 1e4


class TripStats(msgspec.Struct, frozen=True):
    """What closed round trips came to.

    Attributes:
        profit_factor: gains over losses, net; None without a loss.
        profit_per_trade_bps: mean net return on the opening notional, every trip counting the same.
        win_rate: share of trips with a gain.
        held_s_median: from opening to closing.
    """

    count: int
    profit_factor: float | None
    profit_per_trade_bps: Interval
    win_rate: float | None
    held_s_median: float | None


@dataclass(slots=True)
class _Lot:
    """A part of the inventory: where it came from."""

    ts_ns: int
    sign: int
    qty_lots: int
    price_ticks: float
    fee_per_lot: float


def round_trips(track: Track) -> Table:
    """All trips closed in a track's span, in the order of closing; rows of TRIP.

    Inventory carried into the span counts as opened at its first mid, without a fee. Commissions in the base
    asset count at their worth when paid; the little inventory that they take is not matched.
    """
    ticklot = track.tick * track.lot
    held = deque(_carried(track))
    rows: list[tuple[int, int, int, int, float, float]] = []
    for fill in track.fills:
        ts_ns, sign, qty_lots = int(fill["ts_ns"]), int(fill["sign"]), int(fill["qty_lots"])
        price_ticks, fee_per_lot = float(fill["price_ticks"]), float(fill["fee"]) / qty_lots
        while qty_lots > 0 and held and held[0].sign != sign:
            opened = held[0]
            lots = min(qty_lots, opened.qty_lots)
            gain = opened.sign * (price_ticks - opened.price_ticks) * ticklot
            net = lots * (gain - opened.fee_per_lot - fee_per_lot)
            notional = lots * opened.price_ticks * ticklot
            rows.append((opened.ts_ns, ts_ns, opened.sign, lots, notional, net))
            opened.qty_lots -= lots
            qty_lots -= lots
            if opened.qty_lots == 0:
                held.popleft()
        if qty_lots > 0:
            held.append(_Lot(ts_ns, sign, qty_lots, price_ticks, fee_per_lot))
    return np.array(rows, TRIP)


def trip_stats(trips: Table, rng: np.random.Generator) -> TripStats:
    """Profit factor, profit per trade and holding time of closed trips."""
    pnl: Floats = trips["pnl"]
    gains, losses = float(pnl[pnl > 0.0].sum()), -float(pnl[pnl < 0.0].sum())
    held_s = (trips["closed_ns"] - trips["opened_ns"]) / NANOS_PER_SECOND
    return TripStats(
        len(trips),
        gains / losses if losses > 0.0 else None,
        ratio_interval(_BPS * pnl / trips["notional"], np.ones(len(trips)), rng),
        float((pnl > 0.0).mean()) if len(trips) > 0 else None,
        float(np.median(held_s)) if len(trips) > 0 else None,
    )


def _carried(track: Track) -> list[_Lot]:
    """The inventory at the start of the span, in whole lots."""
    if len(track.samples) == 0:
        return []
    first = track.samples[0]
    atoms = int(first["position_atoms"])
    lots = abs(atoms) // track.instrument.atoms_per_lot
    if lots == 0:
        return []
    sign = 1 if atoms > 0 else -1
    return [_Lot(int(first["ts_ns"]), sign, lots, float(first["mid_half_ticks"]) / 2, 0.0)]
