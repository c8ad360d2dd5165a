"""Rows to records and back: every kind of frame, compiled and interpreted, and the tick rule."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.market.record import (
    DIFF,
    LEVELS_MAX,
    MARKET,
    PARTIAL,
    SNAPSHOT,
    TOP,
    TRADE,
    pack,
    packed_view,
)
from mmd.errors import TapeError
from mmd.jit.kernel import bind, interpreted, new
from mmd.tape.format import AFTER_GAP, AGGRESSOR_KNOWN, EMPTY, ORDER_ADD, ROW, Rows
from mmd.tape.frames import BROKEN, CURSOR, END, Frames, next_frame
from mmd.tape.packing import RowPacker, append_frame
from tests.market_events import fill
from tests.tapes import row, write_tape

_NUMBER = st.integers(1, 2**40)
_LEVELS = st.lists(st.tuples(_NUMBER, st.integers(0, 2**40)), max_size=5)
_NS = st.integers(0, 2**62)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, object]:
    """What a codec could write into a record."""
    kind = draw(st.sampled_from([SNAPSHOT, DIFF, TOP, TRADE, PARTIAL]))
    one = st.tuples(_NUMBER, st.integers(0, 2**40)).map(lambda level: [level])
    bids = draw(one if kind in (TOP, TRADE) else _LEVELS)
    asks = [] if kind == TRADE else draw(one if kind == TOP else _LEVELS)
    head = {name: draw(_NS) for name in ("ts_event_ns", "ts_recv_ns", "first", "last", "prev")}
    return {
        "kind": kind,
        "bids": bids,
        "asks": asks,
        "side": draw(st.integers(0, 1)) if kind == TRADE else 0,
    } | head


@settings(max_examples=60, deadline=None)
@given(st.lists(messages(), min_size=1, max_size=8))
def test_records_survive_the_tape(
    tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, object]]
) -> None:
    """Any messages packed as rows, written, read and filled in again are the same packed bytes."""
    market, packer = new(MARKET), RowPacker(1000)
    bytes_of = bind(pack, market)
    expected = []
    for event in events:
        fill(market, **event)  # type: ignore[arg-type]
        packer.add(market)
        expected.append(bytes(packed_view(market)[: bytes_of(market)]))
    tape = write_tape(tmp_path_factory.mktemp("tape") / "x.tape.parquet", packer.take())
    found = [bytes(packed_view(m)[: bytes_of(m)]) for m in Frames(tape)]
    assert found == expected


def test_interpreted_kernels_do_the_same() -> None:
    """Packing and filling in plain Python give the compiled bytes."""
    market = fill(new(MARKET), DIFF, [(5, 1), (4, 0)], [(7, 2)], last=9, first=8, prev=7)
    compiled, plain = np.zeros(8, ROW), np.zeros(8, ROW)
    assert bind(append_frame, compiled, 0, market, 0)(compiled, 0, market, AFTER_GAP) == 3
    assert interpreted(append_frame)(plain, 0, market, AFTER_GAP) == 3
    assert compiled.tobytes() == plain.tobytes()
    results = []
    for fn in (bind(next_frame, compiled, new(CURSOR), market), interpreted(next_frame)):
        cursor, out = new(CURSOR), new(MARKET)
        cursor["stop"] = 3
        results.append((fn(compiled, cursor, out), cursor.tobytes(), out.tobytes()))
    assert results[0] == results[1]
    assert results[0][0] == DIFF


def _kinds(rows: Rows) -> tuple[list[int], list[int]]:
    """Kinds and sides of all frames."""
    cursor, market = new(CURSOR), new(MARKET)
    cursor["stop"] = len(rows)
    fill_next = bind(next_frame, rows, cursor, market)
    kinds, sides = [], []
    while (kind := fill_next(rows, cursor, market)) > END:
        kinds.append(kind)
        sides.append(int(market["side"][0]))
    return [*kinds, kind], sides


def test_unknown_aggressors_follow_the_tick_rule() -> None:
    """Up buys, down sells, unchanged as before; a known side is kept and counts for the next price."""
    trades = [
        (10, 0, 0),
        (11, 0, 0),
        (11, 0, 0),
        (10, 0, 0),
        (10, 0, 0),
        (12, 1, AGGRESSOR_KNOWN),
        (11, 0, 0),
    ]
    rows = np.array(
        [row(TRADE, price_ticks=p, side=s, flags=f, qty_lots=1) for p, s, f in trades], ROW
    )
    assert _kinds(rows)[1] == [0, 0, 0, 1, 1, 1, 1]


def test_order_rows_are_passed_over() -> None:
    """They are no market records; a batch of nothing else has no frame."""
    rows = np.array([row(ORDER_ADD), row(TRADE, price_ticks=1), row(ORDER_ADD)], ROW)
    assert _kinds(rows)[0] == [TRADE, END]


def test_an_empty_frame_has_no_levels() -> None:
    """A diff that changes nothing still carries its ids."""
    cursor, market = new(CURSOR), new(MARKET)
    cursor["stop"] = 1
    rows = np.array([row(DIFF, flags=EMPTY, first=4, prev=3)], ROW)
    rows["last"] = 4
    assert bind(next_frame, rows, cursor, market)(rows, cursor, market) == DIFF
    assert market["n"][0].tolist() == [0, 0]
    assert market["last"][0] == 4


def test_a_frame_without_end_is_broken() -> None:
    """And so is one of more levels than a record has room for."""
    assert _kinds(np.array([row(DIFF, end=False)], ROW))[0] == [BROKEN]
    many = np.array([row(DIFF, end=False, price_ticks=1)] * (LEVELS_MAX + 1) + [row(DIFF)], ROW)
    assert _kinds(many)[0] == [BROKEN]


def test_the_cursor_tells_where_and_how(tmp_path: Path) -> None:
    """Row numbers, flags and the instrument's id of the frame at hand; a range of time if asked for."""
    rows = np.array(
        [
            row(TRADE, price_ticks=5, ts_recv_ns=1),
            row(DIFF, end=False, flags=AFTER_GAP, ts_recv_ns=2),
            row(DIFF, ts_recv_ns=2),
            row(TRADE, price_ticks=6, ts_recv_ns=3),
        ],
        ROW,
    )
    tape = write_tape(tmp_path / "x.tape.parquet", rows)
    frames = Frames(tape, instrument=4)
    seen = [(int(m["kind"][0]), frames.row, frames.flags & AFTER_GAP) for m in frames]
    assert seen == [(TRADE, 0, 0), (DIFF, 1, AFTER_GAP), (TRADE, 3, 0)]
    assert frames.market["instrument"][0] == 4
    assert [int(m["ts_recv_ns"][0]) for m in Frames(tape, start_ns=2, end_ns=3)] == [2]


def test_a_broken_tape_is_told(tmp_path: Path) -> None:
    """With the row at which it breaks."""
    rows = np.array([row(TRADE), *[row(DIFF, end=False)] * (LEVELS_MAX + 1), row(DIFF)], ROW)
    frames = Frames(write_tape(tmp_path / "x.tape.parquet", rows))
    assert frames.advance() == TRADE
    with pytest.raises(TapeError, match=r"row 1: expected a frame of at most 5000 levels"):
        frames.advance()
