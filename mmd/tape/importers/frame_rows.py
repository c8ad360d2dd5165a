"""Frames as importers make them, one by one, and their rows in batches."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.format import AGGRESSOR_KNOWN, EMPTY, LAST_IN_FRAME, ROW
from mmd.tape.importers.source import Batch

_BATCH_ROWS = 1 << 15
UNKNOWN_SIDE = -1

Levels = Sequence[tuple[int, int]]
"""(ticks, lots)."""


class Frame(NamedTuple):
    """One message of a source, in ticks and lots.

    ts_recv_ns 0: not measured. last -1: the source has no update ids. A trade's and an order event's price
    and quantity are bids[0]; side UNKNOWN_SIDE is an aggressor that the source does not tell.
    """

    kind: int
    place: int
    ts_event_ns: int
    ts_recv_ns: int = 0
    bids: Levels = ()
    asks: Levels = ()
    first: int = -1
    last: int = -1
    prev: int = -1
    side: int = 0
    order_id: int = 0
    flags: int = 0


def merge(*streams: Iterable[Frame]) -> Iterator[Frame]:
    """Frames of several files by time; at equal times the files keep their order.

    Where a file goes back in time its frames come when the file has them, so that validation sees it.
    """
    return heapq.merge(*streams, key=lambda f: f.ts_recv_ns or f.ts_event_ns)


def batches(frames: Iterable[Frame]) -> Iterator[Batch]:
    """Rows of frames, numbered where the source does not number them.

    A tape's book frames follow a snapshot: where the source has none, an empty one is put before the first.
    """
    rows: list[tuple[int, ...]] = []
    places: list[int] = []
    now_ns = number = 0
    has_book = False
    for frame in frames:
        now_ns = frame.ts_recv_ns or max(now_ns, frame.ts_event_ns)
        numbered = frame
        if frame.kind <= PARTIAL and frame.kind != TRADE:
            if frame.last < 0:
                number += 1
                numbered = frame._replace(first=number, last=number, prev=number - 1)
            if not has_book and frame.kind in (DIFF, TOP):
                rows.append(_row(_opening(numbered), now_ns, 0, 0, 0, EMPTY | LAST_IN_FRAME))
                places.append(frame.place)
            has_book = True
        _append(rows, places, numbered, now_ns)
        if len(rows) >= _BATCH_ROWS:
            yield _batch(rows, places)
            rows, places = [], []
    if rows:
        yield _batch(rows, places)


def _batch(rows: list[tuple[int, ...]], places: list[int]) -> Batch:
    try:
        return Batch(np.array(rows, ROW), places)
    except OverflowError:
        largest = max((number for row in rows for number in row), key=abs)
        raise TapeError(
            f"expected times and ids of at most 64 bits, found {largest}; check the format of the source"
        ) from None


def _opening(frame: Frame) -> Frame:
    """An empty book that the frame continues."""
    before = frame.prev if frame.kind == DIFF else frame.last - 1
    return Frame(SNAPSHOT, frame.place, frame.ts_event_ns, last=max(before, 0))


def _append(rows: list[tuple[int, ...]], places: list[int], frame: Frame, now_ns: int) -> None:
    """Add a frame's rows."""
    begin = len(rows)
    if frame.kind == TRADE or frame.kind > PARTIAL:
        ticks, lots = frame.bids[0]
        known = AGGRESSOR_KNOWN if frame.kind == TRADE and frame.side >= 0 else 0
        rows.append(_row(frame, now_ns, max(frame.side, 0), ticks, lots, frame.flags | known))
    else:
        for side, levels in enumerate((frame.bids, frame.asks)):
            for ticks, lots in levels:
                rows.append(_row(frame, now_ns, side, ticks, lots, frame.flags))
        if len(rows) == begin:
            rows.append(_row(frame, now_ns, 0, 0, 0, frame.flags | EMPTY))
    ended = rows[-1]
    rows[-1] = (*ended[:-2], ended[-2] | LAST_IN_FRAME, ended[-1])
    places.extend([frame.place] * (len(rows) - begin))


def _row(
    frame: Frame, now_ns: int, side: int, ticks: int, lots: int, flags: int
) -> tuple[int, ...]:
    """One row in the order of ROW."""
    first, last, prev = max(frame.first, 0), max(frame.last, 0), max(frame.prev, 0)
    return (
        frame.ts_event_ns,
        now_ns,
        first,
        last,
        prev,
        ticks,
        lots,
        frame.order_id,
        frame.kind,
        flags,
        side,
    )
