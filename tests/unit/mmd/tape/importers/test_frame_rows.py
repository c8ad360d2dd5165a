"""Frames into rows: numbering, opening snapshots, receive times, merging."""

import numpy as np

from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.tape.format import (
    AGGRESSOR_KNOWN,
    EMPTY,
    LAST_IN_FRAME,
    OFF_BOOK,
    ORDER_ADD,
    ROW,
    Rows,
)
from mmd.tape.importers import frame_rows
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame, batches, merge


def _rows(*frames: Frame) -> Rows:
    return np.concatenate([np.empty(0, ROW), *(batch.rows for batch in batches(frames))])


def _columns(rows: Rows, *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(rows[name].tolist() for name in names), strict=True))


def test_frames_without_ids_are_numbered_after_an_empty_book() -> None:
    """An opening snapshot, then 1, 2, 3 ... for book frames only."""
    rows = _rows(
        Frame(DIFF, 0, 10, bids=[(5, 1)]),
        Frame(TRADE, 0, 11, bids=[(5, 1)]),
        Frame(DIFF, 0, 12, bids=[(5, 0)], asks=[(6, 2)]),
    )
    assert _columns(rows, "kind", "first", "last", "prev", "side", "price_ticks", "qty_lots") == [
        (SNAPSHOT, 0, 0, 0, 0, 0, 0),
        (DIFF, 1, 1, 0, 0, 5, 1),
        (TRADE, 0, 0, 0, 0, 5, 1),
        (DIFF, 2, 2, 1, 0, 5, 0),
        (DIFF, 2, 2, 1, 1, 6, 2),
    ]
    ends = LAST_IN_FRAME
    assert rows["flags"].tolist() == [EMPTY | ends, ends, AGGRESSOR_KNOWN | ends, 0, ends]


def test_the_venues_ids_are_kept() -> None:
    """The opening snapshot stands just before them; a snapshot of the source needs none."""
    rows = _rows(Frame(TOP, 0, 1, bids=[(5, 1)], asks=[(6, 1)], last=90))
    assert _columns(rows, "kind", "last") == [(SNAPSHOT, 89), (TOP, 90), (TOP, 90)]
    rows = _rows(
        Frame(SNAPSHOT, 0, 1, bids=[(5, 1)], last=7), Frame(DIFF, 0, 2, first=8, last=9, prev=7)
    )
    assert _columns(rows, "kind", "first", "last", "prev") == [(SNAPSHOT, 0, 7, 0), (DIFF, 8, 9, 7)]
    assert rows["flags"][1] == EMPTY | LAST_IN_FRAME


def test_receive_times_are_measured_or_run_up() -> None:
    """Where none was measured: the maximum of event times so far."""
    frames = [Frame(TRADE, 0, t, bids=[(5, 1)]) for t in (10, 30, 20)]
    assert _rows(*frames)["ts_recv_ns"].tolist() == [10, 30, 30]
    measured = [Frame(TRADE, 0, 10, t, [(5, 1)]) for t in (13, 12)]
    assert _rows(*measured)["ts_recv_ns"].tolist() == [13, 12]


def test_trades_and_orders_are_one_row() -> None:
    """An unknown aggressor has no flag and side 0; an order keeps its side and id."""
    rows = _rows(
        Frame(TRADE, 0, 1, bids=[(5, 1)], side=UNKNOWN_SIDE, flags=OFF_BOOK),
        Frame(ORDER_ADD, 0, 1, bids=[(6, 2)], side=1, order_id=77),
    )
    assert _columns(rows, "side", "flags", "order_id") == [
        (0, OFF_BOOK | LAST_IN_FRAME, 0),
        (1, LAST_IN_FRAME, 77),
    ]


def test_batches_hold_whole_frames_with_their_places(monkeypatch) -> None:
    """A place for every row."""
    monkeypatch.setattr(frame_rows, "_BATCH_ROWS", 4)
    frames = [
        Frame(DIFF, n, n + 1, bids=[(5, 1)], asks=[(6, 1)], first=n, last=n, prev=n - 1)
        for n in range(1, 8)
    ]
    made = list(batches(frames))
    assert len(made) > 1
    assert all(batch.rows["flags"][-1] & LAST_IN_FRAME for batch in made)
    assert [p for batch in made for p in batch.places] == [1] + [
        n for n in range(1, 8) for _ in (0, 1)
    ]


def test_files_merge_by_time_and_keep_their_order() -> None:
    """At equal times the first file comes first; a step back inside a file stays visible."""
    left = [Frame(TRADE, n, t) for n, t in enumerate((1, 3, 3))]
    right = [Frame(DIFF, n, t) for n, t in enumerate((1, 2, 9, 4))]
    merged = [(f.kind, f.ts_event_ns) for f in merge(left, right)]
    assert merged == [
        (TRADE, 1),
        (DIFF, 1),
        (DIFF, 2),
        (TRADE, 3),
        (TRADE, 3),
        (DIFF, 9),
        (DIFF, 4),
    ]
