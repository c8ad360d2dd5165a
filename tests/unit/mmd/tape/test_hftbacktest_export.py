"""hftbacktest arrays: what it demands of them holds, and a tape that goes there comes back."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape import hftbacktest_events as hft
from mmd.tape.format import (
    AGGRESSOR_KNOWN,
    EMPTY,
    OFF_BOOK,
    ORDER_ADD,
    ORDER_DELETE,
    ORDER_EXECUTE,
    ORDER_MODIFY,
    ROW,
    Rows,
)
from mmd.tape.hftbacktest_export import export_hftbacktest, in_both_orders
from mmd.tape.importers.hftbacktest import open_hftbacktest
from mmd.tape.reader import Tape
from tests.tapes import all_rows, imported, row, write_tape


def _rows(*rows: dict[str, int]) -> Rows:
    made = np.zeros(len(rows), ROW)
    for n, fields in enumerate(rows):
        for name, value in fields.items():
            made[name][n] = value
        made["ts_recv_ns"][n] = fields.get("ts_recv_ns", 1_000 + n)
        made["ts_event_ns"][n] = made["ts_recv_ns"][n] - 10
    return made


_BOOK = _rows(
    {"kind": SNAPSHOT, "flags": 1 | EMPTY, "last": 4, "ts_recv_ns": 900},
    {"kind": SNAPSHOT, "side": 0, "price_ticks": 100, "qty_lots": 7, "last": 5, "ts_recv_ns": 950},
    {
        "kind": SNAPSHOT,
        "side": 1,
        "price_ticks": 103,
        "qty_lots": 1,
        "last": 5,
        "flags": 1,
        "ts_recv_ns": 950,
    },
    {
        "kind": DIFF,
        "side": 0,
        "price_ticks": 101,
        "qty_lots": 2,
        "first": 6,
        "last": 6,
        "prev": 5,
        "flags": 1,
    },
    {
        "kind": TRADE,
        "side": 1,
        "price_ticks": 101,
        "qty_lots": 2,
        "first": 77,
        "flags": 1 | AGGRESSOR_KNOWN,
    },
    {"kind": TRADE, "price_ticks": 101, "qty_lots": 1, "first": 78, "flags": 1},
    {
        "kind": DIFF,
        "side": 0,
        "price_ticks": 101,
        "first": 7,
        "last": 9,
        "prev": 6,
        "ts_recv_ns": 1_100,
    },
    {
        "kind": DIFF,
        "side": 1,
        "price_ticks": 102,
        "qty_lots": 3,
        "first": 7,
        "last": 9,
        "prev": 6,
        "flags": 1,
        "ts_recv_ns": 1_100,
    },
    {"kind": TOP, "side": 0, "price_ticks": 100, "qty_lots": 8, "last": 10, "ts_recv_ns": 1_200},
    {"kind": TOP, "side": 1, "last": 10, "flags": 1, "ts_recv_ns": 1_200},
)


def _back(tape: Tape, folder: Path, level: int = 2) -> tuple[Rows, np.ndarray]:
    """A tape's rows after a journey through an npz, and the npz."""
    export_hftbacktest(tape, folder / "x.npz", level=level)
    at = tape.header.instrument
    _, again = imported(
        open_hftbacktest,
        [folder / "x.npz"],
        folder / "y.tape.parquet",
        tick=at.tick_size,
        lot=at.lot_size,
    )
    return all_rows(again), np.load(folder / "x.npz")["data"]


def test_level_2_comes_back(tmp_path: Path) -> None:
    """Snapshots, diffs, tops and trades with their ids, times and sides, row by row."""
    rows, data = _back(write_tape(tmp_path / "x.tape.parquet", _BOOK), tmp_path)
    assert data.dtype == hft.EVENT
    assert np.array_equal(rows, _BOOK)


