"""What a recording of any venue says, normalised to ticks and lots."""

import msgspec

from mmd.core.units import Side

Levels = list[tuple[int, int]]
"""(price in ticks, total lots); 0 lots removes."""


class TapeSnapshot(msgspec.Struct, frozen=True):
    """The book as of update id last_id."""

    ts_ns: int
    last_id: int
    bids: Levels
    asks: Levels


class TapeDiff(msgspec.Struct, frozen=True):
    """Levels that changed in updates first_id..last_id; prev_id is the last id of the diff before."""

    ts_ns: int
    first_id: int
    last_id: int
    prev_id: int
    bids: Levels
    asks: Levels


class TapeTrade(msgspec.Struct, frozen=True):
    """A trade, once; `aggressor` crossed the spread."""

    ts_ns: int
    trade_id: int
    aggressor: Side
    price_ticks: int
    qty_lots: int


TapeAction = TapeSnapshot | TapeDiff | TapeTrade
