"""A market as an observer saw it: quotes, trades and book changes of a tape, or of the generator told as one.

Everything that is estimated or compared goes through here, so that the real and the generated market are seen
through the same lens: the same messages, netted over the same intervals.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.exchange.book_side import BookSide
from mmd.tape.format import AGGRESSOR_KNOWN, EMPTY, LAST_IN_FRAME, OFF_BOOK, Rows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PAUSE_NS = 60 * NANOS_PER_SECOND
"""A longer silence is a pause of trading (a night, lunch), not time in which nothing happened."""
_ONE_ORDER_NS = 1_000_000


class Frame(NamedTuple):
    """One message; levels are (side, price_ticks, qty_lots). A trade has one, of the aggressor's side."""

    kind: int
    ts_ns: int
    event_ns: int
    levels: list[tuple[int, int, int]]


class Quotes(NamedTuple):
    """Best prices (ticks) and sizes (lots) from each time on; both sides are there."""

    ts_ns: Ints
    bid: Ints
    ask: Ints
    bid_lots: Ints
    ask_lots: Ints

    @property
    def mid(self) -> Floats:
        """In ticks."""
        return (self.bid + self.ask) / 2.0

    @property
    def held_s(self) -> Floats:
        """How long each stood, seconds; pauses and the last one count as none."""
        held = np.diff(self.ts_ns, append=self.ts_ns[-1:])
        return np.where(held > PAUSE_NS, 0, held) / NANOS_PER_SECOND

    def at(self, times_ns: Ints) -> Ints:
        """Index of the quote that stood just before each time; -1 before the first."""
        return np.searchsorted(self.ts_ns, times_ns, side="left") - 1


class Orders(NamedTuple):
    """Market orders: prints of one aggressor within a millisecond together. side is +1 buy, -1 sell."""

    ts_ns: Ints
    side: Ints
    lots: Ints


class Prints(NamedTuple):
    """Every trade; side is the aggressor's, +1 or -1."""

    ts_ns: Ints
    side: Ints
    price: Ints
    lots: Ints


class Observed(NamedTuple):
    """What an observer can say without looking behind the best prices."""

    quotes: Quotes
    orders: Orders
    prints: Prints
    diff_period_ns: int
    """Median time between book diffs."""
    has_tops: bool
    """Whether quotes are the venue's own best-price messages; else they are read off the book."""

    @property
    def span_s(self) -> float:
        """Time observed, pauses left out."""
        return float(self.quotes.held_s.sum())


def frames(batches: Iterable[Rows]) -> Iterator[Frame]:
    """Rows as messages; trades of unknown side get the tick rule's (Lee and Ready, 1991), off-book ones go."""
    last_px, last_side = 0, 0
    for rows in batches:
        ends = (np.flatnonzero(rows["flags"] & LAST_IN_FRAME) + 1).tolist()
        names = ("kind", "ts_recv_ns", "ts_event_ns", "side", "price_ticks", "qty_lots", "flags")
        kind, recv, event, side, px, qty, flags = (rows[n].tolist() for n in names)
        start = 0
        for end in ends:
            if kind[start] == TRADE:
                if px[start] != last_px:
                    last_side = 0 if px[start] > last_px else 1
                last_px = px[start]
                signed = side[start] if flags[start] & AGGRESSOR_KNOWN else last_side
                if not flags[start] & OFF_BOOK:
                    levels = [(signed, px[start], qty[start])]
                    yield Frame(TRADE, recv[start], event[start], levels)
            else:
                span = [k for k in range(start, end) if not flags[k] & EMPTY]
                levels = [(side[k], px[k], qty[k]) for k in span]
                yield Frame(kind[start], recv[start], event[start], levels)
            start = end


class ObservedBook:
    """A plain book of totals that follows snapshots and diffs."""

    def __init__(self) -> None:
        self.sides = (BookSide(Side.BUY), BookSide(Side.SELL))

    def apply(self, frame: Frame) -> None:
        """Take over a snapshot or a diff."""
        if frame.kind == SNAPSHOT:
            self.sides = (BookSide(Side.BUY), BookSide(Side.SELL))
        for side, price, lots in frame.levels:
            levels = self.sides[side]
            if lots > 0:
                levels.touch(price).tail = lots
            elif price in levels.levels:
                levels.levels[price].tail = 0
                levels.drop_if_empty(price)

    def touch(self) -> tuple[int, int, int, int] | None:
        """Best bid and ask with their lots; None where a side is empty or they cross."""
        bids, asks = self.sides
        bid, ask = bids.best, asks.best
        if bid is None or ask is None or bid >= ask:
            return None
        return bid, ask, bids.levels[bid].tail, asks.levels[ask].tail


def observe(batches: Iterable[Rows]) -> Observed:
    """Read a tape's rows once, into memory."""
    book = ObservedBook()
    tops: list[tuple[int, ...]] = []
    touches: list[tuple[int, ...]] = []
    prints: list[tuple[int, ...]] = []
    diffs: list[int] = []
    for frame in frames(batches):
        match frame.kind:
            case k if k == TRADE:
                side, price, lots = frame.levels[0]
                prints.append((frame.ts_ns, frame.event_ns, 1 - 2 * side, price, lots))
            case k if k == TOP:
                found = _top(frame)
                if found is not None and (not tops or tops[-1][1:] != found):
                    tops.append((frame.ts_ns, *found))
            case k if k in (SNAPSHOT, DIFF):
                book.apply(frame)
                diffs.append(frame.ts_ns)
                found = book.touch()
                if found is not None and (not touches or touches[-1][1:] != found):
                    touches.append((frame.ts_ns, *found))
    chosen = tops or touches
    table = np.array(chosen, np.int64).reshape(-1, 5)
    raw = np.array(prints, np.int64).reshape(-1, 5)
    raw = raw[np.argsort(raw[:, 0], kind="stable")]
    period = int(np.median(np.diff(diffs))) if len(diffs) > 1 else NANOS_PER_SECOND // 10
    return Observed(
        Quotes(*_sorted(table).T),
        _orders(raw),
        Prints(raw[:, 0], raw[:, 2], raw[:, 3], raw[:, 4]),
        max(period, 1),
        len(tops) > 0,
    )


def _sorted(table: Ints) -> Ints:
    return table[np.argsort(table[:, 0], kind="stable")]


def _top(frame: Frame) -> tuple[int, int, int, int] | None:
    found = {side: (price, lots) for side, price, lots in frame.levels if lots > 0}
    if len(found) < 2 or found[0][0] >= found[1][0]:
        return None
    return found[0][0], found[1][0], found[0][1], found[1][1]


def _orders(prints: Ints) -> Orders:
    """Prints of one millisecond and side, one after the other, are one market order."""
    if len(prints) == 0:
        empty = np.empty(0, np.int64)
        return Orders(empty, empty, empty)
    key = prints[:, 1] // _ONE_ORDER_NS
    starts = np.flatnonzero(np.r_[True, (np.diff(key) != 0) | (np.diff(prints[:, 2]) != 0)])
    lots = np.add.reduceat(prints[:, 4], starts)
    return Orders(prints[starts, 0], prints[starts, 2], lots)