def test_level_3_comes_back(tmp_path: Path) -> None:
    """Adds, partial cancels, executions and moves; the whole order is followed there and back."""
    order = {"order_id": 5, "side": 1, "price_ticks": 50, "flags": 1}
    orders = _rows(
        {"kind": ORDER_ADD, "qty_lots": 10, **order},
        {"kind": ORDER_DELETE, "qty_lots": 3, **order},
        {"kind": ORDER_EXECUTE, "qty_lots": 2, **order},
        {"kind": TRADE, "price_ticks": 50, "qty_lots": 2, "first": 9, "flags": 1 | AGGRESSOR_KNOWN},
        {"kind": ORDER_MODIFY, **order, "qty_lots": 5, "price_ticks": 51},
        {"kind": ORDER_EXECUTE, **order, "qty_lots": 5, "price_ticks": 51},
        {"kind": ORDER_ADD, "qty_lots": 4, **order, "order_id": 6},
        {"kind": ORDER_DELETE, "qty_lots": 4, **order, "order_id": 6},
    )
    rows, data = _back(write_tape(tmp_path / "x.tape.parquet", orders), tmp_path, level=3)
    types = (data["ev"] & hft.TYPE_MASK).tolist()
    fill, change, gone = hft.FILL, hft.MODIFY, hft.CANCEL
    assert types == [hft.ADD, change, fill, change, hft.TRADED, change, fill, gone, hft.ADD, gone]
    assert np.array_equal(rows, orders)


def test_what_it_cannot_hold_is_counted(tmp_path: Path) -> None:
    """Hidden trades, partial books, order rows in level 2, and diffs without levels."""
    rows = _rows(
        {"kind": TRADE, "price_ticks": 1, "qty_lots": 1, "flags": 1},
        {"kind": TRADE, "price_ticks": 1, "qty_lots": 1, "flags": 1 | OFF_BOOK},
        {"kind": PARTIAL, "price_ticks": 1, "qty_lots": 1, "flags": 1},
        {"kind": ORDER_ADD, "price_ticks": 1, "qty_lots": 1, "flags": 1},
        {"kind": DIFF, "flags": 1 | EMPTY, "last": 2},
    )
    made = export_hftbacktest(write_tape(tmp_path / "x.tape.parquet", rows), tmp_path / "x.npz")
    assert made.events == 1
    assert sorted(made.left_out.values()) == [1, 1, 1, 1]


def test_nothing_to_export_is_an_error(tmp_path: Path) -> None:
    """A tape without orders has no level 3; nothing is left behind."""
    tape = write_tape(tmp_path / "x.tape.parquet", np.array([row(PARTIAL, price_ticks=1)], ROW))
    with pytest.raises(TapeError, match="expected order events, found none"):
        export_hftbacktest(tape, tmp_path / "x.npz", level=3)
    assert not (tmp_path / "x.npz").exists()


def test_latency_is_never_negative_and_missing_times_are_filled(tmp_path: Path) -> None:
    """Our clock was 50 ns behind: receive times move by that; a row without a venue time takes the latest."""
    rows = _rows(*({"kind": TRADE, "price_ticks": 1, "qty_lots": 1, "flags": 1},) * 4)
    rows["ts_event_ns"] = [0, 1_051, 0, 1_003]
    made = export_hftbacktest(write_tape(tmp_path / "x.tape.parquet", rows), tmp_path / "x.npz")
    data = np.load(tmp_path / "x.npz")["data"]
    assert made.shift_ns == 50
    assert (data["local_ts"] >= data["exch_ts"]).all()
    assert made.split == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), min_size=1, max_size=30))
def test_each_clock_is_in_order_by_itself(times: list[tuple[int, int]]) -> None:
    """Whatever the delays: events valid at a clock are in its order, and every event is valid once at each."""
    events = np.zeros(len(times), hft.EVENT)
    events["exch_ts"] = [t for t, _ in times]
    events["local_ts"] = [t + d for t, d in times]
    events["ival"] = np.arange(len(times))
    ordered = in_both_orders(events)
    for flag, clock in ((hft.AT_EXCHANGE, "exch_ts"), (hft.AT_LOCAL, "local_ts")):
        here = ordered[(ordered["ev"] & np.uint64(flag)) != 0]
        assert (np.diff(here[clock]) >= 0).all()
        assert sorted(here["ival"].tolist()) == list(range(len(times)))
