"""What people see of a tape: frames as text, charts, and whether it is what its header says."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.errors import TapeError
from mmd.tape.format import (
    AFTER_GAP,
    AGGRESSOR_KNOWN,
    ORDER_ADD,
    ROW,
    TapeCounts,
    TapeHeader,
)
from mmd.tape.plot import write_chart
from mmd.tape.shown_frames import shown_frames
from mmd.tape.verifying import verify_tape
from tests.bench.tape import synthetic_rows
from tests.session import instrument
from tests.tapes import row, write_tape

_ROWS = np.array(
    [
        row(SNAPSHOT, end=False, flags=AFTER_GAP, price_ticks=10_000, qty_lots=2_500),
        row(SNAPSHOT, side=1, price_ticks=10_002, qty_lots=1),
        row(TRADE, price_ticks=10_002, qty_lots=1, first=5, side=1, flags=AGGRESSOR_KNOWN),
        row(TRADE, price_ticks=10_002, qty_lots=1, first=6),
        row(ORDER_ADD, price_ticks=9_999, qty_lots=10, order_id=44),
    ],
    ROW,
)


def test_frames_are_shown_in_prices(tmp_path: Path) -> None:
    """Decimal texts, sides by name, flags where they are set."""
    tape = write_tape(tmp_path / "x.tape.parquet", _ROWS)
    book, known, unknown, order = shown_frames(tape.path, 1)
    assert book["bids"] == [["100.00", "2.500"]]
    assert (book["n_bids"], book["n_asks"], book["after_gap"]) == (1, 1, True)
    assert (known["price"], known["qty"], known["side"], known["id"]) == (
        "100.02",
        "0.001",
        "sell",
        5,
    )
    assert unknown["side"] == "unknown"
    assert (order["kind"], order["id"], order["side"]) == ("order_add", 44, "buy")


def test_a_chart_stands_alone(tmp_path: Path) -> None:
    """One file with the library in it, nothing fetched, and about as many moments as asked for."""
    rows = np.concatenate([synthetic_rows(400), _ROWS[2:4]])
    rows["ts_recv_ns"][-2:] = rows["ts_recv_ns"][:-2].max()
    tape = write_tape(tmp_path / "x.tape.parquet", rows)
    shown = write_chart(tape, tmp_path / "x.html", 40)
    text = (tmp_path / "x.html").read_text()
    assert 36 <= shown <= 44
    assert "scattergl" in text
    assert 'src="http' not in text
    with pytest.raises(TapeError, match="cannot be written"):
        write_chart(tape, tmp_path / "none" / "x.html", 200)


def test_a_good_tape_verifies(tmp_path: Path) -> None:
    """And tells how far it has got."""
    tape = write_tape(tmp_path / "x.tape.parquet", synthetic_rows(500))
    done: list[int] = []
    assert verify_tape(tape, on_rows=done.append) == []
    assert sum(done) == tape.header.counts.rows


def test_counts_that_are_not_the_headers_are_refused(tmp_path: Path) -> None:
    """As of a file that was put together by other means."""
    tape = write_tape(tmp_path / "x.tape.parquet", synthetic_rows(500))
    tape.header = msgspec.structs.replace(tape.header, counts=TapeCounts(1))
    with pytest.raises(TapeError, match="by its header, found"):
        verify_tape(tape)


def test_what_an_import_allowed_is_not_fatal_later(tmp_path: Path) -> None:
    """A crossed book that the header counts verifies; one that it does not, does not."""
    crossed = np.array(
        [
            row(SNAPSHOT, end=False, price_ticks=9, qty_lots=1),
            row(SNAPSHOT, side=1, price_ticks=8, qty_lots=1),
        ],
        ROW,
    )
    tape = write_tape(tmp_path / "x.tape.parquet", crossed)
    with pytest.raises(TapeError, match="row 0: expected the best bid below"):
        verify_tape(tape)
    known = TapeHeader(
        instrument=instrument(), source="x", issues={"crossed_book": 1}, counts=tape.header.counts
    )
    tape.header = known
    assert [f.issue.name for f in verify_tape(tape)] == ["crossed_book"]


def test_no_diff_is_lost_between_row_groups(tmp_path: Path) -> None:
    """Sequence checks go on across batches."""
    rows = synthetic_rows(500)
    rows = rows[rows["last"] != 250]
    tape = write_tape(tmp_path / "x.tape.parquet", rows)
    (finding, *_) = verify_tape(tape)
    assert finding.issue.name == "sequence_gap"
    assert rows[rows["kind"] == DIFF]["last"].max() == 500
