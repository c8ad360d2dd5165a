"""Headers and rows: what goes to disk comes back, and what is no tape is refused."""

import msgspec
import numpy as np
import pytest

from mmd.core.market.record import DIFF, TRADE
from mmd.errors import TapeError
from mmd.tape.format import (
    ORDER_ADD,
    ROW,
    TapeCounts,
    TapeHeader,
    count_rows,
    cut_at_last_frame,
    decode_header,
    encode_header,
    from_arrow,
    to_arrow,
)
from tests.session import instrument
from tests.tapes import row


def test_header_comes_back() -> None:
    """Instrument, origin and counts survive the metadata."""
    counts = TapeCounts(3, {"diff": 1, "trade": 1}, 5, 9)
    header = TapeHeader(instrument=instrument(), source="tardis", files=("a.csv",), counts=counts)
    assert decode_header(encode_header(header), "x") == header


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (None, "without 'mmd.tape' metadata"),
        (b"{", "expected a tape header"),
        (b'{"schema": 1}', "expected a tape header"),
        (b'{"schema": 99}', "expected tape schema 1, found 99"),
    ],
)
def test_what_is_no_header_is_refused(data: bytes | None, found: str) -> None:
    """The message names the file and what it lacks."""
    with pytest.raises(TapeError, match=f"x.parquet: .*{found}"):
        decode_header(data, "x.parquet")


def test_counts_are_of_frames_and_add_up() -> None:
    """Two rows of one diff are one frame; the ends of time are the outer ones."""
    rows = np.array(
        [
            row(DIFF, end=False, ts_recv_ns=7),
            row(DIFF, ts_recv_ns=7),
            row(TRADE, ts_recv_ns=9),
            row(ORDER_ADD, ts_recv_ns=9),
        ],
        ROW,
    )
    counts = count_rows(rows)
    assert counts == TapeCounts(4, {"diff": 1, "trade": 1, "order_add": 1}, 7, 9)
    assert counts + TapeCounts() == TapeCounts() + counts == counts
    later = msgspec.structs.replace(counts, first_ns=20, last_ns=30)
    assert counts + later == TapeCounts(8, {"diff": 2, "trade": 2, "order_add": 2}, 7, 30)


def test_rows_come_back_from_arrow() -> None:
    """Every column at the ends of its range."""
    rows = np.zeros(2, ROW)
    for name in ROW.names or ():
        limits = np.iinfo(ROW[name])
        rows[name] = (limits.min, limits.max)
    assert np.array_equal(from_arrow(to_arrow(rows)), rows)


def test_a_cut_is_after_the_last_whole_frame() -> None:
    """Rows of an unfinished frame stay behind."""
    rows = np.array([row(TRADE), row(DIFF), row(DIFF, end=False)], ROW)
    assert cut_at_last_frame(rows) == 2
    assert cut_at_last_frame(rows[2:]) == 0
