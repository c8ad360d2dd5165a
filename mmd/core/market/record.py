"""The market-data event: one record for snapshots, diffs, tops and trades, and its packed form.

A codec fills a MARKET record from a frame, the engine reads it, the journal keeps its packed bytes. The
record is reused for the next frame: whoever needs it later packs it.

Field use by kind:
    SNAPSHOT  last = update id of the snapshot; px, sz = all levels it names
    DIFF      first..last = update ids it covers, prev = id before first; px, sz = levels changed, 0 lots removes
    TOP       last = update id; px[side, 0], sz[side, 0] = best bid and best ask
    TRADE     first = trade id; side = aggressor; px[0, 0], sz[0, 0] = price and quantity
    PARTIAL   last = update id; px, sz = the best levels of each side by the venue, to check ours against
"""

from typing import Any, Final, NamedTuple

import numpy as np

from mmd.jit.kernel import Rec, kernel, layout, leaf

SNAPSHOT, DIFF, TOP, TRADE, PARTIAL = 1, 2, 3, 4, 5
LEVELS_MAX = 5000
_HEAD = 9
PACKED_MAX = 8 * (_HEAD + 4 * LEVELS_MAX)

MARKET = layout(
    ("kind", "i8"),
    ("instrument", "i8"),
    ("ts_event_ns", "i8"),
    ("ts_recv_ns", "i8"),
    ("first", "i8"),
    ("last", "i8"),
    ("prev", "i8"),
    ("side", "i8"),
    ("n", "i8", (2,)),
    ("px", "i8", (2, LEVELS_MAX)),  # ticks
    ("sz", "i8", (2, LEVELS_MAX)),  # lots
    ("packed", "i8", (_HEAD + 4 * LEVELS_MAX,)),
)
KIND: Final = 0
INSTRUMENT: Final = 1
TS_EVENT_NS: Final = 2
TS_RECV_NS: Final = 3
PRICE: Final = 16
"""Where the head of a record has its kind, instrument, times, and px[0, 0], a TRADE's price."""


@leaf
def pack_row(m: Rec) -> int:
    """Write the event in a row of MARKET into its `packed`; returns how many bytes it took."""
    out = m.packed
    out[0] = m.kind | m.side << 8 | m.instrument << 16
    out[1] = m.ts_event_ns
    out[2] = m.ts_recv_ns
    out[3] = m.first
    out[4] = m.last
    out[5] = m.prev
    out[6] = m.n[0]
    out[7] = m.n[1]
    out[8] = 0
    at = _HEAD
    for side in range(2):
        for i in range(m.n[side]):
            out[at] = m.px[side, i]
            out[at + 1] = m.sz[side, i]
            at += 2
    return 8 * at


@kernel
def pack(market: Rec) -> int:
    """As `pack_row`, of a record."""
    return pack_row(market[0])


@kernel
def unpack(market: Rec, size: int) -> int:
    """Read the event back from market.packed; returns 0, or 1 if size does not match its head."""
    m = market[0]
    out = m.packed
    if size < 8 * _HEAD or size % 8 != 0:
        return 1
    n_bid, n_ask = out[6], out[7]
    if not (0 <= n_bid <= LEVELS_MAX and 0 <= n_ask <= LEVELS_MAX):
        return 1
    if size != 8 * (_HEAD + 2 * (n_bid + n_ask)):
        return 1
    m.kind = out[0] & 0xFF
    m.side = out[0] >> 8 & 0xFF
    m.instrument = out[0] >> 16
    m.ts_event_ns = out[1]
    m.ts_recv_ns = out[2]
    m.first = out[3]
    m.last = out[4]
    m.prev = out[5]
    m.n[0] = n_bid
    m.n[1] = n_ask
    at = _HEAD
    for side in range(2):
        for i in range(m.n[side]):
            m.px[side, i] = out[at]
            m.sz[side, i] = out[at + 1]
            at += 2
    return 0


def packed_view(market: Rec) -> memoryview:
    """The packed bytes of a record as a flat memoryview; slice it by what `pack` returned."""
    flat: Any = market["packed"][0].view(np.uint8)
    return memoryview(flat)


class RecordViews(NamedTuple):
    """What Python reads of a market record without numpy: 40 ns a field instead of 300."""

    record: Rec
    """Kept with its views: an id may be given to another object once the first is gone."""
    head: memoryview
    """Integers by KIND, INSTRUMENT, TS_EVENT_NS, TS_RECV_NS and PRICE."""
    packed: memoryview
    """See `packed_view`."""


class MarketViews:
    """The views of each market record, made when it is first seen: records are reused for every frame.

    Attributes:
        known: those that were made, by the record's id.
    """

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[int, RecordViews] = {}

    def of(self, market: Rec) -> RecordViews:
        """The views of one record."""
        views = self.known.get(id(market))
        if views is None:
            views = RecordViews(market, memoryview(market.view("i8")), packed_view(market))
            self.known[id(market)] = views
        return views
